import { describe, expect, it } from "vitest";
import { isStrictSchema } from "./strict-schema.ts";

const closed = { type: "object", additionalProperties: false } as const;
const leaf = { type: "string", pattern: "x" } as const;
const pair = { ...closed, properties: { a: leaf, b: leaf }, required: ["a", "b"] } as const;

describe("isStrictSchema", () => {
  it.each([
    [pair],
    [{ ...closed }],
    [{ ...closed, properties: { list: { type: "array", items: pair } }, required: ["list"] }],
    [{ ...closed, properties: { a: { anyOf: [pair, { type: "null" }] } }, required: ["a"] }],
    [{ ...closed, properties: { a: { $ref: "#/$defs/p" } }, required: ["a"], $defs: { p: pair } }],
    // Names of properties are no keywords.
    [{ ...closed, properties: { not: leaf, oneOf: leaf }, required: ["not", "oneOf"] }],
  ])("is true for %j", (schema) => {
    expect(isStrictSchema(schema)).toBe(true);
  });

  it.each([
    [true],
    [leaf],
    [{ type: "object" }],
    [{ ...pair, required: ["a"] }],
    [{ ...pair, additionalProperties: leaf }],
    [{ anyOf: [pair], type: "object", additionalProperties: false }],
    [{ ...closed, properties: { a: { oneOf: [leaf] } }, required: ["a"] }],
    [{ ...closed, properties: { a: { type: "array", items: { type: "object" } } }, required: ["a"] }],
    [{ ...closed, properties: { a: true }, required: ["a"] }],
  ])("is false for %j", (schema) => {
    expect(isStrictSchema(schema)).toBe(false);
  });

  it("is false for one nested deeper than anybody means", () => {
    const deep = Array.from({ length: 10_000 }).reduce<unknown>((items) => ({ type: "array", items }), leaf);
    expect(isStrictSchema({ ...closed, properties: { deep }, required: ["deep"] })).toBe(false);
  });
});
