import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { valueRanges } from "./json-ranges.ts";

const values = (text: string): string[] => valueRanges(text).map(({ start, end }) => text.slice(start, end));

describe("value ranges of JSON", () => {
  test("are values alone, and what closes an empty one", () => {
    expect(values('{"a": "x\\"y", "b": [1.5e3, true, null], "c": {"d": -2}, "e": {}, "f": [ ], "g": ""}')).toEqual([
      'x\\"y',
      "1.5e3",
      "true",
      "null",
      "-2",
      "}",
      "]",
      '"',
    ]);
    expect(values("42")).toEqual(["42"]);
    expect(values('"a"')).toEqual(["a"]);
  });

  test("of a beginning are the values that are whole", () => {
    expect(values('{"a": "x", "b": 4')).toEqual(["x"]);
    expect(values('{"a": "x", "b": 4,')).toEqual(["x", "4"]);
    expect(values('{"a": "unfinish')).toEqual([]);
    expect(values('{"a')).toEqual([]);
  });

  test("hold all scalars of any tree, whatever the space", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(4), (value, indent) => {
        const found = values(JSON.stringify(value, undefined, indent));
        expect(found).toEqual(scalars(value));
      }),
    );
  });
});

function scalars(value: unknown): string[] {
  if (typeof value === "string") return value === "" ? ['"'] : [JSON.stringify(value).slice(1, -1)];
  if (typeof value !== "object" || value === null) return [JSON.stringify(value)];
  const items: unknown[] = Object.values(value);
  return items.length === 0 ? [Array.isArray(value) ? "]" : "}"] : items.flatMap((item) => scalars(item));
}
