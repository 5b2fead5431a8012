import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { breachOf } from "#dialects/answer-grammar";
import type { AnswerFrame, DecodeOptions } from "#dialects/dialect";
import type { AnswerEvent } from "#domain/answer";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";
import { cohereChat } from "./index.ts";

const options: DecodeOptions = {
  classify: (complaint) => failure("upstream_failed", JSON.stringify(complaint)),
  quirks: plainChatQuirks,
  maxEventBytes: 1 << 16,
};

function decode(pieces: readonly (string | Uint8Array)[], given = options) {
  const frames: AnswerFrame[] = [];
  const decoder = cohereChat.streamDecoder(given, (frame) => frames.push(frame));
  for (const piece of pieces) decoder.push(Buffer.from(piece));
  decoder.end();
  return {
    frames,
    events: frames.flatMap((frame) => frame.events),
    raw: Buffer.concat(frames.map(({ raw }) => raw)).toString(),
  };
}

function whole(answer: unknown): readonly AnswerEvent[] {
  return cohereChat.decodeAnswer(Buffer.from(JSON.stringify(answer)), options);
}

const event = (type: string, more: object = {}): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
const said = (content: object): object => ({ delta: { message: content } });
const start = event("message-start", { id: "c1", ...said({ role: "assistant", content: [], tool_plan: "" }) });
const part = (index: number, content: object): string => event("content-delta", { index, ...said({ content }) });
const opened = (index: number, content: object): string => event("content-start", { index, ...said({ content }) });
const closed = (index: number): string => event("content-end", { index });
const plan = (text: string): string => event("tool-plan-delta", said({ tool_plan: text }));
const callStart = (index: number, call: object): string =>
  event("tool-call-start", { index, ...said({ tool_calls: call }) });
const callPiece = (index: number, json: string): string =>
  event("tool-call-delta", { index, ...said({ tool_calls: { function: { arguments: json } } }) });
const usage = {
  billed_units: { input_tokens: 39, output_tokens: 27 },
  tokens: { input_tokens: 1683, output_tokens: 62 },
  cached_tokens: 992,
};
const ended = (word: string): string => event("message-end", { delta: { finish_reason: word, usage } });
const done = "data: [DONE]\n\n";
const weather = { id: "w1", type: "function", function: { name: "weather", arguments: "" } };

const textual = [start, opened(0, { type: "text", text: "" }), part(0, { text: "Hel" }), part(0, { text: "lo" })];
const counted = {
  inputUncached: 691,
  cacheRead: 992,
  cacheWrite: 0,
  cacheWriteLong: 0,
  output: 62,
  reasoning: 0,
  estimated: false,
  billed: { input: 39, output: 27 },
};

describe("streamDecoder", () => {
  it("turns a text stream into the answer's grammar, with what is counted and what is billed", () => {
    const stream = [...textual, closed(0), ended("COMPLETE"), done].join("");
    const { events, frames, raw } = decode([stream]);
    expect(events).toEqual([
      { kind: "start", id: "c1", model: "" },
      { kind: "text-start", block: 0 },
      { kind: "text-delta", block: 0, text: "Hel" },
      { kind: "text-delta", block: 0, text: "lo" },
      { kind: "text-end", block: 0 },
      { kind: "usage", usage: counted },
      { kind: "finish", finish: { reason: "stop", raw: "COMPLETE" } },
      { kind: "end" },
    ]);
    expect(raw).toBe(stream);
    expect(frames.map(({ terminal }) => terminal)).toEqual([false, false, false, false, false, false, true]);
  });

  it("reads thinking and a tool plan as thoughts, and tool calls from one object instead of a list", () => {
    const { events } = decode([
      start,
      opened(0, { type: "thinking", thinking: "" }),
      part(0, { thinking: "hm" }),
      closed(0),
      plan("I will"),
      plan(" look."),
      callStart(0, weather),
      callPiece(0, '{"city":'),
      callPiece(0, '"Rome"}'),
      event("tool-call-end", { index: 0 }),
      callStart(1, { ...weather, id: "w2" }),
      event("tool-call-end", { index: 1 }),
      ended("TOOL_CALL"),
      done,
    ]);
    expect(events.slice(1, -3)).toEqual([
      { kind: "reasoning-start", block: 0 },
      { kind: "reasoning-delta", block: 0, text: "hm" },
      { kind: "reasoning-end", block: 0 },
      { kind: "reasoning-start", block: 1 },
      { kind: "reasoning-delta", block: 1, text: "I will" },
      { kind: "reasoning-delta", block: 1, text: " look." },
      { kind: "reasoning-end", block: 1 },
      { kind: "tool-start", block: 2, id: "w1", name: "weather" },
      { kind: "tool-delta", block: 2, json: '{"city":' },
      { kind: "tool-delta", block: 2, json: '"Rome"}' },
      { kind: "tool-end", block: 2 },
      { kind: "tool-start", block: 3, id: "w2", name: "weather" },
      { kind: "tool-end", block: 3 },
    ]);
    expect(events).toContainEqual({ kind: "finish", finish: { reason: "tools", raw: "TOOL_CALL" } });
    expect(breachOf(events)).toBeUndefined();
  });

  it.each([
    [["null"], ""],
    [["nu", "ll"], ""],
    [["nullable"], "nullable"],
    [["", "{}"], "{}"],
    [["n"], "n"],
  ])("takes the arguments %j for %j", (pieces, expected) => {
    const { events } = decode([
      start,
      callStart(0, weather),
      ...pieces.map((json) => callPiece(0, json)),
      ended("TOOL_CALL"),
      done,
    ]);
    expect(events.flatMap((each) => (each.kind === "tool-delta" ? [each.json] : [])).join("")).toBe(expected);
    expect(breachOf(events)).toBeUndefined();
  });

  it("tells calls apart that share an id or have none", () => {
    const { events } = decode([
      start,
      callStart(0, weather),
      callStart(1, weather),
      callStart(2, { function: { name: "f" } }),
      ended("TOOL_CALL"),
      done,
    ]);
    expect(events.flatMap((each) => (each.kind === "tool-start" ? [each.id] : []))).toEqual([
      "w1",
      "w1_1",
      "call_c1_2",
    ]);
  });

  it("gives citations as foreign and keeps the text they stand on", () => {
    const citation = { start: 0, end: 5, text: "Hello", sources: [] };
    const { events } = decode([
      ...textual,
      event("citation-start", { index: 0, ...said({ citations: citation }) }),
      event("citation-end", { index: 0 }),
      closed(0),
      ended("COMPLETE"),
      done,
    ]);
    expect(events).toContainEqual({ kind: "foreign", what: "citation", payload: citation });
    expect(breachOf(events)).toBeUndefined();
  });

  it("reads log probabilities in the form the hub carries", () => {
    const logprobs = { text: "Hi", token_ids: [1], logprobs: [-0.5] };
    const { events } = decode([
      start,
      event("content-delta", { index: 0, logprobs, ...said({ content: { text: "Hi" } }) }),
    ]);
    expect(events).toContainEqual({
      kind: "text-delta",
      block: 0,
      text: "Hi",
      logprobs: { content: [{ token: "Hi", logprob: -0.5, bytes: [72, 105], top_logprobs: [] }], refusal: null },
    });
  });

  it("gives the same events for any split of the bytes", () => {
    const stream = Buffer.from(
      [start, opened(0, { type: "text", text: "" }), part(0, { text: "é😀" }), plan("x"), callStart(0, weather)]
        .concat(callPiece(0, "{}"), ended("TOOL_CALL"), done)
        .join("")
        .replaceAll("\n", "\r\n"),
    );
    const expected = decode([stream]).events;
    expect(breachOf(expected)).toBeUndefined();
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 8 }), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), stream.length];
        const pieces = places.slice(1).map((place, at) => stream.subarray(places[at], place));
        expect(decode(pieces).events).toEqual(expected);
      }),
    );
  });

  it("keeps the grammar and ends once, whatever comes in whatever order", () => {
    const anyEvent = fc.constantFrom(
      start,
      opened(0, { type: "text", text: "a" }),
      part(0, { text: "b" }),
      part(0, { thinking: "c" }),
      part(1, { thinking: "d" }),
      part(2, { image: 1 }),
      closed(0),
      closed(1),
      plan("p"),
      callStart(0, weather),
      callStart(1, { ...weather, function: { name: "g", arguments: { a: 1 } } }),
      callPiece(0, "{"),
      event("tool-call-end", { index: 0 }),
      event("citation-start", said({ citations: {} })),
      event("surprise"),
      ": still here\n\n",
      ended("COMPLETE"),
      ended("ERROR"),
      event("message-end", { delta: {} }),
      "data: nonsense\n\n",
      done,
    );
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 14 }), (stream) => {
        const { events } = decode(stream);
        expect(breachOf(events)).toBeUndefined();
        expect(events.filter(({ kind }) => kind === "end" || kind === "failed")).toHaveLength(1);
      }),
    );
  });

  it("ends an answer whose finish was seen but not its terminator, with one of its own", () => {
    const { frames, events } = decode([...textual, ended("MAX_TOKENS")]);
    expect(events).toContainEqual({ kind: "finish", finish: { reason: "length", raw: "MAX_TOKENS" } });
    expect(events.at(-1)).toEqual({ kind: "end" });
    expect(Buffer.from(frames.at(-1)!.raw).toString()).toBe(done);
  });

  it.each([
    ["a stream cut after content", textual, "truncated_response"],
    ["a [DONE] without a finish", [...textual, done], "truncated_response"],
    ["an end that does not say why", [...textual, event("message-end", { delta: {} }), done], "truncated_response"],
    ["no bytes at all", [], "truncated_response"],
    ["broken JSON", [start, "data: {broken}\n\n"], "bad_upstream_response"],
    ["a message without a type", ["data: {}\n\n"], "bad_upstream_response"],
    ["a piece of a call that did not begin", [start, callPiece(0, "{}")], "bad_upstream_response"],
    ["a call without a name", [start, callStart(0, { id: "a" })], "bad_upstream_response"],
    ["an HTML page", ["<html></html>"], "bad_upstream_response"],
    ["a plain JSON error in place of a stream", ['{"id":"x","message":"no"}'], "upstream_failed"],
    ["a whole answer in place of a stream", ['{"id":"x","message":{}}'], "bad_upstream_response"],
    ["an error without a type", [start, 'data: {"message":"no"}\n\n'], "upstream_failed"],
    ["an error event", [start, 'event: error\ndata: {"detail":"no"}\n\n'], "upstream_failed"],
    ["the finish word ERROR", [...textual, ended("ERROR"), done], "upstream_failed"],
    [
      "an error beside the finish",
      [start, event("message-end", { delta: { error: "no", finish_reason: "COMPLETE" } })],
      "upstream_failed",
    ],
    ["an event over the limit", [start, part(0, { text: "x".repeat(70_000) })], "event_too_large"],
  ] as const)("fails on %s", (_, stream, kind) => {
    const { events, frames } = decode(stream);
    expect(events.at(-1)).toMatchObject({ kind: "failed", failure: { kind } });
    expect(frames.some(({ terminal }) => terminal)).toBe(false);
  });

  it("tells the classifier what a broken answer said", () => {
    const { events } = decode([
      start,
      event("message-end", { delta: { error: "no capacity", finish_reason: "ERROR" } }),
    ]);
    expect(events.at(-1)).toMatchObject({ failure: { message: '{"message":"no capacity","code":"ERROR"}' } });
  });
});

describe("decodeAnswer", () => {
  it("reads a whole answer as the stream that would have said it", () => {
    const events = whole({
      id: "c1",
      message: {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "hm" },
          { type: "text", text: "Hello" },
        ],
        tool_plan: "look",
        tool_calls: [{ ...weather, function: { name: "weather", arguments: "null" } }],
        citations: [{ start: 0 }],
      },
      finish_reason: "TOOL_CALL",
      logprobs: [
        { text: "Hel", token_ids: [1], logprobs: [-1] },
        { text: "lo", token_ids: [2, 3], logprobs: [-2, -3] },
      ],
      usage,
    });
    expect(breachOf(events)).toBeUndefined();
    expect(events.map(({ kind }) => kind)).toEqual(
      "start reasoning-start reasoning-delta reasoning-end text-start text-delta text-end reasoning-start reasoning-delta reasoning-end tool-start tool-end foreign usage finish end".split(
        " ",
      ),
    );
    expect(events).toContainEqual({ kind: "usage", usage: counted });
    expect(events[5]).toMatchObject({ logprobs: { content: [{ token: "Hel" }, { token: "lo" }, { token: "" }] } });
  });

  it.each([
    ["no JSON", "nothing", "bad_upstream_response"],
    ["no message", {}, "bad_upstream_response"],
    ["a complaint", { id: "x", message: "no" }, "upstream_failed"],
    ["an answer that broke off", { message: { content: [] }, finish_reason: "TIMEOUT" }, "upstream_failed"],
    ["an answer without its finish", { message: { content: "a" } }, "truncated_response"],
  ])("fails on %s", (_, answer, kind) => {
    expect(whole(answer).at(-1)).toMatchObject({ kind: "failed", failure: { kind } });
  });

  it.each([
    ["COMPLETE", "stop"],
    ["STOP_SEQUENCE", "stop-sequence"],
    ["MAX_TOKENS", "length"],
    ["ERROR_TOXIC", "policy"],
    ["ERROR_LIMIT", "context"],
    ["SOMETHING_NEW", "stop"],
  ])("knows the finish word %s", (raw, reason) => {
    const events = whole({ message: { content: "a" }, finish_reason: raw });
    expect(events).toContainEqual({ kind: "finish", finish: { reason, raw } });
  });

  it("counts by what is billed where tokens are not told, and nothing where nothing is", () => {
    const counts = (report: unknown) =>
      whole({ message: { content: "a" }, finish_reason: "COMPLETE", usage: report }).find(
        ({ kind }) => kind === "usage",
      );
    expect(counts({ billed_units: { input_tokens: 3, output_tokens: 2 } })).toMatchObject({
      usage: { inputUncached: 3, output: 2, billed: { input: 3, output: 2 } },
    });
    expect(counts({ tokens: { input_tokens: 3, output_tokens: 2 }, cached_tokens: 9 })).toMatchObject({
      usage: { inputUncached: 0, cacheRead: 3 },
    });
    for (const report of [undefined, null, {}, { tokens: { input_tokens: -1 } }])
      expect(counts(report)).toBeUndefined();
  });
});
