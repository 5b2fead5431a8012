import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BodyRead } from "#domain/ports";
import { createHash } from "node:crypto";
import { failure } from "#domain/failure";
import { sampleProvider, sampleRoute } from "../world/sample-snapshot.ts";
import { chunk, completion, done, finishChunk, PipelineWorld } from "./pipeline-world.ts";

const providers = [sampleProvider("a"), sampleProvider("b")];
const pair = sampleRoute("main", ["a/m", "b/m"]);
const solo = sampleRoute("main", ["a/m"]);
const place = { provider: "a", model: "m", credential: "a#1" };

let world: PipelineWorld;

beforeEach(() => {
  world = new PipelineWorld(providers, [pair]);
});

afterEach(async () => {
  await world.advance(1_000);
  expect(world.clock.pending, "timers that outlive the calls").toBe(0);
  expect(world.live.count, "calls that never closed").toBe(0);
});

function metadataCode(text: string): unknown {
  return /"code":"([a-z_]+)","request_id"/.exec(text)?.[1] ?? /"metadata":\{"code":"([a-z_]+)"/.exec(text)?.[1];
}

describe("a call leaves exactly one record", () => {
  it("when it is answered, in one piece or as a stream", async () => {
    const whole = await world.chat();
    world.request(0).json(completion("hello"));
    await whole.done;
    const streamed = await world.chat({ stream: true });
    world
      .request(1)
      .head()
      .bytes(chunk("hello") + finishChunk + done)
      .end();
    await streamed.done;
    expect(world.records).toMatchObject([{ decision: "answered" }, { decision: "answered" }]);
    expect(streamed.exchange.text).toBe(chunk("hello") + finishChunk + done);
  });

  it("when sending throws: a bug of ours, told as one, and the probe's slot is free again", async () => {
    for (let n = 0; n < 5; n += 1) world.health.failed(place, failure("upstream_failed", "x"), 0);
    await world.advance(1_000);
    world.sendError = new Error("a header of ours is wrong");
    const { exchange, done: ended } = await world.chat();
    await ended;
    expect(world.bugs).toHaveLength(1);
    expect(world.records).toMatchObject([{ code: "internal_error", status: 500 }]);
    expect(exchange).toMatchObject({ status: 500, ended: true, destroyed: false });
    expect(world.health.readiness(place, 1_000)).toEqual({ kind: "ready" });
  });

  it("when planning throws", async () => {
    const broken = new PipelineWorld(providers, [pair]);
    Object.assign(broken.plane, {
      retryBudgets: {
        of() {
          throw new Error("no budget");
        },
      },
    });
    const { exchange, done: over } = await broken.chat();
    await over;
    expect(broken.bugs).toHaveLength(1);
    expect(broken.records).toMatchObject([{ code: "internal_error" }]);
    expect(exchange).toMatchObject({ status: 500, ended: true });
  });

  it("when the client leaves while it is still sending", async () => {
    const upload = new Promise<BodyRead>(() => {});
    const { exchange, done: ended } = await world.ask({ upload });
    exchange.leave();
    await ended;
    expect(world.records).toMatchObject([{ decision: "aborted", code: "client_gone", attempts: [] }]);
    expect(world.sent).toHaveLength(0);
  });

  it("when the client leaves in the moment in which the provider fails", async () => {
    const { exchange, done: ended } = await world.chat();
    world.request(0).fail("unreachable");
    exchange.leave();
    await ended;
    expect(world.records).toMatchObject([{ decision: "aborted", attempts: [{ failure: "unreachable" }] }]);
    expect(world.sent).toHaveLength(1);
  });

  it("when the client leaves before the call is planned: nobody is asked", async () => {
    const upload = Promise.withResolvers<BodyRead>();
    const { exchange, done: ended } = await world.ask({ upload: upload.promise });
    upload.resolve({ kind: "read", bytes: Buffer.from('{"model":"main","messages":[]}') });
    exchange.leave();
    await ended;
    expect(world.sent).toHaveLength(0);
    expect(world.records).toMatchObject([{ decision: "aborted" }]);
  });

  it("when the journal takes it no more: an answer that is not recorded is not given", async () => {
    world.journalError = new Error("disk full");
    const whole = await world.chat();
    world.request(0).json(completion("secret words"));
    await whole.done;
    expect(whole.exchange.status).toBe(500);
    expect(whole.exchange.text).not.toContain("secret words");
    const streamed = await world.chat({ stream: true });
    world
      .request(1)
      .head()
      .bytes(chunk("hello") + finishChunk + done);
    await streamed.done;
    expect(streamed.exchange.text.startsWith(chunk("hello"))).toBe(true);
    expect(streamed.exchange.text).not.toContain("[DONE]");
    expect(metadataCode(streamed.exchange.text)).toBe("internal_error");
    expect(world.records).toHaveLength(2);
  });

  it("when a drain ends it, whatever it was doing", async () => {
    const waiting = new PipelineWorld(providers, [solo]);
    const { exchange, done: ended } = await waiting.chat();
    waiting.request(0).head(429, { "retry-after": "5" }).end();
    await waiting.settle();
    expect(waiting.clock.pending).toBe(1);
    waiting.live.endAll();
    await ended;
    expect(waiting.records).toMatchObject([{ code: "draining", attempts: [{ failure: "rate_limited" }] }]);
    expect(exchange.status).toBe(503);
    expect(waiting.clock.pending).toBe(0);
  });
});

describe("a stream", () => {
  it("that goes silent after its finish is complete all the same", async () => {
    const { exchange, done: ended } = await world.chat({ stream: true });
    world
      .request(0)
      .head()
      .bytes(chunk("hello") + finishChunk);
    await world.advance(30_000);
    await ended;
    expect(exchange.text.replaceAll(": keep-alive\n\n", "")).toBe(chunk("hello") + finishChunk + done);
    expect(world.records).toMatchObject([{ decision: "answered" }]);
  });

  it("leaves time for another target where the caller's own deadline is short", async () => {
    const { exchange, done: ended } = await world.chat({ stream: true, hedgerow: { timeout_ms: 10_000 } });
    await world.advance(4_999);
    expect(world.sent).toHaveLength(1);
    await world.advance(1);
    world
      .request(1)
      .head()
      .bytes(chunk("from b") + finishChunk + done);
    await ended;
    expect(exchange.text).toContain("from b");
    expect(world.records).toMatchObject([{ decision: "recovered", attempts: [{ failure: "first_byte_timeout" }, {}] }]);
  });

  it("keeps all the time once it talks, and has it all where nobody else could be asked", async () => {
    const talking = await world.chat({ stream: true, hedgerow: { timeout_ms: 10_000 } });
    world.request(0).head().bytes(chunk("slow"));
    await world.advance(9_000);
    world.request(0).bytes(finishChunk + done);
    await talking.done;
    const alone = new PipelineWorld(providers, [solo]);
    const { done: ended } = await alone.chat({ stream: true, hedgerow: { timeout_ms: 10_000 } });
    await alone.advance(9_000);
    alone
      .request(0)
      .head()
      .bytes(chunk("late") + finishChunk + done);
    await ended;
    expect(alone.records).toMatchObject([{ decision: "answered" }]);
    await alone.advance(1_000);
  });

  it("stops the provider while its client takes nothing, and lets a client go that never does", async () => {
    const { exchange, done: ended } = await world.chat({ stream: true });
    exchange.takes = false;
    world.request(0).head().bytes(chunk("one"));
    await world.settle();
    expect(world.request(0).paused).toBe(true);
    exchange.drain();
    expect(world.request(0).paused).toBe(false);
    exchange.takes = false;
    world.request(0).bytes(chunk("two"));
    await world.settle();
    await world.advance(60_000);
    await ended;
    expect(world.request(0).cancelled).toBe(true);
    expect(exchange.destroyed).toBe(true);
    expect(world.records).toMatchObject([{ decision: "aborted", code: "client_gone" }]);
    expect(world.health.readiness(place, 60_000).kind).toBe("ready");
  });

  it("answers with headers that hold nothing but what a header may", async () => {
    const { exchange, done: ended } = await world.chat({ stream: true });
    const headers = { "content-type": "text/event-stream", "openai-version": "2020\r\nx-injected: \u{1f600}" };
    world
      .request(0)
      .head(200, headers)
      .bytes(chunk("hello") + finishChunk + done)
      .end();
    await ended;
    expect(exchange.fields["openai-version"]).toMatch(/^[ -~]+$/);
  });

  it("breaks with the dialect's own error, and never goes on elsewhere", async () => {
    const { exchange, done: ended } = await world.chat({ stream: true });
    world.request(0).head().bytes(chunk("half")).fail("connection_lost");
    await ended;
    expect(exchange.text.startsWith(chunk("half"))).toBe(true);
    expect(exchange.text).not.toContain("[DONE]");
    expect(world.sent).toHaveLength(1);
    expect(world.records).toMatchObject([{ decision: "broken", committed: true, status: 200 }]);
  });

  it("holds everything back until content comes, so that another may answer", async () => {
    const { exchange, done: ended } = await world.chat({ stream: true });
    world.request(0).head().bytes(": hello\n\n").bytes(chunk(""));
    await world.advance(20_000);
    expect(exchange.text).toBe("");
    world.request(0).end();
    await world.settle();
    world
      .request(1)
      .head()
      .bytes(chunk("from b") + finishChunk + done);
    await ended;
    expect(exchange.text).toBe(chunk("from b") + finishChunk + done);
    expect(exchange.fields).toMatchObject({ "x-hedgerow-provider": "b", "x-hedgerow-attempts": "2" });
  });
});

describe("what the caller is told", () => {
  it("has the status that its record names, in languages with a status of their own, too", async () => {
    const body = { model: "main", max_tokens: 9, messages: [{ role: "user", content: "hi" }] };
    for (const path of ["/v1/messages", "/v1/chat/completions"]) {
      const { exchange, done: ended } = await world.ask({ path, body });
      for (let at = world.sent.length - 1; at < world.sent.length; at += 1) {
        world.request(at).json({ error: { message: "busy", type: "overloaded_error" } }, 529);
        await world.settle();
      }
      await ended;
      expect(world.records.at(-1)?.status).toBe(exchange.status);
    }
    expect(world.records.map(({ status }) => status)).toEqual([529, 503]);
  });

  it("is what waiting cures, before what only the operator can cure", async () => {
    const { exchange, done: ended } = await world.chat();
    world.request(0).head(429, { "retry-after": "7" }).end();
    await world.settle();
    world.request(1).head(401, {}).end();
    await ended;
    expect(exchange.status).toBe(429);
    expect(exchange.fields).toMatchObject({ "retry-after": "7", "x-should-retry": "true" });
  });

  it("names itself and its time in every answer, good or bad", async () => {
    const good = await world.chat();
    world.request(0).json(completion("hello"));
    await good.done;
    const bad = await world.chat({ model: "nobody" });
    await bad.done;
    const listed = await world.ask({ method: "GET", path: "/v1/models" });
    await listed.done;
    for (const { exchange } of [good, bad, listed]) {
      expect(exchange.fields["x-request-id"]).toMatch(/^req_/);
      expect(exchange.fields["x-hedgerow-decision"]).toMatch(/^(answered|refused)$/);
      expect(exchange.fields["x-hedgerow-attempts"]).toMatch(/^\d$/);
      expect(exchange.fields["server-timing"]).toMatch(/^gateway;dur=\d+\.\d$/);
      expect(exchange.fields["x-should-retry"]).toBe("false");
    }
  });
});

it("tells at the head of a stream how long the gateway itself took, whatever the provider took", async () => {
  const { exchange, done: ended } = await world.chat({ stream: true });
  await world.advance(3_000);
  world
    .request(0)
    .head()
    .bytes(chunk("late") + finishChunk + done)
    .end();
  await ended;
  expect(exchange.fields["server-timing"]).toBe("gateway;dur=0.0");
});

describe("the list of models", () => {
  it("is given to HEAD as to GET, and leaves no record", async () => {
    for (const method of ["GET", "HEAD"]) {
      const { exchange, done: ended } = await world.ask({ method, path: "/v1/models/main" });
      await ended;
      expect(exchange).toMatchObject({ status: 200, ended: true });
    }
    expect(world.records).toEqual([]);
  });
});

describe("a key that is held to its routes", () => {
  const sha256 = createHash("sha256").update("hr-1").digest("hex");
  const keyed = (): PipelineWorld => {
    return new PipelineWorld(providers, [pair], { keys: [{ name: "app", sha256, routes: ["main"] }] });
  };

  it.each([
    { model: "main", fallbacks: ["b/expensive"] },
    { model: "b/expensive", fallbacks: ["main"] },
    { model: ["main", "b/expensive"] },
    { model: "b/expensive" },
  ])("reaches nothing else through a chain: %o", async (names) => {
    const strict = keyed();
    const asked = { headers: { authorization: "Bearer hr-1" }, body: { ...names, messages: [] } };
    const { exchange, done: ended } = await strict.ask(asked);
    await ended;
    expect(exchange.status).toBe(403);
    expect(strict.sent).toHaveLength(0);
  });
});

describe("a token count", () => {
  const anthropic = sampleProvider("a", { dialect: "anthropic-messages", kind: "anthropic" });
  const asked = { path: "/v1/messages/count_tokens", body: { model: "main", messages: [] } };

  it("uses no tokens and costs nothing, and its record says so", async () => {
    const counting = new PipelineWorld([anthropic], [solo]);
    const { exchange, done: ended } = await counting.ask(asked);
    counting.request(0).json({ input_tokens: 12 });
    await ended;
    expect(exchange.text).toBe('{"input_tokens":12}');
    expect(counting.records).toMatchObject([{ operation: "count-tokens", decision: "answered" }]);
    expect(counting.records[0]).not.toHaveProperty("usage");
    expect(counting.records[0]?.attempts[0]).not.toHaveProperty("usage");
  });
});
