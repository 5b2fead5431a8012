/** What became of a post. */
export type PostEnd =
  | { readonly kind: "taken" }
  /** The collector will not have what it was sent, whoever sends it and when. */
  | { readonly kind: "refused"; readonly status: number }
  /** Not now: it is down, slow, busy, or does not know us. */
  | { readonly kind: "failed"; readonly why: string; readonly waitMs?: number };

/** Statuses that complain of the content; all others are cured by time, or by the operator. */
const contentStatuses: ReadonlySet<number> = new Set([400, 413, 422]);
const firstWaitMs = 1_000;
const longestWaitMs = 300_000;
/** Before a single record that is refused is set aside. */
const triesOfOne = 3;

export function endOf(status: number, retryAfterMs?: number): PostEnd {
  if (status >= 200 && status < 300) return { kind: "taken" };
  if (contentStatuses.has(status)) return { kind: "refused", status };
  const why = `the collector answered ${status}`;
  return { kind: "failed", why, ...(retryAfterMs === undefined ? {} : { waitMs: retryAfterMs }) };
}

/** What to do after a post of `records` records. `waitMs`: 0 goes on at once. */
export interface Then {
  readonly take: boolean;
  readonly aside: boolean;
  readonly waitMs: number;
}

/**
 * How the next post follows from how the last ones ended: waits that double up to five minutes, and halves of a refused
 * batch until the one record that cannot be had is alone, so that it holds up nobody. Chance is an argument.
 */
export class ForwardingPace {
  #failures = 0;
  #refusals = 0;
  /** While a record that cannot be had is looked for. */
  #most = Number.POSITIVE_INFINITY;
  readonly #longestMs: number;

  /** `longestMs`: of any wait. */
  constructor(longestMs = longestWaitMs) {
    this.#longestMs = longestMs;
  }

  /** Most records of the next post. */
  batchOf(configured: number): number {
    return Math.min(configured, this.#most);
  }

  after(end: PostEnd, records: number, chance: number): Then {
    switch (end.kind) {
      case "taken":
        this.#failures = 0;
        this.#refusals = 0;
        // Grows back by doubling: the record that was refused may be among the next.
        this.#most *= 2;
        return { take: true, aside: false, waitMs: 0 };
      case "failed":
        this.#failures += 1;
        return { take: false, aside: false, waitMs: Math.max(this.#backoffMs(chance), this.#clamp(end.waitMs ?? 0)) };
      case "refused":
        return this.#refused(records, chance);
    }
  }

  #refused(records: number, chance: number): Then {
    if (records > 1) {
      this.#most = Math.ceil(records / 2);
      return { take: false, aside: false, waitMs: 0 };
    }
    this.#refusals += 1;
    this.#failures += 1;
    if (this.#refusals < triesOfOne) return { take: false, aside: false, waitMs: this.#backoffMs(chance) };
    this.#refusals = 0;
    return { take: false, aside: true, waitMs: 0 };
  }

  /** Half of it for certain, half of it by chance. */
  #backoffMs(chance: number): number {
    const waitMs = Math.min(this.#longestMs, firstWaitMs * 2 ** Math.min(this.#failures - 1, 20));
    return Math.round(waitMs * (0.5 + 0.5 * chance));
  }

  #clamp(waitMs: number): number {
    return Math.min(this.#longestMs, Math.max(0, waitMs));
  }
}
