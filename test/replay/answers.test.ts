import { describe, expect, it } from "vitest";
import { meaningOfChatAnswer } from "./chat-meaning.ts";
import { otherDialect, replayWhole } from "./in-memory-lanes.ts";
import { objectOf, objectsOf } from "./json-view.ts";
import { expectedMeaning } from "./meaning.ts";
import { meaningOfMessage } from "./messages-meaning.ts";
import { receive } from "./official-sdks.ts";
import { findFixtures, ownAnswers, recordedAnswers, type Recording } from "./recordings.ts";

const meaningOf = { "openai-chat": meaningOfChatAnswer, "anthropic-messages": meaningOfMessage } as const;

/** The fields the official SDKs' types promise. */
function expectShape(dialect: Recording["dialect"], json: string): void {
  const answer = objectOf(JSON.parse(json));
  if (dialect === "openai-chat") {
    expect(answer).toMatchObject({
      object: "chat.completion",
      choices: [{ index: 0, message: { role: "assistant" } }],
    });
    expect([answer["id"], answer["model"], typeof answer["created"]]).toEqual([
      expect.stringMatching(/./),
      expect.stringMatching(/./),
      "number",
    ]);
    const [choice] = objectsOf(answer["choices"]);
    expect(choice?.["finish_reason"]).toMatch(/^(?:stop|length|tool_calls|content_filter)$/);
    for (const call of objectsOf(objectOf(choice?.["message"])["tool_calls"])) {
      expect(call).toMatchObject({ id: expect.any(String), type: "function" });
      expect(() => JSON.parse(String(objectOf(call["function"])["arguments"]))).not.toThrow();
    }
    return;
  }
  expect(answer).toMatchObject({ type: "message", role: "assistant", usage: { output_tokens: expect.any(Number) } });
  for (const block of objectsOf(answer["content"])) {
    expect(block["type"]).toMatch(/^(?:text|thinking|redacted_thinking|tool_use)$/);
    if (block["type"] === "tool_use") expect(typeof block["input"]).toBe("object");
  }
}

async function checkAnswer({ dialect, bytes }: Recording): Promise<void> {
  const { relay, translation, last } = replayWhole(dialect, bytes);
  expect(last).toEqual({ kind: "end" });
  expect(relay).toBe(bytes);

  const other = otherDialect[dialect];
  expectShape(other, translation);
  const expected = expectedMeaning(meaningOf[dialect](bytes.toString("utf8")), dialect);
  expect(meaningOf[other](translation)).toEqual(expected);
  expect(await receive(other, translation)).toEqual(expected);
}

function suite(answers: readonly Recording[]): void {
  it.each(answers.map((answer) => [answer.name, answer] as const))(
    "%s: relayed as it is, translated with the same meaning, accepted by the official SDK",
    (_name, answer) => checkAnswer(answer),
  );
}

describe("own whole answers of both languages", () => suite(ownAnswers()));

const fixtures = findFixtures("replay of recorded whole answers");
describe.skipIf(fixtures === undefined)("recorded whole answers of real providers", () => {
  const answers = fixtures === undefined ? [] : recordedAnswers(fixtures);

  it("are there in number", () => {
    expect(answers.filter(({ dialect }) => dialect === "openai-chat").length).toBeGreaterThan(140);
    expect(answers.filter(({ dialect }) => dialect === "anthropic-messages").length).toBeGreaterThan(30);
  });

  suite(answers);
});
