import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { labelsWithoutError, lowerBound, upperBound } from "./clopper-pearson.ts";

describe("Clopper and Pearson's bounds", () => {
  // scipy.stats.binomtest(k, n).proportion_ci(confidence_level=0.9, method="exact"), which searches; the sixth row by
  // scipy.stats.beta.ppf(0.05, 301, 41) and ppf(0.95, 302, 40), which is closer.
  test.each([
    [0, 20, 0, 0.139_108_340_668_375_35],
    [20, 20, 0.860_891_659_331_624_3, 1],
    [19, 20, 0.783_893_835_793_130_2, 0.997_438_621_223_469_7],
    [170, 200, 0.802_089_308_317_008_1, 0.889_918_556_699_550_9],
    [106, 118, 0.840_442_877_778_101_4, 0.940_265_472_128_673_1],
    [301, 341, 0.850_052_353_926_888_4, 0.910_258_390_921_837_4],
    [1, 3, 0.016_952_427_508_443_12, 0.864_649_637_828_416_2],
  ])("%d of %d", (...[successes, tries, low, high]) => {
    expect(Math.abs(lowerBound({ successes, tries }, 0.05) - low)).toBeLessThan(1e-11);
    expect(Math.abs(upperBound({ successes, tries }, 0.05) - high)).toBeLessThan(1e-11);
  });

  test("need so many labels without one error", () => {
    expect([0.85, 0.9, 0.95].map((rate) => labelsWithoutError(rate, 0.05))).toEqual([19, 29, 59]);
    expect(lowerBound({ successes: 19, tries: 19 }, 0.05)).toBeGreaterThan(0.85);
    expect(lowerBound({ successes: 18, tries: 18 }, 0.05)).toBeLessThan(0.85);
  });

  test("contain what was seen, and are wrong no more often than they say", () => {
    const chance = fc.constantFrom(0.01, 0.05, 0.2);
    const rate = fc.double({ min: 0.01, max: 0.99, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 80 }), rate, chance, (tries, p, delta) => {
        let wrong = 0;
        let logMass = tries * Math.log1p(-p);
        for (let successes = 0; successes <= tries; successes += 1) {
          const low = lowerBound({ successes, tries }, delta);
          expect(low).toBeLessThanOrEqual(successes / tries);
          expect(upperBound({ successes, tries }, delta)).toBeGreaterThanOrEqual(successes / tries);
          if (low > p) wrong += Math.exp(logMass);
          logMass += Math.log((tries - successes) / (successes + 1)) + Math.log(p) - Math.log1p(-p);
        }
        expect(wrong).toBeLessThanOrEqual(delta + 1e-9);
      }),
      { numRuns: 50 },
    );
  });

  test("refuse what is no count", () => {
    expect(() => lowerBound({ successes: 3, tries: 2 }, 0.05)).toThrow("3 successes in 2 tries");
    expect(() => lowerBound({ successes: 1, tries: 2 }, 1)).toThrow("delta");
  });
});
