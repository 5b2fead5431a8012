import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { calibrate, globalPrior } from "./calibrator.ts";
import { fitCalibrator } from "./fit-calibrator.ts";
import { probabilityOf } from "./log-odds.ts";
import type { LabelledSample } from "./platt.ts";

/** Mulberry32, so that every run sees the same. */
function chanceFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Scores from −11.5 to 11.5, right with a probability that a curve tells, beside features that say nothing. */
function world(count: number, curve: (z: number) => number, { seed = 1, noise = 0 } = {}): LabelledSample[] {
  const chance = chanceFrom(seed);
  return Array.from({ length: count }, () => {
    const z = chance() * 23 - 11.5;
    const correct = chance() < curve(z) ? 1 : 0;
    return { features: [z, ...Array.from({ length: noise }, () => 2 * chance() - 1)], correct, weight: 1 };
  });
}

const line = (z: number) => probabilityOf(0.6 * z - 1);
const stair = (z: number) => (z < -3 ? 0.1 : z < 6 ? 0.55 : 0.93);
const promises = [
  { accuracy: 0.85, delta: 0.05 },
  { accuracy: 0.999, delta: 0.05 },
];

describe("a fit", () => {
  test("of nothing is none", () => {
    expect(fitCalibrator({ samples: [] })).toBeUndefined();
    expect(fitCalibrator({ samples: [{ features: [1], correct: 1, weight: 0 }] })).toBeUndefined();
  });

  test("finds the line that answers follow, and says how good it is on answers it has not seen", () => {
    const fit = fitCalibrator({ samples: world(300, line), promises });
    if (fit === undefined) throw new Error("nothing was fitted");
    expect(fit.calibrator).toMatchObject({ kind: "platt", labels: 300 });
    for (const z of [-4, -1, 0, 2, 5]) expect(Math.abs(calibrate(fit.calibrator, [z]) - line(z))).toBeLessThan(0.08);
    expect(fit.quality).toMatchObject({ n: 300, nEff: 300 });
    expect(fit.quality.ece).toBeLessThan(fit.quality.eceFloor * 1.6);
    expect(fit.quality.auroc).toBeGreaterThan(0.9);
    expect(fit.pools).toHaveLength(1);
    expect(fit.pools[0]?.min).toBe(0.85);
    expect(fit.reference.counts.reduce((sum, count) => sum + count, 0)).toBe(300);
  });

  test("becomes a free curve where answers follow no line and 400 labels show it", () => {
    expect(fitCalibrator({ samples: world(390, stair) })?.calibrator.kind).toBe("platt");
    const fit = fitCalibrator({ samples: world(1200, stair), promises });
    expect(fit?.calibrator.kind).toBe("isotonic");
    for (const z of [-8, 1, 9]) expect(calibrate(fit?.calibrator ?? globalPrior, [z])).toBeCloseTo(stair(z), 0);
    expect(Math.abs((fit?.pools[0]?.accepted ?? 0) / 1200 - 0.26)).toBeLessThan(0.1);
  });

  test("starts from its parent", () => {
    const parent = fitCalibrator({ samples: world(900, line) })?.calibrator ?? globalPrior;
    const off = (start = globalPrior) => {
      let sum = 0;
      for (let seed = 2; seed < 12; seed += 1) {
        const fit = fitCalibrator({ samples: world(8, line, { seed }), parent: start });
        for (const z of [-4, 0, 4]) sum += Math.abs(calibrate(fit?.calibrator ?? globalPrior, [z]) - line(z));
      }
      return sum;
    };
    expect(off(parent)).toBeLessThan(off() * 0.6);
  });

  test("takes one answer that stands for fifty for one label", () => {
    const fitOf = (weight: number) => fitCalibrator({ samples: [{ features: [11], correct: 0, weight }] })?.calibrator;
    expect(fitOf(50)).toEqual(fitOf(1));
    expect(fitOf(50)?.labels).toBe(1);
  });

  test("promises nothing for scores that say nothing, even with features that labels could be fitted to", () => {
    let broken = 0;
    for (let seed = 1; seed <= 60; seed += 1) {
      const samples = world(200, () => 0.84, { seed, noise: 5 });
      if ((fitCalibrator({ samples, promises })?.pools.length ?? 0) > 0) broken += 1;
    }
    // 5 % of 60 is 3; more than 7 has a chance of 1 %.
    expect(broken).toBeLessThanOrEqual(7);
  });

  test("is a monotone calibrator for any labels", () => {
    const sample = fc.record({
      features: fc.tuple(fc.double({ min: -12, max: 12, noNaN: true })),
      correct: fc.constantFrom(0, 1, 0.5),
      weight: fc.constantFrom(0, 0.5, 1, 50),
    });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 500 }), (samples) => {
        const { calibrator = globalPrior, quality } = fitCalibrator({ samples, promises }) ?? {};
        const told = Array.from({ length: 47 }, (_, at) => calibrate(calibrator, [at / 2 - 11.5]));
        for (const [at, p] of told.entries()) expect(p).toBeGreaterThanOrEqual((told[at - 1] ?? 0) - 1e-12);
        expect(quality === undefined || Number.isFinite(quality.ece + quality.brier + quality.eceFloor)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});
