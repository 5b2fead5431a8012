import { describe, expect, test } from "vitest";
import type { AnswerView } from "#domain/confidence";
import { shapeOf } from "#confidence/output-shape";
import { agreementOf } from "./agreement.ts";

const said = (text: string): AnswerView => ({ text, refusal: "", toolCalls: [] });
const called = (argumentsJson: string): AnswerView => ({
  ...said(""),
  toolCalls: [{ id: "x", name: "f", argumentsJson }],
});
const agree = (a: string, b: string): boolean | undefined => agreementOf(said(a), said(b), shapeOf(said(a), {}));

describe("agreement", () => {
  test.each<[string, string, boolean | undefined]>([
    ["B", "Answer: B", true],
    ["B", "B. Paris", true],
    ["B. Paris", "(B)", true],
    ["B", "C. Paris", false],
    ["B", "The answer is (C).", false],
    ["18", "She makes 9 * 2 = $18 every day.\nThat is $18.", true],
    ["$18", "18", true],
    ["$18", "18 euros", false],
    ["18 apples", "18", true],
    ["18 apples", "18 pears", false],
    ["The Beatles", "beatles", true],
    ["Paris", "Rome", false],
    ["Paris", "It is a city that has been the capital for long,\nas many books about it say.", undefined],
    ['{"a": 1}', '{"a":1.0}', true],
    ['{"a": 1}', '{"a":"1"}', false],
    ['{"a": 1}', "no JSON", undefined],
    ["Paris", "", undefined],
  ])("of %j and %j: %s", (a, b, agrees) => {
    expect(agree(a, b)).toBe(agrees);
    if (!a.startsWith("{")) expect(agree(b, a)).toBe(agrees);
  });

  test("of calls is by arguments; one who acts and one who talks do not agree", () => {
    expect(agreementOf(called('{"x":1}'), called('{ "x": 1 }'), "tool")).toBe(true);
    expect(agreementOf(called('{"x":1}'), called('{"x":2}'), "tool")).toBe(false);
    expect(agreementOf(called("{}"), said("Which one?"), "tool")).toBe(false);
    expect(agreementOf(said("Which one?"), called("{}"), "short")).toBe(false);
    expect(agreementOf(called("{}"), said(""), "tool")).toBeUndefined();
    expect(agreementOf({ ...said("B"), foreign: true }, said("B"), "label")).toBeUndefined();
  });
});
