import { describe, expect, test } from "vitest";
import { labelCore, shapeOf } from "./output-shape.ts";

const of = (text: string, output?: "json"): string =>
  shapeOf({ text, refusal: "", toolCalls: [] }, output === undefined ? {} : { output: { kind: output } });

describe("the shape of an answer", () => {
  test.each([
    [
      "label",
      [
        "B",
        " (B)",
        "b.",
        "**B**",
        "Yes.",
        "positive",
        "42",
        "-3.5",
        "12%",
        "1,234",
        '"spam"',
        "very_positive",
        "é",
        "是",
        "нет!",
      ],
    ],
    [
      "short",
      [
        "David Seville",
        "Answer: B",
        "the 4th of July, 1776",
        "北京市朝阳区",
        "supercalifragilisticexpialidocious",
        "?",
        "",
      ],
    ],
    ["long", ["First line\nSecond line", "word ".repeat(20)]],
    ["json", ['{"a":1}', "[]", "```json\n[1, 2]\n```"]],
  ])("%s", (shape, texts) => {
    expect(texts.map((text) => [text, of(text)])).toEqual(texts.map((text) => [text, shape]));
  });

  test("is what was asked for where JSON was, and a tool's call in any case", () => {
    expect(of("B", "json")).toBe("json");
    expect(of("{a: 1}")).toBe("short");
    expect(shapeOf({ text: "B", refusal: "", toolCalls: [{ id: "1", name: "f", argumentsJson: "" }] }, {})).toBe(
      "tool",
    );
  });

  test("knows where a label stands", () => {
    const core = (text: string): string | undefined => {
      const range = labelCore(text);
      return range === undefined ? undefined : text.slice(range.start, range.end);
    };
    expect([" (B).", "**Yes**", "3.5%", "U.S.A."].map(core)).toEqual(["B", "Yes", "3.5%", "U.S.A"]);
    expect([" ", "two words", "x".repeat(65)].map(core)).toEqual([undefined, undefined, undefined]);
  });

  test("takes no longer for hostile texts", () => {
    const started = performance.now();
    for (const text of ["(".repeat(1e6), "```\n" + " ".repeat(1e6), "_".repeat(60), `a${".".repeat(60)}x`]) of(text);
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});
