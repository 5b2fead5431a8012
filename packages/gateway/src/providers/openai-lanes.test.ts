import { describe, expect, it } from "vitest";
import { openaiLanes } from "./openai-lanes.ts";

const chat = "openai-chat";
const responses = "openai-responses";

describe("openaiLanes", () => {
  it.each([
    ["gpt-4.1", [chat, responses]],
    ["gpt-4o-2024-11-20", [chat, responses]],
    ["ft:gpt-4.1-mini:org::id", [chat, responses]],
    ["my-deployment", [chat, responses]],
    ["gpt-5", [responses, chat]],
    ["gpt-5.6", [responses, chat]],
    ["gpt-5-mini-2025-08-07", [responses, chat]],
    ["o3", [responses, chat]],
    ["o4-mini", [responses, chat]],
    ["openai/gpt-5.4", [responses, chat]],
    ["GPT-5.4", [responses, chat]],
    ["gpt-5.4-pro", [responses]],
    ["gpt-5.4-pro-2026-03-05", [responses]],
    ["gpt-5-codex", [responses]],
    ["gpt-5.1-codex-max", [responses]],
    ["codex-mini-latest", [responses]],
    ["o1-pro", [responses]],
    ["o3-deep-research", [responses]],
    ["computer-use-preview", [responses]],
    ["gpt-audio-mini", [chat]],
    ["gpt-4o-audio-preview", [chat]],
    ["gpt-4o-mini-search-preview", [chat]],
    ["gpt-5-search-api", [chat]],
  ])("asks %s for an answer in %j", (model, lanes) => {
    expect(openaiLanes(model)).toEqual(lanes);
    expect(openaiLanes(model, "count-tokens")).toEqual(lanes);
  });

  it("asks for everything else where Chat is", () => {
    expect(openaiLanes("text-embedding-3-small", "embed")).toEqual([chat]);
    expect(openaiLanes("gpt-5.4", "moderate")).toEqual([chat]);
    expect(openaiLanes("gpt-3.5-turbo-instruct", "complete")).toEqual([chat]);
  });
});
