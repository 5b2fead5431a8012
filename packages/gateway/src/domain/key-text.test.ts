import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digits, keyHint, keyLength, keyTextOf, readKeyText } from "./key-text.ts";

const digit = fc.constantFrom(...digits.split(""));
const random = fc.array(digit, { minLength: keyLength, maxLength: keyLength }).map((all) => all.join(""));

describe("the text of a key", () => {
  it("is found by a search for its shape", () => {
    fc.assert(fc.property(random, (drawn) => /^hr_[0-9A-Za-z]{45}$/u.test(keyTextOf(drawn))));
  });

  it("is whole as it was made, and mistyped with any one character changed, or two neighbours swapped", () => {
    const slip = fc.record({ at: fc.nat(keyLength + 4), with: digit });
    fc.assert(
      fc.property(random, slip, (drawn, { at, with: character }) => {
        const text = keyTextOf(drawn);
        expect(readKeyText(text)).toBe("whole");
        const place = at + 3;
        const changed = text.slice(0, place) + character + text.slice(place + 1);
        expect(readKeyText(changed)).toBe(changed === text ? "whole" : "mistyped");
        const swapped = text.slice(0, place) + (text[place + 1] ?? "") + (text[place] ?? "") + text.slice(place + 2);
        expect(readKeyText(swapped)).toBe(swapped === text ? "whole" : "mistyped");
      }),
      { numRuns: 500 },
    );
  });

  it.each(["", "hr_", "hr_short", `${keyTextOf("a".repeat(keyLength))}x`, keyTextOf("a".repeat(39))])(
    "is not %j, which only begins like one or like none",
    (text) => expect(readKeyText(text)).toBe(text === "" ? "other" : "mistyped"),
  );

  it("is another's where it begins otherwise", () => expect(readKeyText("sk-proj-1234567890")).toBe("other"));

  it("shows six characters of itself", () => {
    expect(keyHint(keyTextOf("abcdefgh".repeat(5)))).toBe("hr_abcdef");
  });
});
