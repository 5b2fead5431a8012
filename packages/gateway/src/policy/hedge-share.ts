interface Bucket {
  slot: number;
  calls: number;
  hedges: number;
}

const slots = 30;
const slotMs = 10_000;

/**
 * How many second attempts a route's calls may have while the first are still waited for: a share of the calls of the
 * last five minutes, as Finagle's backup requests have it, without a minimum. At two of a hundred, the first comes after
 * fifty calls. Bounded; time is an argument.
 */
export class HedgeShare {
  readonly #buckets: Bucket[] = Array.from({ length: slots }, () => ({ slot: -1, calls: 0, hedges: 0 }));

  called(nowMs: number): void {
    this.#bucket(nowMs).calls += 1;
  }

  /** True where one more is within the share, 0 to 1; it is then spent. */
  withdraw(share: number, nowMs: number): boolean {
    const bucket = this.#bucket(nowMs);
    const oldest = bucket.slot - slots;
    let calls = 0;
    let hedges = 0;
    for (const each of this.#buckets) {
      if (each.slot <= oldest) continue;
      calls += each.calls;
      hedges += each.hedges;
    }
    // A whole number of thousandths would be lost to rounding at a share such as 0.02.
    if (hedges + 1 > calls * share + 1e-9) return false;
    bucket.hedges += 1;
    return true;
  }

  #bucket(nowMs: number): Bucket {
    const slot = Math.floor(nowMs / slotMs);
    const bucket = this.#buckets[slot % slots];
    if (bucket === undefined) throw new Error("a share of hedges needs a clock that never goes below zero");
    if (bucket.slot !== slot) {
      bucket.slot = slot;
      bucket.calls = 0;
      bucket.hedges = 0;
    }
    return bucket;
  }
}
