import { budgetPeriods, type AccountId, type Lent, type Meter, type Return, type Want } from "#domain/account";
import { openCount, type Count, type MoneyWatch } from "./count.ts";

export interface BookOptions extends MoneyWatch {
  /** How many borrow here: nobody is lent so much ahead of need that the others find nothing. */
  readonly holders: () => number;
  /** Meters that are kept; beyond it those leave that were not used lately and of which nothing is lent. */
  readonly mostMeters?: number;
}

interface Entry {
  /** As it was asked for last: what comes back may be of a worker that has not read the newest configuration yet. */
  meter: Meter;
  readonly count: Count;
  /** Since it was last looked at as one that may leave. */
  isUsed: boolean;
}

const defaultMostMeters = 200_000;
/** So many are looked at, at each that comes, to find some that may leave. */
const looksAtOnce = 16;

/**
 * The exact count of every meter, and who has been lent what of it. Time is an argument (the wall clock, ms since 1970);
 * nothing waits here, so that to look and to lend is one step.
 */
export class Book {
  readonly #options: BookOptions & Required<Pick<BookOptions, "mostMeters">>;
  /** In the order they came: what is used keeps its place, see {@link RecentlyUsed}. */
  readonly #entries = new Map<string, Entry>();
  /** Where the next one that may leave is looked for: round and round, as a clock's hand goes. */
  #hand: Iterator<[string, Entry]> | undefined;

  constructor(options: BookOptions) {
    this.#options = { mostMeters: defaultMostMeters, ...options };
  }

  get size(): number {
    return this.#entries.size;
  }

  /** All wants are met, or nothing is lent of any. The meters are different ones. */
  borrow(holder: string, wants: readonly Want[], wallMs: number): Lent {
    const counts: Count[] = [];
    for (const { meter, need } of wants) {
      const count = this.#countOf(meter, wallMs);
      this.#revise(meter, count);
      counts.push(count);
      const free = count.free(meter.limit, wallMs);
      if (need <= free || meter.soft === true) continue;
      const resetMs = count.resetMs(need, meter.limit, wallMs);
      return { kind: "denied", meter, remaining: Math.max(0, free), ...(resetMs === undefined ? {} : { resetMs }) };
    }
    const parts = 2 * Math.max(1, this.#options.holders());
    const amounts = wants.map(({ meter, need, like }, index) => {
      const count = counts[index];
      const beyond = Math.max(0, (count?.free(meter.limit, wallMs) ?? 0) - need);
      const extra = meter.soft === true ? like : Math.min(like, Math.floor(beyond / parts));
      // In whole calls like this one: what is less than a call lies about for nobody.
      const amount = need + (need === 0 ? extra : Math.floor(extra / need) * need);
      count?.lend(holder, amount, wallMs);
      return amount;
    });
    const left = wants.map(({ meter }, index) => Math.max(0, counts[index]?.free(meter.limit, wallMs) ?? 0));
    return { kind: "lent", amounts, left };
  }

  giveBack(holder: string, returns: readonly Return[], wallMs: number): void {
    for (const each of returns) this.#countOf(each.meter, wallMs).take(holder, each, wallMs);
  }

  /** Money that was paid and that nobody reported, or (below zero) that was taken for paid and was not. */
  note(meter: Meter, spentNanoUsd: number, wallMs: number): void {
    this.#countOf(meter, wallMs).take("", { back: -spentNanoUsd, spent: spentNanoUsd }, wallMs);
  }

  /** The same in all budgets of an account that are counted here. Others will read it in the ledger. */
  noteFor(account: AccountId, spentNanoUsd: number, wallMs: number): void {
    for (const period of budgetPeriods) {
      for (const id of [`${account} usd/${period}`, `${account} usd/${period} soft`]) {
        const entry = this.#entries.get(id);
        entry?.count.take("", { back: -spentNanoUsd, spent: spentNanoUsd }, wallMs);
      }
    }
  }

  /** Whoever else may have some of these that it does not use. */
  othersWith(holder: string, meters: readonly Meter[], wallMs: number): readonly string[] {
    const others = new Set<string>();
    for (const { id } of meters) {
      for (const each of this.#entries.get(id)?.count.holders(wallMs) ?? []) others.add(each);
    }
    others.delete(holder);
    return [...others];
  }

  /**
   * The holder is gone: its slots are free at once, its rates run out by themselves. Its money is free as well; how much
   * of that it may have spent unreported is returned, for whoever knows better.
   */
  drop(holder: string): ReadonlyMap<Meter, number> {
    const lost = new Map<Meter, number>();
    for (const { meter, count } of this.#entries.values()) {
      const had = count.drop(holder);
      if (had !== 0) lost.set(meter, had);
    }
    return lost;
  }

  /** What is left of a meter for anybody, of its unit. */
  free(meter: Meter, wallMs: number): number {
    return this.#countOf(meter, wallMs).free(meter.limit, wallMs);
  }

  #revise(meter: Meter, count: Count): void {
    const entry = this.#entries.get(meter.id);
    if (entry !== undefined) entry.meter = meter;
    count.revise?.(meter);
  }

  #countOf(meter: Meter, wallMs: number): Count {
    const found = this.#entries.get(meter.id);
    if (found !== undefined) {
      found.isUsed = true;
      return found.count;
    }
    if (this.#entries.size >= this.#options.mostMeters) this.#forget(wallMs);
    const count = openCount(meter, this.#options);
    this.#entries.set(meter.id, { meter, count, isUsed: true });
    return count;
  }

  /** Second chance: who was used since the hand came by last stays, once. */
  #forget(wallMs: number): void {
    for (let looked = 0; looked < looksAtOnce && this.#entries.size >= this.#options.mostMeters; looked += 1) {
      const next = (this.#hand ??= this.#entries.entries()).next();
      if (next.done === true) {
        this.#hand = undefined;
        continue;
      }
      const [id, entry] = next.value;
      if (!entry.isUsed && entry.count.isIdle(wallMs)) this.#entries.delete(id);
      entry.isUsed = false;
    }
  }
}
