import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { interpolate } from "./calibrator.ts";
import { fitIsotonic, type IsotonicPoint } from "./isotonic.ts";

const xs = [1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 9.5, 10];
const ys = [0, 1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 0];
const ws = [1, 1, 2, 1, 0.5, 1, 3, 1, 1, 1, 2, 0.25];

describe("an isotonic curve", () => {
  // sklearn.isotonic.IsotonicRegression(out_of_bounds="clip").fit(x, y, sample_weight=w), 1.9.1
  test("is scikit-learn's", () => {
    const curve = fitIsotonic(xs.map((x, at) => ({ x, y: ys[at] ?? 0, weight: ws[at] ?? 0 })));
    expect(curve.logOdds).toEqual([1, 2, 3, 4, 7, 8, 10]);
    const thresholds = [0, 0.25, 0.25, 0.692_307_692_307_692_3, 0.692_307_692_307_692_3, 12 / 13, 12 / 13];
    for (const [at, value] of curve.probabilities.entries()) expect(value).toBeCloseTo(thresholds[at] ?? 0, 12);
    const asked = [0, 1.5, 2, 2.7, 3.5, 4.9, 6.5, 7.2, 9, 11];
    const told = [0, 0.125, 0.25, 0.25, 0.471_153_846_153_846, 9 / 13, 9 / 13, 0.738_461_538_461_539, 12 / 13, 12 / 13];
    for (const [at, x] of asked.entries()) expect(interpolate(curve, x)).toBeCloseTo(told[at] ?? 0, 12);
  });

  test("rises, keeps the mean, and is its own curve", () => {
    const point = fc.record({
      x: fc.integer({ min: -12, max: 12 }),
      y: fc.constantFrom(0, 1, 0.4),
      weight: fc.double({ min: 0.1, max: 9, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(point, { minLength: 1 }), (points) => {
        const curve = fitIsotonic(points);
        expect(curve.logOdds).toEqual(curve.logOdds.toSorted((a, b) => a - b));
        expect(new Set(curve.logOdds).size).toBe(curve.logOdds.length);
        expect(curve.probabilities).toEqual(curve.probabilities.toSorted((a, b) => a - b));
        const again = points.map((each) => ({ ...each, y: interpolate(curve, each.x) }));
        expect(mean(again)).toBeCloseTo(mean(points), 9);
        const second = fitIsotonic(again);
        for (const { x, y } of again) expect(interpolate(second, x)).toBeCloseTo(y, 9);
      }),
    );
  });

  test("is the mean where the points fall, and nothing without points", () => {
    expect(fitIsotonic([1, 2, 3].map((x) => ({ x, y: 3 - x, weight: 1 })))).toEqual({
      logOdds: [1, 3],
      probabilities: [1, 1],
    });
    expect(fitIsotonic([])).toEqual({ logOdds: [], probabilities: [] });
  });
});

function mean(points: readonly IsotonicPoint[]): number {
  const total = points.reduce((sum, { weight }) => sum + weight, 0);
  return points.reduce((sum, { y, weight }) => sum + y * weight, 0) / total;
}
