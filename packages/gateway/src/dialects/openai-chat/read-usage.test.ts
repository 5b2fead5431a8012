import { describe, expect, it } from "vitest";
import { openaiChat } from "#dialects/openai-chat/index";
import { failure } from "#domain/failure";
import { plainChatQuirks, type ChatQuirks } from "#domain/quirks";

const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
const choices = [{ index: 0, message: { content: "a" }, finish_reason: "stop" }];

function usageOf(report: object, quirks: Partial<ChatQuirks> = {}, place: object = { usage: report }): unknown {
  const events = openaiChat.decodeAnswer(Buffer.from(JSON.stringify({ id: "c", choices, ...place })), {
    classify: () => failure("upstream_failed", "complaint"),
    quirks: { ...plainChatQuirks, ...quirks },
    maxEventBytes: 1 << 20,
  });
  return events.find((event) => event.kind === "usage")?.usage;
}

describe("usage", () => {
  it("splits cached, written and reasoning tokens into disjoint buckets", () => {
    const report = {
      prompt_tokens: 100,
      completion_tokens: 50,
      total_tokens: 150,
      prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 10 },
      completion_tokens_details: { reasoning_tokens: 20 },
    };
    expect(usageOf(report)).toMatchObject({
      inputUncached: 30,
      cacheRead: 60,
      cacheWrite: 10,
      output: 30,
      reasoning: 20,
    });
  });

  it("adds reasoning where completion_tokens does not contain it, told by the total or by the quirk", () => {
    const report = { prompt_tokens: 468, completion_tokens: 77, completion_tokens_details: { reasoning_tokens: 582 } };
    const expected = { output: 77, reasoning: 582 };
    expect(usageOf({ ...report, total_tokens: 1127 })).toMatchObject(expected);
    expect(usageOf(report, { completionIncludesReasoning: false })).toMatchObject(expected);
    const inclusive = { ...report, completion_tokens: 659, total_tokens: 1127 };
    expect(usageOf(inclusive, { completionIncludesReasoning: false })).toMatchObject(expected);
  });

  it("reads DeepSeek's hits and Groq's own place", () => {
    expect(usageOf({ ...usage, prompt_cache_hit_tokens: 4 })).toMatchObject({ inputUncached: 6, cacheRead: 4 });
    expect(usageOf(usage, {}, { x_groq: { usage } })).toMatchObject({ inputUncached: 10, output: 5 });
  });

  it("keeps spoken tokens apart from written ones", () => {
    const report = {
      prompt_tokens: 100,
      completion_tokens: 50,
      total_tokens: 150,
      prompt_tokens_details: { cached_tokens: 20, audio_tokens: 30 },
      completion_tokens_details: { reasoning_tokens: 5, audio_tokens: 40 },
    };
    const expected = { inputUncached: 50, cacheRead: 20, inputAudio: 30, output: 5, reasoning: 5, outputAudio: 40 };
    expect(usageOf(report)).toMatchObject(expected);
    expect(usageOf({ ...usage, prompt_tokens_details: { audio_tokens: 0 } })).not.toHaveProperty("inputAudio");
  });

  it("keeps what the provider says it charges: xAI in ticks, OpenRouter in dollars, Perplexity in an object", () => {
    // 3,530,501 ticks of 10⁻¹⁰ USD: $0.0003530501, 353,050.1 nano-dollars.
    expect(usageOf({ ...usage, cost_in_usd_ticks: 3_530_501 })).toMatchObject({ reportedCostNanoUsd: 353_051 });
    expect(usageOf({ ...usage, cost: 0.0003287 })).toMatchObject({ reportedCostNanoUsd: 328_700 });
    expect(usageOf({ ...usage, cost: 0 })).toMatchObject({ reportedCostNanoUsd: 0 });
    const ownKey = { cost: 0.00001, is_byok: true, cost_details: { upstream_inference_cost: 0.0002 } };
    expect(usageOf({ ...usage, ...ownKey })).toMatchObject({ reportedCostNanoUsd: 210_000 });
    expect(usageOf({ ...usage, ...ownKey, is_byok: false })).toMatchObject({ reportedCostNanoUsd: 10_000 });
    expect(usageOf({ ...usage, cost: { total_cost: 0.006 } })).toMatchObject({ reportedCostNanoUsd: 6_000_000 });
    for (const cost of [-1, "1", null, {}, 1e300, undefined]) {
      expect(usageOf({ ...usage, cost })).not.toHaveProperty("reportedCostNanoUsd");
    }
  });

  it("tells a special service, which has its own price, from the usual one", () => {
    for (const [service_tier, expected] of [
      ["priority", "priority"],
      ["flex", "flex"],
      ["default", undefined],
      ["on_demand", undefined],
      [null, undefined],
    ]) {
      const read = usageOf(usage, {}, { usage, service_tier }) as { serviceTier?: string };
      expect([service_tier, read.serviceTier]).toEqual([service_tier, expected]);
    }
  });

  it("never reports nonsense as a count", () => {
    expect(usageOf({ prompt_tokens: "7" })).toBeUndefined();
    expect(usageOf({ prompt_tokens: -1, completion_tokens: 3 })).toBeUndefined();
    expect(usageOf({ ...usage, prompt_tokens_details: { cached_tokens: 99 } })).toMatchObject({ cacheRead: 10 });
  });
});
