import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Secret } from "#domain/secret";
import type { GatewayKey } from "#domain/gateway-key";
import { defaultLimits } from "#domain/snapshot";
import { ask } from "../world/ask.ts";
import { sendRaw, type Piece, type RawOptions, type RawReply } from "../world/raw-client.ts";
import { bodies, good } from "./hostile-bodies.ts";
import { smuggling, type Shape } from "./hostile-heads.ts";
import { configurationFor, Place } from "./gateway-process.ts";
import { sampleRoute, sampleSnapshot } from "../world/sample-snapshot.ts";
import { providerAt, startGateway, type TestGateway } from "../world/start-gateway.ts";
import { ok, stalls, startUpstream, type Upstream } from "../upstream/start-upstream.ts";

const mebibyte = 1024 * 1024;
const gatewayKey = "hr-hostile-test-key-0123456789abcdef";
const keys: readonly GatewayKey[] = [{ name: "tester", sha256: sha256(gatewayKey) }];
const limits = { ...defaultLimits, maxBodyBytes: 12 * mebibyte, headersTimeoutMs: 500, uploadIdleMs: 300 };

let upstream: Upstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await startUpstream(ok("words"));
  gateway = await startGateway(
    [
      {
        ...providerAt("p1", "openai", upstream.url),
        credentials: [{ id: "p1#1", secret: new Secret("sk-operators-own") }],
        headers: [{ name: "x-operator", value: new Secret("from the configuration") }],
      },
    ],
    [sampleRoute("main", ["p1/m"])],
    { keys, limits },
  );
});

beforeEach(() => upstream.log.clear());

afterAll(async () => {
  // After everything that was done to it, nothing is left over and a plain call is answered.
  await vi.waitUntil(() => inFlight(gateway) === 0, { timeout: 10_000 });
  const headers = { authorization: `Bearer ${gatewayKey}` };
  expect(await ask(gateway.url, { dialect: "openai-chat", streamed: true, headers })).toMatchObject({ text: "words" });
  expect(gateway.logs).toEqual([]);
  await gateway[Symbol.asyncDispose]();
  await upstream.close();
});

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function inFlight(of: TestGateway): number | undefined {
  return of.plane.metrics().find(({ name }) => name === "hedgerow_calls_in_flight")?.series[0]?.values[0];
}

/** A good request but for what is named. */
function request(shape: Shape = {}): Piece[] {
  const { line = "POST /v1/chat/completions HTTP/1.1", host = "host: gateway", body = good, headers = [] } = shape;
  const key = "key" in shape ? shape.key : gatewayKey;
  const length = shape.length ?? `content-length: ${typeof body === "string" ? Buffer.byteLength(body) : body.length}`;
  const authorization = key === undefined ? "" : `authorization: Bearer ${key}`;
  const head = [line, host, length, authorization, ...headers].filter((each) => each !== "").join("\r\n");
  return [Buffer.from(`${head}\r\n\r\n`, "latin1"), body];
}

function send(pieces: readonly Piece[] | string, options?: RawOptions): Promise<RawReply> {
  return sendRaw(gateway.plane.port, pieces, options);
}

function expectUntouched(): void {
  expect(upstream.log.entries).toHaveLength(0);
}

describe("the shape of a request (S01 to S07)", () => {
  it("is let through where it is plain", async () => {
    expect(await send(request())).toMatchObject({ status: 200 });
    expect(upstream.log.entries).toHaveLength(1);
  });

  const refusals = smuggling.map(([name, shape, status = 400]) => ({ name, shape, status }));

  it.each(refusals)("is refused, and the connection closed: $name", async ({ shape, status }) => {
    const reply = await send(request(shape));
    if (shape.line?.startsWith("CONNECT") === true) expect(reply.text).not.toContain("200");
    else expect(reply.status).toBe(status);
    expect(reply.text.match(/HTTP\/1\.1 /g)?.length ?? 0).toBeLessThanOrEqual(1);
    const aboutKeys = shape.headers?.some((each) => each.startsWith("x-api-key")) === true;
    expect(reply.closed || aboutKeys).toBe(true);
    expectUntouched();
  });

  it("cannot break into an answer that is on its way: the connection is cut, and the call ended", async () => {
    await using streaming = await startUpstream(stalls({ chunk: 2 }));
    await using second = await startGateway(
      [providerAt("p1", "openai", streaming.url)],
      [sampleRoute("main", ["p1/m"])],
    );
    const streamed = request({ body: good.replace("{", '{"stream":true,') });
    const reply = await sendRaw(second.plane.port, [...streamed, { pauseMs: 200 }, "garbage \0\r\n\r\n"]);
    expect(reply).toMatchObject({ status: 200, closed: true });
    expect(reply.text.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(await second.recorded(1)).toMatchObject([{ decision: "aborted" }]);
    await streaming.log.until(([entry]) => entry?.state === "aborted");
  });

  it("is not read twice: what hides behind a refused body is no second request", async () => {
    const second = "GET /livez HTTP/1.1\r\nhost: gateway\r\n\r\n";
    const reply = await send(request({ headers: ["transfer-encoding: chunked"], body: `0\r\n\r\n${second}` }));
    expect(reply).toMatchObject({ status: 400, closed: true });
    expect(reply.text).not.toContain("alive");
  });

  it.each([
    "//v1/models",
    "/v1/./models",
    "/v1/%2e%2e/models",
    "/v1%2fmodels",
    "/v1/models;x",
    "/V1/models",
    "/v1/models.",
  ])("has one path and no other spelling of it: %s", async (path) => {
    const reply = await send(request({ line: `GET ${path} HTTP/1.1`, length: "", body: "" }));
    expect(reply.status).toBe(404);
  });

  it("answers a pipeline in order, each request for itself", async () => {
    const calls = Array.from({ length: 20 }, () => request()).flat();
    const reply = await send(calls, { answers: 20 });
    expect(reply.text.match(/HTTP\/1\.1 200/g)).toHaveLength(20);
    expect(new Set(reply.text.match(/x-request-id: \S+/g)).size).toBe(20);
  });
});

describe("what reaches a provider (S07, S09)", () => {
  const passing = ["openai-beta", "x-client-request-id"];
  const ours = ["accept", "accept-encoding", "authorization", "connection", "content-length", "content-type", "host"];

  it("is the operator's credential, the dialect's own headers, and nothing else of the caller's", async () => {
    const sent = {
      "x-api-key": gatewayKey,
      cookie: "session=1",
      forwarded: "for=1.2.3.4",
      "x-forwarded-for": "1.2.3.4",
      "x-hedgerow-route": "other",
      "x-litellm-key": "a",
      "x-operator": "mine",
      connection: "authorization",
      te: "trailers",
      "proxy-authorization": "Basic b",
      "openai-organization": "org-1",
      "x-stainless-lang": "js",
      "user-agent": "evil/1",
      "openai-beta": "assistants=v2",
    };
    const headers = Object.entries(sent).map(([name, value]) => `${name}: ${value}`);
    expect(await send(request({ headers }))).toMatchObject({ status: 200 });
    const seen = upstream.log.last?.headers ?? {};
    expect(Object.keys(seen).toSorted()).toEqual([...ours, "openai-beta", "user-agent", "x-operator"].toSorted());
    expect(seen).toMatchObject({
      authorization: "Bearer sk-operators-own",
      "x-operator": "from the configuration",
      "user-agent": "hedgerow",
      "openai-beta": "assistants=v2",
    });
    expect(JSON.stringify(upstream.log.last)).not.toContain(gatewayKey);
  });

  it.each(passing)("cannot be extended through %s", async (name) => {
    // U+010D U+010A: code that keeps the low byte of each character would write a line break.
    const sly = Buffer.from("a\u010d\u010ax-injected: yes", "utf8").toString("latin1");
    await send(request({ headers: [`${name}: ${sly}`] }));
    for (const { headers } of upstream.log.entries) expect(headers).not.toHaveProperty("x-injected");
  });

  it("cannot be extended, nor can the answer, through names in a body", async () => {
    const body = JSON.stringify({ model: "p1/m\r\nx-injected: yes\u010d\u010ax-injected: yes", messages: [] });
    const reply = await send(request({ body }));
    expect(reply.text.split("\r\n\r\n")[0]).not.toMatch(/^x-injected/m);
    for (const { headers } of upstream.log.entries) expect(headers).not.toHaveProperty("x-injected");
  });

  it("never holds the gateway's own options", async () => {
    const body = JSON.stringify({
      ...JSON.parse(good),
      hedgerow: { tags: ["t"] },
      session_id: "s",
      fallbacks: ["main"],
    });
    expect(await send(request({ body }))).toMatchObject({ status: 200 });
    const seen = JSON.parse(String(upstream.log.last?.body)) as object;
    expect(Object.keys(seen).toSorted()).toEqual(["messages", "model"]);
  });
});

describe("a client that takes its time (S10)", () => {
  it("over its headers is let go", async () => {
    const slow = "POST /v1/chat/completions HTTP/1.1\r\nhost: g\r\n"
      .split("")
      .flatMap((byte) => [byte, { pauseMs: 80 }]);
    const reply = await send(slow);
    expect(reply).toMatchObject({ status: 408, closed: true });
    expect(reply.tookMs).toBeLessThan(3_500);
  });

  it("over its body is told, and let go", async () => {
    const reply = await send(request({ length: "content-length: 1000", body: "{" }));
    expect(reply).toMatchObject({ status: 408, closed: true });
    expect(reply.text).toContain('"code":"request_timeout"');
    expectUntouched();
  });

  it("and leaves in the middle of its body leaves nothing behind", async () => {
    await Promise.all(
      Array.from({ length: 50 }, () => send(request({ length: "content-length: 1000", body: "{" }), { waitMs: 20 })),
    );
    await vi.waitUntil(() => inFlight(gateway) === 0, { timeout: 10_000 });
    expectUntouched();
  });
});

describe("a body (S13 to S19)", () => {
  const refusals = bodies.map(([name, make, status, headers = []]) => ({ name, make, status, headers }));

  it.each(refusals)("of $name is refused before work is done on it", async ({ make, status, headers }) => {
    const body = make();
    const reply = await send(request({ body, headers }));
    expect(reply.status).toBe(status);
    expect(reply.text).toMatch(/"code":"(invalid_request|request_too_large)"/);
    expectUntouched();
  });

  it("beyond the limit is refused while it comes, where its length was not announced", async () => {
    const chunk = `10000\r\n${" ".repeat(0x10000)}\r\n`;
    const pieces = Array.from({ length: 300 }, () => chunk);
    const reply = await send([...request({ length: "transfer-encoding: chunked", body: "" }), ...pieces]);
    expect(reply).toMatchObject({ status: 413, closed: true });
    expectUntouched();
  });

  it("in gzip is read", async () => {
    expect(await send(request({ body: gzipSync(good), headers: ["content-encoding: gzip"] }))).toMatchObject({
      status: 200,
    });
    expect(String(upstream.log.last?.body)).toContain('"hi"');
  });

  it.each(["__proto__", "constructor", "prototype", "toString"])(
    "with a field named %s changes nothing here",
    async (name) => {
      const body = `{"model":"main","messages":[{"role":"user","content":"hi","${name}":{"polluted":1}}],"${name}":{"polluted":1}}`;
      await send(request({ body }));
      await send(request({ body: body.replace("}]", '}],"max_tokens":5'), line: "POST /v1/messages HTTP/1.1" }));
      expect(({} as { polluted?: number }).polluted).toBeUndefined();
      expect(Object.prototype.toString.call({})).toBe("[object Object]");
    },
  );

  it("is not waited for where the answer is no anyway", async () => {
    const endless = Array.from({ length: 40 }, () => [" ".repeat(0x10000), { pauseMs: 5 }]).flat();
    for (const length of ["content-length: 1000000000", "transfer-encoding: chunked"]) {
      const pieces = length.startsWith("t") ? ["FFFFFFF\r\n", ...endless] : endless;
      const reply = await send([...request({ key: "wrong", length, body: "" }), ...pieces]);
      expect(reply).toMatchObject({ status: 401, closed: true });
    }
  });

  it("of ten megabytes blocks nobody for long", async () => {
    const slow = ["a depth of 5 million", "a million keys", "three million objects", "ten million digits"];
    const others = ["backslashes without end", "a string that never ends", "an object in an object, a million times"];
    for (const [name, make, , headers] of bodies.filter((each) => [...slow, ...others].includes(each[0]))) {
      const pieces = request({ body: Buffer.from(make()), headers: headers ?? [] });
      // The machine may be busy with something else: the best of some rounds is the gateway's own share.
      let shortest = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 8 && shortest >= 50; round += 1) {
        shortest = Math.min(shortest, await longestBlock(() => send(pieces)));
      }
      expect(shortest, name).toBeLessThan(50);
    }
  });

  it("of ten megabytes that is a good one is carried", async () => {
    const content = "All work and no play. ".repeat((10 * mebibyte) / 22);
    const body = JSON.stringify({ model: "main", messages: [{ role: "user", content }] });
    const pieces = request({ body: Buffer.from(body) });
    expect(await send(pieces)).toMatchObject({ status: 200 });
  });
});

/** Milliseconds in which this process could do nothing else. */
async function longestBlock(work: () => Promise<unknown>): Promise<number> {
  let last = performance.now();
  let longest = 0;
  const ticking = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  await work();
  clearInterval(ticking);
  return longest;
}

describe("a key (S32, S36)", () => {
  const model = { line: "GET /v1/models HTTP/1.1", length: "", body: "" };

  it.each(["authorization: Bearer KEY", "x-api-key: KEY", "x-goog-api-key: KEY", "api-key: KEY"])(
    "is taken from %s",
    async (header) => {
      const asked = (key: string): Promise<RawReply> =>
        send(request({ ...model, key: undefined, headers: [header.replace("KEY", key)] }));
      expect(await asked(gatewayKey)).toMatchObject({ status: 200 });
      for (const wrong of [
        "x",
        `${gatewayKey}x`,
        gatewayKey.slice(0, -1),
        gatewayKey.toUpperCase(),
        sha256(gatewayKey),
      ]) {
        expect(await asked(wrong)).toMatchObject({ status: 401 });
      }
    },
  );

  it("is needed", async () => {
    expect(await send(request({ key: undefined }))).toMatchObject({ status: 401 });
    expect(await send(request({ key: "" }))).toMatchObject({ status: 401 });
    expect(await send(request({ ...model, key: undefined }))).toMatchObject({ status: 401 });
    expectUntouched();
  });

  it("is refused in an address, right or wrong, and said why", async () => {
    const reply = await send(request({ ...model, line: `GET /v1/models?key=${gatewayKey} HTTP/1.1` }));
    expect(reply.status).toBe(401);
    expect(reply.text).toMatch(/header/);
    expect(reply.text).not.toContain(gatewayKey);
  });

  it.each(["' OR '1'='1", "%00", "\u00e9\u00e9", "a".repeat(20_000), "Bearer", "null", "undefined", "[object Object]"])(
    "is no puzzle: %s",
    async (key) => {
      const reply = await send(request({ ...model, key }));
      expect(reply.status).toBe(401);
    },
  );

  it("does not say which of two was wrong", async () => {
    const reply = await send(request({ headers: ["x-api-key: other"] }));
    expect(reply.status).toBe(400);
    expect(reply.text).not.toMatch(/other|hr-hostile/);
  });

  it("that was taken away is refused at once", async () => {
    await using second = await startGateway(
      [providerAt("p1", "openai", upstream.url)],
      [sampleRoute("main", ["p1/m"])],
      {
        keys: [...keys, { name: "leaver", sha256: sha256("hr-leaver") }],
      },
    );
    const asked = (): Promise<RawReply> => sendRaw(second.plane.port, request({ key: "hr-leaver" }));
    expect(await asked()).toMatchObject({ status: 200 });
    second.plane.applySnapshot(
      sampleSnapshot([providerAt("p1", "openai", upstream.url)], [sampleRoute("main", ["p1/m"])], { keys }),
    );
    expect(await asked()).toMatchObject({ status: 401 });
  });

  it("opens its own routes and no others", async () => {
    await using second = await startGateway(
      [providerAt("p1", "openai", upstream.url)],
      [sampleRoute("main", ["p1/m"]), sampleRoute("other", ["p1/m"])],
      { keys: [{ name: "guest", sha256: sha256("hr-guest"), routes: ["other"] }] },
    );
    expect(await sendRaw(second.plane.port, request({ key: "hr-guest" }))).toMatchObject({ status: 403 });
    const pinned = good.replace("main", "p1/m");
    expect(await sendRaw(second.plane.port, request({ key: "hr-guest", body: pinned }))).toMatchObject({ status: 403 });
    const allowed = good.replace("main", "other");
    expect(await sendRaw(second.plane.port, request({ key: "hr-guest", body: allowed }))).toMatchObject({
      status: 200,
    });
  });
});

describe("an address that other machines reach", { timeout: 30_000 }, () => {
  it.each(["0.0.0.0", "::"])("is not listened at without keys: %s", async (host) => {
    const place = new Place();
    try {
      place.write(configurationFor(upstream));
      const process = place.start(["--host", host]);
      expect(await process.exited).toBe(1);
      expect(process.stdout).toBe("");
      expect(process.stderr).toMatch(/no `keys` are configured/);
    } finally {
      await place.clear();
    }
  });
});
