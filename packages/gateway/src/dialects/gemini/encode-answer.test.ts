import { describe, expect, it } from "vitest";
import type { AnswerEvent, FinishReason } from "#domain/answer";
import type { GenerateRequest } from "#domain/request";
import { emptyUsage } from "#domain/usage";
import type { EncodeOptions } from "#dialects/dialect";
import { encodeAnswer } from "./encode-answer.ts";
import { streamEncoder } from "./encode-stream.ts";
import { foreignMark, readSeal, tagSeal } from "./seal-tag.ts";

const options: EncodeOptions = {
  fallbackId: "req_1",
  model: "gpt-5.4",
  createdAtS: 0,
  includeUsage: true,
  issuer: "openai",
};

type Json = Record<string, unknown>;

const start: AnswerEvent = { kind: "start", id: "a1", model: "m1" };
const end: AnswerEvent = { kind: "end" };

function finish(reason: FinishReason, raw?: string): AnswerEvent {
  return { kind: "finish", finish: { reason, ...(raw === undefined ? {} : { raw }) } };
}

function textEvents(block: number, ...pieces: readonly string[]): AnswerEvent[] {
  return [
    { kind: "text-start", block },
    ...pieces.map((piece): AnswerEvent => ({ kind: "text-delta", block, text: piece })),
    { kind: "text-end", block },
  ];
}

function toolEvents(block: number, name: string, ...pieces: readonly string[]): AnswerEvent[] {
  return [
    { kind: "tool-start", block, id: `id_${block}`, name },
    ...pieces.map((json): AnswerEvent => ({ kind: "tool-delta", block, json })),
    { kind: "tool-end", block },
  ];
}

function thoughtEvents(block: number, words: string, signature?: string): AnswerEvent[] {
  return [
    { kind: "reasoning-start", block },
    { kind: "reasoning-delta", block, text: words },
    ...(signature === undefined ? [] : [{ kind: "reasoning-signature" as const, block, signature }]),
    { kind: "reasoning-end", block },
  ];
}

/** What the stream's encoder says to each event. */
function framesOf(events: readonly AnswerEvent[], more: Partial<EncodeOptions> = {}): readonly string[] {
  const encoder = streamEncoder({ ...options, ...more });
  return events.map((event) => encoder.encode(event));
}

/** The chunks of an answer with these events between its start and its end. */
function chunksOf(events: readonly AnswerEvent[], more: Partial<EncodeOptions> = {}): readonly Json[] {
  return framesOf([start, ...events, end], more)
    .join("")
    .split("\r\n\r\n")
    .map((frame) => frame.trim())
    .filter((frame) => frame !== "")
    .map((frame) => JSON.parse(frame.slice("data: ".length)) as Json);
}

function partsIn(answer: Json): unknown {
  const [candidate] = answer["candidates"] as { content: { parts: unknown } }[];
  return candidate?.content.parts;
}

const head = { modelVersion: "m1", responseId: "a1" };
const mark = foreignMark("openai");

function whole(events: readonly AnswerEvent[], more: Partial<EncodeOptions> = {}): Json {
  const body = encodeAnswer([start, ...events, end], { ...options, ...more });
  return JSON.parse(Buffer.from(body ?? "null").toString()) as Json;
}

describe("a whole answer in Gemini's language", () => {
  it("has text, usage in Google's own sums, and who answered", () => {
    const usage = { ...emptyUsage, inputUncached: 90, cacheRead: 10, output: 7, reasoning: 5 };
    expect(whole([...textEvents(0, "Green", " and tall."), { kind: "usage", usage }, finish("stop")])).toEqual({
      candidates: [
        { content: { parts: [{ text: "Green and tall." }], role: "model" }, finishReason: "STOP", index: 0 },
      ],
      usageMetadata: {
        promptTokenCount: 100,
        candidatesTokenCount: 7,
        totalTokenCount: 112,
        cachedContentTokenCount: 10,
        thoughtsTokenCount: 5,
      },
      ...head,
    });
  });

  it("is named after the call where the provider names nothing", () => {
    const bare: AnswerEvent[] = [{ kind: "start", id: "", model: "" }, finish("stop"), end];
    const answer = JSON.parse(Buffer.from(encodeAnswer(bare, options) ?? "").toString()) as Json;
    expect(answer).toMatchObject({ modelVersion: "gpt-5.4", responseId: "req_1" });
    expect(partsIn(answer)).toEqual([{ text: "" }]);
    expect(answer).not.toHaveProperty("usageMetadata");
  });

  it("is none where the events do not end", () => {
    expect(encodeAnswer([start, finish("stop")], options)).toBeUndefined();
  });

  it("has its calls whole, with the digits of their numbers, the first marked as another vendor's", () => {
    const answer = encodeAnswer(
      [
        start,
        ...textEvents(0, "One moment."),
        ...toolEvents(1, "f", '{"id":1234567890', "1234567890}"),
        ...toolEvents(2, "g"),
        finish("tools"),
        end,
      ],
      options,
    );
    expect(Buffer.from(answer ?? "").toString()).toContain('"args":{"id":12345678901234567890}');
    expect(
      partsIn(whole([...textEvents(0, "x"), ...toolEvents(1, "f", '{"a":1}'), ...toolEvents(2, "g"), finish("tools")])),
    ).toEqual([
      { text: "x" },
      { functionCall: { id: "id_1", name: "f", args: { a: 1 } }, thoughtSignature: mark },
      { functionCall: { id: "id_2", name: "g", args: {} } },
    ]);
    expect(readSeal(mark)).toBeUndefined();
  });

  it("says so where arguments are no object, and makes ids where there are none", () => {
    const lost: string[] = [];
    const events: AnswerEvent[] = [
      { kind: "tool-start", block: 0, id: "", name: "f" },
      { kind: "tool-delta", block: 0, json: '{"a":' },
      { kind: "tool-end", block: 0 },
      finish("length"),
    ];
    const answer = whole(events, { issuer: "google", onLoss: (warning) => lost.push(warning) });
    expect(partsIn(answer)).toEqual([
      { functionCall: { id: "gcall_req_1_0", name: "f", args: { INVALID_JSON: '{"a":' } } },
    ]);
    expect(lost).toEqual([expect.stringMatching(/^answer-arguments: /) as string]);
  });

  it("keeps calls in the order they began, however they interleave", () => {
    const events: AnswerEvent[] = [
      { kind: "tool-start", block: 0, id: "x", name: "f" },
      { kind: "tool-start", block: 1, id: "y", name: "g" },
      { kind: "tool-delta", block: 1, json: "{}" },
      { kind: "tool-end", block: 1 },
      ...textEvents(2, "aside"),
      { kind: "tool-end", block: 0 },
      finish("tools"),
    ];
    expect(partsIn(whole(events))).toMatchObject([
      { text: "aside" },
      { functionCall: { id: "x" } },
      { functionCall: { id: "y" } },
    ]);
  });

  it.each<[FinishReason, string]>([
    ["stop", "STOP"],
    ["stop-sequence", "STOP"],
    ["tools", "STOP"],
    ["length", "MAX_TOKENS"],
    ["context", "MAX_TOKENS"],
    ["policy", "SAFETY"],
    ["paused", "CONTINUATION"],
    ["malformed", "MALFORMED_RESPONSE"],
  ])("ends with %s as %s", (reason, word) => {
    expect(whole([...textEvents(0, "x"), finish(reason)])).toMatchObject({ candidates: [{ finishReason: word }] });
    expect(chunksOf([...textEvents(0, "x"), finish(reason)]).at(-1)).toMatchObject({
      candidates: [{ finishReason: word }],
    });
  });

  it("has refusal words as text that policy ended", () => {
    expect(
      whole([{ kind: "refusal-delta", text: "I " }, { kind: "refusal-delta", text: "can't." }, finish("stop")]),
    ).toMatchObject({
      candidates: [{ content: { parts: [{ text: "I can't." }] }, finishReason: "SAFETY" }],
    });
  });

  it("without a word for reasons of policy is a blocked prompt, without candidates", () => {
    const usage: AnswerEvent = { kind: "usage", usage: { ...emptyUsage, inputUncached: 3 } };
    for (const [raw, blockReason] of [
      ["content_filter", "PROHIBITED_CONTENT"],
      ["JAILBREAK", "JAILBREAK"],
    ] as const) {
      const answer = whole([usage, finish("policy", raw)]);
      expect(answer).toMatchObject({ promptFeedback: { blockReason }, usageMetadata: { promptTokenCount: 3 } });
      expect(answer).not.toHaveProperty("candidates");
      expect(chunksOf([finish("policy", raw)])).toMatchObject([{ promptFeedback: { blockReason } }]);
    }
  });

  it("has log-probabilities as Google writes them", () => {
    const entry = { token: "Hi", logprob: -0.1, bytes: [72], top_logprobs: [{ token: "Ho", logprob: -2, bytes: [] }] };
    const delta: AnswerEvent = { kind: "text-delta", block: 0, text: "Hi", logprobs: { content: [entry] } };
    const events: AnswerEvent[] = [
      { kind: "text-start", block: 0 },
      delta,
      { kind: "text-end", block: 0 },
      finish("stop"),
    ];
    const logprobsResult = {
      chosenCandidates: [{ token: "Hi", logProbability: -0.1 }],
      topCandidates: [{ candidates: [{ token: "Ho", logProbability: -2 }] }],
    };
    expect(whole(events)).toMatchObject({ candidates: [{ logprobsResult }] });
    expect(chunksOf(events)[0]).toMatchObject({ candidates: [{ logprobsResult }] });
  });

  it("names what it has no word for, and carries the gateway's facts", () => {
    const lost: string[] = [];
    const foreign: AnswerEvent = { kind: "foreign", what: "anthropic:web_search", payload: {} };
    const answer = whole([foreign, finish("stop")], {
      facts: () => ({ cost: 1 }),
      onLoss: (warning) => lost.push(warning),
    });
    expect(answer["hedgerow"]).toEqual({ cost: 1 });
    expect(lost).toEqual([expect.stringMatching(/^foreign-event: .*anthropic:web_search/) as string]);
  });
});

describe("thoughts in an answer of Gemini's language", () => {
  const asked = (display?: "summarized" | "omitted"): Partial<EncodeOptions> => ({
    request: { reasoning: { mode: "on", ...(display === undefined ? {} : { display }) } } as GenerateRequest,
  });

  it("carry another vendor's seal in a form that comes back and that Google's bytes allow", () => {
    const parts = partsIn(
      whole([...thoughtEvents(0, "Hedges are plants.", "EqoB/+=="), ...textEvents(1, "Green."), finish("stop")], {
        issuer: "anthropic",
      }),
    );
    const tag = tagSeal("anthropic", { form: "signature", value: "EqoB/+==" });
    expect(parts).toEqual([{ text: "Hedges are plants.", thought: true, thoughtSignature: tag }, { text: "Green." }]);
    expect(Buffer.from(tag, "base64").toString("base64")).toBe(tag);
    expect(readSeal(tag)).toEqual({ issuer: "anthropic", form: "signature", value: "EqoB/+==" });
    // Python's client decodes bytes and writes them in the other alphabet.
    expect(readSeal(Buffer.from(tag, "base64").toString("base64url"))).toEqual(readSeal(tag));
  });

  it("carry Google's own signatures raw, on thoughts, texts and calls", () => {
    const events: AnswerEvent[] = [
      ...thoughtEvents(0, "Hm.", "c2ln"),
      { kind: "text-start", block: 1 },
      { kind: "text-delta", block: 1, text: "So." },
      { kind: "text-signature", block: 1, signature: "dGV4dA==" },
      { kind: "text-end", block: 1 },
      { kind: "tool-start", block: 2, id: "x", name: "f" },
      { kind: "tool-signature", block: 2, signature: "Y2FsbA==" },
      { kind: "tool-end", block: 2 },
      finish("tools"),
    ];
    expect(partsIn(whole(events, { issuer: "google" }))).toEqual([
      { text: "Hm.", thought: true, thoughtSignature: "c2ln" },
      { text: "So.", thoughtSignature: "dGV4dA==" },
      { functionCall: { id: "x", name: "f", args: {} }, thoughtSignature: "Y2FsbA==" },
    ]);
  });

  it("are marked as foreign where nothing seals them, and hidden ones are sealed as a whole", () => {
    const hidden: AnswerEvent[] = [
      { kind: "reasoning-start", block: 0, redacted: "EmwK", id: "rs_1" },
      { kind: "reasoning-end", block: 0 },
    ];
    const parts = partsIn(whole([...hidden, ...thoughtEvents(1, "Hm."), finish("stop")])) as {
      thoughtSignature: string;
    }[];
    expect(parts).toMatchObject([
      { text: "", thought: true },
      { text: "Hm.", thought: true, thoughtSignature: mark },
    ]);
    expect(readSeal(parts[0]?.thoughtSignature ?? "")).toEqual({
      issuer: "openai",
      form: "redacted",
      value: "EmwK",
      id: "rs_1",
    });
  });

  it("are shown only to callers that asked for them", () => {
    const events = [...thoughtEvents(0, "Hm.", "c2ln"), ...textEvents(1, "Green."), finish("stop")];
    expect(partsIn(whole(events, asked("summarized")))).toMatchObject([{ thought: true }, { text: "Green." }]);
    for (const display of [undefined, "omitted"] as const) {
      expect(partsIn(whole(events, asked(display)))).toEqual([{ text: "Green." }]);
      expect(chunksOf(events, asked(display)).map(partsIn)).toEqual([[{ text: "Green." }], [{ text: "" }]]);
    }
  });
});
