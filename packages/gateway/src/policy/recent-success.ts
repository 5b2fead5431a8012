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

/** An hour old counts half: most outages are over in two, and a pool that was short at noon may not be at night. */
const freshHalfLifeMs = 60 * 60_000;
/** What a target is usually like. */
const usualHalfLifeMs = 7 * 24 * 60 * 60_000;
/** Before anything is known one call in fifty fails; five calls say as much as that. */
const unknownCalls = 5;
const unknownFailures = 0.1;
/** As many fresh calls weigh as much as everything before. */
const usualWeight = 10;

/**
 * How often calls to one target fail: what is usual of it, corrected by what happened of late. Two Beta distributions, of
 * which the mean of the slow one is the prior of the fast one; old counts fade by halves. So a long good record does not
 * hide a bad hour, and a bad hour is forgotten when nobody has asked since.
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
    const fresh = scaled(this.#fresh, 2 ** (-sinceMs / freshHalfLifeMs));
    const usual = scaled(this.#usual, 2 ** (-sinceMs / usualHalfLifeMs));
    const prior = (unknownFailures + usual.failures) / (unknownCalls + usual.calls);
    return { ...fresh, failing: (usualWeight * prior + fresh.failures) / (usualWeight + fresh.calls) };
  }

  #fade(nowMs: number): void {
    const sinceMs = Math.max(0, nowMs - this.#atMs);
    if (sinceMs === 0) return;
    this.#fresh = scaled(this.#fresh, 2 ** (-sinceMs / freshHalfLifeMs));
    this.#usual = scaled(this.#usual, 2 ** (-sinceMs / usualHalfLifeMs));
    this.#atMs = nowMs;
  }
}

function sum(one: Tally, other: Tally): Tally {
  return { calls: one.calls + other.calls, failures: one.failures + other.failures };
}

function scaled({ calls, failures }: Tally, by: number): Tally {
  return { calls: calls * by, failures: failures * by };
}
