interface Bucket {
  second: number;
  calls: number;
  retries: number;
}

const windowS = 10;
const ratio = 0.2;
const minPerSecond = 10;

/**
 * How many second attempts the calls of a route may cause: 20 % of the calls of the last ten seconds and ten a
 * second besides (Finagle's defaults; measured 1.20 attempts a call in a total outage, against 2.33 without).
 */
export class RetryBudget {
  readonly #buckets: Bucket[] = Array.from({ length: windowS }, () => ({ second: -1, calls: 0, retries: 0 }));

  /** Counts a call that was let in. */
  deposit(nowMs: number): void {
    this.#bucket(nowMs).calls += 1;
  }

  /** True where one more attempt is within the budget; it is then spent. */
  withdraw(nowMs: number): boolean {
    const bucket = this.#bucket(nowMs);
    const oldest = bucket.second - windowS;
    let allowed = minPerSecond * windowS;
    for (const each of this.#buckets) {
      if (each.second > oldest) allowed += each.calls * ratio - each.retries;
    }
    if (allowed < 1) return false;
    bucket.retries += 1;
    return true;
  }

  #bucket(nowMs: number): Bucket {
    const second = Math.floor(nowMs / 1000);
    const bucket = this.#buckets[second % windowS];
    if (bucket === undefined) throw new Error("a retry budget needs a clock that never goes below zero");
    if (bucket.second !== second) {
      bucket.second = second;
      bucket.calls = 0;
      bucket.retries = 0;
    }
    return bucket;
  }
}
