import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainChatQuirks } from "#domain/quirks";
import { decodeCount, decodeRequest } from "./decode-request.ts";
import { encodeRequest } from "./encode-request.ts";

const png = { format: "png", source: { bytes: "iVBO" } };

/** A bit of everything this language has. */
const valid = {
  system: [{ text: "s" }, { cachePoint: { type: "default", ttl: "1h" } }],
  messages: [
    {
      role: "user",
      content: [
        { text: "q" },
        { image: png },
        { document: { format: "pdf", name: "n", source: { s3Location: { uri: "s3://b/a.pdf" } }, context: "c" } },
        { video: { format: "mp4", source: { bytes: "AAAA" } } },
        { audio: { format: "mp3", source: { bytes: "AAAA" } } },
        { searchResult: { source: "s" } },
      ],
    },
    {
      role: "assistant",
      content: [
        { reasoningContent: { reasoningText: { text: "hm", signature: "c2ln" } } },
        { reasoningContent: { redactedContent: "c2Vh" } },
        { citationsContent: { content: [{ text: "a" }], citations: [{ location: { web: {} } }] } },
        { toolUse: { toolUseId: "t", name: "f", input: { n: 1 } } },
      ],
    },
    {
      role: "user",
      content: [{ toolResult: { toolUseId: "t", content: [{ json: { a: 1 } }, { image: png }], status: "error" } }],
    },
  ],
  inferenceConfig: { maxTokens: 9, temperature: 0.5, stopSequences: ["x"] },
  toolConfig: {
    tools: [
      { toolSpec: { name: "f", inputSchema: { json: { type: "object" } } } },
      { cachePoint: { type: "default" } },
    ],
    toolChoice: { auto: {} },
  },
  additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 1024 }, top_k: 3 },
  outputConfig: { textFormat: { type: "json_schema", structure: { jsonSchema: { schema: "{}" } } }, effort: "low" },
  requestMetadata: { user_id: "u" },
  serviceTier: { type: "flex" },
};

type Step = string | number;

/** The way to every value inside. */
function placesIn(value: unknown, way: readonly Step[] = []): readonly (readonly Step[])[] {
  if (typeof value !== "object" || value === null) return [way];
  const steps: readonly Step[] = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  const inside = steps.flatMap((step) => placesIn((value as Record<Step, unknown>)[step], [...way, step]));
  return way.length === 0 ? inside : [way, ...inside];
}

function changedAt(value: unknown, [step, ...rest]: readonly Step[], by: unknown): unknown {
  if (step === undefined) return by;
  if (typeof value !== "object" || value === null) return value;
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<Step, unknown>;
  copy[step] = changedAt(copy[step], rest, by);
  return copy;
}

const odd = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom<unknown>(undefined, "", " ", -1, [], {}, [{}]));
/** Valid but for a few places; members that others have may move there. */
const body = fc
  .array(fc.tuple(fc.constantFrom(...placesIn(valid)), odd), { maxLength: 2 })
  .map((changes) => changes.reduce<unknown>((made, [way, by]) => changedAt(made, way, by), valid))
  .map((made) => JSON.parse(JSON.stringify(made)) as unknown);
const targets = ["anthropic.claude-sonnet-4-5-v1:0", "amazon.nova-2-lite-v1:0", "mistral.x", "meta.llama3"];

describe("any JSON in place of a Converse request", () => {
  it("is read or refused, and what is read can be written for every kind of model or is refused", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        fc.oneof({ weight: 9, arbitrary: body }, fc.jsonValue()),
        fc.constantFrom(...targets),
        (json, model) => {
          const decoded = decodeRequest(json, {}, JSON.stringify(json));
          seen.add(decoded.kind);
          if (decoded.kind === "refused") {
            expect(decoded.failure.kind).toBe("invalid_request");
            return;
          }
          const target = { model, issuer: "anthropic", quirks: plainChatQuirks, streamed: false };
          const encoded = encodeRequest(decoded.request, target);
          seen.add(`${encoded.kind} for ${model}`);
          if (encoded.kind === "encoded") JSON.parse(Buffer.from(encoded.body).toString());
          else expect(encoded.failure.kind).toBe("not_translatable");
        },
      ),
      { numRuns: 2000 },
    );
    for (const kind of ["decoded", "refused", `encoded for ${targets[0]}`, `refused for ${targets[3]}`]) {
      expect(seen).toContain(kind);
    }
  });

  it("is read or refused as a count, too", () => {
    fc.assert(
      fc.property(fc.oneof(fc.record({ input: fc.record({ converse: body }) }), fc.jsonValue()), (json) => {
        expect(["decoded", "refused"]).toContain(decodeCount(json, {}, JSON.stringify(json)).kind);
      }),
    );
  });
});
