import type { Calibrator, Logistic, Steps } from "#domain/calibration";
import { clipLogOdds, probabilityOf } from "./log-odds.ts";

export type { Calibrator, Logistic, Steps } from "#domain/calibration";

/**
 * Raw scores above this are bent: most answers of strong models are surer than 0.98, and how much surer says less per unit
 * of log-odds than below (45 to 90 % of GPT-4o's stored scores are 0.9999 and more).
 */
export const hingeAt = 4;

/**
 * What is believed of a score nobody has labels for: p = sigmoid(0.28 · log-odds), so that 0.85 takes a raw score of 0.998.
 * Between what two sets of stored answers say: nine models on four sets of questions 0.25 to 0.3, whichever set is left out,
 * and seven models on three sets 0.32 to 0.4. On the latter it errs by 0.096 (ECE), where the raw score errs by 0.119.
 */
export const globalPrior: Calibrator = {
  kind: "prior",
  logistic: { intercept: 0, slopes: [0.28], hinge: 0 },
  labels: 0,
};

/**
 * Labels that the global prior counts for in the cap: at the highest raw score it says 0.962, which is 1 − 1/(25 + 2). So ten
 * labels of one's own do not allow less than none.
 */
const priorLabels = 25;

/** The highest probability that so many labels can support: 1 − 1 ÷ (n + 2), Laplace's rule after n successes in n. */
export function highestProbability(labels: number): number {
  return 1 - 1 / (Math.max(priorLabels, labels) + 2);
}

/**
 * The linear part's value, in log-odds and unbounded. Features are log-odds or numbers of that size; what is not a number
 * counts as the least confident. More features than slopes: the rest says nothing to this calibrator.
 *
 * @throws RangeError where a feature is missing: the calibrator was chosen for other signals, which is a bug.
 */
export function logisticScore({ intercept, slopes, hinge }: Logistic, features: readonly number[]): number {
  if (features.length < slopes.length) {
    throw new RangeError(`the calibrator wants ${slopes.length} features and got ${features.length}`);
  }
  let sum = intercept;
  for (const [at, slope] of slopes.entries()) sum += slope * clipLogOdds(features[at] ?? 0);
  return sum + hinge * Math.max(0, clipLogOdds(features[0] ?? 0) - hingeAt);
}

/**
 * The calibrated probability that an answer is acceptable, 0 to 1. Never above `highestProbability` of the labels behind
 * it. Microseconds: made for the request path.
 *
 * @throws RangeError where a feature is missing.
 */
export function calibrate(calibrator: Calibrator, features: readonly number[]): number {
  const score = logisticScore(calibrator.logistic, features);
  const probability = calibrator.kind === "isotonic" ? interpolate(calibrator.steps, score) : probabilityOf(score);
  return Math.min(probability, highestProbability(calibrator.labels));
}

/** Linear between the points, flat outside (as scikit-learn's IsotonicRegression with `out_of_bounds="clip"`). */
export function interpolate({ logOdds, probabilities }: Steps, at: number): number {
  let low = 0;
  let high = logOdds.length - 1;
  const [first = 0] = probabilities;
  if (!(at > (logOdds[0] ?? Infinity))) return first;
  if (at >= (logOdds[high] ?? -Infinity)) return probabilities[high] ?? first;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((logOdds[middle] ?? 0) <= at) low = middle;
    else high = middle;
  }
  const [fromX, toX] = [logOdds[low] ?? 0, logOdds[high] ?? 0];
  const [fromY, toY] = [probabilities[low] ?? 0, probabilities[high] ?? 0];
  return fromY + ((toY - fromY) * (at - fromX)) / (toX - fromX);
}
