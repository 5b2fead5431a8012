import type { RetryBudget, RetryPermit } from "./retry-budget.ts";

/** What one call takes out of its route's retry budget, from its first failure to its end. */
export class CallRetries {
  readonly #budget: RetryBudget;
  /** The last is the one to use. */
  readonly #permits: RetryPermit[] = [];
  #hedged = false;
  #denied = false;
  #answered = false;

  /** Counts the call. */
  constructor(budget: RetryBudget, nowMs: number) {
    this.#budget = budget;
    budget.deposit(nowMs);
  }

  /** The last further attempt that was wanted was not within the budget. */
  get denied(): boolean {
    return this.#denied;
  }

  /** True where one more attempt is within the budget; it is then spent. */
  mayRetry(nowMs: number): boolean {
    this.#denied = !this.#spend(nowMs);
    return !this.#denied;
  }

  #spend(nowMs: number): boolean {
    if (this.#permits.at(-1)?.use(nowMs) === true) return true;
    const next = this.#budget.open(nowMs);
    if (next === undefined) return false;
    this.#permits.push(next);
    return next.use(nowMs);
  }

  /** True where a second attempt beside the first is within `share` of the calls and within the budget. */
  mayHedge(share: number, nowMs: number): boolean {
    const hedge = this.#hedged ? undefined : this.#budget.openHedge(share, nowMs);
    if (hedge === undefined) return false;
    this.#hedged = true;
    this.#permits.unshift(hedge);
    return true;
  }

  /**
   * Waits for others of the route to find out whether trying again helps; `then` is told whether to go on. Gives back how
   * to stop waiting; undefined where there is nothing to wait for.
   */
  wait(then: (goesOn: boolean) => void): (() => void) | undefined {
    // What this call used itself came to nothing, or it would not be here.
    this.settle(false);
    return this.#budget.wait((permit) => {
      if (permit !== undefined) this.#permits.push(permit);
      this.#denied = permit === undefined;
      then(permit !== undefined);
    });
  }

  /** The call has an answer, or never will. What happens after the first of the two changes nothing. */
  settle(worked: boolean): void {
    if (worked && !this.#answered) this.#budget.answered();
    this.#answered ||= worked;
    for (const permit of this.#permits.splice(0)) permit.settle(worked);
  }
}
