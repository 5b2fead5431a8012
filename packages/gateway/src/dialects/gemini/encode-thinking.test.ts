import { describe, expect, it } from "vitest";
import type { ModelTraits } from "#domain/model";
import { plainChatQuirks } from "#domain/quirks";
import type { GenerateRequest, ReasoningWish } from "#domain/request";
import { encodeThinking } from "./encode-thinking.ts";
import { LossLedger } from "./losses.ts";

const request: GenerateRequest = {
  model: "asked",
  streamed: false,
  usageInStream: false,
  turns: [],
  tools: [],
  sampling: {},
  stop: [],
  choices: 1,
  rest: {},
};

function thinking(model: string, wish: ReasoningWish | undefined, traits?: ModelTraits): unknown {
  return encodeThinking({
    request: wish === undefined ? request : { ...request, reasoning: wish },
    target: {
      model,
      issuer: "google",
      quirks: plainChatQuirks,
      streamed: false,
      ...(traits === undefined ? {} : { traits }),
    },
    ledger: new LossLedger(),
  });
}

describe("how much to think", () => {
  it.each<readonly [string, ReasoningWish | undefined, unknown]>([
    ["gemini-2.5-flash", undefined, undefined],
    ["gemini-2.5-flash", { mode: "on" }, { includeThoughts: true, thinkingBudget: -1 }],
    ["gemini-2.5-flash", { mode: "adaptive" }, { includeThoughts: true, thinkingBudget: -1 }],
    ["gemini-2.5-flash", { mode: "off" }, { thinkingBudget: 0 }],
    ["gemini-2.5-flash", { mode: "on", effort: "none" }, { thinkingBudget: 0 }],
    ["gemini-2.5-flash", { mode: "on", effort: "low" }, { includeThoughts: true, thinkingBudget: 1024 }],
    ["gemini-2.5-flash", { mode: "on", effort: "medium" }, { includeThoughts: true, thinkingBudget: 8192 }],
    ["gemini-2.5-flash", { mode: "on", effort: "max" }, { includeThoughts: true, thinkingBudget: 24_576 }],
    ["gemini-2.5-flash", { mode: "on", budgetTokens: 100_000 }, { includeThoughts: true, thinkingBudget: 24_576 }],
    ["gemini-2.5-flash-lite", { mode: "on", budgetTokens: 100 }, { includeThoughts: true, thinkingBudget: 512 }],
    ["models/gemini-2.5-pro", { mode: "off" }, { thinkingBudget: 128 }],
    ["gemini-2.5-pro", { mode: "on", effort: "max" }, { includeThoughts: true, thinkingBudget: 32_768 }],
    ["gemini-2.5-pro", { mode: "on", budgetTokens: 4000, display: "omitted" }, { thinkingBudget: 4000 }],
    ["gemini-3-pro-preview", { mode: "on" }, { includeThoughts: true }],
    ["gemini-3-pro-preview", { mode: "on", display: "omitted" }, undefined],
    ["gemini-3-pro-preview", { mode: "off" }, { thinkingLevel: "LOW" }],
    ["gemini-3-pro-preview", { mode: "on", effort: "medium" }, { includeThoughts: true, thinkingLevel: "HIGH" }],
    ["gemini-3.1-pro-preview", { mode: "on", effort: "medium" }, { includeThoughts: true, thinkingLevel: "MEDIUM" }],
    ["gemini-3-flash-preview", { mode: "off" }, { thinkingLevel: "MINIMAL" }],
    ["gemini-3-flash-preview", { mode: "on", effort: "max" }, { includeThoughts: true, thinkingLevel: "HIGH" }],
    ["gemini-3.5-flash", { mode: "on", budgetTokens: 2000 }, { includeThoughts: true, thinkingLevel: "LOW" }],
    ["gemini-flash-latest", { mode: "on", budgetTokens: 30_000 }, { includeThoughts: true, thinkingLevel: "HIGH" }],
    ["publishers/google/models/gemini-2.5-flash", { mode: "off" }, { thinkingBudget: 0 }],
    ["gemini-2.0-flash", { mode: "on" }, undefined],
    ["gemma-3-27b-it", { mode: "on" }, undefined],
  ])("of %s asked for %o is %o", (model, wish, expected) => {
    expect(thinking(model, wish)).toEqual(expected);
  });

  it("goes by what the catalogue knows of the model, where it knows", () => {
    const traits = (capabilities: ModelTraits["capabilities"]): ModelTraits => ({
      name: "google/x",
      capabilities,
      from: { source: "s", date: "2026-11-21" },
    });
    const efforts = traits({ reasoningControl: { efforts: ["low", "high", "dynamic"] } });
    expect(thinking("gemini-3-flash-preview", { mode: "on", effort: "minimal" }, efforts)).toEqual({
      includeThoughts: true,
      thinkingLevel: "LOW",
    });
    expect(thinking("gemini-3-flash-preview", { mode: "on" }, traits({ reasoning: false }))).toBeUndefined();
  });
});
