import { describe, expect, it } from "vitest";
import type { EncodeTarget } from "#dialects/dialect";
import { openaiChat } from "#dialects/openai-chat/index";
import { plainChatQuirks, type ChatQuirks } from "#domain/quirks";
import { editFields, scanFields } from "#wire/json-splice";

const from = { source: "test", date: "2026-11-21" };

function relayed(json: object, quirks: Partial<ChatQuirks>, more: Partial<EncodeTarget> = {}) {
  const body = Buffer.from(JSON.stringify({ model: "m", ...json }));
  const scan = scanFields(body, { maxDepth: 64 });
  if ("problem" in scan) throw new Error(scan.problem);
  const target = { model: "m", issuer: "openai", quirks: { ...plainChatQuirks, ...quirks }, streamed: false, ...more };
  const { edits, warnings = [], unfit } = openaiChat.relayEdits(scan, body, target);
  const sent = Buffer.from(editFields(body, scan, edits));
  return {
    same: sent.equals(body),
    json: JSON.parse(sent.toString()) as Record<string, unknown>,
    losses: warnings.map((warning) => warning.split(":")[0]),
    unfit: unfit?.message,
  };
}

const call = { id: "a", type: "function", function: { name: "f", arguments: "{}" } };
const sealedText = { type: "reasoning.text", text: "t", format: "anthropic", index: 0 };
const seal = { type: "reasoning.text", signature: "sig", format: "anthropic", index: 0 };

describe("a relayed chat body", () => {
  const answered = {
    role: "assistant",
    content: "a",
    reasoning_content: "t",
    reasoning_details: [sealedText, seal],
  };

  it("takes no vendor's sealed thoughts to another, nor the text that repeats them", () => {
    const { json, losses } = relayed({ messages: [answered] }, {});
    expect(json["messages"]).toEqual([{ role: "assistant", content: "a" }]);
    expect(losses).toEqual(["reasoning-seal"]);
  });

  it.each([
    ["the target's own", "anthropic", [sealedText, seal]],
    ["those OpenRouter names by its own word", "openrouter", [{ ...seal, format: "anthropic-claude-v1" }]],
    ["those that do not say whose they are", "openai", [{ type: "reasoning.text", text: "t" }]],
  ])("leaves %s to the byte", (_, issuer, details) => {
    const messages = [{ ...answered, reasoning_details: details }];
    expect(relayed({ messages }, {}, { issuer })).toMatchObject({ same: true, losses: [] });
  });

  it("brings earlier thoughts under the name the target reads, and none as the empty one it demands", () => {
    const called = { role: "assistant", tool_calls: [call] };
    const thought = { role: "assistant", content: "x", reasoning: "why" };
    const { json } = relayed({ messages: [called, thought] }, { reasoningEcho: "reasoning_content" });
    expect(json["messages"]).toEqual([
      { ...called, reasoning_content: "" },
      { role: "assistant", content: "x", reasoning_content: "why" },
    ]);
    expect(relayed({ messages: [called] }, { reasoningEcho: "reasoning" }).same).toBe(true);
    const foreign = relayed({ messages: [{ ...answered, ...called }] }, { reasoningEcho: "reasoning_content" });
    expect(foreign.json["messages"]).toMatchObject([{ reasoning_content: "" }]);
  });

  it("leaves out hints the target is known to refuse, by name, and what says nothing", () => {
    const quirks = { refusedFields: ["user", "stream_options", "n", "seed"], seedField: "random_seed" } as const;
    const { json, losses, unfit } = relayed({ user: "u", n: 1, seed: 1, stream_options: {} }, quirks);
    expect(json).toEqual({ model: "m", random_seed: 1 });
    expect(losses).toEqual(["refused-hint"]);
    expect(unfit).toBeUndefined();
  });

  it("is not sent where the target is known to refuse what the answer depends on", () => {
    expect(relayed({ n: 2 }, { refusedFields: ["n"] }).unfit).toMatch(/^refused-meaning: .*\(n\)$/u);
    expect(relayed({ logprobs: true }, { refusedFields: ["logprobs"] }).unfit).toBeDefined();
  });

  it("gives a reasoning model its limit under the only name it takes", () => {
    const reasoning = { traits: { name: "openai/gpt-5", capabilities: { reasoning: true }, from } };
    expect(relayed({ max_tokens: 5 }, {}, reasoning).json).toEqual({ model: "m", max_completion_tokens: 5 });
    expect(relayed({ max_tokens: 5 }, {}).same).toBe(true);
    expect(relayed({ max_tokens: 5 }, { maxOutputField: "max_tokens" }, reasoning).same).toBe(true);
  });
});
