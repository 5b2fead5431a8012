import type { PoolCertificate } from "#domain/calibration";
import { labelsWithoutError, lowerBound } from "./clopper-pearson.ts";
import { effectiveCount } from "./effective-count.ts";

/** An answer with a verdict, and the score that decides whether it is accepted. */
export interface ScoredSample {
  /** Any order; usually the raw score in log-odds. Its rule must not have been fitted on these very labels. */
  readonly score: number;
  readonly correct: number;
  /** 1 where absent. */
  readonly weight?: number;
}

/** "Of all answers accepted, at least `accuracy` are right, `1 − delta` sure, as long as traffic looks like the labels." */
export interface PoolPromise {
  /** Between 0 and 1. */
  readonly accuracy: number;
  /** Chance that the promise is wrong: for all tiers of a route together. */
  readonly delta: number;
  /** Tiers of the route that accept by a certificate: each may be wrong with delta ÷ tiers. 1 where absent. */
  readonly tiers?: number;
}

/** A threshold at which the promise was tested and kept. */
export interface PoolLevel {
  /** Share of the calibration answers, of the preset grid: 0.05, 0.1, … 1. */
  readonly coverage: number;
  /** Accepted is what scores more than this; −∞ accepts everything. */
  readonly above: number;
  /** Labels over the threshold, effective number, and how many of them are right. */
  readonly accepted: number;
  readonly correct: number;
  /** Accuracy of the accepted that is certain but for delta, by Clopper and Pearson. */
  readonly lowerBound: number;
}

const gridSteps = 20;

/**
 * The thresholds that keep a promise, the strictest first: fixed-sequence testing (as Jung et al. 2024, "Trust or Escalate")
 * over a grid of coverages fixed beforehand, from the strictest with enough labels down, each tested by Clopper and Pearson
 * at delta ÷ tiers, stopping at the first that fails. The sequence does not depend on the labels, hence no correction.
 *
 * A level's threshold is the score of the next answer below it, which is itself not counted: given that score, the answers
 * above are a fair sample of all that will be accepted. With whole labels of weight 1 the promise is exact; with weights it
 * holds for the effective number, approximately. Answers of one score stand and fall together.
 *
 * The first level has three times as many labels as a promise without any error needs, so that one unlucky error does not
 * end the sequence. Empty: no level keeps the promise, or there are too few labels; nothing may then be accepted.
 */
export function certifiedLevels(samples: readonly ScoredSample[], promise: PoolPromise): readonly PoolLevel[] {
  const delta = spentDelta(promise);
  const fewest = 3 * labelsWithoutError(promise.accuracy, delta);
  const sorted = samples.toSorted((a, b) => b.score - a.score);
  const levels: PoolLevel[] = [];
  let last = 0;
  for (let step = 1; step <= gridSteps; step += 1) {
    const above = sorted[Math.ceil((step * sorted.length) / gridSteps)]?.score ?? -Infinity;
    const over = sorted.filter(({ score }) => score > above);
    const { accepted, correct } = tally(over);
    if (accepted < fewest || over.length === last) continue;
    last = over.length;
    const bound = lowerBound({ successes: correct, tries: accepted }, delta);
    if (bound < promise.accuracy) break;
    levels.push({ coverage: step / gridSteps, above, accepted, correct, lowerBound: bound });
  }
  return levels;
}

/**
 * The certificate for the lowest certified threshold, where scores are calibrated probabilities; undefined where there is
 * none. Its threshold is the next number after `above`, because certificates say "at or above".
 */
export function certifyPool(samples: readonly ScoredSample[], promise: PoolPromise): PoolCertificate | undefined {
  const level = certifiedLevels(samples, promise).at(-1);
  if (level === undefined) return undefined;
  const { above, accepted, correct, lowerBound: accuracyLowerBound } = level;
  const threshold = Math.max(0, above * (1 + Number.EPSILON));
  return { min: promise.accuracy, delta: promise.delta, threshold, accuracyLowerBound, accepted, correct };
}

function spentDelta({ accuracy, delta, tiers = 1 }: PoolPromise): number {
  if (!(accuracy > 0 && accuracy < 1 && delta > 0 && delta < 1 && tiers >= 1)) {
    throw new RangeError(`a promise is an accuracy and a delta between 0 and 1, not ${accuracy} and ${delta}`);
  }
  return delta / tiers;
}

/**
 * The share of traffic that any gate must refuse to keep a promise, where answers are wrong so often: (errors − allowed) ÷
 * (1 − allowed), with allowed = 1 − accuracy. For an operator to see before a route is built.
 */
export function leastRefused(errorRate: number, accuracy: number): number {
  const allowed = 1 - accuracy;
  return Math.max(0, (errorRate - allowed) / (1 - allowed));
}

function tally(over: readonly ScoredSample[]): { accepted: number; correct: number } {
  let [sum, right] = [0, 0];
  for (const { correct, weight = 1 } of over) {
    sum += weight;
    right += weight * Math.min(1, Math.max(0, correct));
  }
  const accepted = effectiveCount(over.map(({ weight = 1 }) => weight));
  return { accepted, correct: sum === 0 ? 0 : Math.min(accepted, (right / sum) * accepted) };
}
