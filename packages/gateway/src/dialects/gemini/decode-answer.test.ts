import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { breachOf } from "#dialects/answer-grammar";
import type { AnswerFrame, DecodeOptions } from "#dialects/dialect";
import type { AnswerEvent } from "#domain/answer";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";
import { decodeAnswer, streamDecoder } from "./decode-answer.ts";

const options: DecodeOptions = {
  classify: (complaint) => failure("upstream_overloaded", JSON.stringify(complaint)),
  quirks: plainChatQuirks,
  maxEventBytes: 1 << 16,
};

interface Decoded {
  readonly frames: readonly AnswerFrame[];
  readonly events: readonly AnswerEvent[];
  readonly raw: string;
}

function decode(pieces: readonly (string | Uint8Array)[], given = options): Decoded {
  const frames: AnswerFrame[] = [];
  const decoder = streamDecoder(given, (frame) => frames.push(frame));
  for (const piece of pieces) decoder.push(Buffer.from(piece));
  decoder.end();
  return {
    frames,
    events: frames.flatMap((frame) => frame.events),
    raw: Buffer.concat(frames.map(({ raw }) => raw)).toString(),
  };
}

type Chunk = Readonly<Record<string, unknown>>;

const head = { modelVersion: "gemini-3-flash", responseId: "r1" };
const counts = { promptTokenCount: 10, candidatesTokenCount: 4, totalTokenCount: 14 };
const saying = (parts: readonly object[], more: object = {}): Chunk => ({
  candidates: [{ content: { parts, role: "model" }, index: 0, ...more }],
  usageMetadata: counts,
  ...head,
});
const stop = saying([{ text: "" }], { finishReason: "STOP" });
const call = (name: string, args?: object, more: object = {}): object => ({
  functionCall: { name, ...(args === undefined ? {} : { args }) },
  ...more,
});

function events(chunks: readonly Chunk[]): readonly AnswerEvent[] {
  return decode([sse(chunks)]).events;
}

function sse(chunks: readonly Chunk[]): string {
  return chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`).join("");
}

function array(chunks: readonly Chunk[]): string {
  return `[${chunks.map((chunk) => JSON.stringify(chunk, undefined, 2)).join(",\r\n")}\r\n]`;
}

function ending(all: readonly AnswerEvent[]): unknown {
  const last = all.at(-1);
  if (last?.kind === "failed") return last.failure.kind;
  return all.find((event) => event.kind === "finish")?.finish;
}

const greeting = [saying([{ text: "Hé" }]), saying([{ text: "llo 🌱" }]), stop];
const greeted: readonly AnswerEvent[] = [
  { kind: "start", id: "r1", model: "gemini-3-flash" },
  { kind: "text-start", block: 0 },
  { kind: "text-delta", block: 0, text: "Hé" },
  {
    kind: "usage",
    usage: {
      inputUncached: 10,
      cacheRead: 0,
      cacheWrite: 0,
      cacheWriteLong: 0,
      output: 4,
      reasoning: 0,
      estimated: false,
    },
  },
  { kind: "text-delta", block: 0, text: "llo 🌱" },
  { kind: "text-end", block: 0 },
  { kind: "finish", finish: { reason: "stop", raw: "STOP" } },
  { kind: "end" },
];

describe("a stream", () => {
  it("is read from server-sent events, whose last chunk waits for the end", () => {
    const { events: read, frames, raw } = decode([sse(greeting)]);
    expect(read).toEqual(greeted);
    expect(raw).toBe(sse(greeting));
    expect(frames.map(({ terminal }) => terminal)).toEqual([false, false, true]);
  });

  it("is read from a JSON array that grows, to the same events", () => {
    const { events: read, frames, raw } = decode([array(greeting)]);
    expect(read).toEqual(greeted);
    expect(raw).toBe(array(greeting));
    expect(frames.at(-1)).toMatchObject({ terminal: true });
  });

  it("may turn out to be one object", () => {
    const whole = JSON.stringify(saying([{ text: "hi" }], { finishReason: "STOP" }));
    const { events: read, raw } = decode([whole]);
    expect(read).toContainEqual({ kind: "text-delta", block: 0, text: "hi" });
    expect(read.at(-1)).toEqual({ kind: "end" });
    expect(raw).toBe(whole);
  });

  const rich = [
    saying([{ text: "Let me", thought: true }]),
    saying([{ text: 'se\u0001e[{"', thoughtSignature: "c2ln" }]),
    saying([call("f", { a: [1, { b: "]}" }] }, { thoughtSignature: "Y2FsbA==" }), call("g")]),
    { surprise: true },
    stop,
  ];

  it.each([
    ["server-sent events", sse(rich)],
    ["server-sent events with bare line feeds", sse(rich).replaceAll("\r\n", "\n")],
    ["a JSON array", array(rich)],
  ])("of %s gives the same events however the bytes are split", (_name, text) => {
    const bytes = Buffer.from(text);
    const whole = decode([bytes]);
    expect(breachOf(whole.events)).toBeUndefined();
    expect(whole.raw).toBe(text);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const pieces = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        expect(decode(pieces)).toEqual(whole);
      }),
    );
    expect(decode(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(whole);
  });

  it.each([
    ["server-sent events", sse],
    ["a JSON array", array],
  ])("of %s that is cut anywhere before its finish is truncated, never an answer", (_name, framed) => {
    const text = framed(greeting);
    const finishAt = text.indexOf('"finishReason"');
    for (let at = 0; at < finishAt; at += 7) {
      const read = decode([text.slice(0, at)]).events;
      expect(ending(read)).toBe("truncated_response");
      expect(breachOf(read)).toBeUndefined();
    }
  });

  it("that lacks only its last line end, or its bracket, gets it", () => {
    const cut = decode([sse(greeting).slice(0, -4)]);
    expect(cut.events).toEqual(greeted);
    expect(cut.raw).toBe(sse(greeting));
    const open = decode([array(greeting).slice(0, -3)]);
    expect(open.events).toEqual(greeted);
    expect(open.raw).toBe(array(greeting));
  });

  it("may bring usage and text behind its finish, and the last chunk is the one that waits", () => {
    const { events: read, frames } = decode([
      sse([
        saying([{ text: "a" }], { finishReason: "STOP" }),
        { usageMetadata: { ...counts, candidatesTokenCount: 9 }, ...head },
      ]),
    ]);
    expect(read.findLast((event) => event.kind === "usage")?.usage.output).toBe(9);
    expect(breachOf(read)).toBeUndefined();
    expect(frames.map(({ terminal }) => terminal)).toEqual([false, true]);
  });

  it("is kept alive by comments, and not ended by another language's marker", () => {
    const { events: read } = decode([sse(greeting.slice(0, 1)), ": still there\r\n\r\n", "data: [DONE]\n\n"]);
    expect(read).toContainEqual({ kind: "ping" });
    expect(ending(read)).toBe("truncated_response");
  });

  it.each([
    ["an error in an event", sse([...greeting.slice(0, 2), { error: { code: 503, status: "UNAVAILABLE" } }])],
    ["an error behind the finish", sse([...greeting, { error: { code: 500 } }])],
    ["an error in an array", array([greeting[0] ?? {}, { error: { code: 503 } }])],
    ["an error in an array of its own", '[{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}]'],
    ["an error in an array of its own in an event", 'data: [{"error":{"code":429}}]\n\n'],
    ["an error as one object", '{"error":{"code":400}}'],
    ["an error between events", `${sse(greeting.slice(0, 1))}{"error":{"code":400}}\n\n`],
  ])("that holds %s fails as its provider's errors do, without a terminal frame", (_name, text) => {
    const { events: read, frames } = decode([text]);
    expect(ending(read)).toBe("upstream_overloaded");
    expect(read.filter(({ kind }) => kind === "failed")).toHaveLength(1);
    expect(frames.some(({ terminal }) => terminal)).toBe(false);
    expect(frames.at(-1)?.raw).toHaveLength(0);
    expect(breachOf(read)).toBeUndefined();
  });

  it.each([
    ["a page", "<html><body>Bad gateway</body></html>\n\n", "bad_upstream_response"],
    ["numbers", "[1,2]", "bad_upstream_response"],
    ["broken JSON", "data: {nope\n\n", "bad_upstream_response"],
    ["an empty array", "[]", "bad_upstream_response"],
    ["nothing", "", "truncated_response"],
    ["white space", " \n", "truncated_response"],
  ])("of %s is no answer", (_name, text, kind) => {
    expect(ending(decode([text]).events)).toBe(kind);
  });

  it.each([
    ["an event", sse([saying([{ text: "x".repeat(3000) }])])],
    ["an element", array([saying([{ text: "x".repeat(3000) }])])],
    ["an object", `{"a":"${"x".repeat(3000)}"}`],
    ["white space", " ".repeat(3000)],
  ])("keeps no more of %s than it may", (_name, text) => {
    const small = { ...options, maxEventBytes: 2000 };
    expect(ending(decode([text], small).events)).toBe("event_too_large");
    expect(ending(decode(text.match(/.{1,100}/gsu) ?? [], small).events)).toBe("event_too_large");
  });
});

describe("the finish", () => {
  it.each([
    ["STOP", "stop"],
    ["MAX_TOKENS", "length"],
    ["SAFETY", "policy"],
    ["RECITATION", "policy"],
    ["BLOCKLIST", "policy"],
    ["PROHIBITED_CONTENT", "policy"],
    ["SPII", "policy"],
    ["LANGUAGE", "policy"],
    ["IMAGE_SAFETY", "policy"],
    ["MODEL_ARMOR", "policy"],
    ["CONTINUATION", "paused"],
    ["MALFORMED_FUNCTION_CALL", "malformed"],
    ["UNEXPECTED_TOOL_CALL", "malformed"],
    ["TOO_MANY_TOOL_CALLS", "malformed"],
    ["MALFORMED_RESPONSE", "malformed"],
    ["OTHER", "malformed"],
    ["SOMETHING_NEW", "stop"],
  ])("%s is %s", (word, reason) => {
    expect(ending(events([saying([{ text: "x" }], { finishReason: word })]))).toEqual({ reason, raw: word });
  });

  it("is a call for tools where one was made chunks before, with an empty text and STOP at the end", () => {
    expect(ending(events([saying([call("f", { a: 1 })]), saying([{ text: "hm" }]), stop]))).toEqual({
      reason: "tools",
      raw: "STOP",
    });
  });

  it("keeps its own word where the calls are cut off or not to be run", () => {
    expect(ending(events([saying([call("f")], { finishReason: "MAX_TOKENS" })]))).toMatchObject({ reason: "length" });
    const run = [call("f"), { functionResponse: { name: "f", response: {} } }];
    expect(ending(events([saying(run), stop]))).toMatchObject({ reason: "stop" });
  });

  it("of a prompt that was blocked is the policy's, with neither candidates nor content", () => {
    const blocked = {
      promptFeedback: { blockReason: "PROHIBITED_CONTENT" },
      usageMetadata: { promptTokenCount: 7 },
      ...head,
    };
    for (const read of [events([blocked]), decodeAnswer(Buffer.from(JSON.stringify(blocked)), options)]) {
      expect(read.map(({ kind }) => kind)).toEqual(["start", "usage", "finish", "end"]);
      expect(ending(read)).toEqual({ reason: "policy", raw: "PROHIBITED_CONTENT" });
    }
  });

  it("may come with a candidate that has no parts at all", () => {
    const bare = { candidates: [{ finishReason: "MAX_TOKENS", index: 0 }], usageMetadata: counts, ...head };
    expect(events([bare]).map(({ kind }) => kind)).toEqual(["start", "usage", "finish", "end"]);
  });
});

describe("a whole answer", () => {
  it("says what the stream says", () => {
    const chunk = saying([{ text: "a" }, call("f", { x: 1 })], { finishReason: "STOP" });
    expect(decodeAnswer(Buffer.from(JSON.stringify(chunk)), options)).toEqual(events([chunk]));
    expect(decodeAnswer(Buffer.from(array(greeting)), options)).toEqual(greeted);
  });

  it.each([
    ["no JSON", "nope", "bad_upstream_response"],
    ["a list of numbers", "[1]", "bad_upstream_response"],
    ["nothing", "{}", "bad_upstream_response"],
    ["no reason to stop", JSON.stringify(saying([{ text: "a" }])), "truncated_response"],
    ["an error", '{"error":{"code":500}}', "upstream_overloaded"],
    ["an error in a list", '[{"error":{"code":500}}]', "upstream_overloaded"],
  ])("of %s fails", (_name, body, kind) => {
    expect(ending(decodeAnswer(Buffer.from(body), options))).toBe(kind);
  });
});
