import type { Meter } from "#domain/account";
import { periodAt } from "./budget-period.ts";
import { loanSeconds, MinuteWindow } from "./minute-window.ts";

/** What is counted of one meter, for all holders together. Times are the wall clock's. */
export interface Count {
  /** A reload may have changed its limit, or who is told when. */
  revise?(meter: Meter): void;
  /** Units nobody has; may be below zero where more was used than was taken. */
  free(limit: number, wallMs: number): number;
  lend(holder: string, units: number, wallMs: number): void;
  /** Of what the holder had: `back` is free again, `spent` is gone. */
  take(
    holder: string,
    what: { readonly back: number; readonly spent: number; readonly atS?: number },
    wallMs: number,
  ): void;
  /** The holder is gone. What it had and did not report is returned: money that may have been spent. */
  drop(holder: string): number;
  /** Who may have some that it does not use. */
  holders(wallMs: number): readonly string[];
  /** Nothing is lost where it is forgotten: nothing is lent, and no minute would be counted anew. */
  isIdle(wallMs: number): boolean;
  /** Until `units` are free, ms; undefined where no time helps, or nobody knows. */
  resetMs(units: number, limit: number, wallMs: number): number | undefined;
}

export interface MoneyWatch {
  /** What the ledger says was spent of a budget since this moment (ms since 1970), nano-dollars. Asked once for each. */
  readonly spentBefore: (meter: Meter, sinceMs: number) => number;
  /** Told whenever more is spent of a budget: how much it was in its period before and after, nano-dollars. */
  readonly onSpent?: (meter: Meter, beforeNanoUsd: number, afterNanoUsd: number) => void;
}

export function openCount(meter: Meter, watch: MoneyWatch): Count {
  switch (meter.unit) {
    case "requests":
    case "tokens":
      return new Rate();
    case "slots":
      return new Slots();
    case "money":
      return new Money(meter, watch);
  }
}

/** Units of a rate are counted when they are lent and not followed any further. */
class Rate implements Count {
  readonly #window = new MinuteWindow();
  /** Who borrowed lately: asked to give back what it has not used. */
  readonly #borrowers = new Map<string, number>();

  free(limit: number, wallMs: number): number {
    return limit - this.#window.used(second(wallMs));
  }

  lend(holder: string, units: number, wallMs: number): void {
    this.#window.add(units, second(wallMs));
    this.#borrowers.set(holder, second(wallMs));
  }

  take(
    _holder: string,
    what: { readonly back: number; readonly spent: number; readonly atS?: number },
    wallMs: number,
  ): void {
    const nowS = second(wallMs);
    if (what.back > 0) this.#window.takeBack(what.back, nowS);
    if (what.spent > 0) this.#window.add(what.spent, nowS);
    if (what.spent < 0) this.#window.lessAt(-what.spent, what.atS ?? nowS, nowS);
  }

  drop(holder: string): number {
    this.#borrowers.delete(holder);
    return 0;
  }

  holders(wallMs: number): readonly string[] {
    const usableS = second(wallMs) - loanSeconds;
    return [...this.#borrowers].flatMap(([holder, atS]) => (atS >= usableS ? [holder] : []));
  }

  isIdle(wallMs: number): boolean {
    return this.#window.used(second(wallMs)) <= 0;
  }

  resetMs(units: number, limit: number, wallMs: number): number | undefined {
    const seconds = this.#window.secondsUntil(units, limit, second(wallMs));
    return seconds === undefined ? undefined : seconds * 1000 - (wallMs % 1000);
  }
}

/** What each holder has of something that is counted out and in. */
class Loans {
  readonly #byHolder = new Map<string, number>();
  total = 0;

  change(holder: string, by: number): void {
    const now = (this.#byHolder.get(holder) ?? 0) + by;
    if (now === 0) this.#byHolder.delete(holder);
    else this.#byHolder.set(holder, now);
    this.total += by;
  }

  of(holder: string): number {
    return this.#byHolder.get(holder) ?? 0;
  }

  get none(): boolean {
    return this.#byHolder.size === 0;
  }

  holders(): readonly string[] {
    return [...this.#byHolder.keys()];
  }
}

class Slots implements Count {
  readonly #loans = new Loans();

  free(limit: number): number {
    return limit - this.#loans.total;
  }

  lend(holder: string, units: number): void {
    this.#loans.change(holder, units);
  }

  take(holder: string, what: { readonly back: number; readonly spent: number }): void {
    this.#loans.change(holder, -what.back - what.spent);
  }

  drop(holder: string): number {
    this.#loans.change(holder, -this.#loans.of(holder));
    return 0;
  }

  holders(): readonly string[] {
    return this.#loans.holders();
  }

  isIdle(): boolean {
    return this.#loans.none;
  }

  resetMs(): undefined {
    return undefined;
  }
}

/** Loans outlive a period's end: they count against the one in which they are spent. */
class Money implements Count {
  #meter: Meter;
  readonly #watch: MoneyWatch;
  readonly #loans = new Loans();
  #startMs = Number.NaN;
  #endMs = Number.NEGATIVE_INFINITY;
  #spent = 0;

  constructor(meter: Meter, watch: MoneyWatch) {
    this.#meter = meter;
    this.#watch = watch;
  }

  revise(meter: Meter): void {
    this.#meter = meter;
  }

  free(limit: number, wallMs: number): number {
    this.#moveTo(wallMs);
    return limit - this.#spent - this.#loans.total;
  }

  lend(holder: string, units: number, wallMs: number): void {
    this.#moveTo(wallMs);
    this.#loans.change(holder, units);
  }

  take(holder: string, what: { readonly back: number; readonly spent: number }, wallMs: number): void {
    this.#moveTo(wallMs);
    this.#loans.change(holder, -what.back - what.spent);
    const before = this.#spent;
    this.#spent += what.spent;
    if (what.spent > 0) this.#watch.onSpent?.(this.#meter, before, this.#spent);
  }

  drop(holder: string): number {
    const had = this.#loans.of(holder);
    this.#loans.change(holder, -had);
    return had;
  }

  holders(): readonly string[] {
    return this.#loans.holders();
  }

  isIdle(): boolean {
    return this.#loans.none;
  }

  resetMs(_units: number, _limit: number, wallMs: number): number | undefined {
    this.#moveTo(wallMs);
    return Number.isFinite(this.#endMs) ? this.#endMs - wallMs : undefined;
  }

  #moveTo(wallMs: number): void {
    if (wallMs < this.#endMs && wallMs >= this.#startMs) return;
    // A clock that was set back a little stays in the later period: money that was spent is not forgotten.
    if (wallMs < this.#startMs) return;
    const isFirst = Number.isNaN(this.#startMs);
    const { startMs, endMs } = periodAt(this.#meter.period ?? "total", wallMs);
    [this.#startMs, this.#endMs] = [startMs, endMs];
    this.#spent = isFirst ? this.#watch.spentBefore(this.#meter, startMs) : 0;
  }
}

function second(wallMs: number): number {
  return Math.floor(wallMs / 1000);
}
