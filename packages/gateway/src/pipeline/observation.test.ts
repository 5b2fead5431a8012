import { describe, expect, it } from "vitest";
import type { AnswerEvent } from "#domain/answer";
import { Observation } from "./observation.ts";

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
});
