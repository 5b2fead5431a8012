import type { RateLimit } from "#domain/rate-limit";

interface Kept {
  limit: RateLimit;
  untilMs: number;
  /** Calls sent since it was told. */
  sent: number;
}

const maxLimits = 8;

/** What is left of the limits of a credential for one model, as its last answers told. */
export class Headroom {
  readonly #kept: Kept[] = [];

  /** A later word replaces an earlier one of the same limit. */
  learn(limits: readonly RateLimit[], nowMs: number): void {
    for (const limit of limits) {
      const untilMs = nowMs + limit.resetMs;
      const known = this.#kept.find((each) => each.limit.name === limit.name);
      if (known !== undefined) Object.assign(known, { limit, untilMs, sent: 0 });
      else if (this.#kept.length < maxLimits) this.#kept.push({ limit, untilMs, sent: 0 });
    }
  }

  sent(): void {
    for (const each of this.#kept) each.sent += 1;
  }

  /** Until when it is known to have nothing left; 0 where it is not known. */
  emptyUntilMs(nowMs: number): number {
    let latestMs = 0;
    for (const each of this.#kept)
      if (each.untilMs > nowMs && leftOf(each) <= 0) latestMs = Math.max(latestMs, each.untilMs);
    return latestMs;
  }

  /** Only until `untilMs`: heard from another worker. */
  emptyTill(untilMs: number, nowMs: number): void {
    if (untilMs <= this.emptyUntilMs(nowMs)) return;
    this.learn([{ name: "requests", remaining: 0, resetMs: untilMs - nowMs }], nowMs);
  }

  /** What is left now, for people; limits whose reset has passed are left out. */
  left(nowMs: number): readonly RateLimit[] {
    return this.#kept.filter(({ untilMs }) => untilMs > nowMs).map((each) => stateOf(each, nowMs));
  }
}

/** Of requests those sent since are gone; how many tokens they took is known when they are answered. */
function leftOf({ limit, sent }: Kept): number {
  return limit.name.startsWith("requests") ? limit.remaining - sent : limit.remaining;
}

function stateOf(kept: Kept, nowMs: number): RateLimit {
  return { ...kept.limit, remaining: Math.max(0, leftOf(kept)), resetMs: kept.untilMs - nowMs };
}
