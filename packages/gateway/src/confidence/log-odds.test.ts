import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clipLogOdds, logOddsOf, logOddsOfLogProbability, maxLogOdds, probabilityOf } from "./log-odds.ts";

describe("log-odds", () => {
  test("are exact where the probability would be rounded to one", () => {
    // mpmath: mp.dps = 40; p = exp(mpf("-1e-4")); log(p / (1 - p))
    expect(logOddsOfLogProbability(-1e-4)).toBeCloseTo(9.210_290_371_559_516, 12);
    expect(logOddsOfLogProbability(-1.31e-5)).toBeCloseTo(11.242_891_777_75, 12);
    expect(logOddsOfLogProbability(-0.0123)).toBeCloseTo(4.391_999_712_861_713, 12);
    expect(logOddsOfLogProbability(-3)).toBeCloseTo(-2.948_930_819_057_298, 12);
    expect(logOddsOfLogProbability(Math.log(0.5))).toBeCloseTo(0, 15);
  });

  test("end at ±11.5, and what is no probability is the least", () => {
    expect(logOddsOfLogProbability(-1e-6)).toBe(maxLogOdds);
    expect(logOddsOfLogProbability(0)).toBe(maxLogOdds);
    expect(logOddsOfLogProbability(1e-9)).toBe(maxLogOdds);
    for (const none of [null, Number.NaN, -Infinity, -800]) expect(logOddsOfLogProbability(none)).toBe(-maxLogOdds);
    for (const none of [0, -1, Number.NaN]) expect(logOddsOf(none)).toBe(-maxLogOdds);
    expect(logOddsOf(1)).toBe(maxLogOdds);
    expect(clipLogOdds(Number.NaN)).toBe(-maxLogOdds);
  });

  test("rise with the log-probability, and lead back to it", () => {
    fc.assert(
      fc.property(fc.double({ min: -11, max: -1.1e-5, noNaN: true }), (logProbability) => {
        const odds = logOddsOfLogProbability(logProbability);
        expect(probabilityOf(odds)).toBeCloseTo(Math.exp(logProbability), 12);
        expect(logOddsOf(Math.exp(logProbability))).toBeCloseTo(odds, 8);
        expect(logOddsOfLogProbability(logProbability * 0.99)).toBeGreaterThanOrEqual(odds);
      }),
    );
  });

  test("of any size are a probability", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (odds) => {
        expect(probabilityOf(odds) + probabilityOf(-odds)).toBeCloseTo(1, 12);
      }),
    );
    expect(probabilityOf(-Infinity)).toBe(0);
    expect(probabilityOf(Infinity)).toBe(1);
  });
});
