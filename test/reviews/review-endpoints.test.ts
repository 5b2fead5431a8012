import { createHash } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { openReviewFile, type ReviewFile } from "#control/reviews/review-file";
import type { GatewayKey } from "#domain/gateway-key";
import { startGateway, type TestGateway } from "../world/start-gateway.ts";
import { candidate, reviewId, sampleReview } from "./sample-review.ts";

const key = (name: string, more: Partial<GatewayKey> = {}): GatewayKey => ({
  name,
  sha256: createHash("sha256").update(`hk-${name}`).digest("hex"),
  ...more,
});
const keys = [key("app"), key("other"), key("boss", { role: "admin" })];
const hour = 3_600_000;

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function memoryReviews(): ReviewFile {
  const opened = openReviewFile({ path: ":memory:", wallMs: Date.now, onTrouble: () => {} });
  if (opened.kind === "refused") throw new Error(opened.message);
  return opened.reviews;
}

interface World {
  readonly gateway: TestGateway;
  readonly reviews: ReviewFile;
  readonly get: (path: string, by?: string, more?: RequestInit) => Promise<Response>;
  readonly post: (path: string, body: object, by?: string) => Promise<Response>;
}

async function world(withKeys: readonly GatewayKey[] = keys): Promise<World> {
  const reviews = memoryReviews();
  const gateway = await startGateway([], [], { keys: withKeys, reviews });
  cleanups.push(async () => {
    await gateway[Symbol.asyncDispose]();
  });
  const headers = (by: string): Record<string, string> => (by === "" ? {} : { authorization: `Bearer hk-${by}` });
  return {
    gateway,
    reviews,
    get: (path, by = "app", more = {}) => fetch(gateway.url + path, { headers: headers(by), ...more }),
    post: (path, body, by = "boss") =>
      fetch(gateway.url + path, {
        method: "POST",
        headers: { ...headers(by), "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
  };
}

const fresh = (more: Parameters<typeof sampleReview>[0] = {}) =>
  sampleReview({ createdAtMs: Date.now(), deadlineAtMs: Date.now() + hour, ...more });
const id = reviewId(1);

describe("GET /v1/reviews/{id}", () => {
  it.each(["/v1", "", "/openai/v1"])("tells its caller what became of a review, under the root %j", async (root) => {
    const { reviews, get } = await world();
    const review = fresh();
    reviews.put(review);
    const open = await get(`${root}/reviews/${id}`);
    expect(open.status).toBe(200);
    expect(open.headers.get("cache-control")).toBe("no-store");
    expect(await open.json()).toEqual({
      id,
      object: "hedgerow.review",
      status: "open",
      created_at: new Date(review.createdAtMs).toISOString(),
      deadline_at: new Date(review.deadlineAtMs).toISOString(),
    });
    reviews.claim(id, { by: "ann" });
    expect(await (await get(`${root}/reviews/${id}`)).json()).toMatchObject({ status: "claimed" });
    reviews.answer(id, { by: "ann", reason: "it is", answer: { kind: "accept", target: "b/two" } });
    expect(await (await get(`${root}/reviews/${id}`)).json()).toMatchObject({
      status: "decided",
      decision: { kind: "accepted", target: "b/two", reviewer: "ann", reason: "it is" },
      answer: JSON.parse(review.candidates[1]?.answer ?? ""),
    });
  });

  it("gives an answer digit by digit as it was kept", async () => {
    const { reviews, get } = await world();
    const exact = { ...candidate("a/one", 0.5), answer: '{"n":12345678901234567890.10}' };
    reviews.put(fresh({ candidates: [exact] }));
    reviews.answer(id, { by: "ann", answer: { kind: "accept", target: "a/one" } });
    expect(await (await get(`/v1/reviews/${id}`)).text()).toContain('"answer":{"n":12345678901234567890.10}}');
  });

  it.each([
    ["openai-chat", (answer: never) => answer["choices"][0]["message"]["content"]],
    ["openai-responses", (answer: never) => answer["output"][0]["content"][0]["text"]],
    ["anthropic-messages", (answer: never) => answer["content"][0]["text"]],
    ["gemini", (answer: never) => answer["candidates"][0]["content"]["parts"][0]["text"]],
    ["bedrock-converse", (answer: never) => answer["output"]["message"]["content"][0]["text"]],
  ] as const)("gives what a person wrote in the caller's language: %s", async (dialect, textOf) => {
    const { reviews, get } = await world();
    reviews.put(fresh({ dialect }));
    reviews.answer(id, { by: "ann", answer: { kind: "write", text: "Nobody knows." } });
    const body = (await (await get(`/v1/reviews/${id}`)).json()) as { readonly answer: never };
    expect(textOf(body.answer)).toBe("Nobody knows.");
  });

  it("has no answer where a person rejected all", async () => {
    const { reviews, get } = await world();
    reviews.put(fresh());
    reviews.answer(id, { by: "ann", answer: { kind: "reject" } });
    const body = (await (await get(`/v1/reviews/${id}`)).json()) as object;
    expect(body).toMatchObject({ status: "decided", decision: { kind: "rejected" } });
    expect(body).not.toHaveProperty("answer");
  });

  it("says the same of another's review as of none", async () => {
    const { reviews, get } = await world();
    const told = async (by: string): Promise<unknown> => {
      const reply = await get(`/v1/reviews/${id}`, by);
      const text = (await reply.text()).replaceAll(/req_[0-9a-f]{24}/gu, "req");
      return { status: reply.status, text };
    };
    const none = await told("other");
    reviews.put(fresh());
    expect(await told("other")).toEqual(none);
    expect(none).toMatchObject({ status: 404 });
    expect(await told("app")).toMatchObject({ status: 200 });
    expect((await get(`/v1/reviews/${id}`, "")).status).toBe(401);
  });

  it.each(["x", "..%2freviews", "rev_%00", "%27%20OR%201=1", "rev_" + "f".repeat(5000)])(
    "knows no review %j",
    async (odd) => {
      const { get } = await world();
      expect((await get(`/v1/reviews/${odd}`)).status).toBe(404);
    },
  );

  it("waits until it is decided", async () => {
    const { reviews, get } = await world();
    reviews.put(fresh());
    const startedAtMs = performance.now();
    const waiting = get(`/v1/reviews/${id}?wait=20s`);
    setTimeout(() => reviews.answer(id, { by: "ann", answer: { kind: "reject" } }), 300);
    expect(await (await waiting).json()).toMatchObject({ status: "decided" });
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
  });

  it("waits no longer than it was told, and refuses what is no duration", async () => {
    const { reviews, get } = await world();
    reviews.put(fresh());
    const startedAtMs = performance.now();
    expect(await (await get(`/v1/reviews/${id}?wait=700ms`)).json()).toMatchObject({ status: "open" });
    expect(performance.now() - startedAtMs).toBeGreaterThan(650);
    expect((await get(`/v1/reviews/${id}?wait=soon`)).status).toBe(400);
  });

  it("holds up no drain, and lets go of a client that leaves", async () => {
    const { reviews, get, gateway } = await world();
    reviews.put(fresh());
    const left = new AbortController();
    const gone = get(`/v1/reviews/${id}?wait=60s`, "app", {
      signal: left.signal,
      headers: { authorization: "Bearer hk-app" },
    }).catch(() => "gone");
    const stays = get(`/v1/reviews/${id}?wait=60s`);
    await new Promise((resolve) => setTimeout(resolve, 200));
    left.abort();
    expect(await gone).toBe("gone");
    const startedAtMs = performance.now();
    const drained = gateway.plane.drain(30_000);
    expect(await (await stays).json()).toMatchObject({ status: "open" });
    await drained;
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
  });

  it("knows none where the gateway keeps none, and takes no other method", async () => {
    const { post } = await world();
    expect((await post(`/v1/reviews/${id}`, {}, "app")).status).toBe(405);
    await using without = await startGateway([], []);
    expect((await fetch(`${without.url}/v1/reviews/${id}`)).status).toBe(404);
  });
});

describe("/admin/api/reviews", () => {
  const path = "/admin/api/reviews";

  it("lets an administrator on another machine see, claim and answer", async () => {
    const { reviews, get, post } = await world();
    reviews.put(fresh());
    const listed = (await (await get(path, "boss")).json()) as { readonly data: readonly object[] };
    expect(listed.data).toEqual([
      expect.objectContaining({ id, status: "open", route: "main", request_id: "req_1", caller: "app" }),
    ]);
    const shown = await (await get(`${path}/${id}`, "boss")).json();
    expect(shown).toMatchObject({ request: fresh().request, candidates: [{ target: "a/one", score: 0.4 }, {}] });
    expect(await (await post(`${path}/${id}/claim`, {})).json()).toMatchObject({ claimed_by: "boss" });
    const other = await post(`${path}/${id}/answer`, { reject: true, by: "ann" });
    expect([other.status, await other.json()]).toEqual([
      409,
      { error: expect.stringMatching(/^boss has claimed it until /u) },
    ]);
    const answered = await post(`${path}/${id}/answer`, { accept: "a/one", reason: "right" });
    expect(await answered.json()).toMatchObject({
      status: "decided",
      decision: { kind: "accepted", reviewer: "boss" },
    });
    const late = await post(`${path}/${id}/answer`, { reject: true });
    expect([late.status, await late.json()]).toEqual([409, { error: expect.stringContaining("accepted by boss") }]);
  });

  it("marks what a name is worth that is only said", async () => {
    const { reviews, post } = await world();
    reviews.put(fresh());
    const claimed = await post(`${path}/${id}/claim`, { by: "ann", lease_ms: 1_000 });
    expect(await claimed.json()).toMatchObject({ claimed_by: "ann (boss)" });
  });

  it.each([
    [{}, "say one of accept"],
    [{ accept: "a/one", reject: true }, "say one of accept"],
    [{ accept: 1 }, "accept is a text"],
    [{ accept: "c/none" }, "name the target of one of the answers: a/one, b/two"],
    [{ edit: "x" }, "name the target"],
    [{ write: "  " }, "the answer is empty"],
    [{ write: "x", target: "a/one" }, "goes with edit"],
    [{ reject: "yes" }, "reject is true"],
    [{ reject: true, reasons: "x" }, 'no field "reasons"'],
    [{ reject: true, by: "" }, "say who you are"],
    [{ reject: true, reason: "x".repeat(5_000) }, "a reason has at most"],
  ])("says what is wrong with the answer %j", async (body, words) => {
    const { reviews, post } = await world();
    reviews.put(fresh());
    const reply = await post(`${path}/${id}/answer`, body);
    expect([reply.status, await reply.json()]).toEqual([400, { error: expect.stringContaining(words) }]);
    expect(reviews.show(id)).toMatchObject({ review: { status: "open" } });
  });

  it("is for administrators alone, and for no page in a browser", async () => {
    const { reviews, get, post, gateway } = await world();
    reviews.put(fresh());
    expect((await get(path, "app")).status).toBe(403);
    expect((await get(path, "")).status).toBe(401);
    expect((await post(`${path}/${id}/answer`, { reject: true }, "app")).status).toBe(403);
    const simple = await fetch(`${gateway.url}${path}/${id}/answer`, {
      method: "POST",
      headers: { authorization: "Bearer hk-boss", "content-type": "text/plain" },
      body: '{"reject":true}',
    });
    expect(simple.status).toBe(415);
    expect(reviews.show(id)).toMatchObject({ review: { status: "open" } });
  });

  it("needs a name where no keys are configured", async () => {
    const { reviews, post } = await world([]);
    reviews.put(fresh());
    expect((await post(`${path}/${id}/claim`, {}, "")).status).toBe(400);
    expect(await (await post(`${path}/${id}/claim`, { by: "ann" }, "")).json()).toMatchObject({ claimed_by: "ann" });
  });

  it.each([
    ["GET", "/x/y", 404],
    ["GET", "/x/claim/y", 404],
    ["GET", "?status=lost", 400],
    ["GET", "?limit=0", 400],
    ["GET", "/rev_1", 404],
    ["POST", "/rev_1/claim", 404],
    ["POST", "", 405],
    ["GET", "/rev_1/claim", 405],
  ])("%s …%s gives %i", async (method, rest, status) => {
    const { get, post } = await world();
    const reply = method === "GET" ? await get(path + rest, "boss") : await post(path + rest, {});
    expect(reply.status).toBe(status);
    expect(reply.headers.get("allow") !== null).toBe(status === 405);
  });
});
