import { describe, expect, test } from "vitest";
import { checkSchema } from "./json-schema.ts";
import { patternSteps } from "./pattern-steps.ts";

const fault = (value: unknown, schema: unknown): string | undefined => {
  const found = checkSchema(value, schema).fault;
  return found === undefined
    ? undefined
    : `${found.path}:${found.keyword}${found.missing === undefined ? "" : ` ${found.missing}`}`;
};

const person = {
  type: "object",
  properties: {
    name: { type: "string", minLength: 1, maxLength: 5 },
    age: { type: ["integer", "null"], minimum: 0, exclusiveMaximum: 150 },
    tags: { type: "array", items: { enum: ["a", "b"] }, minItems: 1, maxItems: 2, uniqueItems: true },
    boss: { $ref: "#" },
  },
  required: ["name"],
  additionalProperties: false,
};

describe("a schema's check", () => {
  const cases: readonly (readonly [string, unknown, unknown, string | undefined])[] = [
    ["all is well", { name: "Ada", age: null, tags: ["a"], boss: { name: "Bob" } }, person, undefined],
    ["another type", [], person, ":type"],
    ["missing", {}, person, ":required name"],
    ["missing inside", { name: "A", boss: {} }, person, "boss:required name"],
    ["too much", { name: "A", extra: 1 }, person, ":additionalProperties"],
    ["inherited names are not there", JSON.parse('{"name":"A"}'), { required: ["toString"] }, ":required toString"],
    ["an own __proto__ is", JSON.parse('{"__proto__":1}'), { required: ["__proto__"] }, undefined],
    ["too short", { name: "" }, person, "name:minLength"],
    ["characters, not units", { name: "😀😀😀" }, person, undefined],
    ["no integer", { name: "A", age: 1.5 }, person, "age:type"],
    ["1.0 is one", { name: "A", age: 1.0 }, person, undefined],
    ["too small", { name: "A", age: -1 }, person, "age:minimum"],
    ["bound excluded", { name: "A", age: 150 }, person, "age:exclusiveMaximum"],
    ["wrong item", { name: "A", tags: ["a", "c"] }, person, "tags[]:enum"],
    ["twice", { name: "A", tags: ["a", "a"] }, person, "tags:uniqueItems"],
    ["trees in an enum", { b: [1], a: 2 }, { enum: [{ a: 2, b: [1] }] }, undefined],
    ["const", 2, { const: 3 }, ":const"],
    ["none of any", 1, { anyOf: [{ type: "string" }, { minimum: 2 }] }, ":anyOf"],
    ["one of any", 3, { anyOf: [{ type: "string" }, { minimum: 2 }] }, undefined],
    ["two of one", 3, { oneOf: [{ type: "number" }, { minimum: 2 }] }, ":oneOf"],
    ["all", 1, { allOf: [{ type: "number" }, { minimum: 2 }] }, ":minimum"],
    ["not", 1, { not: { type: "number" } }, ":not"],
    ["draft 4", 2, { minimum: 2, exclusiveMinimum: true }, ":minimum"],
    ["OpenAPI", null, { type: "STRING", nullable: true }, undefined],
    ["Gemini's types", 1, { type: "STRING" }, ":type"],
    ["tuples", ["a", 1], { prefixItems: [{ type: "string" }], items: { type: "string" } }, "[]:type"],
    ["old tuples", ["a", 1], { items: [{ type: "string" }, { type: "string" }] }, "[]:type"],
    ["further properties", { x: 1 }, { additionalProperties: { type: "string" } }, "*:type"],
    ["decimals", 0.3, { multipleOf: 0.1 }, undefined],
    ["false", 1, { properties: {}, items: {}, allOf: [false] }, ":false"],
    [
      "a pointer",
      { a: 1 },
      { properties: { a: { $ref: "#/$defs/x~1y" } }, $defs: { "x/y": { type: "string" } } },
      "a:type",
    ],
    ["pattern", "ab", { pattern: "^[a-z]{3}$" }, ":pattern"],
    ["pattern held", "abc", { pattern: "^[a-z]{3}$" }, undefined],
  ];
  test.each(cases.map(([name, ...given]) => ({ name, given })))("$name", ({ given: [value, schema, expected] }) => {
    expect(fault(value, schema)).toBe(expected);
  });

  test("names what it does not know, and finds no fault there", () => {
    const schema = {
      type: "strange",
      if: {},
      dependentRequired: {},
      $ref: "https://example.com/schema",
      pattern: "(a+)+$",
      description: "x",
    };
    expect(checkSchema("aaaa", schema)).toEqual({ unchecked: ["$ref", "dependentRequired", "if", "pattern", "type"] });
  });

  test("ends on schemas that never do", () => {
    const loop = { $ref: "#" };
    const wide = { anyOf: Array.from({ length: 8 }, () => ({ $ref: "#" })) };
    const started = performance.now();
    expect(checkSchema(1, loop).unchecked).toEqual(["(too deep)"]);
    expect(checkSchema(1, wide).unchecked).toContain("(too large)");
    const deep = JSON.parse("[".repeat(5_000) + "]".repeat(5_000)) as unknown;
    expect(fault(deep, { uniqueItems: true, enum: [deep] })).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(4_000);
  });
});

describe("a pattern's steps", () => {
  test.each([
    "^[A-Z]{2}\\d{4}$",
    "^(\\d{1,3}\\.){3}\\d{1,3}$",
    "^\\d{4}-\\d{2}-\\d{2}$",
    "^(foo|bar|baz)$",
    "^[a-z]+$",
    "[\\w-]+@\\w+",
  ])("of %s are few", (pattern) => {
    expect(patternSteps(pattern, 20)).toBeLessThan(1_000_000);
  });

  test.each([
    "(a+)+$",
    "^(a|a)*$",
    "^(a*)*$",
    "(?:(?:){99999}){99999}",
    "^a*a*a*a*a*a*a*b$",
    "(?=a)b",
    "(a)\\1",
    "[",
    "x".repeat(300),
  ])("of %s are not tried", (pattern) => {
    expect(patternSteps(pattern, 60)).toBeUndefined();
  });

  test("keep a whole check short", () => {
    const schema = { items: { pattern: "^\\w+-\\w+$" } };
    const value = Array.from({ length: 2_000 }, () => "a".repeat(20));
    const started = performance.now();
    expect(checkSchema(value, schema).fault?.keyword).toBe("pattern");
    expect(
      checkSchema(
        value.map((text) => `${text}-b`),
        schema,
      ).unchecked,
    ).toEqual(["(too large)", "pattern"]);
    expect(performance.now() - started).toBeLessThan(4_000);
  });
});
