import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { calibrate, globalPrior } from "./calibrator.ts";
import { logOddsOf, maxLogOdds, probabilityOf } from "./log-odds.ts";
import { scoreOf } from "./score.ts";
import type { Signals } from "./signals.ts";

const logprobs = { logOdds: 3, lowest: Math.log(0.2), tenth: Math.log(0.5), margin: 2, tokens: Math.E ** 2 };
const judge = { logOdds: 1.5, by: "a/b" };
const same = { agrees: true, with: "a/b" };

describe("a score", () => {
  test("has the strongest signal first and the usual at 0", () => {
    const { features, raw, signals } = scoreOf({ logprobs, judge, agreement: same, stated: 0.9 });
    expect(signals).toBe("agreement+judge+logprobs");
    expect(raw).toBeCloseTo(probabilityOf(3), 12);
    for (const [at, expected] of [3, 0, 0, 0, 0, 1.5, 1, 0].entries()) expect(features[at]).toBeCloseTo(expected, 12);
    expect(scoreOf({ judge, agreement: same })).toMatchObject({ features: [1.5, 1, 0], signals: "agreement+judge" });
    // A classifier's probabilities never are labelled as a judge's.
    expect(scoreOf({ decision: { logOdds: 1.5 } })).toMatchObject({ features: [1.5, 0], signals: "decision" });
    expect(scoreOf({ decision: { logOdds: 2 }, judge, agreement: same })).toMatchObject({
      features: [2, 1, 0],
      signals: "agreement+decision",
    });
  });

  test("of a failed gate is 0, of a verifier what it says, and nothing else counts", () => {
    const gate = { rule: "empty", why: "the answer is empty" } as const;
    expect(scoreOf({ gate, logprobs, verifier: { correct: 1 } })).toEqual({
      raw: 0,
      features: [-maxLogOdds],
      signals: "gate",
    });
    expect(scoreOf({ logprobs, judge, verifier: { correct: 0.7 } })).toEqual({
      raw: 0.7,
      features: [logOddsOf(0.7)],
      signals: "verifier",
    });
  });

  test("of nothing is nothing", () => {
    for (const none of [{}, { stated: 1 }, { stated: 0 }])
      expect(scoreOf(none)).toEqual({ raw: null, features: [], signals: "none" });
  });

  test("of an equal answer reaches 0.85 before labels, of another one does not", () => {
    expect(calibrate(globalPrior, scoreOf({ agreement: same }).features)).toBeGreaterThan(0.85);
    expect(calibrate(globalPrior, scoreOf({ agreement: { ...same, agrees: false } }).features)).toBeLessThan(0.5);
  });

  test("has as many features for one set of signals, at most 8, and all are finite", () => {
    const number = fc.double({ noNaN: true });
    const signal = fc.record(
      { logOdds: number, lowest: number, tenth: number, tokens: fc.nat() },
      { requiredKeys: ["logOdds", "lowest", "tenth", "tokens"] },
    );
    const anything: fc.Arbitrary<Signals> = fc.record(
      {
        logprobs: fc.oneof(
          signal,
          fc.record({ logOdds: number, lowest: number, tenth: number, tokens: fc.nat(), margin: number }),
        ),
        decision: fc.record({ logOdds: fc.oneof(number, fc.constantFrom(Infinity, -Infinity)) }),
        judge: fc.record({ logOdds: number, by: fc.string() }),
        agreement: fc.record({ agrees: fc.boolean(), with: fc.string() }),
        stated: fc.double({ min: 0, max: 1, noNaN: true }),
      },
      { requiredKeys: [] },
    );
    const counts = new Map<string, number>();
    fc.assert(
      fc.property(anything, (signals) => {
        const scored = scoreOf(signals);
        expect(scored.features.length).toBe(counts.get(scored.signals) ?? scored.features.length);
        counts.set(scored.signals, scored.features.length);
        expect(scored.features.length).toBeLessThanOrEqual(8);
        expect(scored.features.every(Number.isFinite)).toBe(true);
      }),
      { numRuns: 500 },
    );
    expect(counts.size).toBeGreaterThan(4);
  });
});
