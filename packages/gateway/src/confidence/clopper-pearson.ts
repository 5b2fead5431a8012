import { inverseIncompleteBeta } from "./beta-distribution.ts";

/** Successes among tries. Weighted labels may make either a fraction; with whole numbers the bounds are exact. */
export interface Tally {
  readonly successes: number;
  readonly tries: number;
}

/**
 * The exact lower bound of a success rate (Clopper and Pearson 1934): where the rate is lower, as many successes or more
 * come with a probability below `delta`. That is the `delta` quantile of Beta(k, n − k + 1); 0 without successes.
 *
 * @param delta chance to be wrong, between 0 and 1
 */
export function lowerBound({ successes, tries }: Tally, delta: number): number {
  requireTally({ successes, tries }, delta);
  if (successes === 0) return 0;
  return inverseIncompleteBeta(delta, successes, tries - successes + 1);
}

/** The exact upper bound, likewise: the 1 − `delta` quantile of Beta(k + 1, n − k); 1 without failures. */
export function upperBound({ successes, tries }: Tally, delta: number): number {
  requireTally({ successes, tries }, delta);
  // Of failures, so that a tiny delta is not lost in 1 − delta.
  return 1 - lowerBound({ successes: tries - successes, tries }, delta);
}

/**
 * Labels without one error from which `rate` can be promised with a chance `delta` to be wrong: ln delta ÷ ln rate, rounded
 * up. 85 / 90 / 95 % at 0.05 take 19 / 29 / 59.
 */
export function labelsWithoutError(rate: number, delta: number): number {
  return Math.ceil(Math.log(delta) / Math.log(rate));
}

function requireTally({ successes, tries }: Tally, delta: number): void {
  if (!(successes >= 0 && successes <= tries)) throw new RangeError(`${successes} successes in ${tries} tries`);
  if (!(delta > 0 && delta < 1)) throw new RangeError(`delta is between 0 and 1, not ${delta}`);
}
