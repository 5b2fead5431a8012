import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { status } from "#cli/commands/status";
import type { GatewayKey } from "#domain/gateway-key";
import { startSimulator, type Simulator } from "#simulation/server";
import { ask } from "../world/ask.ts";
import { runCommand } from "../world/run-command.ts";
import { sampleRoute } from "../world/sample-snapshot.ts";
import { providerAt, startGateway, type TestGateway } from "../world/start-gateway.ts";

let simulator: Simulator;
let gateway: TestGateway;

beforeEach(async () => {
  simulator = await startSimulator({
    script: [
      {
        match: { model: "counted" },
        behaviour: {
          answer: { text: "one" },
          headers: {
            "x-ratelimit-limit-requests": "60",
            "x-ratelimit-remaining-requests": "0",
            "x-ratelimit-reset-requests": "1m30s",
          },
        },
      },
    ],
  });
});

afterEach(async () => {
  await gateway[Symbol.asyncDispose]();
  await simulator.close();
});

function keyNamed(name: string, more: Partial<GatewayKey> = {}): GatewayKey {
  return { name, sha256: createHash("sha256").update(`${name}-0123456789abcdef01234567`).digest("hex"), ...more };
}

async function start(keys: readonly GatewayKey[] = []): Promise<void> {
  const routes = [sampleRoute("main", ["sim/rate-limited", "sim/fast"]), sampleRoute("counted", ["sim/counted"])];
  gateway = await startGateway([providerAt("sim", "openai-compatible", simulator.url)], routes, { keys });
}

const say = (model: string) => ask(gateway.url, { dialect: "openai-chat", streamed: false, model });

async function health(headers: Record<string, string> = {}, method = "GET") {
  const response = await fetch(`${gateway.url}/admin/api/health`, { headers, method });
  return { status: response.status, body: method === "HEAD" ? undefined : await response.json() };
}

describe("GET /admin/api/health", () => {
  it("says who waits after what and until when, and what runs", async () => {
    await start();
    await say("main");
    const { status: code, body } = await health();
    expect(code).toBe(200);
    expect(body).toMatchObject({ version: "000000000000", workers: 1 });
    const [first, ...rest] = body.scopes;
    expect(first).toMatchObject({
      name: "credential sim#1 rate-limited",
      kind: "share",
      provider: "sim",
      model: "rate-limited",
      credential: "sim#1",
      state: "cooling",
      words: "waits after rate limited",
      cause: "rate_limited",
      openings: 0,
      in_flight: 0,
      limit: 20,
    });
    expect(Date.parse(first.until) - Date.parse(body.at)).toBeGreaterThan(500);
    expect(Date.parse(first.until) - Date.parse(body.at)).toBeLessThanOrEqual(2_000);
    expect(rest).toMatchObject([{ name: "credential sim#1 fast", state: "closed", words: "well" }]);
  });

  it("is open to everybody on this machine without keys, and with keys to administrators only", async () => {
    await start([keyNamed("app"), keyNamed("boss", { role: "admin" })]);
    const bearer = (name: string) => ({ authorization: `Bearer ${name}-0123456789abcdef01234567` });
    expect((await health()).status).toBe(401);
    expect((await health(bearer("stranger"))).status).toBe(401);
    const { status: code, body } = await health(bearer("app"));
    expect([code, body.error]).toEqual([403, expect.stringContaining("admin: true")]);
    expect((await health(bearer("boss"))).status).toBe(200);
    expect((await health(bearer("boss"), "HEAD")).status).toBe(200);
    expect((await health(bearer("boss"), "POST")).status).toBe(405);
  });

  it("is in /metrics as well, a series for each scope", async () => {
    await start();
    await say("main");
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(text).toContain('hedgerow_breaker_state{scope="credential sim#1 rate-limited"} 3\n');
    expect(text).toContain('hedgerow_credential_in_flight{scope="credential sim#1 fast"} 0\n');
    expect(text).toContain('hedgerow_credential_limit{scope="credential sim#1 fast"} 20\n');
  });
});

describe("a credential that has nothing left", () => {
  it("is not asked before its reset, as the head of its last answer told it", async () => {
    await start();
    expect((await say("counted")).status).toBe(200);
    const refused = await say("counted");
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBe(60);
    expect((await health()).body.scopes[0]).toMatchObject({
      state: "empty",
      words: "nothing left of its limits",
      headroom: [{ name: "requests", remaining: 0, limit: 60 }],
    });
  });
});

describe("hedgerow status", () => {
  const run = (args: readonly string[], env: Record<string, string> = {}) =>
    runCommand(["status", "--url", gateway.url, ...args], [status], { cwd: "/", env });

  it("prints a table, trouble first, with times from now", async () => {
    await start();
    await say("main");
    await say("counted");
    const { code, out } = await run([]);
    expect(code).toBe(0);
    const [head, , titles, ...rows] = out.trimEnd().split("\n");
    expect(head).toBe("configuration 000000000000, 1 worker: 2 of 3 scopes are in trouble or busy");
    expect(titles?.split(/ {2,}/)).toEqual(["scope", "state", "since", "until", "in flight", "headroom"]);
    expect(rows[0]).toMatch(
      /^credential sim#1 rate-limited {2}waits after rate limited +\d\.\d s ago +in \d\.\d s +0\/20$/,
    );
    expect(rows[1]).toMatch(
      /^credential sim#1 counted +nothing left of its limits +in (8\d|90) s +0\/20 +0 of 60 requests, reset in (8\d|90) s$/,
    );
    expect(rows[2]).toMatch(/^credential sim#1 fast +well +0\/20$/);
  });

  it("gives the gateway's own words as JSON, and says that all is well where it is", async () => {
    await start();
    expect((await run([])).out).toBe(
      "configuration 000000000000, 1 worker: all is well\nNo provider has been asked yet.\n",
    );
    await say("main");
    const { out } = await run(["--json"]);
    expect(JSON.parse(out)).toMatchObject({ workers: 1, scopes: [{ state: "cooling" }, { state: "closed" }] });
  });

  it("says what to do where it may not look, or nobody listens", async () => {
    await start([keyNamed("app"), keyNamed("boss", { role: "admin" })]);
    expect(await run([])).toMatchObject({
      code: 1,
      err: expect.stringContaining("HEDGEROW_KEY to a key with admin: true"),
    });
    const key = (name: string) => ({ HEDGEROW_KEY: `${name}-0123456789abcdef01234567` });
    expect(await run([], key("app"))).toMatchObject({ code: 1, err: expect.stringContaining("is no administrator's") });
    expect((await run([], key("boss"))).code).toBe(0);
    expect((await run([], { HEDGEROW_ADMIN_TOKEN: key("boss").HEDGEROW_KEY })).code).toBe(0);
    const wrong = await runCommand(["status", "--url", simulator.url], [status], { cwd: "/" });
    expect(wrong).toMatchObject({ code: 1, err: expect.stringMatching(/answered 404|no gateway/) });
    const nobody = await runCommand(["status", "--url", "http://127.0.0.1:2"], [status], { cwd: "/" });
    expect(nobody).toMatchObject({ code: 1, err: expect.stringContaining("nothing listens at http://127.0.0.1:2") });
  });
});
