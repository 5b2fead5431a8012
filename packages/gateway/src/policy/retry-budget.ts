import { HedgeShare } from "./hedge-share.ts";

interface Bucket {
  second: number;
  calls: number;
  retries: number;
}

interface Waiting {
  readonly tell: (permit: RetryPermit | undefined) => void;
  /** How many permits had come to nothing when it came. */
  readonly lostBefore: number;
}

const windowS = 10;
const ratio = 0.2;
const minPerSecond = 10;

/** Of one retry: what a call saves up is a twentieth. */
const whole = 20;
/** What one call may spend on its way over three targets; an idle route has it, too. */
const perPermit = 2;
const reserve = perPermit * whole;
/** Savings are at most a tenth of the calls of the last ten seconds. */
const savedPerCall = whole / 10;
/** A reserve that was spent in vain grows again by one retry each. */
const refillMs = 20_000;
/** Of those that wait, how many are let go when one permit served its call. */
const followers = 2;
/** After so many permits that came to nothing nobody waits on. */
const enoughLost = 3;
const mostWaiting = 1_000;

/**
 * How often the calls of a route may be tried again. Retries that come to nothing are what makes a total outage worse:
 * they are paid out of savings, a twentieth of a retry for each call, at most a tenth of the calls of the last ten
 * seconds, or two where that is less. Ten seconds of total outage at a call a second, or anything longer or denser, thus
 * cost at most 1.2 upstream calls for each call, whatever fails and however slowly. Retries that serve their call cost
 * nothing: a few find out, the others wait for them in line, each success lets two more go, and every answer restores
 * the reserve of two. Of all retries together, 20 % of the calls of ten seconds and ten a second besides are the most
 * (Finagle's defaults). Bounded; time is an argument.
 */
export class RetryBudget {
  readonly #buckets: Bucket[] = Array.from({ length: windowS }, () => ({ second: -1, calls: 0, retries: 0 }));
  readonly #hedges = new HedgeShare();
  #saved = reserve;
  #held = 0;
  #open = 0;
  #refilledAtMs = 0;
  readonly #line = new Set<Waiting>();
  #lost = 0;

  /** Counts a call that was let in. */
  deposit(nowMs: number): void {
    this.#bucket(nowMs).calls += 1;
    this.#hedges.called(nowMs);
    this.#refill(nowMs);
    this.#saved = Math.min(this.#saved + 1, Math.max(reserve, savedPerCall * this.#sum(nowMs).calls));
  }

  /** A call has an answer, so that not everything is down. */
  answered(): void {
    this.#saved = Math.max(this.#saved, reserve);
  }

  /** Permits one call further attempts, two at most; undefined where the savings do not suffice for one now. */
  open(nowMs: number): RetryPermit | undefined {
    this.#refill(nowMs);
    const most = Math.min(perPermit, this.#affordable(nowMs));
    return most === 0 ? undefined : this.#permit(most, most * whole);
  }

  /** A second attempt beside the first, where it is within `share` of the calls and within the budget. */
  openHedge(share: number, nowMs: number): RetryPermit | undefined {
    this.#refill(nowMs);
    if (this.#affordable(nowMs) === 0 || !this.#hedges.withdraw(share, nowMs)) return undefined;
    const permit = this.#permit(1, whole);
    permit.use(nowMs);
    return permit;
  }

  /**
   * Waits until it is known how those fare who have a permit: `tell` is called with one of its own, or undefined where
   * they fail. Gives back how to leave the line; undefined where there is nothing to wait for.
   */
  wait(tell: Waiting["tell"]): (() => void) | undefined {
    if (this.#open === 0 || this.#line.size >= mostWaiting) return undefined;
    const waiting = { tell, lostBefore: this.#lost };
    this.#line.add(waiting);
    return () => void this.#line.delete(waiting);
  }

  #affordable(nowMs: number): number {
    return this.#left(nowMs) < 1 ? 0 : Math.max(0, Math.floor((this.#saved - this.#held) / whole));
  }

  #permit(most: number, held: number): RetryPermit {
    this.#held += held;
    this.#open += 1;
    return new RetryPermit(most, {
      spend: (nowMs) => {
        if (this.#left(nowMs) < 1) return false;
        this.#bucket(nowMs).retries += 1;
        return true;
      },
      settle: (worked, used) => {
        this.#held -= held;
        this.#open -= 1;
        if (worked) this.#letGo(followers);
        else this.#failed(used);
      },
    });
  }

  #letGo(count: number): void {
    for (const waiting of [...this.#line].slice(0, count)) this.#answer(waiting, this.#permit(perPermit, 0));
  }

  #failed(used: number): void {
    // Whoever had no use for it leaves it to the next.
    if (used === 0) {
      this.#letGo(1);
      return;
    }
    this.#saved = Math.max(0, this.#saved - used * whole);
    this.#lost += 1;
    for (const waiting of this.#line) {
      if (this.#open > 0 && this.#lost - waiting.lostBefore < enoughLost) return;
      this.#answer(waiting, undefined);
    }
  }

  #answer(waiting: Waiting, permit: RetryPermit | undefined): void {
    this.#line.delete(waiting);
    waiting.tell(permit);
  }

  #refill(nowMs: number): void {
    if (this.#saved >= reserve) {
      this.#refilledAtMs = nowMs;
      return;
    }
    const retries = Math.floor((nowMs - this.#refilledAtMs) / refillMs);
    this.#refilledAtMs += retries * refillMs;
    this.#saved = Math.min(reserve, this.#saved + retries * whole);
  }

  #left(nowMs: number): number {
    const { calls, retries } = this.#sum(nowMs);
    return minPerSecond * windowS + calls * ratio - retries;
  }

  #sum(nowMs: number): { readonly calls: number; readonly retries: number } {
    const oldest = this.#bucket(nowMs).second - windowS;
    const sum = { calls: 0, retries: 0 };
    for (const each of this.#buckets) {
      if (each.second <= oldest) continue;
      sum.calls += each.calls;
      sum.retries += each.retries;
    }
    return sum;
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

interface Ports {
  readonly spend: (nowMs: number) => boolean;
  readonly settle: (worked: boolean, used: number) => void;
}

/** What one call was permitted; it has to be settled, once. */
export class RetryPermit {
  readonly #ports: Ports;
  #left: number;
  #used = 0;
  #settled = false;

  constructor(most: number, ports: Ports) {
    this.#left = most;
    this.#ports = ports;
  }

  /** True where one more attempt is within it; it is then spent. */
  use(nowMs: number): boolean {
    if (this.#settled || this.#left === 0 || !this.#ports.spend(nowMs)) return false;
    this.#left -= 1;
    this.#used += 1;
    return true;
  }

  /** `worked`: the call has an answer. What was used without one is lost. Again: nothing happens. */
  settle(worked: boolean): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#ports.settle(worked, this.#used);
  }
}
