import { describe, expect, it } from "vitest";
import { argumentsSchemaOf, jsonSchemaOf } from "./openapi-schema.ts";

describe("a schema in Google's words", () => {
  it.each<[string, unknown, unknown]>([
    ["types in upper case", { type: "STRING" }, { type: "string" }],
    ["several types", { type: ["STRING", "NULL"] }, { type: ["string", "null"] }],
    ["no type", { type: "TYPE_UNSPECIFIED", description: "d" }, { description: "d" }],
    ["what may be null", { type: "STRING", nullable: true }, { type: ["string", "null"] }],
    [
      "an enum that may be null",
      { type: "STRING", format: "enum", enum: ["a"], nullable: true },
      { type: ["string", "null"], enum: ["a", null] },
    ],
    [
      "alternatives that may be null",
      { anyOf: [{ type: "STRING" }, { type: "INTEGER" }], nullable: true },
      { anyOf: [{ type: "string" }, { type: "integer" }, { type: "null" }] },
    ],
    ["what may not be null", { type: "STRING", nullable: false }, { type: "string" }],
    ["an enum of numbers", { type: "INTEGER", enum: ["1", "2"] }, { type: "integer", enum: [1, 2] }],
    [
      "counts as text",
      { type: "ARRAY", minItems: "1", maxItems: "5", items: { type: "STRING", max_length: "3" } },
      { type: "array", minItems: 1, maxItems: 5, items: { type: "string", maxLength: 3 } },
    ],
    ["formats of numbers", { type: "INTEGER", format: "int64" }, { type: "integer" }],
    ["other formats", { type: "STRING", format: "date-time" }, { type: "string", format: "date-time" }],
    ["an example", { type: "STRING", example: "x" }, { type: "string", examples: ["x"] }],
    [
      "JSON Schema itself, with what Gemini CLI writes in upper case",
      {
        $schema: "http://json-schema.org/draft-07/schema#",
        type: "OBJECT",
        $defs: { p: { type: "NUMBER" } },
        properties: { a: { $ref: "#/$defs/p" } },
        additionalProperties: false,
      },
      {
        $schema: "http://json-schema.org/draft-07/schema#",
        type: "object",
        $defs: { p: { type: "number" } },
        properties: { a: { $ref: "#/$defs/p" } },
        additionalProperties: false,
      },
    ],
    [
      "properties that are named like words of a schema",
      { type: "OBJECT", properties: { type: { type: "STRING" }, nullable: { type: "BOOLEAN" }, any_of: {} } },
      { type: "object", properties: { type: { type: "string" }, nullable: { type: "boolean" }, any_of: {} } },
    ],
  ])("%s", (_, given, read) => {
    expect(jsonSchemaOf(given)).toEqual(read);
  });

  it("orders properties as it says, and what it does not name comes after", () => {
    const properties = { c: {}, b: {}, a: {} };
    for (const name of ["propertyOrdering", "property_ordering"]) {
      const read = jsonSchemaOf({ type: "OBJECT", properties, [name]: ["a", "b", "x"] }) as { properties: object };
      expect(Object.keys(read.properties)).toEqual(["a", "b", "c"]);
      expect(read).not.toHaveProperty(name);
    }
  });

  it("keeps names that JavaScript has uses of its own for", () => {
    const schema = JSON.parse(
      '{"type":"OBJECT","__proto__":{"enum":["x"]},"properties":{"__proto__":{"type":"STRING"}}}',
    ) as object;
    expect(JSON.stringify(jsonSchemaOf(schema))).toBe(
      '{"type":"object","__proto__":{"enum":["x"]},"properties":{"__proto__":{"type":"string"}}}',
    );
  });

  it("is an object without properties where a function takes nothing", () => {
    for (const nothing of [undefined, null, {}]) {
      expect(argumentsSchemaOf(nothing)).toEqual({ type: "object", properties: {} });
    }
  });
});
