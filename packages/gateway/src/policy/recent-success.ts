/** What is expected of a call: the chance that it fails, and what says so. */
export interface Outlook {
  /** 0 to 1. */
  readonly failing: number;
  /** Calls of late, older ones counting less: how much of the estimate is fresh. */
  readonly calls: number;
  readonly failures: number;
}

export interface Tally {
  readonly calls: number;
  readonly failures: number;
}

const hourMs = 60 * 60_000;
/**
 * What was seen an hour ago weighs no more than so many calls, however many they were: shares of failures drift, and a
 * thousand calls that ended well before are no reason to lose hundreds until they are outweighed.
 */
const heldForAnHour = 20;
/** Few calls count half after so long: most outages are over by then, and whoever is not asked is to be asked again. */
const freshHalfLifeMs = 2 * hourMs;
/** What a target is usually like. */
const usualHalfLifeMs = 7 * 24 * hourMs;
/** Before anything is known one call in fifty fails; five calls say as much as that. */
const unknownCalls = 5;
const unknownFailures = 0.1;
/** As many fresh calls weigh as much as everything before. */
const usualWeight = 10;

/**
 * How often calls to one target fail: what is usual of it, corrected by what happened of late. Two Beta distributions, of
 * which the mean of the slow one is the prior of the fast one. The slow one fades by halves, the fast one by halves and
 * the faster the more it holds. So a long good record does not hide a bad hour at any rate of calls, and a bad hour is
 * forgotten when nobody has asked since.
 */
export class RecentSuccess {
  #fresh: Tally = { calls: 0, failures: 0 };
  #usual: Tally = { calls: 0, failures: 0 };
  #atMs = 0;

  /** A call that ended. */
  note(hasFailed: boolean, nowMs: number): void {
    const one = { calls: 1, failures: hasFailed ? 1 : 0 };
    this.#fade(nowMs);
    this.#fresh = sum(this.#fresh, one);
    this.#usual = sum(this.#usual, one);
  }

  /** What is known of earlier times, such as from records: it says what is usual, not what is the case now. */
  learn(earlier: Tally, nowMs: number): void {
    this.#fade(nowMs);
    this.#usual = sum(this.#usual, earlier);
  }

  outlook(nowMs: number): Outlook {
    const sinceMs = Math.max(0, nowMs - this.#atMs);
    const fresh = scaled(this.#fresh, leftOf(this.#fresh.calls, sinceMs));
    const usual = scaled(this.#usual, 2 ** (-sinceMs / usualHalfLifeMs));
    const prior = (unknownFailures + usual.failures) / (unknownCalls + usual.calls);
    return { ...fresh, failing: (usualWeight * prior + fresh.failures) / (usualWeight + fresh.calls) };
  }

  #fade(nowMs: number): void {
    const sinceMs = Math.max(0, nowMs - this.#atMs);
    if (sinceMs === 0) return;
    this.#fresh = scaled(this.#fresh, leftOf(this.#fresh.calls, sinceMs));
    this.#usual = scaled(this.#usual, 2 ** (-sinceMs / usualHalfLifeMs));
    this.#atMs = nowMs;
  }
}

/** What earlier calls, so long ago, still say of what is usual: for `learn`, whose clock may have begun after them. */
export function fadedTally(earlier: Tally, agoMs: number): Tally {
  return scaled(earlier, 2 ** (-Math.max(0, agoMs) / usualHalfLifeMs));
}

/**
 * What is left of a count n after a time t: the solution of dn/dt = −λn − n²/K, with λ the half-life's rate and K calls
 * times an hour. The second term is that of a Kalman filter whose state drifts: its variance, 1/n, grows evenly. It does
 * not matter in how many steps it is taken.
 */
function leftOf(calls: number, sinceMs: number): number {
  const byHalves = 2 ** (-sinceMs / freshHalfLifeMs);
  const mostHeld = (heldForAnHour * hourMs * Math.LN2) / freshHalfLifeMs;
  return byHalves / (1 + (calls / mostHeld) * (1 - byHalves));
}

function sum(one: Tally, other: Tally): Tally {
  return { calls: one.calls + other.calls, failures: one.failures + other.failures };
}

function scaled({ calls, failures }: Tally, by: number): Tally {
  return { calls: calls * by, failures: failures * by };
}
