import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { calibrate, hingeAt } from "./calibrator.ts";
import { priorFor } from "./calibration-prior.ts";
import type { LabelledSample, LogisticPrior } from "./platt.ts";
import { fitLogistic } from "./platt.ts";

const scores = [-6, -3.5, -2, -1, -0.5, 0.2, 0.9, 1.5, 2.2, 3.1, 3.9, 4.4, 5.2, 6.8, 8, 9.7, 11.5, 11.5];
const verdicts = [0, 0, 1, 0, 0, 1, 0, 1, 0, 1, 1, 0, 1, 1, 1, 0.5, 1, 1];
const weights = [1, 2, 1, 0.5, 1, 1, 1, 0.5, 1, 1, 3, 1, 1, 1, 0.25, 1, 1, 1];
const margins = [0.1, -0.4, 0.3, 1.2, -1, 0.5, 0.2, 0.8, -0.6, 0.9, 1.4, -0.2, 0.3, 0.7, 1.1, -0.9, 0.6, 1.3];

function samples(withMargin: boolean): LabelledSample[] {
  return scores.map((score, at) => ({
    features: withMargin ? [score, margins[at] ?? 0] : [score],
    correct: verdicts[at] ?? 0,
    weight: weights[at] ?? 0,
  }));
}

describe("a logistic curve", () => {
  test("is the prior where there are no labels", () => {
    const { logistic } = fitLogistic([], priorFor(2));
    expect(logistic).toEqual({ intercept: 0, slopes: [0.28, 0], hinge: 0 });
  });

  // numpy: Newton's iteration on the columns [1, z, max(0, z − 4)(, margin)] with means [0, 0.28, 0(, 0)] and precisions
  // [1, 20, 20(, 4)], confirmed by scipy.optimize.minimize(method="BFGS", jac=...).
  test("is where scipy finds it", () => {
    const one = fitLogistic(samples(false), priorFor(1)).logistic;
    const expected = [-0.242811273939, 0.303936835309, -0.0521188874053];
    for (const [at, value] of [one.intercept, one.slopes[0], one.hinge].entries()) {
      expect(value).toBeCloseTo(expected[at] ?? 0, 9);
    }
    const two = fitLogistic(samples(true), priorFor(2)).logistic;
    const wanted = [-0.355156677006, 0.274381897693, 0.61850645248, -0.0361492245323];
    for (const [at, value] of [two.intercept, ...two.slopes, two.hinge].entries()) {
      expect(value).toBeCloseTo(wanted[at] ?? 0, 9);
    }
  });

  test("does not fall where the score orders answers the wrong way round", () => {
    const wrong = scores.map((score) => ({ features: [score], correct: score < 0 ? 1 : 0, weight: 5 }));
    const { logistic } = fitLogistic(wrong, priorFor(1));
    expect(logistic.slopes[0]).toBe(0);
    expect(logistic.hinge).toBe(0);
    expect(calibrate({ kind: "platt", logistic, labels: 90 }, [3])).toBeCloseTo(5 / 18, 1);
  });

  test("is a minimum for any labels, and always a number", () => {
    const sample = fc.record({
      features: fc.tuple(fc.double({ min: -20, max: 20 }), fc.double({ min: -3, max: 3, noNaN: true })),
      correct: fc.constantFrom(0, 1, 0.3),
      weight: fc.double({ min: 0.01, max: 50, noNaN: true }),
    });
    const precision = fc.double({ min: 0.01, max: 100, noNaN: true });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 60 }), precision, precision, (rows, strong, weak) => {
        const prior: LogisticPrior = {
          intercept: { mean: 0.5, precision: weak },
          slopes: [
            { mean: 0.25, precision: strong },
            { mean: 0, precision: weak },
          ],
          hinge: { mean: -0.1, precision: weak },
        };
        const { logistic, steps } = fitLogistic(rows, prior);
        expect(steps).toBeLessThan(100);
        const found = [logistic.intercept, ...logistic.slopes, logistic.hinge];
        expect(found.every(Number.isFinite)).toBe(true);
        expectMinimum(found, (at) => naiveLoss(rows, prior, at));
      }),
    );
  });
});

/** No small step that keeps both slopes from falling makes the loss smaller. */
function expectMinimum(found: readonly number[], lossOf: (at: readonly number[]) => number): void {
  const least = lossOf(found);
  for (const column of found.keys()) {
    for (const step of [-1e-3, 1e-3]) {
      const beside = found.map((value, at) => (at === column ? value + step : value));
      const [, slope = 0, , hinge = 0] = beside;
      if (slope < 0 || slope + hinge < 0) continue;
      expect(lossOf(beside)).toBeGreaterThanOrEqual(least - 1e-9 * Math.abs(least));
    }
  }
}

/** Written anew from the formula, with features [1, z, other, max(0, z − 4)]. */
function naiveLoss(rows: readonly LabelledSample[], prior: LogisticPrior, at: readonly number[]): number {
  const beliefs = [prior.intercept, ...prior.slopes, prior.hinge];
  let loss = 0;
  for (const [column, { mean, precision }] of beliefs.entries())
    loss += (precision * ((at[column] ?? 0) - mean) ** 2) / 2;
  for (const { features, correct, weight } of rows) {
    const [raw = 0, other = 0] = features;
    const z = Number.isNaN(raw) ? -11.5 : Math.min(11.5, Math.max(-11.5, raw));
    const x = [1, z, other, Math.max(0, z - hingeAt)];
    const eta = x.reduce((sum, value, column) => sum + value * (at[column] ?? 0), 0);
    loss += weight * (Math.log1p(Math.exp(-Math.abs(eta))) + Math.max(0, eta) - correct * eta);
  }
  return loss;
}
