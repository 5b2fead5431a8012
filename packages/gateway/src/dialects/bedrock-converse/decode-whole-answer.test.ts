import { describe, expect, it } from "vitest";
import { breachOf } from "#dialects/answer-grammar";
import type { DecodeOptions } from "#dialects/dialect";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";
import { bedrockConverse } from "./index.ts";

const options: DecodeOptions = {
  classify: (complaint) => failure("upstream_failed", JSON.stringify(complaint)),
  quirks: plainChatQuirks,
  maxEventBytes: 1 << 16,
};
const usage = { inputTokens: 10, outputTokens: 5, totalTokens: 35, cacheReadInputTokens: 20 };
const counted = {
  inputUncached: 10,
  cacheRead: 20,
  cacheWrite: 0,
  cacheWriteLong: 0,
  output: 5,
  reasoning: 0,
  estimated: false,
};

describe("decodeAnswer", () => {
  const whole = (answer: unknown) =>
    bedrockConverse.decodeAnswer(Buffer.from(typeof answer === "string" ? answer : JSON.stringify(answer)), options);
  const answered = (content: readonly object[], more: object = {}): object => ({
    output: { message: { role: "assistant", content } },
    stopReason: "end_turn",
    usage,
    metrics: { latencyMs: 3 },
    ...more,
  });

  it("reads a whole answer as the stream that would have said it", () => {
    const events = whole(
      answered(
        [
          { reasoningContent: { reasoningText: { text: "hm", signature: "c2ln" } } },
          { reasoningContent: { redactedContent: Buffer.from("sealed").toString("base64") } },
          { text: "Hi", type: "text" },
          { toolUse: { toolUseId: "t1", name: "f", input: { a: 1 } } },
          { toolUse: { toolUseId: "t2", name: "g", input: {} } },
          { citationsContent: { content: [{ text: "cited" }], citations: [{ title: "t" }] } },
        ],
        { stopReason: "tool_use", additionalModelResponseFields: { stop_sequence: null }, trace: { guardrail: {} } },
      ),
    );
    expect(breachOf(events)).toBeUndefined();
    expect(events).toEqual([
      { kind: "start", id: "", model: "" },
      { kind: "reasoning-start", block: 0 },
      { kind: "reasoning-delta", block: 0, text: "hm" },
      { kind: "reasoning-signature", block: 0, signature: "c2ln" },
      { kind: "reasoning-end", block: 0 },
      { kind: "reasoning-start", block: 1, redacted: "sealed" },
      { kind: "reasoning-end", block: 1 },
      { kind: "text-start", block: 2 },
      { kind: "text-delta", block: 2, text: "Hi" },
      { kind: "text-end", block: 2 },
      { kind: "tool-start", block: 3, id: "t1", name: "f" },
      { kind: "tool-delta", block: 3, json: '{"a":1}' },
      { kind: "tool-end", block: 3 },
      { kind: "tool-start", block: 4, id: "t2", name: "g" },
      { kind: "tool-delta", block: 4, json: "{}" },
      { kind: "tool-end", block: 4 },
      { kind: "text-start", block: 5 },
      { kind: "text-delta", block: 5, text: "cited" },
      { kind: "foreign", what: "bedrock:citation", payload: { title: "t" }, content: true },
      { kind: "text-end", block: 5 },
      { kind: "finish", finish: { reason: "tools", raw: "tool_use" } },
      { kind: "usage", usage: counted },
      { kind: "foreign", what: "bedrock:trace", payload: { guardrail: {} } },
      { kind: "end" },
    ]);
  });

  it("keeps the digits of numbers in arguments", () => {
    const json = JSON.stringify(answered([{ toolUse: { toolUseId: "t", name: "f", input: { a: 0 } } }]));
    const events = whole(json.replace('{"a":0}', '{"a":12345678901234567890,"b":1.0}'));
    expect(events).toContainEqual({ kind: "tool-delta", block: 0, json: '{"a":12345678901234567890,"b":1.0}' });
  });

  it.each([
    ["no JSON", "nothing", "bad_upstream_response"],
    ["no message", {}, "bad_upstream_response"],
    ["a complaint", { message: "no" }, "upstream_failed"],
    ["AWS's complaint of an unknown operation", { Output: { __type: "UnknownOperation" } }, "upstream_failed"],
    ["a tool without an id", answered([{ toolUse: { name: "f", input: {} } }]), "bad_upstream_response"],
    ["a text that is none", answered([{ text: 7 }]), "bad_upstream_response"],
  ])("fails on %s", (_what, answer, kind) => {
    expect(whole(answer).at(-1)).toMatchObject({ kind: "failed", failure: { kind } });
  });

  it("takes an answer without a word of its end for a natural one, or for calls", () => {
    const natural = whole({ output: { message: { content: [] } } });
    expect(natural).toContainEqual({ kind: "finish", finish: { reason: "stop" } });
    const content = [{ toolUse: { toolUseId: "t", name: "f", input: {} } }];
    expect(whole({ output: { message: { content } } })).toContainEqual({ kind: "finish", finish: { reason: "tools" } });
  });
});
