import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openReviewFile, type ReviewFile } from "#control/reviews/review-file";
import { adminRoutes, describeAdminApi, type AdminRoute } from "#planes/admin-routes";
import { reviewId, sampleReview } from "../reviews/sample-review.ts";
import { sampleProvider, sampleRoute } from "../world/sample-snapshot.ts";
import { startIssuing, type IssuingGateway } from "./issuing-gateway.ts";

const secret = (name: string): string => `hk-${name}-0123456789abcdef0123`;
const token = secret("token");
const who = {
  none: undefined,
  wrong: "hr_0123456789012345678901234567890123456789ABCDE",
  inference: secret("app"),
  viewer: secret("looks"),
  admin: secret("boss"),
  token,
} as const;
type Who = keyof typeof who;

interface Row {
  /** What is sent where the route has a body. */
  readonly body?: object;
  /** `{id}` stands for an issued key's, or for a review's. */
  readonly id?: "key" | "review";
  readonly viewer: 200 | 403;
  readonly admin: 200 | 201;
}

/** Who gets what, of every route there is. */
const table: Readonly<Record<string, Row>> = {
  "GET /admin/api/health": { viewer: 200, admin: 200 },
  "GET /admin/api/configuration": { viewer: 200, admin: 200 },
  "GET /admin/api/openapi.json": { viewer: 200, admin: 200 },
  "GET /admin/api/keys": { viewer: 200, admin: 200 },
  "POST /admin/api/keys": { viewer: 403, admin: 201, body: { name: "fresh" } },
  "GET /admin/api/keys/{id}": { viewer: 200, admin: 200, id: "key" },
  "DELETE /admin/api/keys/{id}": { viewer: 403, admin: 200, id: "key" },
  "POST /admin/api/keys/{id}/rotate": { viewer: 403, admin: 200, id: "key", body: { overlap: "1h" } },
  "GET /admin/api/reviews": { viewer: 403, admin: 200 },
  "GET /admin/api/reviews/{id}": { viewer: 403, admin: 200, id: "review" },
  "POST /admin/api/reviews/{id}/claim": { viewer: 403, admin: 200, id: "review", body: { by: "ann" } },
  "POST /admin/api/reviews/{id}/answer": { viewer: 403, admin: 200, id: "review", body: { reject: true } },
};

let world: IssuingGateway;
let reviews: ReviewFile;
let made = 0;

beforeAll(async () => {
  const opened = openReviewFile({ path: ":memory:", wallMs: Date.now, onTrouble: () => {} });
  if (opened.kind === "refused") throw new Error(opened.message);
  reviews = opened.reviews;
  const key = (name: string, role?: "viewer" | "admin") => ({
    name,
    sha256: hash("sha256", secret(name)),
    ...(role === undefined ? {} : { role }),
  });
  const routes = [sampleRoute("main", ["one/m"])];
  world = await startIssuing([[sampleProvider("one")], routes], {
    reviews,
    keys: [key("app"), key("looks", "viewer"), key("boss", "admin")],
    adminToken: hash("sha256", token),
    guarded: true,
    teams: new Map([["web", { organisation: "acme" }]]),
    organisations: ["acme"],
  });
});
afterAll(() => world[Symbol.asyncDispose]());

async function ask(method: string, path: string, more: { readonly by?: Who; readonly body?: object } = {}) {
  const bearer = who[more.by ?? "admin"];
  const answer = await fetch(world.gateway.url + path, {
    method,
    headers: {
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      ...(more.body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(more.body === undefined ? {} : { body: JSON.stringify(more.body) }),
  });
  const text = await answer.text();
  const body = text === "" ? undefined : (JSON.parse(text) as Record<string, unknown>);
  return { status: answer.status, headers: answer.headers, body, text };
}

/** Something of its own for each request, so that none meets what another did. */
async function idOf({ id }: Row): Promise<string> {
  made += 1;
  if (id === "review") {
    const at = Date.now();
    reviews.put({ ...sampleReview({ createdAtMs: at, deadlineAtMs: at + 3_600_000 }), id: reviewId(made) });
    return reviewId(made);
  }
  const issued = await world.feed.ask({ kind: "create", facts: { name: `k${made}` } });
  if (issued.kind !== "issued") throw new Error(issued.kind);
  return issued.key.id;
}

const requests = adminRoutes.map((route) => [`${route.method} ${route.path}`, route] as const);

describe("the admin API", () => {
  it("has a row in the table of this test for every route", () => {
    expect(Object.keys(table).toSorted()).toEqual(requests.map(([name]) => name).toSorted());
  });

  describe.each(requests)("%s", (name, route) => {
    const row = table[name] ?? { viewer: 403, admin: 200 };
    const expected: Readonly<Record<Who, number>> = {
      none: 401,
      wrong: 401,
      inference: 403,
      viewer: row.viewer,
      admin: row.admin,
      token: row.admin,
    };
    it.each(Object.keys(who) as Who[])("for %s", async (by) => {
      const path = route.path.replace("{id}", await idOf(row));
      const body = row.body !== undefined && "name" in row.body ? { name: `fresh-${made}` } : row.body;
      const answer = await ask(route.method, path, { by, ...(body === undefined ? {} : { body }) });
      expect([answer.status, answer.text]).toEqual([expected[by], expect.any(String)]);
      expect(answer.headers.get("content-type")).toContain("application/json");
      if (answer.status >= 400) expect(answer.body).toEqual({ error: expect.any(String) });
      else {
        expect(answer.status).toBe(route.answer.status);
        expect(route.answer.schema.safeParse(answer.body)).toMatchObject({ success: true });
      }
    });
  });

  it.each([
    ["GET", "/admin/api", 404],
    ["GET", "/admin/api/", 404],
    ["GET", "/admin/api/nothing", 404],
    ["GET", "/admin/api/keys/", 404],
    ["GET", "/admin/api/keys/a/b", 404],
    ["GET", "/admin/api/keys/rotate", 404],
    ["POST", "/admin/api/keys//rotate", 404],
    ["PUT", "/admin/api/keys", 405],
    ["PATCH", "/admin/api/keys/x", 405],
    ["GET", "/admin/api/keys/x/rotate", 405],
    ["DELETE", "/admin/api/health", 405],
    ["HEAD", "/admin/api/health", 200],
  ])("answers %s %s with %i, and strangers with the same as everywhere", async (method, path, status) => {
    expect((await ask(method, path)).status).toBe(status);
    expect((await ask(method, path, { by: "none" })).status).toBe(401);
    expect((await ask(method, path, { by: "inference" })).status).toBe(403);
  });

  it("takes the administrator's token nowhere else", async () => {
    const call = { model: "main", messages: [{ role: "user", content: "x" }] };
    for (const [method, path, body] of [
      ["POST", "/v1/chat/completions", call],
      ["GET", "/v1/models", undefined],
      ["POST", "/v1/feedback", { id: "req_1", correct: true }],
    ] as const) {
      const answer = await ask(method, path, { by: "token", ...(body === undefined ? {} : { body }) });
      expect([path, answer.status]).toEqual([path, 401]);
    }
  });

  it("takes no body that a page in a browser could send, and none that is no JSON object", async () => {
    const send = (type: string, body: string) =>
      fetch(`${world.gateway.url}/admin/api/keys`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": type },
        body,
      });
    expect((await send("text/plain", '{"name":"x"}')).status).toBe(415);
    for (const body of ["", "[]", "null", "{", '"x"']) expect((await send("application/json", body)).status).toBe(400);
    expect((await send("application/json", `{"name":"${"x".repeat(1_100_000)}"}`)).status).toBe(413);
  });

  it("has no route that does not say who may use it: that would not compile", () => {
    const { permission, ...unsaid } = adminRoutes[0] as AdminRoute;
    // @ts-expect-error the permission is missing
    const route: AdminRoute = unsaid;
    expect([permission, route.path]).toEqual(["viewer", "/admin/api/health"]);
  });

  it("is described in docs/admin-api.json, word for word", () => {
    const file = new URL("../../docs/admin-api.json", import.meta.url);
    const fix = "run: node --conditions=hedgerow-source scripts/build-admin-api.ts";
    expect(readFileSync(file, "utf8"), fix).toBe(`${JSON.stringify(describeAdminApi(), null, 2)}\n`);
  });

  it("is described so that every reference in it leads somewhere", () => {
    const text = JSON.stringify(describeAdminApi());
    const { components } = describeAdminApi() as { components: { schemas: Record<string, unknown> } };
    const names = [...text.matchAll(/"\$ref":"([^"]+)"/gu)].map(([, to = ""]) => to);
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) {
      expect(name).toMatch(/^#\/components\/schemas\//u);
      expect(Object.keys(components.schemas)).toContain(name.split("/").at(-1));
    }
  });
});

describe("keys over the admin API", () => {
  const create = (body: object) => ask("POST", "/admin/api/keys", { body });
  const calls = async (key: string) => {
    const answer = await fetch(`${world.gateway.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
    return answer.status;
  };

  it("are issued, looked at, rotated and revoked", async () => {
    const made1 = await create({
      name: "tour",
      routes: ["main"],
      budget: "5usd/day",
      limits: { rpm: 10 },
      team: "web",
    });
    const { key, id } = made1.body as { key: string; id: string };
    expect(made1.body).toMatchObject({
      status: "active",
      team: "web",
      routes: ["main"],
      limits: { rpm: 10 },
      budgets: [{ limit_usd: 5, period: "day", soft: false, alert_at: [0.8, 1] }],
      secrets: [{ hint: key.slice(0, 9) }],
    });
    expect(await calls(key)).toBe(200);
    for (const path of [`/admin/api/keys/${id}`, "/admin/api/keys/tour", "/admin/api/keys?revoked=true&limit=1000"]) {
      const { text } = await ask("GET", path);
      expect(text).toContain(id);
      expect(text).not.toContain(key);
    }
    const rotated = (await ask("POST", "/admin/api/keys/tour/rotate", { body: {} })).body as { key: string };
    expect([await calls(key), await calls(rotated.key)]).toEqual([200, 200]);
    const again = (await ask("POST", `/admin/api/keys/${id}/rotate`, { body: { overlap: "0s" } })).body as {
      key: string;
    };
    expect([await calls(key), await calls(rotated.key), await calls(again.key)]).toEqual([401, 401, 200]);
    expect((await ask("DELETE", "/admin/api/keys/tour")).body).toMatchObject({ status: "revoked", secrets: [] });
    expect(await calls(again.key)).toBe(401);
    expect((await ask("DELETE", `/admin/api/keys/${id}`)).status).toBe(200);
    expect((await ask("DELETE", "/admin/api/keys/tour")).status).toBe(404);
  });

  it.each([
    [{}, "name:"],
    [{ name: "no spaces" }, "name: a name begins"],
    [{ name: "anonymous" }, "nobody's name"],
    [{ name: "app" }, "the configuration has a key"],
    [{ name: "n", routes: ["mian"] }, 'did you mean "main"?'],
    [{ name: "n", providers: ["two"] }, 'there is no "two"'],
    [{ name: "n", team: "wbe" }, 'did you mean "web"?'],
    [{ name: "n", organisation: "other" }, 'there is no "other"'],
    [{ name: "n", endpoints: ["fly"] }, "endpoints"],
    [{ name: "n", role: "owner" }, "role"],
    [{ name: "n", expires: "soon" }, "expires: expected a date"],
    [{ name: "n", expires: "2020-01-01" }, "that is over"],
    [{ name: "n", expires: "9999-01-01" }, "ten years"],
    [{ name: "n", budget: "5" }, "budget"],
    [{ name: "n", limits: { rpm: 0 } }, "limits.rpm"],
    [{ name: "n", sha256: "0".repeat(64) }, 'no field "sha256"'],
  ])("are not issued as %j", async (body, words) => {
    const answer = await create(body);
    expect([answer.status, answer.body?.["error"]]).toEqual([400, expect.stringContaining(words)]);
  });

  it("have names of their own, as long as they are not revoked", async () => {
    expect((await create({ name: "twin" })).status).toBe(201);
    expect((await create({ name: "twin" })).status).toBe(409);
    await ask("DELETE", "/admin/api/keys/twin");
    expect((await create({ name: "twin" })).status).toBe(201);
    expect((await ask("POST", "/admin/api/keys/nobody/rotate", { body: {} })).status).toBe(404);
    expect((await ask("POST", "/admin/api/keys/twin/rotate", { body: { overlap: "32d" } })).status).toBe(400);
    for (const query of ["limit=0", "limit=1001", "revoked=yes"]) {
      expect((await ask("GET", `/admin/api/keys?${query}`)).status).toBe(400);
    }
  });

  it("of the role admin may do what the token may", async () => {
    const { key } = (await create({ name: "second-boss", role: "admin" })).body as { key: string };
    const asked = await fetch(`${world.gateway.url}/admin/api/keys`, { headers: { "x-api-key": key } });
    expect(asked.status).toBe(200);
  });
});
