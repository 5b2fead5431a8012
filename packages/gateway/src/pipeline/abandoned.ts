import type { Failure } from "#domain/failure";
import type { Outcome } from "#domain/plan";
import type { Clock } from "#domain/ports";
import type { ProviderSpec } from "#domain/snapshot";

/** Longer than this nobody reads an answer for its bill alone. */
const longestMs = 60_000;

/** Whether an answer whose client has left is read to its end, because it is billed to its end. */
export function mayDrain({ onAbort }: ProviderSpec, why: Failure): boolean {
  return onAbort === "drain" && why.kind === "client_gone";
}

/** An attempt that goes on for its bill alone: its client has left. */
export class Abandoned {
  readonly #why: Failure;
  readonly #cancel: () => void;

  constructor(clock: Clock, why: Failure, onTooLong: () => void) {
    this.#why = why;
    this.#cancel = clock.timer(longestMs, onTooLong);
  }

  /** However the provider ended it, nobody got it; what it used is what it says it used. */
  outcome(ending: Outcome, committed: boolean): Outcome {
    this.#cancel();
    const usage = ending.usage === undefined ? {} : { usage: ending.usage };
    return { kind: committed ? "broken" : "failed", failure: this.#why, ...usage };
  }
}
