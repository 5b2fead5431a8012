import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { passBytes, passWords } from "./string-run.ts";

const text = fc
  .array(fc.constantFrom("a", "words of text", '\\"', "\\\\", "\\n", '"', "é", "\u{1F600}", "#", "!", "]", "\u0001"), {
    maxLength: 60,
  })
  .map((parts) => parts.join(""));

describe("passing the inside of a JSON string", () => {
  it("ends four bytes at once where it ends byte by byte, wherever the bytes lie and it begins and ends", () => {
    fc.assert(
      fc.property(text, fc.nat(7), fc.tuple(fc.nat(9), fc.nat(80)), (written, offset, [from, length]) => {
        const content = Buffer.from(written);
        const whole = new Uint8Array(offset + content.length + 3).fill(0x22);
        whole.set(content, offset);
        const bytes = whole.subarray(offset, offset + content.length);
        const until = Math.min(from + length, bytes.length);
        expect(passWords(bytes, from, until)).toBe(passBytes(bytes, from, until));
      }),
      { numRuns: 5_000 },
    );
  });

  it("finds the quote that JSON.parse finds, in a long text full of escapes", () => {
    const said = 'some words with "quotes", \\ and\nline ends '.repeat(500);
    const bytes = Buffer.from(`${JSON.stringify(said)},"more"`);
    const end = passWords(bytes, 1, bytes.length);
    expect(JSON.parse(bytes.toString("utf8", 0, end + 1))).toBe(said);
  });
});
