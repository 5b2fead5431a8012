import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Calibrator } from "./calibrator.ts";
import { calibrate, globalPrior, highestProbability, interpolate, logisticScore } from "./calibrator.ts";
import { logOddsOf, maxLogOdds, probabilityOf } from "./log-odds.ts";

describe("a calibrator", () => {
  test("without labels is sigmoid(0.28 · log-odds), and promises 0.85 only to scores of 0.998", () => {
    for (const z of [-11.5, -2, 0, 3, 4, 8, 11.5]) {
      expect(calibrate(globalPrior, [z])).toBeCloseTo(1 / (1 + Math.exp(-0.28 * z)), 12);
    }
    expect(calibrate(globalPrior, [logOddsOf(0.9975)])).toBeLessThan(0.85);
    expect(calibrate(globalPrior, [logOddsOf(0.9985)])).toBeGreaterThan(0.85);
  });

  test("never says more than its labels can support", () => {
    const sure = (labels: number): Calibrator => ({
      kind: "platt",
      logistic: { intercept: 3, slopes: [1], hinge: 0 },
      labels,
    });
    expect(calibrate(sure(50), [11])).toBe(1 - 1 / 52);
    expect(calibrate(sure(200), [11])).toBe(1 - 1 / 202);
    // What the prior says at its highest is allowed from the first label on.
    expect(calibrate(sure(3), [11])).toBe(highestProbability(0));
    expect(highestProbability(0)).toBeGreaterThan(calibrate(globalPrior, [maxLogOdds]));
  });

  test("bends above its hinge, and leaves features alone that it has no slope for", () => {
    const logistic = { intercept: -1, slopes: [0.5, 2], hinge: -0.3 };
    expect(logisticScore(logistic, [3, 1])).toBeCloseTo(-1 + 1.5 + 2, 12);
    expect(logisticScore(logistic, [6, 1])).toBeCloseTo(-1 + 3 + 2 - 0.6, 12);
    expect(calibrate(globalPrior, [2, 7])).toBe(calibrate(globalPrior, [2]));
    expect(() => logisticScore(logistic, [3])).toThrow("wants 2 features and got 1");
  });

  test("takes what is no number for the least confident", () => {
    expect(calibrate(globalPrior, [Number.NaN])).toBe(calibrate(globalPrior, [-maxLogOdds]));
    expect(calibrate(globalPrior, [Infinity])).toBe(calibrate(globalPrior, [maxLogOdds]));
  });

  test("interpolates between the points of its steps and is flat outside", () => {
    const steps = { logOdds: [0, 1, 3], probabilities: [0.2, 0.4, 0.9] };
    const at = [-5, 0, 0.5, 1, 2, 3, 9].map((x) => interpolate(steps, x));
    expect(at).toEqual([0.2, 0.2, 0.30000000000000004, 0.4, 0.65, 0.9, 0.9]);
    expect(interpolate({ logOdds: [1], probabilities: [0.5] }, 7)).toBe(0.5);
  });

  test("rises with the raw score", () => {
    const z = fc.double({ min: -12, max: 12, noNaN: true });
    const slope = fc.double({ min: 0, max: 5, noNaN: true });
    fc.assert(
      fc.property(z, z, fc.tuple(slope, slope), (one, other, [low, high]) => {
        const logistic = { intercept: 0.3, slopes: [low], hinge: high - low };
        const steps = { logOdds: [-2, 0, 4], probabilities: [0.1, 0.1, 0.8] };
        const all: Calibrator[] = [
          globalPrior,
          { kind: "platt", logistic, labels: 70 },
          { kind: "isotonic", logistic, steps, labels: 500 },
        ];
        const [least, most] = [Math.min(one, other), Math.max(one, other)];
        for (const each of all) expect(calibrate(each, [least])).toBeLessThanOrEqual(calibrate(each, [most]) + 1e-12);
      }),
    );
    expect(probabilityOf(0)).toBe(0.5);
  });
});
