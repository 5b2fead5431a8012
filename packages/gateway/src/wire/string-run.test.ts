import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { passBytes, passString } from "./string-run.ts";

const text = fc
  .array(
    fc.constantFrom("a", "words of text", '\\"', "\\\\", "\\", "\\n", '"', "é", "\u{1F600}", "#", "!", "]", "\u0001"),
    {
      maxLength: 200,
    },
  )
  .map((parts) => parts.join(""));
/** As long as what the native code is handed at once, and as much longer as its blocks are. */
const plain = fc.constantFrom(0, 1, 47, 48, 49, 63, 64, 65, 511, 512, 560, 2_048, 2_560, 65_535, 65_536, 70_000);

describe("passing the inside of a JSON string", () => {
  it("ends where it ends byte by byte, wherever the bytes lie and it begins and ends", () => {
    fc.assert(
      fc.property(
        fc.tuple(plain, text),
        fc.nat(7),
        fc.tuple(fc.nat(9), fc.nat(3)),
        ([before, written], offset, [from, short]) => {
          const content = Buffer.from(`${"x".repeat(before)}${written}`);
          const whole = new Uint8Array(offset + content.length + 3).fill(0x22);
          whole.set(content, offset);
          const bytes = whole.subarray(offset, offset + content.length);
          const until = Math.max(0, bytes.length - short);
          expect(passString(bytes, from, until)).toBe(passBytes(bytes, from, until));
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it("knows an escape wherever one piece or block ends and the next begins", () => {
    for (const length of [48, 112, 560, 624, 2_608, 10_800, 43_568, 109_104]) {
      for (let run = 0; run < 5; run += 1) {
        for (let at = length - 3; at <= length + 3; at += 1) {
          const bytes = Buffer.from(`${"x".repeat(at - run)}${"\\".repeat(run)}"behind"`);
          expect(passString(bytes, 0, bytes.length)).toBe(run % 2 === 0 ? at : bytes.length - 1);
        }
      }
    }
  });

  it("finds the quote that JSON.parse finds, in a long text full of escapes", () => {
    const said = 'some words with "quotes", \\ and\nline ends '.repeat(5_000);
    const bytes = Buffer.from(`${JSON.stringify(said)},"more"`);
    const end = passString(bytes, 1, bytes.length);
    expect(JSON.parse(bytes.toString("utf8", 0, end + 1))).toBe(said);
  });

  it("ends there as well where WebAssembly is switched off", async () => {
    vi.stubGlobal("WebAssembly", undefined);
    vi.resetModules();
    const without = await import("./string-run.ts");
    vi.unstubAllGlobals();
    const said = JSON.stringify('with "quotes" and \\ '.repeat(1_000));
    const bytes = Buffer.from(`${said},"more"`);
    const copied = vi.spyOn(Uint8Array.prototype, "set");
    expect(without.passString(bytes, 1, bytes.length)).toBe(said.length - 1);
    expect(copied).not.toHaveBeenCalled();
    expect(passString(bytes, 1, bytes.length)).toBe(said.length - 1);
    expect(copied).toHaveBeenCalled();
    copied.mockRestore();
  });
});
