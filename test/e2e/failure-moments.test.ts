import { connect } from "node:net";
import { setTimeout as after } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { defaultLimits, type Route, type Snapshot } from "#domain/snapshot";
import { ask } from "../world/ask.ts";
import { sampleRoute } from "../world/sample-snapshot.ts";
import { providerAt, startGateway, type TestGateway } from "../world/start-gateway.ts";
import { fails, ok, says, stalls, startUpstream, type Upstream } from "../upstream/start-upstream.ts";

const chat = { dialect: "openai-chat", streamed: false } as const;
const chatStream = { dialect: "openai-chat", streamed: true } as const;
const messages = { dialect: "anthropic-messages", streamed: false } as const;

/** A gateway whose one route asks these upstreams in order. */
function gatewayOver(
  upstreams: readonly Upstream[],
  more: Partial<Route> = {},
  snapshot: Partial<Snapshot> = {},
): Promise<TestGateway> {
  return startGateway(
    upstreams.map((upstream, at) => providerAt(`p${at + 1}`, "openai", upstream.url)),
    [
      sampleRoute(
        "main",
        upstreams.map((_, at) => `p${at + 1}/m`),
        more,
      ),
    ],
    snapshot,
  );
}

function targets(record: TestGateway["records"][number] | undefined): readonly string[] {
  return record?.attempts.map((each) => each.target) ?? [];
}

describe("an empty answer (row 14)", () => {
  it.each([chat, chatStream])("is tried once elsewhere", async (question) => {
    await using empty = await startUpstream(ok(""));
    await using backup = await startUpstream(ok("words"));
    await using gateway = await gatewayOver([empty, backup]);
    expect(await ask(gateway.url, question)).toMatchObject({ status: 200, text: "words", ending: "complete" });
    expect(gateway.records).toMatchObject([{ decision: "recovered", attempts: [{ outcome: "answered" }, {}] }]);
    await ask(gateway.url, question);
    expect(empty.log.entries).toHaveLength(2);
  });

  it.each([chat, chatStream])("is given as it is, with a warning, where nobody has a better one", async (question) => {
    await using one = await startUpstream(ok(""));
    await using two = await startUpstream(ok(""));
    await using three = await startUpstream(ok("never asked"));
    await using gateway = await gatewayOver([one, two, three]);
    const reply = await ask(gateway.url, question);
    expect(reply).toMatchObject({ status: 200, text: "", ending: "complete" });
    expect(reply.headers.get("x-hedgerow-warning")).toMatch(/empty/);
    expect(three.log.entries).toHaveLength(0);
  });
});

describe("which targets are asked", () => {
  it("is nobody for a model that does not exist; the nearest names are told (row 18)", async () => {
    await using upstream = await startUpstream();
    await using gateway = await gatewayOver([upstream]);
    const reply = await ask(gateway.url, { ...chat, model: "mian" });
    expect(reply).toMatchObject({ status: 404, code: "model_not_found" });
    expect(reply.body).toContain("main");
    expect(reply.headers.get("x-should-retry")).toBe("false");
    expect(upstream.log.entries).toHaveLength(0);
  });

  it("is three at most", async () => {
    await using failing = await startUpstream(fails(500));
    await using gateway = await startGateway(
      ["a", "b", "c", "d"].map((id) => providerAt(id, "openai", failing.url)),
      [sampleRoute("main", ["a/m", "b/m", "c/m", "d/m"])],
    );
    expect(await ask(gateway.url, chat)).toMatchObject({ status: 502 });
    expect(targets(gateway.records[0])).toEqual(["a/m", "b/m", "c/m"]);
  });

  it("is a sole target once more, where a moment may cure it", async () => {
    await using upstream = await startUpstream([fails(500), ok("words")]);
    await using gateway = await gatewayOver([upstream]);
    expect(await ask(gateway.url, chat)).toMatchObject({ status: 200, text: "words" });
    expect(targets(gateway.records[0])).toEqual(["p1/m", "p1/m"]);
  });

  it("is no third provider for a request that made two drop the connection (query of death)", async () => {
    await using dying = await startUpstream({ resetBeforeHead: true });
    await using gateway = await startGateway(
      ["a", "b", "c"].map((id) => providerAt(id, "openai", dying.url)),
      [sampleRoute("main", ["a/m", "b/m", "c/m"])],
    );
    const reply = await ask(gateway.url, chat);
    expect(reply).toMatchObject({ status: 502, code: "upstream_error" });
    expect(reply.headers.get("x-should-retry")).toBe("false");
    expect(targets(gateway.records[0])).toEqual(["a/m", "b/m"]);
  });

  it("is nobody while all ask to be left alone; the shortest wait is told (row 35)", async () => {
    await using nine = await startUpstream(fails(429, { headers: { "retry-after": "9" } }));
    await using seven = await startUpstream(fails(429, { headers: { "retry-after": "7" } }));
    await using gateway = await gatewayOver([nine, seven]);
    await ask(gateway.url, chat);
    for (const question of [chat, chatStream, messages]) {
      const reply = await ask(gateway.url, question);
      expect(reply).toMatchObject({ status: 429, code: "rate_limited", ending: "told" });
      expect(Number(reply.headers.get("retry-after"))).toBeGreaterThanOrEqual(6);
      expect(Number(reply.headers.get("retry-after"))).toBeLessThanOrEqual(7);
      expect(reply.headers.get("x-should-retry")).toBe("true");
    }
    expect(nine.log.entries).toHaveLength(1);
    expect(seven.log.entries).toHaveLength(1);
  });

  it("is nobody while no account works, which is no rate limit (row 35)", async () => {
    await using upstream = await startUpstream(fails(401));
    await using gateway = await gatewayOver([upstream]);
    await ask(gateway.url, chat);
    const reply = await ask(gateway.url, chat);
    expect(reply).toMatchObject({ status: 502, code: "upstream_error" });
    expect(reply.headers.get("x-should-retry")).toBe("false");
    expect(upstream.log.entries).toHaveLength(1);
  });

  it("is the one soonest back where all have only broken (the panic rule)", async () => {
    await using upstream = await startUpstream([...Array.from({ length: 5 }, () => fails(500)), ok("words")]);
    await using gateway = await gatewayOver([upstream], { maxAttempts: 1 });
    for (let calls = 0; calls < 5; calls += 1) await ask(gateway.url, chat);
    expect(await ask(gateway.url, chat)).toMatchObject({ status: 200, text: "words" });
  });
});

describe("the deadline", () => {
  it("of the caller holds over all attempts together (row 88)", async () => {
    await using slow = await startUpstream(stalls("request"));
    await using slower = await startUpstream(stalls("request"));
    await using third = await startUpstream(stalls("request"));
    for (const question of [chat, chatStream, messages]) {
      // A gateway each: after a call that failed everywhere the route has no retries left for the next.
      await using gateway = await gatewayOver([slow, slower, third]);
      const startedAtMs = performance.now();
      const reply = await ask(gateway.url, { ...question, body: { hedgerow: { timeout_ms: 400 } } });
      const tookMs = performance.now() - startedAtMs;
      expect(reply).toMatchObject({ status: 504, code: "upstream_timeout" });
      expect(tookMs).toBeGreaterThan(350);
      expect(tookMs).toBeLessThan(700);
    }
    await slow.log.until((entries) => entries.every((each) => each.state === "aborted"));
  });

  it("leaves time for another target where the provider says nothing (row 11)", async () => {
    await using slow = await startUpstream(stalls("request"));
    await using backup = await startUpstream(ok("in time"));
    await using gateway = await gatewayOver([slow, backup]);
    const reply = await ask(gateway.url, { ...chatStream, body: { hedgerow: { timeout_ms: 1_000 } } });
    expect(reply).toMatchObject({ status: 200, text: "in time", ending: "complete" });
  });

  it("never starts an attempt that has no time left", async () => {
    await using slow = await startUpstream(stalls("head"));
    await using backup = await startUpstream(ok("too late"));
    await using gateway = await gatewayOver([slow, backup], { timeouts: { totalMs: 500, idleMs: 480 } });
    expect(await ask(gateway.url, chat)).toMatchObject({ status: 504 });
    expect(backup.log.entries).toHaveLength(0);
  });
});

describe("a client that leaves (row 54)", () => {
  const moments = [
    ["waits for the head", stalls("request")],
    ["waits for the first content", stalls("lifecycle")],
    ["reads the middle of an answer", stalls({ chunk: 2 })],
  ] as const;
  const lanes = [chat, chatStream, messages, { ...messages, streamed: true }] as const;
  const cases = moments.flatMap(([when, behaviour]) => lanes.map((question) => ({ when, behaviour, question })));

  // Again where something else kept the machine busy: it is the gateway's own time that counts.
  it.each(cases)(
    "while it $when: upstream cancelled within 50 ms ($question)",
    { retry: 2 },
    async ({ behaviour, question }) => {
      await using upstream = await startUpstream(behaviour);
      await using backup = await startUpstream(ok("never asked"));
      await using gateway = await gatewayOver([upstream, backup]);
      const leaving = new AbortController();
      const asked = ask(gateway.url, { ...question, signal: leaving.signal }).catch(() => undefined);
      await upstream.log.until(
        ([entry]) => entry !== undefined && (entry.headAtMs !== undefined || behaviour.stall?.after === "request"),
      );
      await after(30);
      const leftAtMs = performance.now();
      leaving.abort();
      await upstream.log.until(([entry]) => entry?.state === "aborted");
      expect((upstream.log.last?.abortedAtMs ?? 0) - leftAtMs).toBeLessThan(50);
      await asked;
      const [record] = await gateway.recorded(1);
      expect(record).toMatchObject({
        decision: "aborted",
        code: "client_gone",
        attempts: [{ failure: "client_gone" }],
      });
      expect(backup.log.entries).toHaveLength(0);
      await expectIdle(gateway);
    },
  );

  it("while the gateway waits before it tries again: nothing more is sent (F80)", async () => {
    await using upstream = await startUpstream([fails(429, { headers: { "retry-after": "1" } }), ok("never asked")]);
    await using gateway = await gatewayOver([upstream]);
    const leaving = new AbortController();
    const asked = ask(gateway.url, { ...chat, signal: leaving.signal }).catch(() => undefined);
    await upstream.log.until(([entry]) => entry?.state === "complete");
    await after(50);
    leaving.abort();
    await asked;
    expect(await gateway.recorded(1)).toMatchObject([{ decision: "aborted", attempts: [{ failure: "rate_limited" }] }]);
    await after(1_100);
    expect(upstream.log.entries).toHaveLength(1);
  });

  it("says nothing about the provider's health", async () => {
    await using upstream = await startUpstream(stalls({ chunk: 1 }));
    await using gateway = await gatewayOver([upstream]);
    for (let calls = 1; calls <= 7; calls += 1) {
      const leaving = new AbortController();
      const asked = ask(gateway.url, { ...chatStream, signal: leaving.signal }).catch(() => undefined);
      await upstream.log.until((entries) => entries.length === calls);
      leaving.abort();
      await asked;
      await gateway.recorded(calls);
    }
    expect(upstream.log.entries).toHaveLength(7);
  });
});

describe("a client that reads slowly (row 55)", () => {
  const megabytes = 200;
  const flood = says(["x".repeat(64 * 1024)], { answer: { repeat: megabytes * 16 } });

  it.each(["openai", "anthropic"])("stops the upstream, whatever it still has to say (over %s)", async (kind) => {
    await using upstream = await startUpstream(flood);
    await using gateway = await startGateway([providerAt("p1", kind, upstream.url)], [sampleRoute("main", ["p1/m"])], {
      limits: { ...defaultLimits, stalledClientMs: 3_000 },
    });
    const rssBefore = process.memoryUsage.rss();
    const body = JSON.stringify({ model: "main", stream: true, messages: [{ role: "user", content: "flood" }] });
    const socket = connect(gateway.plane.port, "127.0.0.1");
    socket.pause();
    socket.on("error", () => {});
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    await upstream.log.until(([entry]) => (entry?.headAtMs ?? 0) > 0);
    const sent = await standstill(upstream);
    // What fits into the system's own socket buffers on the way, and not a piece more.
    expect(sent).toBeLessThan(24 * 1024 * 1024);
    expect(process.memoryUsage.rss() - rssBefore).toBeLessThan(96 * 1024 * 1024);
    // A client that takes nothing at all is let go in the end.
    await upstream.log.until(([entry]) => entry?.state === "aborted");
    expect(await gateway.recorded(1)).toMatchObject([{ decision: "aborted" }]);
    socket.destroy();
    await expectIdle(gateway);
  });

  it("gets everything once it reads again", async () => {
    await using upstream = await startUpstream(says(["y".repeat(64 * 1024)], { answer: { repeat: 320 } }));
    await using gateway = await gatewayOver([upstream]);
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ model: "main", stream: true, messages: [{ role: "user", content: "flood" }] }),
    });
    await after(300);
    const text = await answer.text();
    expect(text.match(/y/g)?.length).toBe(320 * 64 * 1024);
    expect(text).toMatch(/data: \[DONE\]\n\n$/);
  });
});

describe("the gateway itself", () => {
  it("refuses beyond the calls it may carry, before it reads their bodies (row 38)", async () => {
    await using upstream = await startUpstream(stalls("request"));
    await using gateway = await gatewayOver([upstream], {}, { limits: { ...defaultLimits, maxConcurrentCalls: 1 } });
    const leaving = new AbortController();
    const first = ask(gateway.url, { ...chat, signal: leaving.signal }).catch(() => undefined);
    await upstream.log.until((entries) => entries.length === 1);
    for (const question of [chat, messages]) {
      const reply = await ask(gateway.url, question);
      expect(reply).toMatchObject({ status: question === messages ? 529 : 503, code: "overloaded" });
      expect(reply.headers.get("retry-after")).toBe("2");
    }
    leaving.abort();
    await first;
  });

  it("finishes what runs, and refuses what comes, while it drains (row 40)", async () => {
    await using upstream = await startUpstream(stalls({ chunk: 1 }, { stall: { after: { chunk: 1 }, forMs: 400 } }));
    await using gateway = await gatewayOver([upstream]);
    const running = ask(gateway.url, chatStream);
    // A connection that was open before the drain began is what a new call can still come over.
    const socket = connect(gateway.plane.port, "127.0.0.1");
    let answered = "";
    socket.on("data", (bytes) => (answered += String(bytes)));
    socket.write("POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n");
    await upstream.log.until((entries) => entries.length === 1);
    const drained = gateway.plane.drain(5_000);
    await vi.waitUntil(() => gateway.plane.draining, { timeout: 10_000 });
    socket.write("\r\n");
    expect(await running).toMatchObject({ status: 200, ending: "complete", text: "one two three four" });
    await drained;
    expect(answered).toMatch(/^HTTP\/1\.1 503 /);
    expect(answered).toMatch(/connection: close/i);
    expect(answered).toContain('"code":"draining"');
    socket.destroy();
  });

  it("tells what still runs when the drain's time is over (row 40)", async () => {
    await using streaming = await startUpstream(stalls({ chunk: 1 }));
    await using silent = await startUpstream(stalls("request"));
    await using gateway = await startGateway(
      [providerAt("one", "openai", streaming.url), providerAt("two", "openai", silent.url)],
      [sampleRoute("main", ["one/m"]), sampleRoute("mute", ["two/m"])],
    );
    const replies = Promise.all([ask(gateway.url, chatStream), ask(gateway.url, { ...chat, model: "mute" })]);
    const uploading = connect(gateway.plane.port, "127.0.0.1");
    let told = "";
    uploading.on("data", (bytes) => (told += String(bytes)));
    uploading.write("POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{");
    await streaming.log.until(([entry]) => entry?.headAtMs !== undefined);
    await silent.log.until((entries) => entries.length === 1);
    await after(30);
    await gateway.plane.drain(50);
    expect(await replies).toMatchObject([
      { status: 200, ending: "told", code: "draining" },
      { status: 503, ending: "told", code: "draining" },
    ]);
    expect(told).toMatch(/^HTTP\/1\.1 503 .*connection: close.*"code":"draining"/is);
    uploading.destroy();
  });
});

/** Bytes the upstream got rid of by the time it could not for 300 ms. */
async function standstill(upstream: Upstream): Promise<number> {
  for (let before = -1; ;) {
    const now = upstream.log.last?.bytesWritten ?? 0;
    if (now === before) return now;
    before = now;
    await after(300);
  }
}

/** Nothing of a call is left a moment after its record is there. */
async function expectIdle(gateway: TestGateway): Promise<void> {
  await after(10);
  const inFlight = gateway.plane.metrics().find((family) => family.name === "hedgerow_calls_in_flight");
  expect(inFlight?.series[0]?.values[0]).toBe(0);
}
