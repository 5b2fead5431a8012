import type { AnswerEvent } from "#domain/answer";
import type { Judgement } from "#domain/confidence";
import type { AnswerWatch, EarlyVerdict } from "./attempt-input.ts";

/** An early look at an answer that is still coming. */
export interface EarlyLook {
  /** Looked again once it has so many times the tokens of the last look; 1: at each. */
  readonly factor: number;
  /** Undefined: nothing can be said yet. `over`: nothing will be, before the answer is whole. */
  readonly look: (
    events: readonly AnswerEvent[],
  ) => { readonly verdict: EarlyVerdict; readonly judgement: Judgement } | "over" | undefined;
}

interface Keeping {
  readonly holds: boolean;
  readonly maxBytes: number;
  readonly early?: EarlyLook;
}

/** Tokens that say too little to decide anything by. */
const firstLookAt = 4;

/** Keeps a streamed answer's events for its judgement, and looks at it while it comes, ever more seldom. */
export class KeepingWatch implements AnswerWatch {
  readonly #keeping: Keeping;
  readonly #events: AnswerEvent[] = [];
  #bytes = 0;
  #tokens = 0;
  #nextLookAt = firstLookAt;
  #hasLooked = false;
  /** Of an early look that decided. */
  judgement: Judgement | undefined;

  constructor(keeping: Keeping) {
    this.#keeping = keeping;
  }

  get holds(): boolean {
    return this.#keeping.holds;
  }

  /** None where there were too many to keep. */
  get events(): readonly AnswerEvent[] {
    return this.isTooMuch ? [] : this.#events;
  }

  see(event: AnswerEvent, bytes: number): EarlyVerdict | undefined {
    if (this.isTooMuch) return undefined;
    this.#bytes += bytes;
    // What is held is bounded where it is held; what is not, is let go here.
    if (this.isTooMuch) this.#events.length = 0;
    else this.#events.push(event);
    return this.#look(event);
  }

  /** An answer that is not held, and larger than is kept of one. */
  get isTooMuch(): boolean {
    return !this.#keeping.holds && this.#bytes > this.#keeping.maxBytes;
  }

  #look(event: AnswerEvent): EarlyVerdict | undefined {
    const { early } = this.#keeping;
    if (early === undefined || this.#hasLooked) return undefined;
    if (event.kind !== "text-delta" || event.logprobs === undefined) return undefined;
    this.#tokens += 1;
    if (this.#tokens < this.#nextLookAt) return undefined;
    this.#nextLookAt = Math.max(this.#tokens + 1, Math.ceil(this.#tokens * early.factor));
    const seen = early.look(this.#events);
    if (seen === undefined) return undefined;
    this.#hasLooked = true;
    if (seen === "over") return undefined;
    this.judgement = seen.judgement;
    return seen.verdict;
  }
}
