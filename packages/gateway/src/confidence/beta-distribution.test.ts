import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { incompleteBeta, inverseIncompleteBeta } from "./beta-distribution.ts";

describe("the incomplete beta function", () => {
  // mpmath, 40 digits: betainc(a, b, 0, x, regularized=True); the last row scipy.special.betainc.
  test.each([
    [0.3, 2, 5, 0.579825],
    [0.85, 170, 31, 0.548_511_472_299_049],
    [0.001, 0.5, 0.5, 0.020_135_041_633_377_49],
    [0.9, 0.2, 30, 1],
    [0.02, 0.2, 30, 0.898_769_925_269_349_3],
    [0.5, 1000, 1000, 0.5],
    [0.951, 95_000, 5_000, 0.927_284_811_879_322_4],
    [0.999, 1, 1, 0.999],
    [0.8603, 860_000, 140_000, 0.806_319_025_403],
  ])("I_%d(%d, %d)", (...[x, a, b, expected]) => {
    expect(Math.abs(incompleteBeta(x, a, b) - expected)).toBeLessThan(1e-11);
  });

  test("keeps small tails", () => {
    expect(incompleteBeta(1e-8, 1.5, 2.5) / 3.395_305_422_069e-12).toBeCloseTo(1, 12);
  });

  // scipy.stats.beta.ppf(probability, a, b)
  test.each([
    [0.05, 170, 31, 0.802_089_308_317_008_4],
    [0.05, 1, 1, 0.05],
    [0.025, 0.5, 3, 0.000_177_819_932_934_757_78],
    [0.95, 3, 0.5, 0.999_288_213_673_644_2],
    [0.001, 10_000, 2_000, 0.822_663_528_008_391_9],
    [0.05, 19, 1, 0.854_131_496_687_756_6],
  ])("has the inverse of %d for Beta(%d, %d)", (...[probability, a, b, expected]) => {
    expect(Math.abs(inverseIncompleteBeta(probability, a, b) - expected)).toBeLessThan(1e-11);
  });

  test("is the sum of a binomial's upper tail, and its inverse leads back", () => {
    const count = fc.integer({ min: 1, max: 60 });
    fc.assert(
      fc.property(count, count, fc.double({ min: 0.001, max: 0.999, noNaN: true }), (k, more, p) => {
        const n = k + more;
        const value = incompleteBeta(p, k, n - k + 1);
        expect(value).toBeCloseTo(binomialTail(k, { n, p }), 10);
        if (value > 1e-9 && value < 1 - 1e-9) expect(inverseIncompleteBeta(value, k, n - k + 1)).toBeCloseTo(p, 8);
      }),
    );
  });

  test("stays within 0 and 1 and ends, whatever the parameters", () => {
    const size = fc.double({ min: 1e-3, max: 1e5, noNaN: true });
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), size, size, (x, a, b) => {
        for (const value of [incompleteBeta(x, a, b), inverseIncompleteBeta(x, a, b)]) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1 + 1e-15);
        }
      }),
    );
    expect([incompleteBeta(-1, 2, 2), incompleteBeta(2, 2, 2)]).toEqual([0, 1]);
    expect(() => incompleteBeta(0.5, 0, 1)).toThrow("positive parameters");
  });
});

/** P(X ≥ k), term by term. */
function binomialTail(k: number, { n, p }: { n: number; p: number }): number {
  let sum = 0;
  for (let i = k; i <= n; i += 1) {
    let logTerm = i * Math.log(p) + (n - i) * Math.log1p(-p);
    for (let j = 1; j <= i; j += 1) logTerm += Math.log((n - i + j) / j);
    sum += Math.exp(logTerm);
  }
  return sum;
}
