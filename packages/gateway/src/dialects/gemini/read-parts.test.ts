import { describe, expect, it } from "vitest";
import { breachOf } from "#dialects/answer-grammar";
import type { DecodeOptions } from "#dialects/dialect";
import type { AnswerEvent } from "#domain/answer";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";
import { decodeAnswer } from "./decode-answer.ts";

const options: DecodeOptions = {
  classify: (complaint) => failure("upstream_overloaded", JSON.stringify(complaint)),
  quirks: plainChatQuirks,
  maxEventBytes: 1 << 16,
};

type Chunk = Readonly<Record<string, unknown>>;

const counts = { promptTokenCount: 10, candidatesTokenCount: 4, totalTokenCount: 14 };
const saying = (parts: readonly object[], more: object = {}): Chunk => ({
  candidates: [{ content: { parts, role: "model" }, index: 0, ...more }],
  usageMetadata: counts,
  responseId: "r1",
});
const stop = saying([{ text: "" }], { finishReason: "STOP" });
const call = (name: string, args?: object, more: object = {}): object => ({
  functionCall: { name, ...(args === undefined ? {} : { args }) },
  ...more,
});

/** Chunks are the same in every framing; a list of them is one framing. */
function events(chunks: readonly Chunk[]): readonly AnswerEvent[] {
  return decodeAnswer(Buffer.from(JSON.stringify(chunks)), options);
}

function content(all: readonly AnswerEvent[]): readonly AnswerEvent[] {
  return all.filter(({ kind }) => !["start", "usage", "finish", "end"].includes(kind));
}

function ending(all: readonly AnswerEvent[]): unknown {
  const last = all.at(-1);
  if (last?.kind === "failed") return last.failure.kind;
  return all.find((event) => event.kind === "finish")?.finish;
}

describe("parts", () => {
  it("that are thoughts are reasoning, and what they sign stays with them", () => {
    const read = events([
      saying([{ text: "I wonder", thought: true }]),
      saying([{ text: "", thought: true, thoughtSignature: "dGhvdWdodA==" }]),
      saying([{ text: "Yes" }], { finishReason: "STOP" }),
    ]);
    expect(content(read)).toEqual([
      { kind: "reasoning-start", block: 0 },
      { kind: "reasoning-delta", block: 0, text: "I wonder" },
      { kind: "reasoning-signature", block: 0, signature: "dGhvdWdodA==" },
      { kind: "reasoning-end", block: 0 },
      { kind: "text-start", block: 1 },
      { kind: "text-delta", block: 1, text: "Yes" },
      { kind: "text-end", block: 1 },
    ]);
  });

  it("that are signed texts are blocks of their own, empty ones too", () => {
    const read = events([
      saying([{ text: "a" }, { text: "b", thoughtSignature: "c2ln" }]),
      saying([{ text: "c" }]),
      saying([{ text: "", thoughtSignature: "ZW5k" }], { finishReason: "STOP" }),
    ]);
    expect(content(read)).toEqual([
      { kind: "text-start", block: 0 },
      { kind: "text-delta", block: 0, text: "a" },
      { kind: "text-end", block: 0 },
      { kind: "text-start", block: 1 },
      { kind: "text-delta", block: 1, text: "b" },
      { kind: "text-signature", block: 1, signature: "c2ln" },
      { kind: "text-end", block: 1 },
      { kind: "text-start", block: 2 },
      { kind: "text-delta", block: 2, text: "c" },
      { kind: "text-end", block: 2 },
      { kind: "text-start", block: 3 },
      { kind: "text-signature", block: 3, signature: "ZW5k" },
      { kind: "text-end", block: 3 },
    ]);
  });

  it("that are calls keep their signature, and their numbers' digits", () => {
    const text = `{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","id":"id-1","args":{"n":12345678901234567890,"x":1.0}},"thoughtSignature":"c2ln"}]},"finishReason":"STOP"}],"responseId":"r"}`;
    const read = decodeAnswer(Buffer.from(text), options);
    expect(content(read)).toEqual([
      { kind: "tool-start", block: 0, id: "id-1", name: "f" },
      { kind: "tool-signature", block: 0, signature: "c2ln" },
      { kind: "tool-delta", block: 0, json: '{"n":12345678901234567890,"x":1.0}' },
      { kind: "tool-end", block: 0 },
    ]);
  });

  it("that are calls without ids, or with ids that are not their own, get one: the same for the same bytes", () => {
    const twice = { functionCall: { name: "f", id: "same" } };
    const chunks = [
      saying([call("f", {}), call("f", {}), twice, twice, { functionCall: { name: "g", id: "" } }]),
      stop,
    ];
    const ids = (all: readonly AnswerEvent[]): readonly string[] =>
      all.flatMap((event) => (event.kind === "tool-start" ? [event.id] : []));
    expect(ids(events(chunks))).toEqual(["gcall_r1_0", "gcall_r1_1", "same", "gcall_r1_3", "gcall_r1_4"]);
    expect(ids(events(chunks))).toEqual(ids(events(chunks)));
    const nameless = (text: string): readonly AnswerEvent[] =>
      events([{ candidates: [{ content: { parts: [call(text)] } }], usageMetadata: counts }, stop]);
    expect(ids(nameless("f"))).not.toEqual(ids(nameless("g")));
    for (const id of [...ids(nameless("f")), ...ids(events(chunks))]) expect(id).toMatch(/^[a-zA-Z0-9_-]{1,40}$/u);
  });

  it("that are calls in pieces are put together", () => {
    const piece = (more: object): Chunk => saying([{ functionCall: more }]);
    const read = events([
      piece({ name: "cook", willContinue: true }),
      piece({ partialArgs: [{ jsonPath: "$.dish", stringValue: "so", willContinue: true }], willContinue: true }),
      piece({ partialArgs: [{ jsonPath: "$.dish", stringValue: "up" }], willContinue: true }),
      piece({
        partialArgs: [
          { jsonPath: "$.steps[0].minutes", numberValue: 5 },
          { jsonPath: "$.steps[1]['at once']", boolValue: true },
          { jsonPath: "$.note", nullValue: "NULL_VALUE" },
        ],
        willContinue: true,
      }),
      piece({}),
      stop,
    ]);
    const json = read.flatMap((event) => (event.kind === "tool-delta" ? [event.json] : []));
    expect(json.map((each) => JSON.parse(each) as unknown)).toEqual([
      { dish: "soup", steps: [{ minutes: 5 }, { "at once": true }], note: null },
    ]);
    expect(breachOf(read)).toBeUndefined();
    expect(ending(read)).toEqual({ reason: "tools", raw: "STOP" });
  });

  it.each([
    ["fits nowhere", { name: "f", partialArgs: [{ jsonPath: "steps", stringValue: "x" }] }],
    [
      "goes through a text",
      {
        name: "f",
        partialArgs: [
          { jsonPath: "$.a", stringValue: "x" },
          { jsonPath: "$.a.b", numberValue: 1 },
        ],
      },
    ],
    ["belongs to no call", { partialArgs: [{ jsonPath: "$.a", stringValue: "x" }] }],
  ])("of a call's arguments where a piece %s are malformed", (_name, functionCall) => {
    expect(ending(events([saying([{ functionCall }]), stop]))).toBe("bad_upstream_response");
  });

  it("of other kinds are passed on by name", () => {
    const picture = { inlineData: { mimeType: "image/png", data: "AA==" } };
    const code = { executableCode: { language: "PYTHON", code: "1" }, thoughtSignature: "c2ln" };
    expect(content(events([saying([picture, code, { text: "x" }]), stop])).slice(0, 2)).toEqual([
      { kind: "foreign", what: "gemini:inlineData", payload: picture, content: true },
      { kind: "foreign", what: "gemini:executableCode", payload: code, content: true },
    ]);
    const cited = saying([{ text: "x" }], { groundingMetadata: { webSearchQueries: ["q"] } });
    expect(content(events([cited, stop]))).toContainEqual({
      kind: "foreign",
      what: "gemini:groundingMetadata",
      payload: { webSearchQueries: ["q"] },
    });
  });

  it("of other candidates are not mixed into the first", () => {
    const second = { content: { parts: [{ text: "other" }] }, index: 1, finishReason: "STOP" };
    const chunk = { ...stop, candidates: [{ content: { parts: [{ text: "mine" }] }, finishReason: "STOP" }, second] };
    const read = events([chunk]);
    expect(content(read).filter(({ kind }) => kind === "text-delta")).toEqual([
      { kind: "text-delta", block: 0, text: "mine" },
    ]);
    expect(read).toContainEqual({ kind: "foreign", what: "gemini:candidate", payload: second, content: true });
  });

  it("carry log-probabilities in the hub's form", () => {
    const read = events([
      saying([{ text: "hi" }], {
        finishReason: "STOP",
        logprobsResult: {
          chosenCandidates: [{ token: "hi", tokenId: 5, logProbability: -0.25 }],
          topCandidates: [{ candidates: [{ token: "hi", logProbability: -0.25 }, { token: "é" }] }],
        },
      }),
    ]);
    const delta = read.find((event) => event.kind === "text-delta");
    expect(delta?.logprobs).toEqual({
      refusal: null,
      content: [
        {
          token: "hi",
          logprob: -0.25,
          bytes: [104, 105],
          top_logprobs: [
            { token: "hi", logprob: -0.25, bytes: [104, 105] },
            { token: "é", logprob: 0, bytes: [195, 169] },
          ],
        },
      ],
    });
  });
});
