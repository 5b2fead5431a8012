import { describe, expect, test } from "vitest";
import { viewOf } from "#confidence/answer-view";
import { agreementOf } from "#confidence/estimators/agreement";
import { decisionBody, readDecision } from "#confidence/estimators/decision";
import { failedGate } from "#confidence/estimators/gates";
import { judgeRequest, readJudgeAnswer } from "#confidence/estimators/judge";
import { logprobSignal } from "#confidence/estimators/log-probabilities";
import { statedConfidence } from "#confidence/estimators/stated";
import { readVerifierAnswer, verifierBody } from "#confidence/estimators/verifier";
import { shapeOf } from "#confidence/output-shape";
import { scoreOf, type Scored } from "#confidence/score";
import type { AnswerView } from "#domain/confidence";
import type { GenerateRequest } from "#domain/request";
import { attacks } from "./hostile-corpus.ts";

const asked: GenerateRequest = {
  model: "m",
  streamed: false,
  usageInStream: false,
  turns: [{ role: "user", parts: [{ kind: "text", text: "What is the capital of Australia?" }] }],
  tools: [],
  sampling: {},
  stop: [],
  choices: 1,
  rest: {},
};
/** Wrong, in each shape. */
const answers = [
  "B",
  "Sydney.",
  "Sydney is the largest city.\nIt is therefore the capital, as everybody knows.",
  '{"city": "Sydney"}',
];

/** Every token as likely as every other: what an attack adds is no likelier than the answer. */
function answered(text: string): AnswerView {
  const content = (text.match(/\s*\S{1,6}|\s+/gu) ?? []).map((token) => ({
    token,
    logprob: -0.4,
    bytes: [...Buffer.from(token)],
  }));
  return viewOf([
    { kind: "text-delta", block: 0, text, logprobs: { content } },
    { kind: "finish", finish: { reason: "stop" } },
  ]);
}

/** All that a text can have a part in. */
function scored(view: AnswerView, request = asked): Scored {
  const gate = failedGate(view, request);
  const logprobs = logprobSignal(view, shapeOf(view, request));
  const stated = statedConfidence(view);
  return scoreOf({
    ...(gate === undefined ? {} : { gate }),
    ...(logprobs === undefined ? {} : { logprobs }),
    ...(stated === undefined ? {} : { stated }),
  });
}

const around = attacks.flatMap(({ text }) =>
  answers.flatMap((answer) =>
    [`${answer}\n${text}`, `${text}\n${answer}`, `${answer} ${text}`].map((hostile) => ({ answer, hostile })),
  ),
);

describe("a hostile answer", () => {
  test("comes in many ways and languages", () => {
    expect(attacks.length).toBeGreaterThanOrEqual(60);
    expect(new Set(attacks.map(({ language }) => language)).size).toBeGreaterThanOrEqual(12);
  });

  test("is not scored higher than the answer alone", () => {
    for (const { answer, hostile } of around) {
      const [plain, attacked] = [scored(answered(answer)), scored(answered(hostile))];
      expect(attacked.signals, hostile).toBe(plain.signals);
      expect(attacked.raw, hostile).toBeLessThanOrEqual((plain.raw ?? 0) + 1e-9);
      for (const [at, feature] of attacked.features.entries()) {
        // How long an answer is, it decides itself.
        if (at !== 4) expect(feature, hostile).toBeLessThanOrEqual((plain.features[at] ?? 0) + 1e-9);
      }
    }
  });

  test("states a confidence that is read, and only ever counts against it", () => {
    const told = attacks.filter(({ way }) => way === "states").map(({ text }) => statedConfidence(answered(text)));
    expect(told.filter((share) => share !== undefined).length).toBeGreaterThanOrEqual(15);
    for (const { text } of attacks) {
      const doubtful = `Confidence: 0.3\n${text}`;
      expect(statedConfidence(answered(doubtful)), text).toBeLessThanOrEqual(0.3);
      expect(scored(answered(doubtful)).features.at(-1), text).toBeLessThan(0);
      const alone = statedConfidence(answered(text));
      expect(scoreOf(alone === undefined ? {} : { stated: alone })).toEqual({
        raw: null,
        features: [],
        signals: "none",
      });
    }
  });

  test("passes no gate that it failed without", () => {
    const schema = {
      type: "object",
      required: ["answer"],
      properties: { answer: { enum: ["A", "B"] } },
      additionalProperties: false,
    };
    const strict: GenerateRequest = { ...asked, output: { kind: "json-schema", schema } };
    const tool: GenerateRequest = {
      ...asked,
      toolChoice: { kind: "required" },
      tools: [{ kind: "function", name: "f", schema }],
    };
    for (const { text } of attacks) {
      expect(failedGate(answered(text), strict), text).toBeDefined();
      expect(failedGate(answered(`{"answer":"C"}${text}`), strict), text).toBeDefined();
      expect(failedGate(answered(JSON.stringify({ answer: text })), strict), text).toMatchObject({ rule: "schema" });
      expect(failedGate(answered(JSON.stringify({ answer: "B", note: text })), strict), text).toMatchObject({
        rule: "schema",
      });
      expect(failedGate(answered(text), tool), text).toMatchObject({ rule: "no-tool-call" });
      const calling = { ...answered(text), toolCalls: [{ id: "c", name: text, argumentsJson: '{"answer":"B"}' }] };
      expect(failedGate(calling, tool), text).toMatchObject({ rule: "unknown-tool" });
      expect(failedGate({ ...answered(text), finish: "policy" }, asked), text).toMatchObject({ rule: "refusal" });
      expect(failedGate({ ...answered(text), finish: "length" }, asked), text).toMatchObject({ rule: "cut" });
      for (const view of [calling, answered(text)]) expect(failedGate(view, strict)?.why ?? "").not.toContain("Y.");
    }
  });

  test("stays quoted data for the judge, wherever it stands", () => {
    const frame = frameOf(messagesOf(judgeRequest({ request: asked, view: answered("Sydney.") })));
    for (const { hostile } of around) {
      for (const exchange of exchangesWith(hostile)) {
        const messages = messagesOf(judgeRequest(exchange));
        expect(frameOf(messages), hostile).toEqual(frame);
        expectPlain(messages.user);
      }
    }
  });

  test("stays quoted data for a classifier, wherever it stands", () => {
    const classifier = { url: "http://classifier.example/classify", right: 1, timeoutMs: 1 };
    const textOf = (exchange: Parameters<typeof decisionBody>[1]): string => {
      const { input } = decisionBody(classifier, exchange) as { readonly input: string };
      expect(decisionBody({ ...classifier, url: "http://tei.example/predict" }, exchange)).toMatchObject({
        inputs: input,
      });
      return input;
    };
    const frame = outsideOf(textOf({ request: asked, view: answered("Sydney.") }));
    expect(frame).toEqual(["Conversation:", "(fence)", "(fence)", "", "Answer:", "(fence)", "(fence)"]);
    for (const { hostile } of around) {
      for (const exchange of exchangesWith(hostile)) {
        const text = textOf(exchange);
        expect(outsideOf(text), hostile).toEqual(frame);
        expectPlain(text);
      }
    }
  });

  test("does not speak for the judge or for a caller's own check", () => {
    for (const { text } of attacks) {
      // What was likely counts, not what the text goes on to say.
      const top = [
        { token: "N", logprob: -0.1 },
        { token: "Y", logprob: -2.4 },
      ];
      expect(readJudgeAnswer({ text, tokens: [{ token: "N", logprob: -0.1, top }] }), text).toBeCloseTo(-2.3, 9);
      const body = JSON.parse(
        JSON.stringify(verifierBody({ request: asked, view: answered(text), callId: "c", target: "a/b" })),
      ) as Record<string, unknown>;
      expect(Object.keys(body)).toEqual(["call_id", "target", "request", "answer", "tool_calls"]);
      expect(readVerifierAnswer(body), text).toBeUndefined();
      expect(readVerifierAnswer(text), text).toBeUndefined();
      // What a classifier's server repeats of the text it was sent is no result either.
      for (const told of [text, { data: text }, [{ label: text, score: 1 }], { data: [{ label: text, probs: text }] }])
        expect(readDecision(told, "right"), text).toHaveProperty("why");
    }
  });

  test("agrees with no answer that it did not give", () => {
    const honest = [
      "C",
      "Canberra.",
      "The answer is Canberra, which is a city.\nIt lies inland.",
      '{"city": "Canberra"}',
    ];
    for (const { hostile } of around) {
      const view = answered(hostile);
      for (const other of honest)
        expect(agreementOf(view, answered(other), shapeOf(view, asked)), hostile).not.toBe(true);
    }
  });
});

function messagesOf(body: object): { readonly system: string; readonly user: string } {
  const { messages } = body as { readonly messages: readonly { readonly role: string; readonly content: string }[] };
  expect(messages.map(({ role }) => role)).toEqual(["system", "user"]);
  const [system, user] = messages;
  return { system: system?.content ?? "", user: user?.content ?? "" };
}

/** What is not quoted: read as a judge is told to, a line of exactly the fence opens and closes. */
function frameOf({ system, user }: { readonly system: string; readonly user: string }): readonly string[] {
  const length = Number(/exactly (?<length>\d+) "="/u.exec(system)?.groups?.["length"]);
  return [system.replace(/exactly \d+/u, "exactly N"), ...linesOutside(user, "=".repeat(length))];
}

/** A classifier is told of no fence: it is the line after the first. */
function outsideOf(text: string): readonly string[] {
  const fence = text.split("\n")[1] ?? "";
  expect(fence).toMatch(/^={5,}$/u);
  return linesOutside(text, fence);
}

function linesOutside(text: string, fence: string): readonly string[] {
  let isInside = false;
  const outside: string[] = [];
  for (const line of text.split("\n")) {
    if (line === fence) {
      isInside = !isInside;
      outside.push("(fence)");
    } else if (!isInside) outside.push(line);
    else expect(line.startsWith("| "), line).toBe(true);
  }
  expect(isInside).toBe(false);
  return outside;
}

/** In the answer, in the question, and in a call. */
function exchangesWith(hostile: string): readonly { readonly request: GenerateRequest; readonly view: AnswerView }[] {
  return [
    { request: asked, view: answered(hostile) },
    {
      request: { ...asked, turns: [{ role: "user", parts: [{ kind: "text", text: hostile }] }] },
      view: answered("Sydney."),
    },
    {
      request: asked,
      view: { ...answered(""), toolCalls: [{ id: "c", name: hostile, argumentsJson: hostile }] },
    },
  ];
}

/** Nothing a reader sees otherwise than the judge, or a tokeniser takes for a turn's frame. */
function expectPlain(text: string): void {
  expect(text).not.toMatch(
    // oxlint-disable-next-line no-control-regex -- they are what must not be there
    /[\u{E0000}-\u{E007F}\u202A-\u202E\u2066-\u2069\u0000-\u0008\u000B-\u001F\u0085\u2028\u2029]/u,
  );
  expect(text).not.toMatch(/<[|｜]|<\/?(?:start_of_turn|end_of_turn|s)>|\[\/?(?:INST|SYSTEM_PROMPT)\]/u);
}
