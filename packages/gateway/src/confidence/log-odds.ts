/**
 * The widest log-odds that are told apart. Up to 80 % of a model's scores are 0.9999 and more, and their order is worth
 * keeping; beyond 1 − 1e-5 single-precision log-probabilities say nothing.
 */
export const maxLogOdds = 11.5;

/**
 * Log-odds of a log-probability (natural, at most 0), clipped to ±`maxLogOdds`: lp − ln(−expm1(lp)), which is
 * ln(p ÷ (1 − p)) without ever rounding p to 1. Null, NaN and −∞ are a probability of 0: a certain "no" and what could not
 * be read are the least confident.
 */
export function logOddsOfLogProbability(logProbability: number | null): number {
  if (logProbability === null || Number.isNaN(logProbability)) return -maxLogOdds;
  if (logProbability >= 0) return maxLogOdds;
  return clipLogOdds(logProbability - Math.log(-Math.expm1(logProbability)));
}

/** Log-odds of a probability that somebody states, clipped. */
export function logOddsOf(probability: number): number {
  if (Number.isNaN(probability) || probability <= 0) return -maxLogOdds;
  if (probability >= 1) return maxLogOdds;
  return clipLogOdds(Math.log(probability) - Math.log1p(-probability));
}

/** 1 ÷ (1 + e^−x), exact at both ends. */
export function probabilityOf(logOdds: number): number {
  if (logOdds >= 0) return 1 / (1 + Math.exp(-logOdds));
  const odds = Math.exp(logOdds);
  return odds / (1 + odds);
}

/** Not a number is the least confident. */
export function clipLogOdds(logOdds: number): number {
  if (Number.isNaN(logOdds)) return -maxLogOdds;
  return Math.min(maxLogOdds, Math.max(-maxLogOdds, logOdds));
}
