import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RetryBudget } from "./retry-budget.ts";

describe("RetryBudget", () => {
  it("lets a quiet route retry freely", () => {
    const budget = new RetryBudget();
    budget.deposit(0);
    expect(budget.withdraw(0)).toBe(true);
  });

  it("holds a total outage at 100 calls a second near 1.2 attempts a call and ten a second", () => {
    const budget = new RetryBudget();
    let retries = 0;
    for (let ms = 0; ms < 60_000; ms += 10) {
      budget.deposit(ms);
      for (let n = 0; n < 2; n += 1) if (budget.withdraw(ms)) retries += 1;
    }
    expect(retries / 6_000).toBeLessThan(0.2 + 0.1 + 0.05);
    expect(retries / 6_000).toBeGreaterThan(0.2);
  });

  it("never allows more in any ten seconds than a fifth of their calls and a hundred", () => {
    const step = fc.record({ gapMs: fc.nat(3_000), call: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const budget = new RetryBudget();
        const calls: number[] = [];
        const retries: number[] = [];
        let nowMs = 0;
        for (const { gapMs, call } of steps) {
          nowMs += gapMs;
          if (call) {
            budget.deposit(nowMs);
            calls.push(nowMs);
          } else if (budget.withdraw(nowMs)) retries.push(nowMs);
        }
        for (const end of retries) {
          const from = (Math.floor(end / 1000) - 9) * 1000;
          const inWindow = (at: number): boolean => at >= from && at <= end;
          expect(retries.filter(inWindow).length).toBeLessThanOrEqual(calls.filter(inWindow).length * 0.2 + 100);
        }
      }),
    );
  });
});
