import { describe, expect, it } from "vitest";
import { completionTokens, fromInclusive, promptTokens } from "#domain/usage";

describe("fromInclusive", () => {
  it("splits inclusive counts into buckets that add up to them", () => {
    const usage = fromInclusive({ prompt: 100, cacheRead: 60, cacheWrite: 10, completion: 50, reasoning: 20 });
    expect(usage).toMatchObject({ inputUncached: 30, cacheRead: 60, cacheWrite: 10, output: 30, reasoning: 20 });
    expect(promptTokens(usage)).toBe(100);
    expect(completionTokens(usage)).toBe(50);
  });

  it("never goes negative where a provider reports more cached than prompt tokens", () => {
    const usage = fromInclusive({ prompt: 10, cacheRead: 25, completion: 5, reasoning: 9 });
    expect(usage).toMatchObject({ inputUncached: 0, cacheRead: 10, output: 0, reasoning: 5 });
  });
});
