import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { breachOf } from "#dialects/answer-grammar";
import type { AnswerFrame, DecodeOptions } from "#dialects/dialect";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";
import { encodeEventStreamFrame } from "#wire/encode-event-stream";
import { bedrockConverse } from "./index.ts";

const options: DecodeOptions = {
  classify: (complaint) => failure("upstream_failed", JSON.stringify(complaint)),
  quirks: plainChatQuirks,
  maxEventBytes: 1 << 16,
};

function decode(pieces: readonly Uint8Array[]) {
  const frames: AnswerFrame[] = [];
  const decoder = bedrockConverse.streamDecoder(options, (frame) => frames.push(frame));
  for (const piece of pieces) decoder.push(piece);
  decoder.end();
  return {
    frames,
    events: frames.flatMap((frame) => frame.events),
    raw: Buffer.concat(frames.map(({ raw }) => raw)),
  };
}

function event(type: string, body: object, more: Readonly<Record<string, string>> = {}): Buffer {
  const headers = { ":event-type": type, ":content-type": "application/json", ":message-type": "event", ...more };
  return encodeEventStreamFrame({ headers, payload: Buffer.from(JSON.stringify({ ...body, p: "abcdef" })) });
}

function exception(type: string, message: string): Buffer {
  const headers = { ":exception-type": type, ":content-type": "application/json", ":message-type": "exception" };
  return encodeEventStreamFrame({ headers, payload: Buffer.from(JSON.stringify({ message })) });
}

const start = event("messageStart", { role: "assistant" });
const delta = (contentBlockIndex: number, piece: object): Buffer =>
  event("contentBlockDelta", { contentBlockIndex, delta: piece });
const began = (contentBlockIndex: number, member: object): Buffer =>
  event("contentBlockStart", { contentBlockIndex, start: member });
const closed = (contentBlockIndex: number): Buffer => event("contentBlockStop", { contentBlockIndex });
const stop = (stopReason: string, more: object = {}): Buffer => event("messageStop", { stopReason, ...more });
const usage = {
  inputTokens: 10,
  outputTokens: 5,
  totalTokens: 65,
  cacheReadInputTokens: 20,
  cacheWriteInputTokens: 30,
  cacheDetails: [{ ttl: "1h", inputTokens: 12 }],
};
const counted = {
  inputUncached: 10,
  cacheRead: 20,
  cacheWrite: 18,
  cacheWriteLong: 12,
  output: 5,
  reasoning: 0,
  estimated: false,
};
const metadata = event("metadata", { usage, metrics: { latencyMs: 9 } });
const textual = [start, delta(0, { text: "Hel" }), delta(0, { text: "lo" }), closed(0)];

describe("streamDecoder", () => {
  it("reads a text that begins without a start, and completes with the usage behind the stop", () => {
    const stream = [...textual, stop("end_turn"), metadata];
    const { events, frames, raw } = decode([Buffer.concat(stream)]);
    expect(events).toEqual([
      { kind: "start", id: "", model: "" },
      { kind: "text-start", block: 0 },
      { kind: "text-delta", block: 0, text: "Hel" },
      { kind: "text-delta", block: 0, text: "lo" },
      { kind: "text-end", block: 0 },
      { kind: "finish", finish: { reason: "stop", raw: "end_turn" } },
      { kind: "usage", usage: counted },
      { kind: "end" },
    ]);
    expect(frames.map(({ terminal }) => terminal)).toEqual([false, false, false, false, true]);
    expect(raw.equals(Buffer.concat(stream))).toBe(true);
  });

  it("reads thoughts with their signature, and parallel calls whose arguments are pieces of text", () => {
    const { events } = decode([
      start,
      delta(0, { reasoningContent: { text: "hm" } }),
      delta(0, { reasoningContent: { signature: "c2ln" } }),
      closed(0),
      began(1, { toolUse: { toolUseId: "t1", name: "weather" } }),
      delta(1, { toolUse: { input: '{"city":' } }),
      began(2, { toolUse: { toolUseId: "t2", name: "clock" } }),
      delta(1, { toolUse: { input: '"Rome"}' } }),
      closed(1),
      delta(2, { toolUse: { input: "" } }),
      closed(2),
      stop("tool_use"),
      metadata,
    ]);
    expect(events.slice(1, -3)).toEqual([
      { kind: "reasoning-start", block: 0 },
      { kind: "reasoning-delta", block: 0, text: "hm" },
      { kind: "reasoning-signature", block: 0, signature: "c2ln" },
      { kind: "reasoning-end", block: 0 },
      { kind: "tool-start", block: 1, id: "t1", name: "weather" },
      { kind: "tool-delta", block: 1, json: '{"city":' },
      { kind: "tool-start", block: 2, id: "t2", name: "clock" },
      { kind: "tool-delta", block: 1, json: '"Rome"}' },
      { kind: "tool-end", block: 1 },
      { kind: "tool-delta", block: 2, json: "{}" },
      { kind: "tool-end", block: 2 },
    ]);
    expect(breachOf(events)).toBeUndefined();
  });

  it("joins a redacted thought from its pieces: it is one opaque whole", () => {
    const { events } = decode([
      start,
      delta(0, { reasoningContent: { redactedContent: Buffer.from("sea").toString("base64") } }),
      delta(0, { reasoningContent: { redactedContent: Buffer.from("led").toString("base64") } }),
      closed(0),
      stop("end_turn"),
      metadata,
    ]);
    expect(events).toContainEqual({ kind: "reasoning-start", block: 0, redacted: "sealed" });
    expect(breachOf(events)).toBeUndefined();
  });

  it("opens a new block where thought and text come under one index", () => {
    const { events } = decode([
      start,
      delta(0, { reasoningContent: { text: "hm" } }),
      delta(0, { text: "yes" }),
      stop("end_turn"),
      metadata,
    ]);
    expect(events.slice(1, 7)).toEqual([
      { kind: "reasoning-start", block: 0 },
      { kind: "reasoning-delta", block: 0, text: "hm" },
      { kind: "reasoning-end", block: 0 },
      { kind: "text-start", block: 1 },
      { kind: "text-delta", block: 1, text: "yes" },
      { kind: "text-end", block: 1 },
    ]);
  });

  it("takes the arguments of the answer's own tool for the answer", () => {
    const { events } = decode([
      start,
      began(0, { toolUse: { toolUseId: "t1", name: "hedgerow_json_answer" } }),
      delta(0, { toolUse: { input: '{"city":"Rome"}' } }),
      closed(0),
      stop("tool_use"),
      metadata,
    ]);
    expect(events.slice(1, 5)).toEqual([
      { kind: "text-start", block: 0 },
      { kind: "text-delta", block: 0, text: '{"city":"Rome"}' },
      { kind: "text-end", block: 0 },
      { kind: "finish", finish: { reason: "stop", raw: "tool_use" } },
    ]);
  });

  it("keeps what it has no word for as foreign: a server's tool, a citation, a trace, an event of tomorrow", () => {
    const { events } = decode([
      start,
      began(0, { toolUse: { toolUseId: "s1", name: "web_search", type: "server_tool_use" } }),
      delta(0, { toolUse: { input: "{}" } }),
      closed(0),
      delta(1, { text: "a" }),
      delta(1, { citation: { title: "t" } }),
      closed(1),
      event("tomorrow", {}),
      stop("end_turn"),
      event("metadata", { usage, trace: { guardrail: {} } }),
    ]);
    const foreign = events.flatMap((each) => (each.kind === "foreign" ? [[each.what, each.content]] : []));
    expect(foreign).toEqual([
      ["bedrock:toolUse", true],
      ["bedrock:citation", true],
      ["bedrock:tomorrow", undefined],
      ["bedrock:trace", undefined],
    ]);
    expect(breachOf(events)).toBeUndefined();
  });

  it("takes a frame without a payload for a sign of life", () => {
    const headers = { ":event-type": "comment", ":message-type": "event" };
    const { events } = decode([encodeEventStreamFrame({ headers, payload: Buffer.alloc(0) })]);
    expect(events[0]).toEqual({ kind: "ping" });
  });

  it.each([
    ["end_turn", "stop"],
    ["stop_sequence", "stop-sequence"],
    ["max_tokens", "length"],
    ["model_context_window_exceeded", "context"],
    ["tool_use", "tools"],
    ["content_filtered", "policy"],
    ["guardrail_intervened", "policy"],
    ["malformed_tool_use", "malformed"],
    ["malformed_model_output", "malformed"],
    ["word_of_tomorrow", "stop"],
  ])("knows the stop reason %s", (raw, reason) => {
    const { events } = decode([...textual, stop(raw), metadata]);
    expect(events).toContainEqual({ kind: "finish", finish: { reason, raw } });
  });

  it("reads the stop sequence that was met, where it was asked for", () => {
    const more = { additionalModelResponseFields: { delta: { stop_sequence: "END" } } };
    const { events } = decode([...textual, stop("stop_sequence", more), metadata]);
    const finish = { reason: "stop-sequence", raw: "stop_sequence", stopSequence: "END" };
    expect(events).toContainEqual({ kind: "finish", finish });
  });

  it("reads older names of the counters, the tier that was given, and nothing where nothing was counted", () => {
    const usageIn = (report: object): unknown => {
      const { events } = decode([...textual, stop("end_turn"), event("metadata", report)]);
      expect(events.at(-1)).toEqual({ kind: "end" });
      return events.find(({ kind }) => kind === "usage");
    };
    const older = { inputTokens: 1, outputTokens: 2, cacheReadInputTokenCount: 3, cacheWriteInputTokenCount: 4 };
    expect(usageIn({ usage: older })).toMatchObject({ usage: { cacheRead: 3, cacheWrite: 4, cacheWriteLong: 0 } });
    expect(usageIn({ usage, serviceTier: { type: "flex" } })).toMatchObject({ usage: { serviceTier: "flex" } });
    expect(usageIn({ usage, performanceConfig: { latency: "optimized" } })).toMatchObject({
      usage: { serviceTier: "optimized" },
    });
    expect(usageIn({ usage, serviceTier: { type: "default" } })).toEqual({ kind: "usage", usage: counted });
    expect(usageIn({ metrics: {} })).toBeUndefined();
  });

  it("completes an answer that said why it stopped, though nobody said what it used", () => {
    const { events, frames, raw } = decode([...textual, stop("max_tokens")]);
    expect(events.slice(-2)).toEqual([
      { kind: "finish", finish: { reason: "length", raw: "max_tokens" } },
      { kind: "end" },
    ]);
    expect(frames.at(-1)?.terminal).toBe(true);
    expect(raw.equals(Buffer.concat([...textual, stop("max_tokens")]))).toBe(true);
  });

  it("gives the same events for any split of the bytes", () => {
    const stream = Buffer.concat([
      ...textual,
      delta(1, { text: "é😀" }),
      closed(1),
      began(2, { toolUse: { toolUseId: "t", name: "f" } }),
      delta(2, { toolUse: { input: "{}" } }),
      closed(2),
      stop("tool_use"),
      metadata,
    ]);
    const expected = decode([stream]).events;
    expect(breachOf(expected)).toBeUndefined();
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 8 }), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), stream.length];
        const pieces = places.slice(1).map((place, at) => stream.subarray(places[at], place));
        const { events, raw } = decode(pieces);
        expect(events).toEqual(expected);
        expect(raw.equals(stream)).toBe(true);
      }),
    );
  });

  it("fails wherever a stream is cut before it said why it stopped", () => {
    const whole = Buffer.concat([...textual, stop("end_turn")]);
    const stopAt = Buffer.concat(textual).length;
    for (let cut = 0; cut < whole.length; cut += 1) {
      const { events, frames } = decode([whole.subarray(0, cut)]);
      expect(events.at(-1), `cut at ${cut} of ${stopAt}`).toMatchObject({ failure: { kind: "truncated_response" } });
      expect(frames.some(({ terminal }) => terminal)).toBe(false);
    }
  });

  it("keeps the grammar and ends once, whatever comes in whatever order", () => {
    const anyFrame = fc.constantFrom(
      start,
      delta(0, { text: "a" }),
      delta(0, { text: "" }),
      delta(0, { reasoningContent: { text: "b" } }),
      delta(0, { reasoningContent: { signature: "s" } }),
      delta(0, { reasoningContent: { redactedContent: "cg==" } }),
      delta(0, { reasoningContent: {} }),
      delta(1, { toolUse: { input: "{" } }),
      delta(1, { text: "c" }),
      delta(2, { image: {} }),
      delta(2, {}),
      began(0, {}),
      began(0, { text: "" }),
      began(1, { toolUse: { toolUseId: "t", name: "f" } }),
      began(1, { toolUse: { toolUseId: "t" } }),
      began(2, { image: { format: "png" } }),
      began(3, { toolUse: { toolUseId: "a", name: "hedgerow_json_answer" } }),
      event("contentBlockDelta", { delta: { text: "no index" } }),
      closed(0),
      closed(1),
      closed(2),
      event("surprise", {}),
      stop("end_turn"),
      event("messageStop", {}),
      event("metadata", {}),
      metadata,
      exception("throttlingException", "slow"),
      Buffer.from("garbage, not a frame"),
    );
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 14 }), (stream) => {
        const { events, frames } = decode(stream);
        expect(breachOf(events)).toBeUndefined();
        expect(events.filter(({ kind }) => kind === "end" || kind === "failed")).toHaveLength(1);
        expect(frames.filter(({ terminal }) => terminal).length).toBe(events.at(-1)?.kind === "end" ? 1 : 0);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["an exception", exception("throttlingException", "slow"), { message: "slow", type: "throttlingException" }],
    [
      "an error",
      encodeEventStreamFrame({
        headers: { ":message-type": "error", ":error-code": "InternalError", ":error-message": "broken" },
        payload: Buffer.alloc(0),
      }),
      { message: "broken", type: "InternalError" },
    ],
    [
      "an exception in plain words",
      encodeEventStreamFrame({
        headers: { ":message-type": "exception", ":exception-type": "modelStreamErrorException" },
        payload: Buffer.from("it broke"),
      }),
      { message: "it broke", type: "modelStreamErrorException" },
    ],
  ])("has %s judged by the provider's kind, at once and even behind the stop", (_what, frame, complaint) => {
    for (const before of [textual, [...textual, stop("end_turn")]]) {
      const { events } = decode([...before, frame, metadata]);
      expect(events.at(-1)).toEqual({
        kind: "failed",
        failure: { kind: "upstream_failed", message: JSON.stringify(complaint) },
      });
    }
  });

  it.each([
    ["a frame with a wrong checksum", flipped(start), "bad_upstream_response"],
    ["a page of HTML", Buffer.from("<html>no frames here</html>"), "bad_upstream_response"],
    ["a payload that is no JSON", raw("contentBlockDelta", "{"), "bad_upstream_response"],
    ["a second beginning", start, "bad_upstream_response"],
    ["arguments of no tool", delta(7, { toolUse: { input: "{}" } }), "bad_upstream_response"],
    ["a tool without a name", began(7, { toolUse: { toolUseId: "t" } }), "bad_upstream_response"],
    ["content behind the stop", Buffer.concat([stop("end_turn"), delta(0, { text: "a" })]), "bad_upstream_response"],
    ["an event over the limit", delta(0, { text: "x".repeat(70_000) }), "event_too_large"],
  ])("fails on %s", (_what, bytes, kind) => {
    const { events, frames } = decode([start, bytes]);
    expect(events.at(-1)).toMatchObject({ kind: "failed", failure: { kind } });
    expect(frames.some(({ terminal }) => terminal)).toBe(false);
  });
});

function flipped(frame: Buffer): Buffer {
  const copy = Buffer.from(frame);
  const at = copy.length - 8;
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}

function raw(type: string, payload: string): Buffer {
  return encodeEventStreamFrame({
    headers: { ":event-type": type, ":message-type": "event" },
    payload: Buffer.from(payload),
  });
}
