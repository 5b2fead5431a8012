import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CalibrationEntry, CalibrationSet } from "#domain/calibration";
import { defaultConfidence, type CalibrationKey, type ConfidenceRule } from "#domain/confidence";
import { judgeAnswer, judgeAtBest, type GateInput } from "./gate.ts";
import { logOddsOf, probabilityOf } from "./log-odds.ts";
import type { Scored } from "./score.ts";

const key: CalibrationKey = { tenant: "", route: "main", model: "v/m", tier: 0, shape: "label", signals: "logprobs" };

const scored = (logOdds: number): Scored => ({
  raw: probabilityOf(logOdds),
  features: [logOdds],
  signals: "logprobs",
});

/** Says of a score what it says. */
function entry(more: Partial<CalibrationEntry> = {}): CalibrationEntry {
  return {
    key,
    calibrator: { kind: "platt", logistic: { intercept: 0, slopes: [1], hinge: 0 }, labels: 500 },
    quality: { n: 500, nEff: 480, ece: 0.03, eceFloor: 0.02, brier: 0.1 },
    pools: [],
    reference: { edges: [], counts: [500] },
    state: "ok",
    fittedAt: "2026-11-01T00:00:00.000Z",
    ...more,
  };
}

const setOf = (...entries: readonly CalibrationEntry[]): CalibrationSet => ({ version: "c1", entries });
const pool = { min: 0.85, delta: 0.05, threshold: 0.7, accuracyLowerBound: 0.87, accepted: 200, correct: 185 };

function judge(logOdds: number | null, rule: Partial<ConfidenceRule> = {}, more: Partial<GateInput> = {}) {
  return judgeAnswer({
    scored: logOdds === null ? { raw: null, features: [], signals: "none" } : scored(logOdds),
    rule: { ...defaultConfidence, ...rule },
    key,
    calibrations: setOf(entry()),
    irreversible: false,
    ...more,
  });
}

const at = (probability: number): number => logOddsOf(probability);

describe("The gate", () => {
  it("accepts what reaches the least confidence, and names what it went by", () => {
    expect(judge(at(0.86))).toMatchObject({
      score: expect.closeTo(0.86, 6) as number,
      verdict: "accepted",
      threshold: 0.85,
      calibration: { state: "own", n: 500, ece: 0.03, version: "c1" },
    });
    expect(judge(at(0.84))).toMatchObject({ verdict: "doubted", why: "0.84 is below 0.85" });
  });

  it("goes by the prior where nothing is calibrated, as the rule says", () => {
    const none = { calibrations: undefined };
    expect(judge(at(0.9), {}, none)).toMatchObject({
      verdict: "doubted",
      calibration: { state: "prior", n: 0, version: "prior" },
    });
    expect(judge(at(0.9999), {}, none)).toMatchObject({ verdict: "accepted" });
    expect(judge(at(0.9999), { uncalibrated: "strict" }, none)).toMatchObject({ verdict: "doubted" });
    expect(judge(at(0.9), { uncalibrated: "observe" }, none)).toMatchObject({ verdict: "observed" });
    const parent = { calibrations: setOf(entry({ key: { shape: "label", signals: "logprobs" } })) };
    expect(judge(at(0.9), {}, parent)).toMatchObject({ verdict: "accepted", calibration: { state: "parent" } });
    expect(judge(at(0.9), { uncalibrated: "strict" }, parent)).toMatchObject({ verdict: "doubted" });
  });

  it("has no score without a signal, and lets it pass only to observe", () => {
    expect(judge(null)).toMatchObject({ score: null, raw: null, verdict: "doubted", estimator: "none" });
    const none = { calibrations: undefined };
    expect(judge(null, { uncalibrated: "observe" }, none)).toMatchObject({ score: null, verdict: "observed" });
    expect(judge(null, { min: 0 })).toMatchObject({ score: null, verdict: "doubted" });
  });

  it("doubts what failed a hard gate whatever else there is", () => {
    const gate = { rule: "refusal" as const, why: "it refuses" };
    const judged = judge(at(0.99), { min: 0, uncalibrated: "observe" }, { gate, calibrations: undefined });
    expect(judged).toMatchObject({ score: 0, raw: 0, estimator: "gate", verdict: "doubted", why: "it refuses" });
  });

  it("takes a caller's own check at its word", () => {
    const word = (correct: number): Partial<GateInput> => ({
      scored: { raw: correct, features: [logOddsOf(correct)], signals: "verifier" },
      calibrations: undefined,
    });
    expect(judge(0, { mode: "pool" }, word(1))).toMatchObject({ score: 1, verdict: "accepted" });
    expect(judge(0, { uncalibrated: "strict" }, word(0.9))).toMatchObject({ score: 0.9, verdict: "accepted" });
    expect(judge(0, {}, word(0))).toMatchObject({ score: 0, verdict: "doubted" });
  });

  it("promises for a pool what is certified for it, and doubts where nothing is", () => {
    const certified = { calibrations: setOf(entry({ pools: [pool] })) };
    expect(judge(at(0.71), { mode: "pool" }, certified)).toMatchObject({
      verdict: "accepted",
      threshold: 0.7,
      calibration: { guarantee: { accuracyLowerBound: 0.87, delta: 0.05 } },
    });
    expect(judge(at(0.69), { mode: "pool" }, certified)).toMatchObject({ verdict: "doubted" });
    expect(judge(at(0.99), { mode: "pool", min: 0.9 }, certified)).toMatchObject({ verdict: "doubted" });
    expect(judge(at(0.99), { mode: "pool", delta: 0.01 }, certified)).toMatchObject({ verdict: "doubted" });
    expect(judge(at(0.99), { mode: "pool" })).toMatchObject({ verdict: "doubted" });
    expect(judge(at(0.99), { mode: "pool", uncalibrated: "observe" })).toMatchObject({ verdict: "observed" });
    // Another's certificate is nobody else's promise.
    const parent = { calibrations: setOf(entry({ key: { shape: "label", signals: "logprobs" }, pools: [pool] })) };
    expect(judge(at(0.99), { mode: "pool" }, parent)).toMatchObject({ verdict: "doubted" });
  });

  it("promises nothing and asks for more while scores drift", () => {
    const drifting = { calibrations: setOf(entry({ state: "drift", pools: [pool] })) };
    expect(judge(at(0.88), {}, drifting)).toMatchObject({
      verdict: "doubted",
      threshold: 0.9,
      calibration: { state: "drift" },
    });
    expect(judge(at(0.91), {}, drifting)).toMatchObject({ verdict: "accepted" });
    expect(judge(at(0.99), { mode: "pool" }, drifting)).toMatchObject({ verdict: "doubted" });
    expect(judge(at(0.91), { min: 0.87 }, drifting)).toMatchObject({ threshold: 0.9 });
    expect(judge(at(0.91), { min: 0.99 }, drifting)).toMatchObject({ threshold: 1 });
  });

  it("wants a certificate and 0.95 for what cannot be undone, whatever the rule says", () => {
    const strictest = { ...pool, min: 0.95, threshold: 0.8 };
    const certified: Partial<GateInput> = {
      irreversible: true,
      calibrations: setOf(entry({ pools: [pool, strictest] })),
    };
    expect(judge(at(0.96), { min: 0.5 }, certified)).toMatchObject({ verdict: "accepted", threshold: 0.95 });
    expect(judge(at(0.94), { min: 0.5 }, certified)).toMatchObject({ verdict: "doubted" });
    const uncertified: Partial<GateInput> = { irreversible: true };
    expect(judge(at(0.99), { min: 0.5, uncalibrated: "observe" }, uncertified)).toMatchObject({ verdict: "doubted" });
    const none: Partial<GateInput> = { irreversible: true, calibrations: undefined };
    expect(judge(at(0.9999), { uncalibrated: "observe" }, none)).toMatchObject({ verdict: "doubted" });
  });

  it("never accepts less than the threshold it names, nor by a higher score doubts what it accepted", () => {
    const rules = fc.record({
      min: fc.double({ min: 0, max: 1, noNaN: true }),
      mode: fc.constantFrom("per_answer" as const, "pool" as const),
      uncalibrated: fc.constantFrom("conservative" as const, "observe" as const, "strict" as const),
    });
    const sets = fc.constantFrom(
      undefined,
      setOf(entry()),
      setOf(entry({ pools: [pool] })),
      setOf(entry({ state: "drift" })),
    );
    const odds = fc.double({ min: -12, max: 12, noNaN: true });
    fc.assert(
      fc.property(rules, sets, fc.tuple(odds, odds), (rule, calibrations, [one, other]) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        const lower = judge(low, rule, { calibrations });
        const higher = judge(high, rule, { calibrations });
        if (lower.verdict === "accepted") {
          expect(lower.score).toBeGreaterThanOrEqual(lower.threshold);
          expect(higher.verdict).toBe("accepted");
        }
      }),
    );
  });

  it("knows at best what an answer can still become", () => {
    const input = { rule: defaultConfidence, key, calibrations: setOf(entry()), irreversible: false };
    fc.assert(
      fc.property(
        fc.double({ min: -11, max: 11, noNaN: true }),
        fc.double({ min: 0, max: 5, noNaN: true }),
        (most, less) => {
          const best = judgeAtBest(input, most, "logprobs");
          if (best?.verdict === "doubted") expect(judge(most - less).verdict).toBe("doubted");
        },
      ),
    );
    const falling = entry({
      calibrator: { kind: "platt", logistic: { intercept: 0, slopes: [-1], hinge: 0 }, labels: 500 },
    });
    expect(judgeAtBest({ ...input, calibrations: setOf(falling) }, -5, "logprobs")).toBeUndefined();
    const several = entry({
      calibrator: { kind: "platt", logistic: { intercept: 0, slopes: [1, -2], hinge: 0 }, labels: 500 },
    });
    // A second feature may make up for a low first one.
    expect(judgeAtBest({ ...input, calibrations: setOf(several) }, -5, "logprobs")).toMatchObject({
      verdict: "accepted",
    });
  });
});
