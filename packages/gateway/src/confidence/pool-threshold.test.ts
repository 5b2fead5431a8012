import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lowerBound } from "./clopper-pearson.ts";
import { effectiveCount } from "./effective-count.ts";
import { certifiedLevels, certifyPool, leastRefused, type ScoredSample } from "./pool-threshold.ts";

const promise = { accuracy: 0.85, delta: 0.05 };

const isRight = () => true;

/** So many answers, the highest score first. */
function answers(count: number, rightAt: (at: number) => boolean): ScoredSample[] {
  return Array.from({ length: count }, (_, at) => ({ score: count - at, correct: rightAt(at) ? 1 : 0 }));
}

describe("a promise for the pool of accepted answers", () => {
  test("is given as far down as the labels carry it", () => {
    const samples = answers(200, (at) => at < 120 || at % 2 === 0);
    const levels = certifiedLevels(samples, promise);
    expect(levels[0]?.coverage).toBe(0.3);
    expect(levels.at(-1)).toMatchObject({ coverage: 0.75, above: 50, accepted: 150, correct: 135 });
    expect(levels.at(-1)?.lowerBound).toBe(lowerBound({ successes: 135, tries: 150 }, 0.05));
    const { threshold = 0, ...certificate } = certifyPool(samples, promise) ?? {};
    expect([threshold > 50, threshold - 50 < 1e-9]).toEqual([true, true]);
    expect(certificate).toMatchObject({ min: 0.85, delta: 0.05, accepted: 150, correct: 135 });
  });

  test("accepts everything where everything is right", () => {
    const samples = answers(100, isRight);
    const coverages = [0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1];
    expect(certifiedLevels(samples, promise).map(({ coverage }) => coverage)).toEqual(coverages);
    expect(certifyPool(samples, promise)?.threshold).toBe(0);
  });

  test("is not given by fewer than three times the labels that no error would need", () => {
    const sure = (count: number) => certifiedLevels(answers(count, isRight), promise).length;
    expect([56, 57].map(sure)).toEqual([0, 1]);
    // Of two tiers each may be wrong half as often: 3 · ⌈ln 0.025 ÷ ln 0.85⌉ = 69 labels.
    const ofTwo = (count: number) => certifiedLevels(answers(count, isRight), { ...promise, tiers: 2 }).length;
    expect([68, 69].map(ofTwo)).toEqual([0, 1]);
    // Labels that are trusted half count half.
    const halves = answers(100, isRight).map(({ score, correct }) => ({ score, correct, weight: 0.5 }));
    expect(certifyPool(halves, promise)).toBeUndefined();
  });

  test("lets answers of one score stand and fall together", () => {
    const tied = answers(200, isRight).map(({ correct }, at) => ({ correct, score: at < 150 ? 11.5 : 1 }));
    expect(certifiedLevels(tied, promise).map(({ accepted }) => accepted)).toEqual([150, 200]);
  });

  test("never holds a level that fails, nor one below a level that fails", () => {
    const sample = fc.record({ score: fc.integer({ min: 0, max: 30 }), correct: fc.constantFrom(0, 1, 1, 1, 1, 1) });
    fc.assert(
      fc.property(fc.array(sample, { minLength: 60, maxLength: 250 }), (samples) => {
        const levels = certifiedLevels(samples, promise);
        for (const { above, lowerBound: bound } of levels) {
          const over = samples.filter(({ score }) => score > above);
          const successes = over.filter(({ correct }) => correct === 1).length;
          expect(lowerBound({ successes, tries: over.length }, 0.05)).toBeGreaterThanOrEqual(0.85);
          expect(bound).toBeGreaterThanOrEqual(0.85);
          expect(over.length).toBeGreaterThanOrEqual(57);
        }
        const thresholds = levels.map(({ above }) => above);
        expect(thresholds).toEqual(thresholds.toSorted((a, b) => b - a));
      }),
    );
  });

  test("is broken no more often than it says: traffic that is right by just too little", () => {
    // A generator of its own (a linear congruence), so that the figure is the same every time.
    let state = 7;
    const chance = () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
    let wrong = 0;
    for (let world = 0; world < 400; world += 1) {
      const samples = answers(200, () => chance() < 0.849);
      if (certifyPool(samples, promise) !== undefined) wrong += 1;
    }
    expect(wrong / 400).toBeLessThan(0.075);
    expect(wrong).toBeGreaterThan(0);
  });
});

test("what must be refused follows from how often answers are wrong", () => {
  expect(leastRefused(0.3, 0.85)).toBeCloseTo(0.15 / 0.85, 12);
  expect(leastRefused(0.1, 0.85)).toBe(0);
});

test("labels count for what they are worth together", () => {
  expect(effectiveCount([1, 1, 1])).toBe(3);
  expect(effectiveCount([0.5, 0.5])).toBe(1);
  expect(effectiveCount([50, 1])).toBeCloseTo(51 ** 2 / 2501, 12);
  expect(effectiveCount([])).toBe(0);
});
