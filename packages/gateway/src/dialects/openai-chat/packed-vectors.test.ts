import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packVector, readVector, unpackVector, writtenVector } from "./packed-vectors.ts";

const floats = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 50 });

describe("packed vectors", () => {
  it("hold 32-bit floats, the little end first, in base64", () => {
    expect(packVector([1, -2])).toBe(Buffer.from([0, 0, 128, 63, 0, 0, 0, 192]).toString("base64"));
    expect([...(unpackVector("AACAPwAAAMA=") ?? [])]).toEqual([1, -2]);
    // Some leave out the padding.
    expect([...(unpackVector("AACAPwAAAMA") ?? [])]).toEqual([1, -2]);
  });

  it("come back as the same 32-bit numbers, packed or as decimals", () => {
    fc.assert(
      fc.property(floats, (numbers) => {
        const vector = Float32Array.from(numbers);
        expect(unpackVector(packVector(vector))).toEqual(vector);
        const decimals = writtenVector(vector, "float") as readonly number[];
        expect(Float32Array.from(JSON.parse(JSON.stringify(decimals)) as number[])).toEqual(vector.map((x) => x + 0));
        expect(writtenVector(vector, "base64")).toBe(packVector(vector));
      }),
    );
  });

  it("are written as the shortest decimals that are the same number", () => {
    expect(writtenVector(Float32Array.of(0.1, 1 / 3, 16_777_216), "float")).toEqual([0.1, 0.33333334, 16_777_216]);
    expect(writtenVector([0.1], "float")).toEqual([0.1]);
  });

  it.each(["", "AACAPw==AAAA", "AACA", "not base64!", "AADAfw==", "AACAfw=="])("are not read from %j", (text) => {
    expect(readVector(text)).toBeUndefined();
  });

  it.each([[[]], [["0.1"]], [[null]], [{}], [7], [undefined]])("are not read from %j, which is no list", (value) => {
    expect(readVector(value)).toBeUndefined();
  });

  it("are never read from a text that is another one written back", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const vector = readVector(text);
        if (vector !== undefined) expect(packVector(vector).replace(/=+$/u, "")).toBe(text.replace(/=+$/u, ""));
      }),
    );
  });
});
