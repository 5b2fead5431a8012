import { describe, expect, it } from "vitest";
import type { Behaviour } from "./behaviour.ts";
import type { ReceivedRequest } from "./received-request.ts";
import { parseScript, RuleBook } from "./script.ts";

describe("parseScript", () => {
  it("reads YAML, JSON and a bare list of rules alike", () => {
    const rules = [{ match: { model: "m1", times: 2 }, behaviour: { status: 503 } }];
    const yaml = "rules:\n  - match: { model: m1, times: 2 }\n    behaviour: { status: 503 }\n";
    expect(parseScript(yaml)).toEqual({ kind: "parsed", script: { rules } });
    expect(parseScript(JSON.stringify({ rules }))).toEqual({ kind: "parsed", script: { rules } });
    expect(parseScript(JSON.stringify(rules))).toEqual({ kind: "parsed", script: { rules } });
  });

  it.each([
    [
      "an unknown key",
      "rules:\n  - behaviour:\n      answr: { text: hi }\n",
      /^s\.yaml:3:14: rules\[0\]\.behaviour\.answr: no such key/,
    ],
    [
      "a wrong type",
      "rules:\n  - behaviour: { status: soon }\n",
      /^s\.yaml:2:26: rules\[0\]\.behaviour\.status: .*number/,
    ],
    [
      "a wrong word inside a union",
      "rules:\n  - behaviour:\n      stall: { after: { byte: none } }\n",
      /3:31: rules\[0\]\.behaviour\.stall\.after\.byte: /,
    ],
    ["broken YAML", "rules: [\n", /^s\.yaml: .*at line 2/],
    [
      "parts that contradict each other",
      "- behaviour: { answer: { text: hi }, status: 500 }\n",
      /^s\.yaml:1:\d+: rules\[0\]\.behaviour\.status: an answer cannot/,
    ],
    ["a cut without a place", "- behaviour: { cut: { how: fin } }\n", /exactly one of `atByte` and `afterChunk`/],
    ["a body without a status", "- behaviour: { body: x }\n", /`body` needs a `status`/],
    ["a header nobody can send", '- behaviour: { headers: { "a b": x } }', /`a b` cannot be sent/],
    ["something that is no script", "42", /the script: /],
  ])("names the place of %s", (_what, text, message) => {
    const parsed = parseScript(text, "s.yaml");
    expect(parsed.kind).toBe("refused");
    expect(parsed.kind === "refused" ? parsed.errors.join("\n") : "").toMatch(message);
  });
});

describe("RuleBook", () => {
  const request = (more: Partial<ReceivedRequest> = {}): ReceivedRequest => ({
    sequence: 1,
    dialect: "openai-chat",
    operation: "generate",
    address: {},
    model: "m1",
    streamed: false,
    headers: {},
    json: {},
    promptText: "tell me of hedges",
    lastUserText: "",
    toolResults: [],
    tools: [],
    toolChoice: "auto",
    stop: [],
    usageAsked: false,
    ...more,
  });
  const first: Behaviour = { status: 500 };
  const second: Behaviour = { status: 501 };

  it("takes the first rule whose conditions all hold", () => {
    const book = new RuleBook([
      { match: { model: "other" }, behaviour: first },
      { match: { model: "m1", streamed: false, dialect: "openai-chat", contains: "hedge" }, behaviour: second },
    ]);
    expect(book.choose(request())).toBe(second);
    expect(book.choose(request({ streamed: true }))).toBeUndefined();
    expect(book.choose(request({ dialect: "anthropic-messages" }))).toBeUndefined();
    expect(book.choose(request({ promptText: "no" }))).toBeUndefined();
    expect(book.choose(request({ model: "other" }))).toBe(first);
  });

  it("counts only requests that meet a rule's other conditions for nth and times", () => {
    const book = new RuleBook([
      { match: { model: "m1", nth: 2 }, behaviour: first },
      { match: { model: "m1", times: 1 }, behaviour: second },
    ]);
    expect(book.choose(request({ model: "other" }))).toBeUndefined();
    expect(book.choose(request())).toBe(second);
    expect(book.choose(request())).toBe(first);
    expect(book.choose(request())).toBeUndefined();
  });

  it("asks a function for the behaviour", () => {
    const book = new RuleBook([{ behaviour: ({ model }) => ({ answer: { text: model } }) }]);
    expect(book.choose(request({ model: "x" }))).toEqual({ answer: { text: "x" } });
  });

  it("leaves token counting to the built-in answer unless a rule asks for it", () => {
    const book = new RuleBook([{ behaviour: first }, { match: { operation: "count-tokens" }, behaviour: second }]);
    expect(book.choose(request({ operation: "count-tokens" }))).toBe(second);
  });
});
