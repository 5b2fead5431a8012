import { badAbove } from "./history.ts";
import type { Window } from "./read-outages.ts";

/** How a policy leaves who fails, and whom it leaves without need. */
export interface Leaving {
  /** From the first call of a bad half hour at the one that is asked first, to the first call that asks another first. */
  readonly leftAfterMs: readonly number[];
  /** The calls that went to it first meanwhile. */
  readonly leftAfterCalls: readonly number[];
  /** Bad times that passed while it was asked first all along. */
  readonly stayed: number;
  /** Changes of who is asked first away from one that fails in less than one call of a hundred, to a worse one. */
  readonly falseTrips: number;
}

interface Lead {
  readonly target: string;
  readonly failing: number;
  /** Since when it has been failing; undefined: it is well. */
  readonly badSinceMs: number | undefined;
  readonly calls: number;
  readonly window: Window;
}

const wellBelow = 0.01;

/** Watches who is asked first, call by call. */
export class LeadWatch {
  readonly #afterMs: number[] = [];
  readonly #afterCalls: number[] = [];
  #stayed = 0;
  #falseTrips = 0;
  #lead: Lead | undefined;

  get leaving(): Leaving {
    // What is bad when the days end, nobody left.
    const open = this.#lead?.badSinceMs === undefined ? 0 : 1;
    return {
      leftAfterMs: this.#afterMs,
      leftAfterCalls: this.#afterCalls,
      stayed: this.#stayed + open,
      falseTrips: this.#falseTrips,
    };
  }

  led(
    target: string,
    { failing, nowMs, window }: { readonly failing: number; readonly nowMs: number; readonly window: Window },
  ): void {
    const before = this.#lead;
    const isBad = failing > badAbove;
    if (before?.target === target) {
      if (before.badSinceMs !== undefined && !isBad) this.#stayed += 1;
      const badSinceMs = isBad ? (before.badSinceMs ?? nowMs) : undefined;
      this.#lead = { target, failing, badSinceMs, calls: isBad ? before.calls + 1 : 0, window };
      return;
    }
    // Between two half hours who is there may change, which is no decision; to leave a bad one is.
    if (before?.badSinceMs !== undefined) {
      this.#afterMs.push(nowMs - before.badSinceMs);
      this.#afterCalls.push(before.calls);
    } else if (before?.window === window && before.failing < wellBelow && failing > before.failing) {
      this.#falseTrips += 1;
    }
    this.#lead = { target, failing, badSinceMs: isBad ? nowMs : undefined, calls: isBad ? 1 : 0, window };
  }
}
