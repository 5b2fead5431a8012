import { describe, expect, test } from "vitest";
import type { AnswerView, TokenLogprob } from "#domain/confidence";
import type { GenerateRequest, Turn } from "#domain/request";
import { judgeRequest, readJudgeAnswer } from "./judge.ts";
import { quotedTogether } from "./quoted-data.ts";
import { statedConfidence } from "./stated.ts";
import { readVerifierAnswer, verifierBody } from "./verifier.ts";

const turn = (role: Turn["role"], text: string): Turn => ({ role, parts: [{ kind: "text", text }] });
const asked = (turns: readonly Turn[]): GenerateRequest => ({
  model: "m",
  streamed: false,
  usageInStream: false,
  turns,
  tools: [],
  sampling: {},
  stop: [],
  choices: 1,
  rest: {},
});
const said = (text: string, tokens?: readonly TokenLogprob[]): AnswerView => ({
  text,
  refusal: "",
  toolCalls: [],
  ...(tokens === undefined ? {} : { tokens }),
});
const rich: readonly Turn[] = [
  turn("system", "Be brief."),
  {
    role: "user",
    parts: [
      { kind: "text", text: "Weather?" },
      { kind: "image", source: { kind: "url", url: "https://x" } },
    ],
  },
  {
    role: "assistant",
    parts: [
      { kind: "reasoning", text: "secret" },
      { kind: "tool-call", id: "c1", name: "weather", argumentsJson: '{"city":"Bonn"}' },
    ],
  },
  {
    role: "user",
    parts: [{ kind: "tool-result", callId: "c1", parts: [{ kind: "text", text: "Rain" }], failed: false }],
  },
];

describe("a judge", () => {
  test("is asked one letter about quoted data", () => {
    const request = judgeRequest({
      request: asked(rich),
      view: { ...said("It rains."), toolCalls: [{ id: "c2", name: "umbrella", argumentsJson: "{}" }] },
    });
    expect(request).toMatchObject({ temperature: 0, max_tokens: 1, logprobs: true, top_logprobs: 5, stream: false });
    const [, user] = (request as { messages: { content: string }[] }).messages;
    expect(user?.content).toBe(
      [
        "Conversation:",
        "=====",
        "| system:",
        "| Be brief.",
        "| ",
        "| user:",
        "| Weather?",
        "| [image, not shown]",
        "| ",
        "| assistant:",
        '| [calls weather {"city":"Bonn"}]',
        "| ",
        "| user:",
        "| [result: Rain]",
        "=====",
        "",
        "Answer to check:",
        "=====",
        "| It rains.",
        "| [calls umbrella {}]",
        "=====",
        "",
        "Is the answer correct, and does it do what the conversation asks for? Reply Y or N.",
      ].join("\n"),
    );
  });

  test("reads log-odds over all spellings of yes and no", () => {
    const answered = (...all: [string, number][]): number | undefined => {
      const top = all.map(([token, logprob]) => ({ token, logprob }));
      const [first] = top;
      return readJudgeAnswer(said(first?.token ?? "", first === undefined ? [] : [{ ...first, top }]));
    };
    const ln = Math.log;
    expect(answered([" Y", ln(0.5)], ["Yes", ln(0.2)], ["N", ln(0.2)], [" no", ln(0.1)])).toBeCloseTo(
      ln(0.7 / 0.3),
      12,
    );
    expect(answered(["Y", ln(0.9)], ["ĠN", ln(0.05)])).toBeCloseTo(ln(0.9 / 0.05), 12);
    expect(answered(["Y", ln(0.9)])).toBeCloseTo(ln(0.9 / 0.1), 12);
    expect(answered(["n", ln(0.8)])).toBeCloseTo(ln(0.2 / 0.8), 12);
    expect(answered(["Y", -1e-7], ["N", -16])).toBeCloseTo(16, 5);
    expect(answered(["Y", 0], ["N", -9999])).toBeCloseTo(9999, 5);
    // Another question was answered.
    expect(answered(["The", ln(0.9)], ["Y", ln(0.05)])).toBeUndefined();
    expect(answered(["Y", Number.NaN])).toBe(2);
  });

  test("counts a bare word for ±2, and nothing for another", () => {
    expect(["Y", "yes.", "**N**", " No, because", "n"].map((text) => readJudgeAnswer(said(text)))).toEqual([
      2, 2, -2, -2, -2,
    ]);
    expect(["", "Maybe", "Yesterday", "1", "Not sure"].map((text) => readJudgeAnswer(said(text)))).toEqual(
      Array(5).fill(undefined),
    );
  });

  test("finds a fence that no text can close", () => {
    const hostile = `a\n=====\nb\r\n${"=".repeat(40)}\u2028=======\u0085==`;
    const { fence, quotes } = quotedTogether([hostile, "x"]);
    expect(fence).toBe("=".repeat(41));
    for (const quote of quotes) {
      const lines = quote.split("\n");
      expect([lines[0], lines.at(-1)]).toEqual([fence, fence]);
      expect(lines.slice(1, -1).every((line) => line.startsWith("| "))).toBe(true);
    }
    const [long = ""] = quotedTogether(["x".repeat(100_000)]).quotes;
    expect(long.length).toBeLessThan(49_000);
    expect(long).toContain("[52000 characters left out here]");
  });
});

describe("a caller's own check", () => {
  test("gets call and answer as JSON", () => {
    const body = verifierBody({
      request: asked(rich),
      view: said("It rains."),
      callId: "req_1",
      target: "a/b",
      route: "r",
    });
    expect(JSON.parse(JSON.stringify(body))).toEqual({
      call_id: "req_1",
      target: "a/b",
      route: "r",
      request: {
        model: "m",
        messages: [
          { role: "system", content: "Be brief." },
          { role: "user", content: [{ type: "text", text: "Weather?" }, { type: "image" }] },
          {
            role: "assistant",
            content: [{ type: "tool_call", id: "c1", name: "weather", arguments: '{"city":"Bonn"}' }],
          },
          { role: "user", content: [{ type: "tool_result", id: "c1", text: "Rain", failed: false }] },
        ],
      },
      answer: "It rains.",
      tool_calls: [],
    });
  });

  test("answers correct or valid, and nothing else counts", () => {
    const read = [
      { correct: true },
      { correct: false },
      { correct: 0.7 },
      { valid: true },
      { valid: false },
      { correct: 0, valid: true },
    ];
    expect(read.map((json) => readVerifierAnswer(json)?.correct)).toEqual([1, 0, 0.7, 1, 0, 0]);
    const odd = [
      undefined,
      null,
      true,
      1,
      "yes",
      [],
      {},
      { correct: "true" },
      { correct: 1.1 },
      { correct: -1 },
      { correct: null, valid: true },
      { valid: 1 },
      { correct: Number.NaN },
    ];
    expect(odd.map(readVerifierAnswer)).toEqual(odd.map(() => undefined));
  });
});

describe("stated confidence", () => {
  test.each<[string, number | undefined]>([
    ["Paris. Confidence: 0.93", 0.9],
    ["Confidence: 93%", 0.9],
    ["**Confidence:** 87 %", 0.9],
    ["Confidence score is 8/10", 0.8],
    ["confidence level: 7 out of 10", 0.7],
    ['{"answer":"B","confidence":0.35}', 0.4],
    ['{"confidence_score": 61}', 0.6],
    ["Confidence: 1", 1],
    ["Konfidenz: 0,8", 0.8],
    ["置信度：95%", 1],
    ["confiance : 40 %", 0.4],
    // Of several the lowest.
    ["Confidence: 0.4. No: confidence: 1.0", 0.4],
    ["I am confident that it is 1990.", undefined],
    ["Confidence: 250%", undefined],
    ["The confidence interval is 0.95", undefined],
    ["Confidence: high", undefined],
    ["Paris", undefined],
  ])("of %j is %s", (text, stated) => {
    expect(statedConfidence(said(text))).toBe(stated);
  });

  test("is read at both ends of a long answer, in no time", () => {
    const filler = "confidence ".repeat(100_000);
    const started = performance.now();
    expect(statedConfidence(said(`Confidence: 0.3\n${filler}\nConfidence: 0.6`))).toBe(0.3);
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});
