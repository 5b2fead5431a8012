import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EncodeTarget } from "#dialects/dialect";
import { plainChatQuirks } from "#domain/quirks";
import type { GenerateRequest, Part, Turn } from "#domain/request";
import { decodeRequest } from "./decode-request.ts";
import { encodeRequest } from "./encode-request.ts";

const target: EncodeTarget = {
  model: "anthropic.claude-sonnet-4-5-v1:0",
  issuer: "anthropic",
  quirks: plainChatQuirks,
  streamed: false,
};

const word = fc
  .oneof(fc.string({ minLength: 1, maxLength: 12 }), fc.constantFrom("☃ 🌍", "a\nb", '"{}"'))
  .map((text) => `x${text}x`);
const text = word.map((words): Part => ({ kind: "text", text: words }));
const media = fc.constantFrom<Part>(
  { kind: "image", source: { kind: "base64", mediaType: "image/png", data: "iVBO" } },
  { kind: "image", source: { kind: "url", url: "s3://bucket/a.jpeg" } },
  { kind: "video", source: { kind: "base64", mediaType: "video/mp4", data: "AAAA" } },
  { kind: "audio", format: "wav", data: "AAAA" },
);
const document = fc
  .tuple(fc.stringMatching(/^[a-z]{1,12}$/), fc.boolean(), fc.nat(1e6))
  .map(([title, citations, number]): Part => ({
    kind: "document",
    source: { kind: "text", text: "words" },
    title: `${title} ${number}`,
    context: "c",
    citations,
  }));
const thought = fc.oneof(
  fc.tuple(word, fc.base64String({ minLength: 4 })).map(([words, value]): Part => ({
    kind: "reasoning",
    text: words,
    seal: { issuer: "anthropic", form: "signature", value },
  })),
  fc.base64String({ minLength: 4 }).map((value): Part => ({
    kind: "reasoning",
    text: "",
    seal: { issuer: "anthropic", form: "redacted", value },
  })),
);
const inputs = fc.array(
  fc.dictionary(
    fc.string({ maxLength: 4 }).map((name) => `k${name}`),
    fc.oneof(word, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
  ),
  { maxLength: 3 },
);

/** One exchange: a question, thoughts, calls, and the results in one turn; a text closes it. */
const exchange = fc
  .record({
    question: fc.array(fc.oneof(text, media, document), { maxLength: 3 }),
    thoughts: fc.array(thought),
    inputs,
    text,
  })
  .map(({ question, thoughts, inputs: calls, text: answer }): readonly Turn[] => {
    const asks: Turn = { role: "user", parts: [{ kind: "text", text: "q" }, ...question] };
    const answers: Turn = {
      role: "assistant",
      parts: [
        ...thoughts,
        answer,
        ...calls.map((input, index): Part => ({
          kind: "tool-call",
          id: `tooluse_${index}`,
          name: "f",
          argumentsJson: JSON.stringify(input),
        })),
      ],
    };
    if (calls.length === 0) return [asks, answers];
    const results = calls.map((_, index): Part => ({
      kind: "tool-result",
      callId: `tooluse_${index}`,
      parts: [{ kind: "text", text: "done" }],
      failed: index === 1,
    }));
    return [asks, answers, { role: "user", parts: results }, { role: "assistant", parts: [answer] }];
  });

interface Spec {
  readonly exchanges: readonly (readonly Turn[])[];
  readonly system: readonly Part[] | null;
  readonly temperature: number | null;
  readonly stop: readonly string[];
  readonly user: string | null;
  readonly budgetTokens: number | null;
  readonly choice: GenerateRequest["toolChoice"];
  readonly parallelTools: false | null;
}

const spec: fc.Arbitrary<Spec> = fc.record({
  exchanges: fc.array(exchange, { maxLength: 3 }),
  system: fc.option(fc.array(text, { minLength: 1, maxLength: 2 })),
  temperature: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
  stop: fc.array(word, { maxLength: 2 }),
  user: fc.option(fc.stringMatching(/^[a-z0-9@.]{1,20}$/)),
  budgetTokens: fc.option(fc.integer({ min: 1024, max: 4000 })),
  choice: fc.constantFrom<GenerateRequest["toolChoice"]>(undefined, { kind: "auto" }),
  parallelTools: fc.constantFrom(false, null),
});

function requestOf(given: Spec): GenerateRequest {
  const { exchanges, system, temperature, stop, user, budgetTokens, choice, parallelTools } = given;
  return {
    model: "",
    streamed: false,
    usageInStream: true,
    turns: [
      ...(system === null ? [] : [{ role: "system" as const, parts: system }]),
      ...exchanges.flat(),
      { role: "user" as const, parts: [{ kind: "text" as const, text: "go" }] },
    ],
    tools: [{ kind: "function" as const, name: "f", description: "d", schema: { type: "object", properties: {} } }],
    ...(choice === undefined ? {} : { toolChoice: choice }),
    ...(parallelTools === null ? {} : { parallelTools }),
    sampling: temperature === null || budgetTokens !== null ? {} : { temperature },
    maxOutputTokens: 5000,
    stop,
    ...(budgetTokens === null ? {} : { reasoning: { mode: "on" as const, budgetTokens } }),
    ...(user === null ? {} : { user }),
    choices: 1,
    rest: {},
  };
}

describe("a Converse request", () => {
  it("means the same after it was written and read back, without a warning", () => {
    fc.assert(
      fc.property(spec, (given) => {
        const asked = requestOf(given);
        const written = encodeRequest(asked, target);
        if (written.kind === "refused") throw new Error(written.failure.message);
        const json = Buffer.from(written.body).toString();
        const expected = JSON.parse(JSON.stringify(asked)) as GenerateRequest;
        expect(decodeRequest(JSON.parse(json), {}, json)).toEqual({ kind: "decoded", request: expected });
        expect(written.warnings).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
