import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AnswerView } from "#domain/confidence";
import { canonicalOf } from "./canonical.ts";
import { canonicalDecimal, canonicalFraction } from "./decimals.ts";
import { plainWords } from "./plain-words.ts";
import { quantityOf } from "./quantities.ts";

const said = (text: string): AnswerView => ({ text, refusal: "", toolCalls: [] });
const text = (words: string): string | undefined => canonicalOf(said(words), "short");
const json = (words: string): string | undefined => canonicalOf(said(words), "json");

describe("one text for", () => {
  test.each([
    [
      "b",
      [
        "B",
        "(B)",
        "b.",
        "B)",
        "**B**",
        "(B) Paris",
        "B: Paris",
        "Option B",
        "Answer: B",
        "The correct answer is (B).",
        "Antwort: B",
        "答案是B",
        "The answer is **B**.",
        "\\boxed{\\text{B}}",
        "Final answer: B) Paris",
      ],
    ],
    [
      "1234",
      [
        "1,234",
        "1234",
        "1 234",
        "1'234",
        "1234.0",
        "+1,234.00",
        "1.234e3",
        "#### 1,234",
        "\\boxed{1234}",
        "The answer is 1,234.",
        "１２３４",
        "١٢٣٤",
      ],
    ],
    ["0.5", ["1/2", "0.5", ".5", "0,5", "½", "\\frac{1}{2}", "$\\frac{1}{2}$", "2/4", "5e-1"]],
    ["3.5", ["3 1/2", "3½", "3.50", "7/2"]],
    ["-5", ["-5", "−5", "- 5", "-5.0"]],
    ["1/3", ["1/3", "2/6"]],
    ["18 $", ["$18", "$18.00", "18 dollars", "18 USD", "\\$18"].slice(0, 4)],
    ["1234567.5", ["1,234,567.5", "1.234.567,5", "12,34,567.50"]],
    [
      "david seville",
      [
        "David Seville",
        "david seville.",
        '"David Seville"',
        "**David Seville**",
        "DAVID  SEVILLE",
        "Answer: David Seville",
      ],
    ],
    ["beatles", ["The Beatles", "beatles", "The Beatles."]],
    ["sao paulo", ["São Paulo", "Sao Paulo"]],
    ["usa", ["U.S.A.", "USA"]],
    ["yes", ["Yes", "yes.", "YES!", "*yes*"]],
    ["北京", ["北京", "北京。", "答案：北京"]],
  ])("%s", (canonical, ways) => {
    expect(ways.map((way) => [way, text(way)])).toEqual(ways.map((way) => [way, canonical]));
  });

  test.each([
    ["C++", "C#"],
    ["C", "C++"],
    ["3.5", "35"],
    ["version 3.5", "version 35"],
    ["7 days", "7 weeks"],
    ["$18", "18 euros"],
    ["10²", "102"],
    ["5!", "5"],
    ["vitamin A", "vitamin"],
    ["J. K. Rowling", "J. R. R. Tolkien"],
    ["2024-05-01", "2024"],
    ["10:30", "10"],
    ["1.2.3", "123"],
    ["कि", "का"],
    ["A-", "A"],
    ["1.234", "1,234"],
    ["-5", "5"],
    ["-5 degrees", "5 degrees"],
    ["1/0", "0"],
    ["B", "C"],
  ])("%s and %s are two", (one, other) => {
    expect(text(one)).toBeDefined();
    expect(text(one)).not.toBe(text(other));
  });

  test("the result of a reasoned answer", () => {
    const sums = "She sells 16 - 3 - 4 = 9 eggs a day.\nShe makes 9 * $2 = $18 every day at the market.";
    expect(text(sums)).toBe("18");
    expect(text("First 2 + 3 = 5. Then 5 * 4 = 20 of them.\n\n#### 20")).toBe("20");
    expect(text(`${"We reason. ".repeat(300)}So the answer is: 1,250 apples.`)).toBe("1250 apples");
    expect(text(`Answer: B\n\n${"Because of this. ".repeat(300)}`)).toBe("b");
    expect(text("Thus $x = 4$ and\n\\[\\boxed{\\frac{3}{4}}\\]")).toBe("0.75");
    expect(text("The answer is 5. Wait, no.\nThe answer is 6.\nThat is all.")).toBe("6");
  });

  test("nothing where free text announces no result", () => {
    for (const free of [
      "Photosynthesis turns light into sugar.\nIt happens in leaves.",
      "#### Conclusion\nIn 1789 the revolution began, and in 1799 it was over.",
      `The answer is complicated, since there are many who say ${"this and that ".repeat(9)}.`,
      "",
      " \n ",
    ]) {
      expect(text(free)).toBeUndefined();
    }
    expect(canonicalOf({ ...said("B"), foreign: true }, "label")).toBeUndefined();
    expect(
      canonicalOf({ ...said("B"), toolCalls: [{ id: "", name: "f", argumentsJson: "" }] }, "label"),
    ).toBeUndefined();
  });
});

describe("one text for JSON", () => {
  test("whatever the order of keys, space and spelling of numbers", () => {
    const canonical = '{"a":[1,"é"],"b":{"x":null,"y":0.1}}';
    for (const way of [
      '{"b":{"y":0.10,"x":null},"a":[1.0,"e\u0301"]}',
      '```json\n{ "a": [1e0, "\\u00e9"],\n "b": {"x": null, "y": 1E-1} }\n```',
    ]) {
      expect(json(way)).toBe(canonical);
    }
    expect(json('{"id":12345678901234567890}')).not.toBe(json('{"id":12345678901234567891}'));
    expect(json('{"a":[1,2]}')).not.toBe(json('{"a":[2,1]}'));
    expect(json('{"__proto__":1}')).toBe('{"__proto__":1}');
    expect(json("{")).toBeUndefined();
    expect(json("[".repeat(50_000) + "]".repeat(50_000))).toBeUndefined();
  });

  test("and for tool calls in any order", () => {
    const calls = (...all: [string, string][]): string | undefined =>
      canonicalOf(
        { ...said(""), toolCalls: all.map(([name, argumentsJson], at) => ({ id: `c${at}`, name, argumentsJson })) },
        "tool",
      );
    expect(calls(["f", '{"x":1,"y":2}'], ["g", ""])).toBe(calls(["g", "{}"], ["f", '{ "y":2.0, "x":1 }']));
    expect(calls(["f", "{}"])).not.toBe(calls(["f", "{}"], ["f", "{}"]));
    expect(calls(["f", "{"])).toBeUndefined();
    expect(calls()).toBeUndefined();
  });
});

describe("canonical texts", () => {
  test("are their own canonical text", () => {
    const word = fc.constantFrom(
      "the",
      "a",
      "An",
      "B",
      "(B)",
      "12",
      "1,234",
      "$",
      "-",
      "1/2",
      "½",
      "é",
      "ß",
      "'s",
      "C++",
      "**",
      "_",
      ".",
      "Answer:",
      "is",
      "%",
      "dollars",
      "#",
      "²",
      "İ",
      "ﬁ",
      "…",
      "5!",
      "\\frac{1}{2}",
      "{",
      "😀",
    );
    const anything = fc.oneof(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.array(word, { maxLength: 6 }).map((all) => all.join(" ")),
    );
    fc.assert(
      fc.property(anything, (words) => {
        const once = text(words);
        if (once === undefined) return;
        expect(text(once)).toBe(once);
      }),
      { numRuns: 5_000 },
    );
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const once = json(JSON.stringify(value)) ?? "";
        expect(json(once)).toBe(once);
        expect(JSON.parse(once)).toEqual(JSON.parse(json(JSON.stringify(value, undefined, 2)) ?? ""));
      }),
    );
  });

  test("of numbers keep the value", () => {
    const digits = fc.bigInt({ min: 0n, max: 10n ** 30n });
    fc.assert(
      fc.property(digits, fc.integer({ min: -50, max: 50 }), fc.boolean(), (whole, exponent, negative) => {
        const sign = negative ? "-" : "";
        const once = canonicalDecimal(`${sign}${whole}e${exponent}`) ?? "";
        expect(canonicalDecimal(once)).toBe(once);
        expect(Number(once)).toBeCloseTo(Number(`${sign}${whole}e${exponent}`), 5);
        expect(canonicalDecimal(`${sign}0${whole}0.0e${exponent - 1}`)).toBe(once);
      }),
    );
    fc.assert(
      fc.property(fc.bigInt({ min: -1_000n, max: 1_000n }), fc.bigInt({ min: 1n, max: 400n }), (top, bottom) => {
        const once = canonicalFraction(`${top}`, `${bottom}`) ?? "";
        expect(canonicalFraction(`${top * 6n}`, `${bottom * 6n}`)).toBe(once);
        const [a = "", b = "1"] = once.split("/");
        expect(Number(a) / Number(b)).toBeCloseTo(Number(top) / Number(bottom), 10);
      }),
    );
  });

  test("of quantities have one unit at most", () => {
    expect(quantityOf("$18 dollars")).toBeUndefined();
    expect(quantityOf("50 %")).toEqual({ value: "50", unit: "%" });
    expect(quantityOf("3 km/h")).toEqual({ value: "3", unit: "km/h" });
    for (const none of ["", "apples", "3 big apples", "1 2", "1-2", "12:30", "1,2,3", "--5", "1/2/3"]) {
      expect([none, quantityOf(none)]).toEqual([none, undefined]);
    }
    expect(plainWords("  The “Fleet-Street” ")).toBe("fleet street");
  });

  test("take no longer for hostile texts", () => {
    const started = performance.now();
    for (const hostile of [
      "\\boxed{".repeat(200_000),
      "answer: ".repeat(200_000),
      "1,".repeat(500_000),
      "= 1 ".repeat(300_000),
      "#".repeat(1e6),
      `${"(".repeat(60)}B`,
      "A ".repeat(32),
      "= 1".repeat(700) + "'".repeat(3000),
    ]) {
      text(hostile);
      json(hostile);
    }
    expect(performance.now() - started).toBeLessThan(4_000);
  });
});
