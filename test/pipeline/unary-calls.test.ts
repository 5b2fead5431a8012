import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sampleProvider, sampleRoute } from "../world/sample-snapshot.ts";
import { PipelineWorld } from "./pipeline-world.ts";

const relay = sampleProvider("relay");
const cohere = sampleProvider("cohere", { dialect: "cohere-chat", kind: "cohere", basePath: "/v2" });
const vectors = { object: "list", model: "m", data: [{ object: "embedding", index: 0, embedding: [1] }] };
const counted = { ...vectors, usage: { prompt_tokens: 2, total_tokens: 2 } };
const embed = { path: "/v1/embeddings", body: { model: "main", input: "text" } };

let world: PipelineWorld;

beforeEach(() => {
  world = new PipelineWorld([relay, cohere], [sampleRoute("main", ["relay/m", "cohere/m"])]);
});

afterEach(async () => {
  await world.advance(1_000);
  expect(world.clock.pending, "timers that outlive the calls").toBe(0);
  expect(world.live.count, "calls that never closed").toBe(0);
});

describe("an operation without a stream", () => {
  it("is relayed byte for byte, and recorded with what it used", async () => {
    const { exchange, done } = await world.ask(embed);
    world.request(0).head(200, { "content-type": "application/json" });
    const text = JSON.stringify(counted, undefined, 1);
    world.request(0).bytes(text.slice(0, 9));
    expect(exchange.text).toBe("");
    world.request(0).bytes(text.slice(9)).end();
    await done;
    expect(exchange.text).toBe(text);
    expect(world.records).toMatchObject([{ operation: "embed", decision: "answered", usage: { inputUncached: 2 } }]);
  });

  it("asks in one piece whatever `stream` says", async () => {
    const { exchange, done } = await world.ask({ ...embed, body: { ...embed.body, stream: true } });
    world.request(0).json(counted);
    await done;
    expect(exchange.fields["content-type"]).toBe("application/json");
    expect(world.records).toMatchObject([{ streamed: false, decision: "answered" }]);
  });

  it.each([
    ["a page", "<html>hello</html>", "bad_upstream_response"],
    ["half an answer", JSON.stringify(counted).slice(0, -5), "bad_upstream_response"],
    ["another answer", '{"choices":[]}', "bad_upstream_response"],
    ["a list", "[1]", "bad_upstream_response"],
    ["an error that calls itself a success", '{"error":{"message":"no","code":500}}', undefined],
  ])("goes on to the next target where a provider answers with %s", async (_what, text, kind) => {
    const { exchange, done } = await world.ask(embed);
    world.request(0).head(200, { "content-type": "application/json" }).bytes(text).end();
    await world.settle();
    world.request(1).json({ embeddings: { float: [[0.5]] }, meta: { billed_units: { input_tokens: 3 } } });
    await done;
    expect(JSON.parse(exchange.text)).toMatchObject({ data: [{ embedding: [0.5] }], usage: { prompt_tokens: 3 } });
    const [record] = world.records;
    expect(record).toMatchObject({ decision: "recovered", attempts: [{ outcome: "failed" }, { outcome: "answered" }] });
    if (kind !== undefined) expect(record?.attempts[0]).toMatchObject({ failure: kind });
  });

  it("is given up everywhere once its time is over", async () => {
    const { exchange, done } = await world.ask({
      ...embed,
      body: { ...embed.body, hedgerow: { timeout_ms: 4_000 } },
    });
    await world.advance(2_100);
    expect(world.request(0).cancelled).toBe(true);
    await world.advance(2_100);
    await done;
    expect(world.request(1).cancelled).toBe(true);
    expect(exchange.status).toBe(504);
    expect(world.records).toMatchObject([{ code: "upstream_timeout", status: 504 }]);
  });

  it("is cancelled at the provider where the client leaves", async () => {
    const { exchange, done } = await world.ask(embed);
    exchange.leave();
    await done;
    expect(world.request(0).cancelled).toBe(true);
    expect(world.records).toMatchObject([{ operation: "embed", decision: "aborted", code: "client_gone" }]);
    expect(exchange.destroyed).toBe(true);
  });

  it("is not acknowledged where its record cannot be kept", async () => {
    world.journalError = new Error("disk full");
    const { exchange, done } = await world.ask(embed);
    world.request(0).json(counted);
    await done;
    expect(exchange.status).toBe(500);
    expect(exchange.text).not.toContain("embedding");
  });

  it("is estimated by four bytes a token where nobody counted", async () => {
    const first = await world.ask(embed);
    world.request(0).json(vectors);
    await first.done;
    const bytes = JSON.stringify(embed.body).length;
    expect(world.records[0]).toMatchObject({ usage: { inputUncached: Math.ceil(bytes / 4), estimated: true } });
    const second = await world.ask({ ...embed, body: { model: "cohere/m", input: ["twelve bytes", "four"] } });
    world.request(1).json({ embeddings: { float: [[1], [2]] } });
    await second.done;
    expect(JSON.parse(second.exchange.text)).toMatchObject({ usage: { prompt_tokens: 4, total_tokens: 4 } });
    expect(world.records[1]).toMatchObject({ usage: { inputUncached: 4, estimated: true } });
  });
});

describe("an estimate of the gateway's own", () => {
  const count = { path: "/v1/messages/count_tokens", body: { model: "relay/m", messages: [] } };

  it("is recorded like any answer, without usage or attempts", async () => {
    const { exchange, done } = await world.ask(count);
    await done;
    expect(world.sent).toHaveLength(0);
    expect(exchange.fields).toMatchObject({ "x-hedgerow-attempts": "0", "x-hedgerow-decision": "answered" });
    expect(JSON.parse(exchange.text)).toEqual({ input_tokens: Math.ceil(JSON.stringify(count.body).length / 4) });
    const [record] = world.records;
    expect(record).toMatchObject({ operation: "count-tokens", decision: "answered", status: 200, attempts: [] });
    expect(record).toMatchObject({ answerBytes: exchange.text.length });
    expect(record).not.toHaveProperty("usage");
  });

  it("is not given where it cannot be recorded", async () => {
    world.journalError = new Error("disk full");
    const { exchange, done } = await world.ask(count);
    await done;
    expect(exchange.status).toBe(500);
    expect(exchange.text).not.toContain("input_tokens");
  });

  it("is not given to a name that leads nowhere", async () => {
    const { exchange, done } = await world.ask({ ...count, body: { model: "nobody", messages: [] } });
    await done;
    expect(exchange.status).toBe(404);
  });
});

describe("a plan", () => {
  it("is made of the targets that have the operation, in their order", async () => {
    const claude = sampleProvider("claude", { dialect: "anthropic-messages", kind: "anthropic" });
    const mixed = new PipelineWorld([claude, cohere], [sampleRoute("main", ["claude/m", "cohere/m"])]);
    const { exchange, done } = await mixed.ask(embed);
    mixed.request(0).json({ embeddings: { float: [[1]] }, meta: { billed_units: { input_tokens: 3 } } });
    await done;
    expect(exchange.fields).toMatchObject({ "x-hedgerow-provider": "cohere", "x-hedgerow-attempts": "1" });
    expect(mixed.records).toMatchObject([{ decision: "answered", attempts: [{ target: "cohere/m" }] }]);
  });

  it("keeps them where none has it, and the caller is told what they lack", async () => {
    const claude = sampleProvider("claude", { dialect: "anthropic-messages", kind: "anthropic" });
    const lacking = new PipelineWorld([claude], [sampleRoute("main", ["claude/m"])]);
    const { exchange, done } = await lacking.ask(embed);
    await done;
    expect(lacking.sent).toHaveLength(0);
    expect(exchange.status).toBe(400);
    expect(exchange.text).toContain("claude/m has no embeddings");
    expect(lacking.records).toMatchObject([{ code: "invalid_request", status: 400 }]);
  });
});
