import { describe, expect, it } from "vitest";
import { inlineRefs } from "./inline-refs.ts";

function inlined(schema: unknown): unknown {
  const made = inlineRefs(schema);
  return made.kind === "inlined" ? made.schema : made.why;
}

describe("references in a schema", () => {
  it("are replaced by what they stand for, at any depth, and the definitions go", () => {
    const address = { type: "object", properties: { street: { type: "string" } } };
    expect(
      inlined({
        type: "object",
        properties: {
          home: { $ref: "#/$defs/Address", description: "Where one lives." },
          others: { type: "array", items: { anyOf: [{ $ref: "#/$defs/Address" }, { type: "null" }] } },
          person: { $ref: "#/definitions/Person" },
        },
        $defs: { Address: address },
        definitions: { Person: { properties: { home: { $ref: "#/$defs/Address" } } } },
      }),
    ).toEqual({
      type: "object",
      properties: {
        home: { ...address, description: "Where one lives." },
        others: { type: "array", items: { anyOf: [address, { type: "null" }] } },
        person: { properties: { home: address } },
      },
    });
  });

  it("are JSON pointers, escaped as those are", () => {
    const schema = { a: [{ "b/c~d é": { type: "string" } }], items: { $ref: "#/a/0/b~1c~0d%20%C3%A9" } };
    expect(inlined(schema)).toMatchObject({ items: { type: "string" } });
  });

  it("are only where a schema can be: names and values that look like them stay", () => {
    const schema = {
      properties: { $defs: { type: "string" }, $ref: { type: "string" }, x: { $ref: "#/$defs/X" } },
      const: { $ref: "#/nowhere" },
      $defs: { X: { enum: [{ $ref: "#/nowhere" }] } },
    };
    expect(inlined(schema)).toEqual({
      properties: { $defs: { type: "string" }, $ref: { type: "string" }, x: { enum: [{ $ref: "#/nowhere" }] } },
      const: { $ref: "#/nowhere" },
    });
  });

  it("leave a schema without any as it was", () => {
    const schema = { type: "object", $defs: { unused: {} } };
    expect(inlined(schema)).toBe(schema);
    expect(inlined(undefined)).toBeUndefined();
  });

  it.each([
    ["to themselves", { $ref: "#" }, /refers to itself/],
    [
      "in a circle",
      { $ref: "#/$defs/A", $defs: { A: { items: { $ref: "#/$defs/B" } }, B: { items: { $ref: "#/$defs/A" } } } },
      /refers to itself/,
    ],
    ["to nothing", { $ref: "#/$defs/A" }, /leads to nothing/],
    ["to elsewhere", { $ref: "https://example.test/schema" }, /leads to nothing/],
    ["into a prototype", { $ref: "#/constructor" }, /leads to nothing/],
    ["through a broken escape", { $ref: "#/%" }, /leads to nothing/],
  ])("that lead %s cannot be replaced", (_name, schema, why) => {
    expect(inlined(schema)).toMatch(why);
  });

  it("do not make a schema grow without end", () => {
    const doubling = Object.fromEntries(
      Array.from({ length: 20 }, (_, at) => [
        `L${at}`,
        { properties: { a: { $ref: `#/$defs/L${at + 1}` }, b: { $ref: `#/$defs/L${at + 1}` } } },
      ]),
    );
    expect(inlined({ $ref: "#/$defs/L0", $defs: { ...doubling, L20: {} } })).toMatch(/too large/);
    const deep = Array.from({ length: 70 }).reduce<object>((inner) => ({ items: inner }), { $ref: "#/$defs/A" });
    expect(inlined({ ...deep, $defs: { A: {} } })).toMatch(/64 levels/);
  });
});
