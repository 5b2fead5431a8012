import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainChatQuirks } from "#domain/quirks";
import type { GenerateRequest, Part } from "#domain/request";
import type { EncodeTarget } from "#dialects/dialect";
import { decodeRequest } from "./decode-request.ts";
import { encodeRequest } from "./encode-request.ts";

const target: EncodeTarget = {
  model: "claude-opus-4-6",
  issuer: "anthropic",
  quirks: plainChatQuirks,
  streamed: true,
};

const word = fc
  .oneof(fc.string({ minLength: 1, maxLength: 12 }), fc.constantFrom("☃ 🌍", "a\nb", '"{}"'))
  .map((text) => `x${text}x`);
const text = word.map((words): Part => ({ kind: "text", text: words }));
const image = fc.constantFrom<Part>(
  { kind: "image", source: { kind: "base64", mediaType: "image/png", data: "iVBO" } },
  { kind: "image", source: { kind: "url", url: "https://example.test/a.png" } },
);
const document = fc.tuple(word, fc.boolean()).map(([title, citations]): Part => ({
  kind: "document",
  source: { kind: "text", text: "words" },
  title,
  context: "c",
  citations,
}));
const thought = fc.tuple(word, fc.base64String({ minLength: 4 })).map(([words, value]): Part => ({
  kind: "reasoning",
  text: words,
  seal: { issuer: "anthropic", form: "signature", value },
}));

/** One exchange: a question, thoughts, calls, and the results in one turn; a text closes it. */
const exchange = fc
  .tuple(
    fc.array(fc.oneof(text, image, document), { minLength: 1, maxLength: 3 }),
    fc.array(thought, { maxLength: 2 }),
    fc.array(
      fc.dictionary(
        fc.string({ maxLength: 4 }),
        fc.oneof(word, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
      ),
      { maxLength: 3 },
    ),
    text,
  )
  .map(([question, thoughts, inputs, answer]): GenerateRequest["turns"] => {
    if (inputs.length === 0)
      return [
        { role: "user", parts: question },
        { role: "assistant", parts: [...thoughts, answer] },
      ];
    return [
      { role: "user", parts: question },
      {
        role: "assistant",
        parts: [
          ...thoughts,
          answer,
          ...inputs.map((input, index): Part => ({
            kind: "tool-call",
            id: `toolu_${index}`,
            name: "f",
            argumentsJson: JSON.stringify(input),
          })),
        ],
      },
      {
        role: "user",
        parts: inputs.map((_, index): Part => ({
          kind: "tool-result",
          callId: `toolu_${index}`,
          parts: [{ kind: "text", text: "done" }],
          failed: index === 1,
        })),
      },
      { role: "assistant", parts: [answer] },
    ];
  });

const request: fc.Arbitrary<GenerateRequest> = fc
  .record({
    exchanges: fc.array(exchange, { maxLength: 3 }),
    system: fc.option(fc.array(text, { minLength: 1, maxLength: 2 })),
    temperature: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    stop: fc.array(word, { maxLength: 2 }),
    user: fc.option(word),
    budgetTokens: fc.option(fc.integer({ min: 1024, max: 4000 })),
    cache: fc.constantFrom<GenerateRequest["cache"]>(undefined, {}, { ttl: "1h" }),
    choice: fc.constantFrom<GenerateRequest["toolChoice"]>(undefined, { kind: "auto" }, { kind: "none" }),
  })
  .map(requestOf);

interface Spec {
  readonly exchanges: readonly GenerateRequest["turns"][];
  readonly system: readonly Part[] | null;
  readonly temperature: number | null;
  readonly stop: readonly string[];
  readonly user: string | null;
  readonly budgetTokens: number | null;
  readonly cache: GenerateRequest["cache"];
  readonly choice: GenerateRequest["toolChoice"];
}

function requestOf(spec: Spec): GenerateRequest {
  const { exchanges, system, temperature, stop, user, budgetTokens, cache, choice } = spec;
  return {
    model: target.model,
    streamed: true,
    usageInStream: true,
    turns: [
      ...(system === null ? [] : [{ role: "system" as const, parts: system }]),
      ...exchanges.flat(),
      { role: "user" as const, parts: [{ kind: "text" as const, text: "go" }] },
    ],
    tools: [{ kind: "function" as const, name: "f", description: "d", schema: { type: "object", properties: {} } }],
    ...(choice === undefined ? {} : { toolChoice: choice }),
    sampling: temperature === null || budgetTokens !== null ? {} : { temperature },
    maxOutputTokens: 5000,
    stop,
    ...(budgetTokens === null ? {} : { reasoning: { mode: "on" as const, budgetTokens } }),
    ...(user === null ? {} : { user }),
    choices: 1,
    ...(cache === undefined ? {} : { cache }),
    rest: {},
  };
}

describe("a Messages request", () => {
  it("means the same after it was written and read back, without a warning, in the same bytes", () => {
    fc.assert(
      fc.property(request, (asked) => {
        const written = encodeRequest(asked, target);
        if (written.kind === "refused") throw new Error(written.failure.message);
        const json: unknown = JSON.parse(Buffer.from(written.body).toString());
        const read = decodeRequest(json);
        const expected: GenerateRequest = JSON.parse(JSON.stringify(asked)) as GenerateRequest;
        expect(read).toEqual({ kind: "decoded", request: expected });
        expect(written.warnings).toEqual([]);
        expect(
          Buffer.from((encodeRequest(asked, target) as typeof written).body).equals(Buffer.from(written.body)),
        ).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
