import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CallRetries } from "./call-retries.ts";
import { RetryBudget, type RetryPermit } from "./retry-budget.ts";

interface Outage {
  readonly perSecond: number;
  readonly seconds: number;
  /** How long each attempt takes to fail. */
  readonly failsAfterMs: number;
  /** Of answered calls before it, at the same rate. */
  readonly healthySeconds: number;
}

const attemptsOfACall = 3;

/** Plays an outage in which every attempt fails, no target is known to be down, and only the budget holds back. */
class TotalOutage {
  readonly #budget = new RetryBudget();
  readonly #outage: Outage;
  /** In order, since all attempts take equally long. */
  readonly #failing: { readonly atMs: number; readonly retries: CallRetries; readonly sent: number }[] = [];
  sent = 0;
  calls = 0;
  ended = 0;

  constructor(outage: Outage) {
    this.#outage = outage;
  }

  /** Upstream calls for each call. */
  get cost(): number {
    const { perSecond, seconds, healthySeconds } = this.#outage;
    const [before, all] = [healthySeconds * perSecond, (healthySeconds + seconds) * perSecond];
    for (let n = 0; n < all; n += 1) {
      const nowMs = (n * 1000) / perSecond;
      this.#failUntil(nowMs);
      const retries = new CallRetries(this.#budget, nowMs);
      if (n < before) retries.settle(true);
      else {
        this.calls += 1;
        this.#send(retries, 1, nowMs);
      }
    }
    this.#failUntil(Infinity);
    return this.sent / this.calls;
  }

  #send(retries: CallRetries, sent: number, nowMs: number): void {
    this.sent += 1;
    this.#failing.push({ atMs: nowMs + this.#outage.failsAfterMs, retries, sent });
  }

  #failUntil(untilMs: number): void {
    for (let next = this.#failing[0]; next !== undefined && next.atMs <= untilMs; next = this.#failing[0]) {
      this.#failing.shift();
      this.#failed(next);
    }
  }

  #failed(attempt: { readonly atMs: number; readonly retries: CallRetries; readonly sent: number }): void {
    const { atMs, retries, sent } = attempt;
    const mayGoOn = sent < attemptsOfACall;
    if (mayGoOn && retries.mayRetry(atMs)) this.#send(retries, sent + 1, atMs);
    else if (!mayGoOn || retries.wait((goesOn) => this.#told(goesOn, attempt)) === undefined) {
      this.ended += 1;
      retries.settle(false);
    }
  }

  #told(
    goesOn: boolean,
    attempt: { readonly atMs: number; readonly retries: CallRetries; readonly sent: number },
  ): void {
    if (goesOn) this.#failed(attempt);
    else {
      this.ended += 1;
      attempt.retries.settle(false);
    }
  }
}

/** Uses up what there is, and gives none of it back. */
function drain(budget: RetryBudget, nowMs: number): number {
  for (let spent = 0; ;) {
    const permit = budget.open(nowMs);
    if (permit === undefined) return spent;
    while (permit.use(nowMs)) spent += 1;
    permit.settle(false);
  }
}

describe("RetryBudget", () => {
  it("lets the first call of an idle route go over three targets, and the next one that comes after an answer", () => {
    const budget = new RetryBudget();
    for (const nowMs of [0, 10_000, 20_000]) {
      const retries = new CallRetries(budget, nowMs);
      expect([1, 2, 3].map(() => retries.mayRetry(nowMs))).toEqual([true, true, false]);
      retries.settle(true);
    }
  });

  it("has its reserve again 40 seconds after it was spent in vain", () => {
    const budget = new RetryBudget();
    expect(drain(budget, 0)).toBe(2);
    expect(drain(budget, 19_999)).toBe(0);
    expect(drain(budget, 20_000)).toBe(1);
    expect(drain(budget, 60_000)).toBe(2);
    expect(drain(budget, 3_600_000)).toBe(2);
  });

  describe("in a total outage, costs at most 1.2 upstream calls for each call", () => {
    for (const perSecond of [1, 2, 3, 5, 10, 20, 50, 200]) {
      for (const failsAfterMs of [0, 20, 2_000, 5_000, 15_000, 60_000]) {
        it(`${perSecond} a second, each failing after ${failsAfterMs} ms, for ten seconds to ten minutes`, () => {
          for (const seconds of [10, 11, 13, 16, 30, 60, 200, 600]) {
            if (perSecond * seconds > 20_000) continue;
            for (const healthySeconds of [0, 60]) {
              const outage = new TotalOutage({ perSecond, seconds, failsAfterMs, healthySeconds });
              expect(outage.cost, `${seconds} s, after ${healthySeconds}`).toBeLessThanOrEqual(1.2);
              expect(outage.ended).toBe(outage.calls);
            }
          }
        });
      }
    }

    it("at any rate, for any time, however slowly they fail", () => {
      const outages = fc.record({
        perSecond: fc.integer({ min: 1, max: 40 }),
        seconds: fc.integer({ min: 10, max: 120 }),
        failsAfterMs: fc.nat(30_000),
        healthySeconds: fc.nat(60),
      });
      fc.assert(
        fc.property(outages, (outage) => {
          expect(new TotalOutage(outage).cost).toBeLessThanOrEqual(1.2);
        }),
        { numRuns: 200 },
      );
    });
  });

  it("lets all calls that one target lost in one moment go on, as fast as the other answers them", () => {
    const budget = new RetryBudget();
    const calls = Array.from({ length: 40 }, () => new CallRetries(budget, 0));
    const asking = calls.filter((call) => call.mayRetry(0));
    let next: CallRetries[] = [];
    for (const call of calls) {
      if (!asking.includes(call)) call.wait((goesOn) => goesOn && call.mayRetry(1) && next.push(call));
    }
    const rounds = [asking.length];
    for (let now = asking; now.length > 0; rounds.push(now.length)) {
      next = [];
      for (const call of now) call.settle(true);
      now = next;
    }
    // Twice as many each time that the other target answered.
    expect(rounds).toEqual([2, 4, 8, 16, 10, 0]);
  });

  it("tells those who wait that it is no use, once three have failed or nobody is left to find out", () => {
    const budget = new RetryBudget();
    const told: string[] = [];
    const wait = (name: string): (() => void) | undefined =>
      budget.wait((permit) => void told.push(`${name} ${permit === undefined ? "stops" : "goes on"}`));
    expect(wait("nobody asks")).toBeUndefined();
    const only = budget.open(0)!;
    wait("first");
    wait("gone")?.();
    only.use(0);
    only.settle(false);
    expect(told).toEqual(["first stops"]);

    for (let n = 0; n < 200; n += 1) budget.deposit(1_000 + n);
    const permits = [1, 2, 3, 4, 5].map(() => budget.open(2_000)!);
    wait("early");
    for (const permit of permits) permit.use(2_000);
    permits[0]?.settle(false);
    permits[1]?.settle(false);
    wait("late");
    expect(told).toHaveLength(1);
    permits[2]?.settle(false);
    expect(told).toEqual(["first stops", "early stops"]);
    permits[3]?.settle(false);
    expect(told).toHaveLength(2);
    permits[4]?.settle(false);
    expect(told).toEqual(["first stops", "early stops", "late stops"]);
  });

  it("hands a permit that nobody had a use for to whoever waits", () => {
    const budget = new RetryBudget();
    const unused = budget.open(0)!;
    let given: RetryPermit | undefined;
    budget.wait((permit) => (given = permit));
    unused.settle(false);
    unused.settle(false);
    expect(given?.use(0)).toBe(true);
  });

  it("never allows more in any ten seconds than a fifth of their calls and a hundred, though all of them work", () => {
    const step = fc.record({ gapMs: fc.nat(300), call: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
        const budget = new RetryBudget();
        const calls: number[] = [];
        const retries: number[] = [];
        let nowMs = 0;
        for (const { gapMs, call } of steps) {
          nowMs += gapMs / 10;
          if (call) {
            budget.deposit(nowMs);
            calls.push(nowMs);
          }
          const permit = budget.open(nowMs);
          while (permit?.use(nowMs) === true) retries.push(nowMs);
          permit?.settle(true);
          budget.answered();
        }
        for (const end of retries) {
          const from = (Math.floor(end / 1000) - 9) * 1000;
          const inWindow = (at: number): boolean => at >= from && at <= end;
          expect(retries.filter(inWindow).length).toBeLessThanOrEqual(calls.filter(inWindow).length * 0.2 + 100);
        }
      }),
      { numRuns: 50 },
    );
  });
});
