import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonArrayDecoder } from "./json-array.ts";

interface Read {
  readonly elements: readonly string[];
  readonly raw: string;
  readonly closed: boolean;
  readonly failed: readonly string[];
}

function read(pieces: Iterable<Uint8Array>, maxElementBytes = 1 << 20): Read {
  const elements: string[] = [];
  const raw: Uint8Array[] = [];
  const failed: string[] = [];
  const decoder = jsonArrayDecoder({
    maxElementBytes,
    onElement: (bytes, text) => {
      raw.push(bytes);
      elements.push(text);
    },
    onClose: (bytes) => raw.push(bytes),
    onFail: (why) => failed.push(why),
  });
  for (const piece of pieces) decoder.push(piece);
  return { elements, raw: Buffer.concat(raw).toString(), closed: decoder.closed, failed };
}

function cut(text: string, places: readonly number[]): readonly Uint8Array[] {
  const bytes = Buffer.from(text);
  const all = [0, ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return all.slice(1).map((end, index) => bytes.subarray(all[index], end));
}

const objects = fc.array(fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue()), { maxLength: 5 });
const indents = fc.constantFrom(undefined, 2);
const cuts = fc.array(fc.nat(), { maxLength: 8 });

describe("a JSON array that grows", () => {
  it("gives each element, and all bytes, whatever the split", () => {
    fc.assert(
      fc.property(objects, indents, cuts, (values, indent, places) => {
        const text = `\n[${values.map((value) => JSON.stringify(value, undefined, indent)).join("\r\n,\r\n")}\r\n]`;
        const { elements, raw, closed, failed } = read(cut(text, places));
        expect(elements.map((element) => JSON.parse(element) as unknown)).toEqual(
          values.map((value) => JSON.parse(JSON.stringify(value)) as unknown),
        );
        expect({ raw, closed, failed }).toEqual({ raw: text, closed: true, failed: [] });
      }),
    );
  });

  it("gives an element as soon as it is whole", () => {
    expect(read([Buffer.from('[{"a":"}"}')]).elements).toEqual(['{"a":"}"}']);
  });

  it("ignores what stands behind its end", () => {
    expect(read([Buffer.from('[{}]\n{"more":1}')])).toMatchObject({ elements: ["{}"], raw: "[{}]", failed: [] });
  });

  it.each(["{}", "[1]", '["a"]', "[{} x]", "[[{}]]"])("finds %s broken, and says so once", (text) => {
    expect(read(cut(`${text}{}`, [1, 2, 3])).failed).toEqual(["broken"]);
  });

  it("keeps no element beyond its bound, whole or growing", () => {
    const text = `[{"a":"${"x".repeat(200)}"},{}]`;
    expect(read([Buffer.from(text)], 100)).toMatchObject({ elements: [], failed: ["oversize"] });
    expect(
      read(
        Array.from(Buffer.from(text), (byte) => Uint8Array.of(byte)),
        100,
      ),
    ).toMatchObject({
      elements: [],
      failed: ["oversize"],
    });
    expect(read([Buffer.from(text)], 300).failed).toEqual([]);
  });
});
