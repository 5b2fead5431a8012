import { describe, expect, it } from "vitest";
import { breachOf } from "#dialects/answer-grammar";
import type { AnswerEvent } from "#domain/answer";

describe("the grammar checker", () => {
  const start: AnswerEvent = { kind: "start", id: "i", model: "m" };
  const finish: AnswerEvent = { kind: "finish", finish: { reason: "stop" } };
  const end: AnswerEvent = { kind: "end" };

  it("accepts a whole answer and one that failed", () => {
    expect(
      breachOf([start, { kind: "text-start", block: 0 }, { kind: "text-end", block: 0 }, finish, end]),
    ).toBeUndefined();
    expect(breachOf([start, { kind: "failed", failure: { kind: "unreachable", message: "" } }])).toBeUndefined();
  });

  it.each<[string, AnswerEvent[]]>([
    ["no end", [start, finish]],
    ["end while content", [start, end]],
    ["finish with open blocks", [start, { kind: "text-start", block: 0 }, finish, end]],
    ["text-delta outside its block", [start, { kind: "text-delta", block: 0, text: "" }, finish, end]],
    ["end after the end", [start, finish, end, end]],
  ])("finds %s", (words, events) => {
    expect(breachOf(events)).toBe(words);
  });
});
