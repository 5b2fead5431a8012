import type { Lent, Meter, Return } from "#domain/account";
import { loanSeconds } from "./minute-window.ts";

/** A rate's loan is used no longer than this after it was asked for, ms: sooner than the lender takes it for. */
const usableMs = loanSeconds * 1000 - 500;
/** What was used in the last one or two of these spans is what will soon be used again. */
const spanMs = 250;
/** After a denial nobody asks for as much again for so long: a caller beyond its limit costs the lender nothing. */
const denialMs = 20;

type Denial = Extract<Lent, { readonly kind: "denied" }>;

/** What a process has of one meter. */
export class Pocket {
  meter: Meter;
  #free = 0;
  /** Of slots and money: taken and not settled. */
  #inUse = 0;
  /** Of a rate: until when what is free may be used. */
  #untilMs = Number.POSITIVE_INFINITY;
  /** Too old to be used: it goes back with the next report. */
  #stale = 0;
  #spent = 0;
  /** Corrections of tokens, by the second they were taken in. */
  #corrections: Map<number, number> | undefined;
  #spanEndsMs = Number.NEGATIVE_INFINITY;
  #usedInSpan = 0;
  #usedBefore = 0;
  #denial: Denial | undefined;
  /** Questions for more of it that are not answered yet. */
  asking = 0;
  #deniedUntilMs = 0;

  /** What was left for anybody when this was last lent of it. */
  leftAtLender: number | undefined;

  constructor(meter: Meter) {
    this.meter = meter;
  }

  has(amount: number, nowMs: number): boolean {
    return amount <= this.#freeAt(nowMs);
  }

  free(nowMs: number): number {
    return this.#freeAt(nowMs);
  }

  take(amount: number, nowMs: number): void {
    this.#free -= amount;
    this.used(amount, nowMs);
  }

  /** Up to so much, out of reach of others while more is asked for; below zero where more was spent than was had. */
  hold(amount: number, nowMs: number): number {
    const held = Math.min(amount, this.#freeAt(nowMs));
    this.#free -= held;
    return held;
  }

  release(held: number): void {
    this.#free += held;
  }

  /** Lent beyond need, at this time of asking. */
  add(units: number, askedAtMs: number): void {
    if (this.#isRate)
      this.#untilMs = Math.min(this.#free > 0 ? this.#untilMs : Number.POSITIVE_INFINITY, askedAtMs + usableMs);
    this.#free += units;
    this.#denial = undefined;
  }

  /** Taken, for a call. */
  used(amount: number, nowMs: number): void {
    if (!this.#isRate) this.#inUse += amount;
    this.#turn(nowMs);
    this.#usedInSpan += amount;
  }

  settle(taken: number, used: number, atS: number): void {
    switch (this.meter.unit) {
      case "requests":
        return;
      case "tokens":
        if (used === taken) return;
        this.#corrections ??= new Map();
        this.#corrections.set(atS, (this.#corrections.get(atS) ?? 0) + used - taken);
        return;
      case "slots":
        this.#inUse -= taken;
        this.#free += taken;
        return;
      case "money":
        this.#inUse -= taken;
        this.#free += taken - used;
        this.#spent += used;
    }
  }

  /** What is left for anybody, as far as is known here. */
  get left(): number | undefined {
    return this.leftAtLender === undefined ? undefined : Math.max(0, this.leftAtLender + this.#free);
  }

  denied(denial: Denial, nowMs: number): void {
    this.#denial = denial;
    this.leftAtLender = denial.remaining;
    this.#deniedUntilMs = nowMs + Math.min(denialMs, denial.resetMs ?? denialMs);
  }

  stillDenied(amount: number, nowMs: number): Denial | undefined {
    const denial = this.#denial;
    if (denial === undefined || nowMs >= this.#deniedUntilMs) return undefined;
    return amount > denial.remaining + Math.max(0, this.#freeAt(nowMs)) ? denial : undefined;
  }

  /** What is likely to be used in the next moments, beyond what is there. */
  like(nowMs: number): number {
    this.#turn(nowMs);
    return Math.max(this.#usedBefore, this.#usedInSpan);
  }

  /** Tells what was spent, and gives back what is free beyond `keep`. */
  report(keep: number, nowMs: number, into: Return[]): void {
    const free = this.#freeAt(nowMs);
    // Below zero a call spent more than was taken for it: the loan grows by that, after the fact.
    const idle = free < 0 ? free : Math.max(0, free - keep);
    this.#free -= idle;
    const back = idle + this.#stale;
    this.#stale = 0;
    const { meter } = this;
    if (back !== 0 || this.#spent !== 0) into.push({ meter, back, spent: this.#spent });
    this.#spent = 0;
    if (this.#corrections === undefined) return;
    for (const [atS, spent] of this.#corrections) into.push({ meter, back: 0, spent, atS });
    this.#corrections = undefined;
  }

  /** Nothing is lost where it is forgotten. What is asked for will come here. */
  isEmpty(nowMs: number): boolean {
    return (
      this.asking === 0 &&
      this.#freeAt(nowMs) === 0 &&
      this.#stale === 0 &&
      this.#inUse === 0 &&
      this.#spent === 0 &&
      this.like(nowMs) === 0
    );
  }

  get #isRate(): boolean {
    return this.meter.unit === "requests" || this.meter.unit === "tokens";
  }

  #freeAt(nowMs: number): number {
    if (nowMs >= this.#untilMs && this.#isRate) {
      this.#stale += this.#free;
      this.#free = 0;
      this.#untilMs = Number.POSITIVE_INFINITY;
    }
    return this.#free;
  }

  #turn(nowMs: number): void {
    if (nowMs < this.#spanEndsMs) return;
    this.#usedBefore = nowMs < this.#spanEndsMs + spanMs ? this.#usedInSpan : 0;
    this.#usedInSpan = 0;
    this.#spanEndsMs = nowMs + spanMs;
  }
}
