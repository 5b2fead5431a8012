import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand } from "@aws-sdk/client-bedrock-runtime";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import type { EncodeOptions } from "#dialects/dialect";
import type { AnswerEvent, Finish, FinishReason } from "#domain/answer";
import { failure } from "#domain/failure";
import { emptyUsage, type Usage } from "#domain/usage";
import { eventStreamDecoder } from "#wire/event-stream";
import { encodeAnswer } from "./encode-answer.ts";
import { streamEncoder } from "./encode-stream.ts";

const options: EncodeOptions = {
  fallbackId: "req_1",
  model: "vendor/model",
  createdAtS: 0,
  includeUsage: true,
  issuer: "anthropic",
  elapsedMs: () => 41.6,
};
const start: AnswerEvent = { kind: "start", id: "a", model: "m" };
const end: AnswerEvent = { kind: "end" };
const usage: Usage = {
  ...emptyUsage,
  inputUncached: 10,
  cacheRead: 20,
  cacheWrite: 3,
  cacheWriteLong: 4,
  output: 5,
  reasoning: 2,
};
const usageSaid = {
  inputTokens: 10,
  outputTokens: 7,
  totalTokens: 44,
  cacheReadInputTokens: 20,
  cacheWriteInputTokens: 7,
  cacheDetails: [
    { ttl: "1h", inputTokens: 4 },
    { ttl: "5m", inputTokens: 3 },
  ],
};
const finish = (reason: FinishReason, more: Partial<Finish> = {}): AnswerEvent => ({
  kind: "finish",
  finish: { reason, ...more },
});
const text = (block: number, ...texts: readonly string[]): readonly AnswerEvent[] => [
  { kind: "text-start", block },
  ...texts.map((piece): AnswerEvent => ({ kind: "text-delta", block, text: piece })),
  { kind: "text-end", block },
];
const tool = (block: number, id: string, ...pieces: readonly string[]): readonly AnswerEvent[] => [
  { kind: "tool-start", block, id, name: "f" },
  ...pieces.map((json): AnswerEvent => ({ kind: "tool-delta", block, json })),
  { kind: "tool-end", block },
];

function stream(events: readonly AnswerEvent[], more: Partial<EncodeOptions> = {}) {
  const encoder = streamEncoder({ ...options, ...more });
  const bytes = Buffer.concat(events.map((event) => Buffer.from(encoder.encode(event))));
  const said: (readonly [string, Record<string, unknown>])[] = [];
  const decoder = eventStreamDecoder({
    maxFrameBytes: 1 << 24,
    onFrame: ({ headers, payload }) => {
      const type = headers[":event-type"] ?? headers[":exception-type"] ?? "";
      expect(headers[":content-type"]).toBe("application/json");
      expect(headers[":message-type"]).toBe(headers[":event-type"] === undefined ? "exception" : "event");
      said.push([type, JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown>]);
    },
    onProblem: ({ message }) => expect.unreachable(message),
  });
  decoder.push(bytes);
  decoder.end();
  return { bytes, said, warnings: encoder.warnings };
}

function whole(events: readonly AnswerEvent[], more: Partial<EncodeOptions> = {}) {
  const losses: string[] = [];
  const bytes = encodeAnswer(events, { ...options, onLoss: (warning) => losses.push(warning), ...more });
  if (bytes === undefined) throw new Error("no whole answer");
  return { bytes, json: JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>, losses };
}

function client(bytes: Uint8Array, type: string): BedrockRuntimeClient {
  const response = { statusCode: 200, reason: "OK", headers: { "content-type": type }, body: Readable.from([bytes]) };
  return new BedrockRuntimeClient({
    region: "eu-central-1",
    token: { token: "k" },
    authSchemePreference: ["httpBearerAuth"],
    maxAttempts: 1,
    requestHandler: { handle: () => Promise.resolve({ response }) } as never,
  });
}

const question = { modelId: "m", messages: [{ role: "user" as const, content: [{ text: "hi" }] }] };

describe("a streamed answer", () => {
  it("is written in the order of Bedrock's own: texts without a start, what was used behind the stop", () => {
    const events = [start, ...text(0, "Hel", "", "lo"), ...tool(1, "t1", '{"a":', "1}"), finish("tools")];
    const { said, warnings } = stream([...events, { kind: "usage", usage }, end]);
    expect(said).toEqual([
      ["messageStart", { role: "assistant" }],
      ["contentBlockDelta", { contentBlockIndex: 0, delta: { text: "Hel" } }],
      ["contentBlockDelta", { contentBlockIndex: 0, delta: { text: "lo" } }],
      ["contentBlockStop", { contentBlockIndex: 0 }],
      ["contentBlockStart", { contentBlockIndex: 1, start: { toolUse: { toolUseId: "t1", name: "f" } } }],
      ["contentBlockDelta", { contentBlockIndex: 1, delta: { toolUse: { input: '{"a":' } } }],
      ["contentBlockDelta", { contentBlockIndex: 1, delta: { toolUse: { input: "1}" } } }],
      ["contentBlockStop", { contentBlockIndex: 1 }],
      ["messageStop", { stopReason: "tool_use" }],
      ["metadata", { usage: usageSaid, metrics: { latencyMs: 42 } }],
    ]);
    expect(warnings).toEqual([]);
  });

  it("gives each delta at once, and nothing for what holds nothing", () => {
    const encoder = streamEncoder(options);
    const sizes = [start, ...text(0, "a", "")].map((event) => encoder.encode(event).length > 0);
    expect(sizes).toEqual([true, false, true, false, true]);
    expect(encoder.encode({ kind: "ping" })).toHaveLength(0);
  });

  it("has a thought's signature last, and a sealed thought as bytes", () => {
    const { said } = stream([
      start,
      { kind: "reasoning-start", block: 0 },
      { kind: "reasoning-signature", block: 0, signature: "c2ln" },
      { kind: "reasoning-delta", block: 0, text: "hm" },
      { kind: "reasoning-end", block: 0 },
      { kind: "reasoning-start", block: 1, redacted: "sealed" },
      { kind: "reasoning-end", block: 1 },
      { kind: "reasoning-start", block: 2 },
      { kind: "reasoning-signature", block: 2, signature: "alone" },
      { kind: "reasoning-end", block: 2 },
      finish("stop"),
      end,
    ]);
    const delta = (contentBlockIndex: number, reasoningContent: object) => [
      "contentBlockDelta",
      { contentBlockIndex, delta: { reasoningContent } },
    ];
    expect(said.filter(([type]) => type === "contentBlockDelta")).toEqual([
      delta(0, { text: "hm" }),
      delta(0, { signature: "c2ln" }),
      delta(1, { redactedContent: Buffer.from("sealed").toString("base64") }),
      delta(2, { text: "" }),
      delta(2, { signature: "alone" }),
    ]);
  });

  it("puts interleaved blocks one after another, in the order they began", () => {
    const { said } = stream([
      start,
      { kind: "tool-start", block: 0, id: "t0", name: "f" },
      { kind: "tool-start", block: 1, id: "t1", name: "f" },
      { kind: "tool-delta", block: 1, json: "{}" },
      { kind: "tool-end", block: 1 },
      { kind: "tool-delta", block: 0, json: '{"a":1}' },
      { kind: "text-start", block: 2 },
      { kind: "text-delta", block: 2, text: "x" },
      finish("tools"),
      end,
    ]);
    expect(said.map(([type, { contentBlockIndex }]) => [type, contentBlockIndex].join(" ").trim())).toEqual([
      "messageStart",
      "contentBlockStart 0",
      "contentBlockDelta 0",
      "contentBlockStop 0",
      "contentBlockStart 1",
      "contentBlockDelta 1",
      "contentBlockStop 1",
      "contentBlockDelta 2",
      "contentBlockStop 2",
      "messageStop",
      "metadata",
    ]);
  });

  it("breaks off rather than hold more than its bound, and says nothing more", () => {
    const piece = "x".repeat(1 << 20);
    const encoder = streamEncoder(options);
    encoder.encode(start);
    encoder.encode({ kind: "tool-start", block: 0, id: "t0", name: "f" });
    encoder.encode({ kind: "tool-start", block: 1, id: "t1", name: "f" });
    const answers = Array.from({ length: 9 }, () => encoder.encode({ kind: "tool-delta", block: 1, json: piece }));
    const last = answers.findLast((bytes) => bytes.length > 0);
    expect(Buffer.from(last ?? "").toString("latin1")).toContain("modelStreamErrorException");
    expect(encoder.encode(finish("tools"))).toHaveLength(0);
    expect(encoder.encode(end)).toHaveLength(0);
  });

  it("that fails ends in an exception, without a stop", () => {
    const { said } = stream([
      start,
      ...text(0, "a"),
      { kind: "failed", failure: failure("rate_limited", "slow") },
      end,
    ]);
    expect(said.at(-1)).toEqual([
      "throttlingException",
      { message: "slow", error: { metadata: { code: "rate_limited", retryable: true } } },
    ]);
    expect(said.map(([type]) => type)).not.toContain("messageStop");
  });

  it("is what the official client iterates over", async () => {
    const events = [
      start,
      ...text(0, "täll 🌿"),
      ...tool(1, "t1", "{}"),
      finish("tools"),
      { kind: "usage", usage } as const,
    ];
    const { bytes, said } = stream([...events, end]);
    const answer = await client(bytes, "application/vnd.amazon.eventstream").send(new ConverseStreamCommand(question));
    const heard: unknown[] = [];
    for await (const event of answer.stream ?? []) heard.push(...Object.entries(event));
    expect(heard).toEqual(said);
  });

  it("that fails raises the official client's own class", async () => {
    const { bytes } = stream([
      start,
      ...text(0, "a"),
      { kind: "failed", failure: failure("upstream_failed", "broke") },
    ]);
    const answer = await client(bytes, "application/vnd.amazon.eventstream").send(new ConverseStreamCommand(question));
    const reading = (async () => {
      for await (const event of answer.stream ?? []) void event;
    })();
    await expect(reading).rejects.toMatchObject({ name: "ModelStreamErrorException", message: "broke" });
  });
});

describe("a whole answer", () => {
  it("is what the official client reads", async () => {
    const events: AnswerEvent[] = [
      start,
      { kind: "reasoning-start", block: 0 },
      { kind: "reasoning-delta", block: 0, text: "hm" },
      { kind: "reasoning-signature", block: 0, signature: "c2ln" },
      { kind: "reasoning-end", block: 0 },
      { kind: "reasoning-start", block: 1, redacted: "sealed" },
      { kind: "reasoning-end", block: 1 },
      ...text(2, "Hel", "lo"),
      ...text(3),
      ...tool(4, "t1", '{"a":', "1}"),
      finish("tools"),
      { kind: "usage", usage },
      end,
    ];
    const { bytes } = whole(events);
    const { $metadata: _, ...answer } = await client(bytes, "application/json").send(new ConverseCommand(question));
    expect(answer).toEqual({
      output: {
        message: {
          role: "assistant",
          content: [
            { reasoningContent: { reasoningText: { text: "hm", signature: "c2ln" } } },
            { reasoningContent: { redactedContent: new Uint8Array(Buffer.from("sealed")) } },
            { text: "Hello" },
            { toolUse: { toolUseId: "t1", name: "f", input: { a: 1 } } },
          ],
        },
      },
      stopReason: "tool_use",
      usage: usageSaid,
      metrics: { latencyMs: 42 },
    });
  });

  it("keeps the digits of numbers, and wraps what is no JSON object", () => {
    const { bytes, losses } = whole([
      start,
      ...tool(0, "a", '{"n":1.0}'),
      ...tool(1, "b", '{"cut'),
      finish("length"),
      end,
    ]);
    expect(Buffer.from(bytes).toString()).toContain('"input":{"n":1.0}');
    expect(Buffer.from(bytes).toString()).toContain('"input":{"INVALID_JSON":"{\\"cut"}');
    expect(losses).toEqual([expect.stringMatching(/^answer-arguments: .*\(f\)$/)]);
  });

  it("is none where the events are none", () => {
    expect(encodeAnswer([start, ...text(0, "a"), finish("stop")], options)).toBeUndefined();
    const failed: AnswerEvent = { kind: "failed", failure: failure("upstream_failed", "x") };
    expect(encodeAnswer([start, failed], options)).toBeUndefined();
  });
});

describe("both", () => {
  const stopIn = (events: readonly AnswerEvent[], more: Partial<EncodeOptions> = {}): readonly unknown[] => {
    const { said } = stream(events, more);
    const { json } = whole(events, more);
    const streamed = said.find(([type]) => type === "messageStop")?.[1] ?? {};
    expect(streamed["additionalModelResponseFields"]).toEqual(json["additionalModelResponseFields"]);
    expect(streamed["stopReason"]).toBe(json["stopReason"]);
    return [json["stopReason"], json["additionalModelResponseFields"]];
  };

  it.each([
    ["stop", "end_turn"],
    ["stop-sequence", "stop_sequence"],
    ["length", "max_tokens"],
    ["context", "model_context_window_exceeded"],
    ["tools", "tool_use"],
    ["policy", "content_filtered"],
    ["malformed", "malformed_model_output"],
    ["paused", "end_turn"],
  ] as const)("say the finish %s as %s", (reason, word) => {
    const events = [start, ...text(0, "a"), finish(reason), end];
    expect(stopIn(events)).toEqual([word, undefined]);
    const lost = reason === "paused" ? [expect.stringMatching(/^answer-paused: /) as string] : [];
    expect(stream(events).warnings).toEqual(lost);
    expect(whole(events).losses).toEqual(lost);
  });

  it("say a refusal as text that was filtered, and a stop with calls as one for tools", () => {
    const refused = [start, { kind: "refusal-delta", text: "No." } as const, finish("stop"), end];
    expect(stopIn(refused)).toEqual(["content_filtered", undefined]);
    expect(stream(refused).said[1]).toEqual(["contentBlockDelta", { contentBlockIndex: 0, delta: { text: "No." } }]);
    expect(stopIn([start, ...tool(0, "t", "{}"), finish("stop"), end])[0]).toBe("tool_use");
  });

  it("give the stop sequence where it was asked for by its path", () => {
    const met = [start, finish("stop-sequence", { stopSequence: "END" }), end];
    const asking = (...paths: readonly string[]) => ({ requestJson: { additionalModelResponseFieldPaths: paths } });
    expect(stopIn(met, asking("/stop_sequence"))[1]).toEqual({ stop_sequence: "END" });
    expect(stopIn(met, asking("/delta/stop_sequence"))[1]).toEqual({ delta: { stop_sequence: "END" } });
    expect(stopIn([start, finish("stop"), end], asking("/stop_sequence"))[1]).toEqual({ stop_sequence: null });
    expect(stopIn(met, asking("/other"))[1]).toBeUndefined();
  });

  it("name a call that has no name of its own, and give one without arguments an empty object", () => {
    const events = [start, ...tool(0, ""), ...tool(1, "", "{}"), finish("tools"), end];
    const { said } = stream(events);
    const starts = said.flatMap(([type, json]) => (type === "contentBlockStart" ? [json["start"]] : []));
    expect(starts).toEqual([
      { toolUse: { toolUseId: "tooluse_req_1_0", name: "f" } },
      { toolUse: { toolUseId: "tooluse_req_1_1", name: "f" } },
    ]);
    expect(said).toContainEqual(["contentBlockDelta", { contentBlockIndex: 0, delta: { toolUse: { input: "{}" } } }]);
    expect(whole(events).json).toMatchObject({
      output: {
        message: {
          content: [
            { toolUse: { toolUseId: "tooluse_req_1_0", input: {} } },
            { toolUse: { toolUseId: "tooluse_req_1_1", input: {} } },
          ],
        },
      },
    });
  });

  it("name what they have no word for in a warning", () => {
    const events = [start, { kind: "foreign", what: "gemini:grounding", payload: {} } as const, finish("stop"), end];
    const named = [expect.stringMatching(/^foreign-event: .*gemini:grounding/) as string];
    expect(stream(events).warnings).toEqual(named);
    expect(whole(events).losses).toEqual(named);
  });

  it("have counters even where nobody counted, and the tier where it is one of Bedrock's", () => {
    const zeros = { inputTokens: 0, outputTokens: 0, totalTokens: 0 };
    expect(stream([start, finish("stop"), end]).said.at(-1)?.[1]).toMatchObject({ usage: zeros });
    expect(whole([start, finish("stop"), end]).json).toMatchObject({ usage: zeros });
    const tiered = (serviceTier: string) =>
      whole([start, { kind: "usage", usage: { ...usage, serviceTier } }, finish("stop"), end]).json["serviceTier"];
    expect(tiered("flex")).toEqual({ type: "flex" });
    expect(tiered("fast")).toBeUndefined();
  });

  it("carry facts where the caller asked for them", () => {
    const facts = { facts: () => ({ route: "r" }) };
    const events = [start, finish("stop"), end];
    expect(stream(events, facts).said.at(-1)?.[1]).toMatchObject({ hedgerow: { route: "r" } });
    expect(whole(events, facts).json).toMatchObject({ hedgerow: { route: "r" } });
  });
});
