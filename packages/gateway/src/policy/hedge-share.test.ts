import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HedgeShare } from "./hedge-share.ts";

describe("The share of calls that are hedged", () => {
  it("has no minimum: at two of a hundred the first comes with the fiftieth call", () => {
    const share = new HedgeShare();
    for (let n = 1; n < 50; n += 1) {
      share.called(n);
      expect(share.withdraw(0.02, n)).toBe(false);
    }
    share.called(50);
    expect(share.withdraw(0.02, 50)).toBe(true);
    expect(share.withdraw(0.02, 50)).toBe(false);
  });

  it("forgets calls after five minutes", () => {
    const share = new HedgeShare();
    for (let n = 0; n < 50; n += 1) share.called(0);
    expect(share.withdraw(0.02, 310_000)).toBe(false);
  });

  it("grants one only within its part of the calls of the last five minutes, whenever they come", () => {
    const step = fc.record({ afterMs: fc.integer({ min: 0, max: 60_000 }), calls: fc.integer({ min: 0, max: 40 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(0.01, 0.02, 0.1, 1), (steps, part) => {
        const share = new HedgeShare();
        let nowMs = 0;
        const calls: number[] = [];
        const hedges: number[] = [];
        for (const { afterMs, calls: more } of steps) {
          nowMs += afterMs;
          for (let n = 0; n < more; n += 1) {
            share.called(nowMs);
            calls.push(nowMs);
            if (!share.withdraw(part, nowMs)) continue;
            hedges.push(nowMs);
            const lately = (times: readonly number[], ms: number): number =>
              times.filter((at) => nowMs - at < ms).length;
            expect(lately(hedges, 290_000)).toBeLessThanOrEqual(lately(calls, 310_000) * part + 1e-9);
          }
        }
      }),
    );
  });
});
