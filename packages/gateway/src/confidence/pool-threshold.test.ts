import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lowerBound } from "./clopper-pearson.ts";
import { effectiveCount } from "./effective-count.ts";
import { certifiedLevel, certifyPool, leastRefused, type ScoredSample } from "./pool-threshold.ts";

const promise = { accuracy: 0.85, delta: 0.05 };

/** So many answers from the top: the first `right` of each ten are right. */
function answers(count: number, isRight: (at: number) => boolean): ScoredSample[] {
  return Array.from({ length: count }, (_, at) => ({ score: count - at, correct: isRight(at) ? 1 : 0 }));
}

describe("a promise for the pool of accepted answers", () => {
  test("is given as far down as the labels carry it", () => {
    const certificate = certifyPool(
      answers(200, (at) => at < 120 || at % 2 === 0),
      promise,
    );
    expect(certificate?.levels[0].coverage).toBe(0.3);
    const level = certificate === undefined ? undefined : certifiedLevel(certificate);
    expect(level).toMatchObject({ coverage: 0.75, above: 50, accepted: 150, correct: 135 });
    expect(level?.lowerBound).toBe(lowerBound({ successes: 135, tries: 150 }, 0.05));
  });

  test("has a next stricter level for a time of doubt, and none beyond the strictest", () => {
    const certificate = certifyPool(
      answers(100, () => true),
      promise,
    );
    if (certificate === undefined) throw new Error("nothing was certified");
    expect(certificate.levels.map(({ coverage }) => coverage)).toEqual([0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1]);
    expect(certifiedLevel(certificate)?.above).toBe(-Number.MAX_VALUE);
    expect(certifiedLevel(certificate, 1)).toMatchObject({ coverage: 0.95, above: 5 });
    expect(certifiedLevel(certificate, 9)).toBeUndefined();
    expect(JSON.parse(JSON.stringify(certificate))).toEqual(certificate);
  });

  test("is not given by fewer than three times the labels that no error would need", () => {
    expect(
      certifyPool(
        answers(56, () => true),
        promise,
      ),
    ).toBeUndefined();
    expect(
      certifyPool(
        answers(57, () => true),
        promise,
      )?.levels,
    ).toHaveLength(1);
    // Of two tiers each may be wrong half as often: 3 · ⌈ln 0.025 ÷ ln 0.85⌉ = 69 labels.
    expect(
      certifyPool(
        answers(68, () => true),
        { ...promise, tiers: 2 },
      ),
    ).toBeUndefined();
    expect(
      certifyPool(
        answers(69, () => true),
        { ...promise, tiers: 2 },
      )?.delta,
    ).toBe(0.025);
    // Labels that are trusted half count half.
    const halves = answers(100, () => true).map((each) => ({ ...each, weight: 0.5 }));
    expect(certifyPool(halves, promise)).toBeUndefined();
  });

  test("lets answers of one score stand and fall together", () => {
    const tied = answers(200, () => true).map((each, at) => ({ ...each, score: at < 150 ? 11.5 : 1 }));
    const certificate = certifyPool(tied, promise);
    expect(certificate?.levels.map(({ accepted }) => accepted)).toEqual([150, 200]);
  });

  test("never holds a level that fails, nor one below a level that fails", () => {
    const sample = fc.record({ score: fc.integer({ min: 0, max: 30 }), correct: fc.constantFrom(0, 1, 1, 1, 1, 1) });
    fc.assert(
      fc.property(fc.array(sample, { minLength: 60, maxLength: 250 }), (samples) => {
        const certificate = certifyPool(samples, promise);
        for (const { above, lowerBound: bound } of certificate?.levels ?? []) {
          const over = samples.filter(({ score }) => score > above);
          const successes = over.filter(({ correct }) => correct === 1).length;
          expect(lowerBound({ successes, tries: over.length }, 0.05)).toBeGreaterThanOrEqual(0.85);
          expect(bound).toBeGreaterThanOrEqual(0.85);
          expect(over.length).toBeGreaterThanOrEqual(57);
        }
        const thresholds = certificate?.levels.map(({ above }) => above) ?? [];
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
