import { describe, expect, it } from "vitest";
import type { AnswerEvent } from "#domain/answer";
import { failure } from "#domain/failure";
import { emptyUsage } from "#domain/usage";
import { endingOf, Observation } from "./observation.ts";

describe("Observation", () => {
  const serverTool: AnswerEvent = { kind: "foreign", what: "anthropic:server_tool_use", payload: {}, content: true };
  const unknownEvent: AnswerEvent = { kind: "foreign", what: "anthropic:context_hint", payload: {} };
  const over: readonly AnswerEvent[] = [{ kind: "finish", finish: { reason: "stop" } }, { kind: "end" }];

  function seen(relayed: boolean, events: readonly AnswerEvent[]): Observation {
    const observation = new Observation(relayed);
    for (const event of events) observation.see(event);
    return observation;
  }

  it("takes content the hub has no word for as content where its bytes reach the client, and only there", () => {
    expect(new Observation(true).see(serverTool)).toBe(true);
    expect(new Observation(false).see(serverTool)).toBe(false);
    expect(new Observation(true).see(unknownEvent)).toBe(false);
  });

  it("does not call a relayed answer empty that holds only such content", () => {
    expect(seen(true, [serverTool, ...over]).empty).toBe(false);
    expect(seen(false, [serverTool, ...over]).empty).toBe(true);
    expect(seen(true, over).empty).toBe(true);
  });

  it("says once that content came, and never for what holds none", () => {
    const observation = new Observation(false);
    const events: readonly AnswerEvent[] = [
      { kind: "start", id: "1", model: "m" },
      { kind: "ping" },
      { kind: "text-start", block: 0 },
      { kind: "text-delta", block: 0, text: "" },
      { kind: "text-delta", block: 0, text: "a" },
      { kind: "text-delta", block: 0, text: "b" },
    ];
    expect(events.map((event) => observation.see(event))).toEqual([false, false, false, false, true, false]);
    expect(observation.contentBytes).toBe(2);
  });

  it("prefers the provider's usage, the last one it gave, to an estimate marked as such", () => {
    const words: AnswerEvent = { kind: "text-delta", block: 0, text: "12345" };
    expect(seen(false, [words]).usageOrEstimate(9)).toMatchObject({ inputUncached: 3, output: 2, estimated: true });
    const usage = { ...emptyUsage, output: 7 };
    const told = seen(false, [{ kind: "usage", usage: emptyUsage }, words, { kind: "usage", usage }]);
    expect(told.usageOrEstimate(9)).toBe(usage);
    expect(seen(false, [{ kind: "ping" }]).usageOrEstimate(9)).toBeUndefined();
  });

  it("keeps the first failure, and calls an answer without an ending truncated", () => {
    const first = failure("upstream_overloaded", "busy");
    const broken = seen(false, [
      { kind: "failed", failure: first },
      { kind: "failed", failure: failure("upstream_failed", "later") },
    ]);
    expect(endingOf(broken)).toBe(first);
    expect(endingOf(seen(false, over))).toBeUndefined();
    expect(endingOf(seen(false, over.slice(0, 1)))?.kind).toBe("truncated_response");
  });

  it("does not call a refusal empty", () => {
    const refused: AnswerEvent = { kind: "finish", finish: { reason: "policy" } };
    expect(seen(false, [refused, { kind: "end" }]).empty).toBe(false);
  });
});
