import fc from "fast-check";
import type {
  GenerateRequest,
  ImagePart,
  OutputShape,
  Part,
  Seal,
  TextPart,
  Tool,
  ToolChoice,
  Turn,
} from "#domain/request";

const anyWords = fc.string({ unit: "grapheme", maxLength: 10 });
const seals = fc.constantFrom<Seal | undefined>(
  undefined,
  { issuer: "anthropic", form: "signature", value: "x" },
  { issuer: "openai", form: "encrypted", value: "y" },
);
const ids = fc.constantFrom("a", "b", "gcall_x_0", "toolu_1");
const argumentTexts = fc.oneof(
  fc.constantFrom("", "{", "[1]"),
  fc.dictionary(anyWords, fc.jsonValue()).map((value) => JSON.stringify(value)),
);

function sealedOrNot(part: fc.Arbitrary<Part>): fc.Arbitrary<Part> {
  return fc
    .tuple(part, seals)
    .map(([one, seal]) => (seal === undefined ? one : Object.assign(structuredClone(one), { seal })));
}

function toUser(part: Part): Turn {
  return { role: "user", parts: [part] };
}

const texts = fc.record({ kind: fc.constant("text" as const), text: anyWords });
const toldParts: fc.Arbitrary<Part> = fc.oneof(
  sealedOrNot(texts),
  fc.constant<Part>({ kind: "image", source: { kind: "base64", mediaType: "image/png", data: "AAAA" } }),
);
const answeredParts: fc.Arbitrary<Part> = fc.oneof(
  sealedOrNot(texts),
  sealedOrNot(fc.record({ kind: fc.constant("reasoning" as const), text: anyWords })),
  fc.record({ kind: fc.constant("refusal" as const), text: anyWords }),
  sealedOrNot(
    fc.record({
      kind: fc.constant("tool-call" as const),
      id: ids,
      name: fc.constantFrom("f", "g"),
      argumentsJson: argumentTexts,
    }),
  ),
);

function isToldInResult(part: Part): part is TextPart | ImagePart {
  return part.kind === "text" || part.kind === "image";
}

/** An answer, the results of some of its calls in any order and spread over turns, and what the user adds. */
const exchanges: fc.Arbitrary<readonly Turn[]> = fc
  .record({
    parts: fc.array(answeredParts, { maxLength: 5 }),
    results: fc.infiniteStream(
      fc.record({ left: fc.boolean(), failed: fc.boolean(), parts: fc.array(toldParts, { maxLength: 2 }) }),
    ),
    more: fc.array(fc.tuple(fc.constantFrom("user" as const, "system" as const), texts), { maxLength: 2 }),
    reversed: fc.boolean(),
  })
  .map(({ parts, results, more, reversed }) => {
    const answers = parts.flatMap((part): readonly Turn[] => {
      const given = part.kind === "tool-call" ? results.next().value : undefined;
      if (part.kind !== "tool-call" || given?.left !== true) return [];
      const inside = given.parts.filter(isToldInResult);
      return [toUser({ kind: "tool-result", callId: part.id, parts: inside, failed: given.failed })];
    });
    const others = more.map(([role, part]): Turn => ({ role, parts: [part] }));
    const assistant: Turn = { role: "assistant", parts };
    return [assistant].concat(reversed ? answers.toReversed() : answers, others);
  });

const schemas = fc.letrec<{ schema: object }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom({ type: "string", minLength: 1 }, { const: "x" }, { type: ["integer", "null"], default: 1 }),
    fc.record({
      type: fc.constant("object"),
      properties: fc.dictionary(fc.constantFrom("a", "b"), tie("schema")),
      additionalProperties: fc.boolean(),
    }),
    fc.record({ oneOf: fc.array(tie("schema"), { minLength: 1, maxLength: 2 }) }),
  ),
})).schema;
const toolArbitrary = fc
  .constantFrom("f", "g")
  .chain((name) => schemas.map((schema): Tool => ({ kind: "function", name, schema })));
/** Requests as any client's decoder may give them, sealed by other vendors than Google. */
export const anyRequest: fc.Arbitrary<GenerateRequest> = fc.record({
  model: fc.constant("m"),
  streamed: fc.boolean(),
  usageInStream: fc.boolean(),
  turns: fc
    .tuple(
      fc.constantFrom<Turn>(toUser({ kind: "text", text: "hi" }), {
        role: "system",
        parts: [{ kind: "text", text: "s" }],
      }),
      fc.array(exchanges, { maxLength: 3 }),
    )
    .map(([first, later]) => [first].concat(later.flat())),
  tools: fc.uniqueArray(toolArbitrary, {
    maxLength: 2,
    selector: (tool) => (tool.kind === "function" ? tool.name : ""),
  }),
  toolChoice: fc.constantFrom<ToolChoice>(
    { kind: "auto" },
    { kind: "none" },
    { kind: "required" },
    { kind: "named", name: "f" },
  ),
  sampling: fc.record(
    { temperature: fc.double({ min: 0, max: 3, noNaN: true }), seed: fc.nat() },
    { requiredKeys: [] },
  ),
  stop: fc.array(anyWords, { maxLength: 2 }),
  output: schemas.chain((schema) =>
    fc.constantFrom<OutputShape>({ kind: "text" }, { kind: "json" }, { kind: "json-schema", schema }),
  ),
  reasoning: fc.constantFrom(
    { mode: "off" as const },
    { mode: "on" as const, effort: "max" as const },
    { mode: "on" as const, budgetTokens: 5 },
  ),
  choices: fc.constant(1),
  rest: fc.constant({}),
});
