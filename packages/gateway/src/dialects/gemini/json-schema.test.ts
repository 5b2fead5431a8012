import { describe, expect, it } from "vitest";
import { knownSchema } from "./json-schema.ts";
import { LossLedger } from "./losses.ts";

function reduced(schema: unknown): { readonly schema: unknown; readonly warnings: readonly string[] } {
  const ledger = new LossLedger();
  return { schema: knownSchema(schema, ledger), warnings: ledger.warnings };
}

describe("a schema for Gemini", () => {
  it("keeps what Gemini knows as it is", () => {
    const schema = {
      type: "object",
      title: "T",
      description: "d",
      properties: {
        list: { type: "array", items: { type: "integer", minimum: 1, maximum: 5 }, minItems: 1, maxItems: 2 },
        either: { anyOf: [{ type: "string", format: "date-time" }, { type: "null" }] },
        one: { enum: ["a", "b"] },
        map: { type: "object", additionalProperties: { type: "string" } },
        pair: { type: "array", prefixItems: [{ type: "string" }] },
      },
      required: ["list"],
      additionalProperties: false,
      propertyOrdering: ["one", "list"],
    };
    const made = reduced(schema);
    expect(made).toEqual({ schema, warnings: [] });
  });

  it("says other words in its own", () => {
    expect(
      reduced({
        $schema: "https://json-schema.org/draft/2020-12/schema",
        $id: "x",
        oneOf: [{ const: "a" }, { const: 1 }],
        items: [{ type: "string" }],
        properties: {
          anything: true,
          all: {
            allOf: [
              { properties: { a: {} }, required: ["a"] },
              { properties: { b: {} }, required: ["b"] },
            ],
          },
        },
      }),
    ).toEqual({
      schema: {
        anyOf: [{ enum: ["a"] }, { enum: [1] }],
        prefixItems: [{ type: "string" }],
        properties: { anything: {}, all: { properties: { a: {}, b: {} }, required: ["a", "b"] } },
      },
      warnings: [],
    });
  });

  it("moves what nothing enforces to the description, and says so", () => {
    const { schema, warnings } = reduced({
      type: "string",
      description: "A code.",
      pattern: "^x",
      minLength: 2,
      const: true,
    });
    expect(schema).toEqual({
      type: "string",
      description: 'A code.\nMust hold: pattern: "^x"; minLength: 2; const: true.',
    });
    expect(warnings).toEqual([expect.stringMatching(/^schema-keywords: .*\(pattern, minLength, const\)$/)]);
  });

  it("says a default in words", () => {
    expect(reduced({ type: "integer", description: "How many.", default: 5 })).toEqual({
      schema: { type: "integer", description: "How many.\nDefault: 5." },
      warnings: [],
    });
  });

  it("has no references but those that lead back to themselves, which Gemini unrolls", () => {
    const pet = { type: "object", properties: { name: { type: "string" } } };
    expect(
      reduced({ properties: { a: { $ref: "#/$defs/Pet", description: "mine" } }, $defs: { Pet: pet } }).schema,
    ).toEqual({
      properties: { a: { ...pet, description: "mine" } },
    });
    const tree = { $defs: { Node: { properties: { next: { $ref: "#/$defs/Node" } } } }, $ref: "#/$defs/Node" };
    expect(reduced(tree).schema).toEqual(tree);
  });

  it("is the same for the same schema, and does not change what it was made from", () => {
    const schema = { allOf: [{ properties: { a: { minLength: 1 } } }], properties: { b: {} } };
    const before = structuredClone(schema);
    expect(JSON.stringify(reduced(schema))).toBe(JSON.stringify(reduced(schema)));
    expect(schema).toEqual(before);
  });
});
