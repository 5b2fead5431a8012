import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { emptyUsage } from "#domain/usage";
import { costNanoUsd } from "./cost.ts";
import type { Price } from "#domain/model";
import type { Usage } from "#domain/usage";

const from = { source: "test", date: "2026-11-21" };
const usd = (perMillion: number) => Math.round(perMillion * 1e9);
const usage = (buckets: Partial<Usage>): Usage => ({ ...emptyUsage, ...buckets });

/** claude-sonnet-5: $2, $10, cache read $0.20, cache write $2.50 per million tokens. */
const sonnet: Price = { input: usd(2), output: usd(10), cacheRead: usd(0.2), cacheWrite: usd(2.5), from };
/** gpt-5.4: $2.50, $15, cache read $0.25; above 272,000 prompt tokens $5, $22.50, $0.50. */
const gpt: Price = {
  input: usd(2.5),
  output: usd(15),
  cacheRead: usd(0.25),
  tiers: [{ abovePromptTokens: 272_000, input: usd(5), output: usd(22.5), cacheRead: usd(0.5) }],
  from,
};

describe("costNanoUsd", () => {
  it("adds every bucket at its own rate", () => {
    // 1,000 × $2 + 10,000 × $0.20 + 2,000 × $2.50 + 500 × $10 + 300 × $10, per million:
    // $0.002 + $0.002 + $0.005 + $0.005 + $0.003 = $0.017 = 1.7 cents.
    const used = usage({ inputUncached: 1000, cacheRead: 10_000, cacheWrite: 2000, output: 500, reasoning: 300 });
    expect(costNanoUsd(used, sonnet)).toBe(17_000_000);
  });

  it("prices an hour's cache write at twice the input where the five-minute one is at 1.25 times", () => {
    // 1,000 × $4 per million = $0.004.
    expect(costNanoUsd(usage({ cacheWriteLong: 1000 }), sonnet)).toBe(4_000_000);
    expect(costNanoUsd(usage({ cacheWriteLong: 1000 }), { ...sonnet, cacheWrite: usd(2) })).toBeUndefined();
    expect(costNanoUsd(usage({ cacheWriteLong: 1000 }), gpt)).toBeUndefined();
  });

  it("moves the whole request to a tier's rates once its prompt is longer", () => {
    // At the threshold: 272,000 × $2.50 + 1,000 × $15 per million = $0.68 + $0.015.
    expect(costNanoUsd(usage({ inputUncached: 272_000, output: 1000 }), gpt)).toBe(695_000_000);
    // One token more: 272,001 × $5 + 1,000 × $22.50 per million = $1.360005 + $0.0225.
    expect(costNanoUsd(usage({ inputUncached: 272_001, output: 1000 }), gpt)).toBe(1_382_505_000);
    // Cached tokens count towards the threshold: 200,000 × $5 + 100,000 × $0.50 per million.
    expect(costNanoUsd(usage({ inputUncached: 200_000, cacheRead: 100_000 }), gpt)).toBe(1_050_000_000);
  });

  it("takes the highest tier that is passed, in whatever order they are listed", () => {
    const tier = (abovePromptTokens: number, rate: number) => ({ abovePromptTokens, input: usd(rate), output: 0 });
    const price: Price = { input: usd(1), output: 0, tiers: [tier(200, 3), tier(100, 2)], from };
    expect(costNanoUsd(usage({ inputUncached: 150 }), price)).toBe(300_000);
    expect(costNanoUsd(usage({ inputUncached: 201 }), price)).toBe(603_000);
  });

  it("prices speech and reasoning at their own rates", () => {
    // gpt-audio-like: $2.50 and $10 for text, $32 and $64 for speech, $3 for reasoning.
    const price: Price = {
      input: usd(2.5),
      output: usd(10),
      reasoning: usd(3),
      inputAudio: usd(32),
      outputAudio: usd(64),
      from,
    };
    const used = usage({ inputUncached: 1000, output: 100, reasoning: 1000, inputAudio: 500, outputAudio: 200 });
    // $0.0025 + $0.001 + $0.003 + $0.016 + $0.0128 = $0.0353.
    expect(costNanoUsd(used, price)).toBe(35_300_000);
    const { inputAudio: _, ...deaf } = price;
    expect(costNanoUsd(used, deaf)).toBeUndefined();
    expect(costNanoUsd(usage({ inputUncached: 1000, inputAudio: 0 }), deaf)).toBe(2_500_000);
    // Speech counts towards a tier's threshold.
    const tiers = [{ abovePromptTokens: 1000, input: usd(5), output: usd(20), inputAudio: usd(40) }];
    expect(costNanoUsd(usage({ inputUncached: 900, inputAudio: 101 }), { ...price, tiers })).toBe(8_540_000);
    expect(costNanoUsd(usage({ inputUncached: 1001, reasoning: 1 }), { ...price, tiers })).toBeUndefined();
  });

  it("prices the visible answer as reasoning where the list says so, once there was any", () => {
    const price: Price = { input: usd(0.4), output: usd(1.2), reasoning: usd(4), reasoningRateForAll: true, from };
    expect(costNanoUsd(usage({ output: 1000 }), price)).toBe(1_200_000);
    expect(costNanoUsd(usage({ output: 1000, reasoning: 1000 }), price)).toBe(8_000_000);
  });

  it("prices a special service by its own rates, and not at all where it has none", () => {
    const fast = { name: "fast", asked: { service_tier: "priority" }, input: usd(5), output: usd(30), from };
    const price: Price = { ...gpt, modes: [fast] };
    const used = usage({ inputUncached: 300_000, output: 1000 });
    for (const serviceTier of ["priority", "fast"]) {
      expect(costNanoUsd({ ...used, serviceTier }, price)).toBe(1_530_000_000);
    }
    expect(costNanoUsd({ ...used, serviceTier: "flex" }, price)).toBeUndefined();
    expect(costNanoUsd({ ...used, serviceTier: "priority" }, gpt)).toBeUndefined();
  });

  it("needs no price of output for what writes nothing", () => {
    expect(costNanoUsd(usage({ inputUncached: 1_000_000 }), { input: usd(0.02), from })).toBe(20_000_000);
    expect(costNanoUsd(usage({ inputUncached: 1, output: 1 }), { input: usd(0.02), from })).toBeUndefined();
  });

  it("is unknown, not zero, where a used bucket has no price", () => {
    const plain: Price = { input: usd(1), output: usd(2), from };
    expect(costNanoUsd(usage({ inputUncached: 10, cacheRead: 1 }), plain)).toBeUndefined();
    expect(costNanoUsd(usage({ inputUncached: 10, cacheWrite: 1 }), plain)).toBeUndefined();
    expect(costNanoUsd(usage({ inputUncached: 10 }), plain)).toBe(10_000);
  });

  it("is zero where the model is declared free, and where nothing was used", () => {
    const free: Price = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, from };
    const used = usage({ inputUncached: 5, cacheRead: 5, cacheWrite: 5, cacheWriteLong: 5, output: 5, reasoning: 5 });
    expect(costNanoUsd(used, free)).toBe(0);
    expect(costNanoUsd(emptyUsage, sonnet)).toBe(0);
  });

  it("adds the price of a request as it is", () => {
    expect(costNanoUsd(usage({ output: 1000 }), { ...sonnet, request: 5_000_000 })).toBe(15_000_000);
  });

  it("prices what the provider bills where that is other than what it counts", () => {
    // 39 × $2 + 27 × $10 per million, not 1,683 tokens read and 62 written.
    const used = usage({ inputUncached: 691, cacheRead: 992, output: 62, billed: { input: 39, output: 27 } });
    expect(costNanoUsd(used, sonnet)).toBe(348_000);
  });

  it("rounds up once, at the end", () => {
    // Three buckets of one token at 1 nano-dollar per million: 3 millionths of a nano-dollar.
    expect(costNanoUsd(usage({ inputUncached: 1, output: 1, reasoning: 1 }), { input: 1, output: 1, from })).toBe(1);
  });

  it("is unknown for what is no count, and for sums no integer can hold", () => {
    expect(costNanoUsd(usage({ output: -1 }), sonnet)).toBeUndefined();
    expect(costNanoUsd(usage({ output: 1.5 }), sonnet)).toBeUndefined();
    expect(costNanoUsd(usage({ output: Number.NaN }), sonnet)).toBeUndefined();
    expect(costNanoUsd(usage({ output: 1 }), { ...sonnet, output: 0.5 })).toBeUndefined();
    expect(costNanoUsd(usage({ output: Number.MAX_SAFE_INTEGER }), sonnet)).toBeUndefined();
  });

  it("is exact where floating point is not, and grows with every bucket", () => {
    const tokens = fc.integer({ min: 0, max: 10_000_000 });
    fc.assert(
      fc.property(fc.tuple(tokens, tokens, tokens), fc.integer({ min: 1, max: usd(200) }), (counts, rate) => {
        const [input, output, reasoning] = counts;
        const price: Price = { input: rate, output: rate, from };
        const whole = BigInt(input + output + reasoning) * BigInt(rate);
        const exact = Number((whole + 999_999n) / 1_000_000n);
        const used = usage({ inputUncached: input, output, reasoning });
        expect(costNanoUsd(used, price)).toBe(exact);
        expect(costNanoUsd({ ...used, output: output + 1 }, price)).toBeGreaterThanOrEqual(exact);
      }),
    );
  });
});
