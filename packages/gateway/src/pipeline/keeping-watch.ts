import type { AnswerEvent } from "#domain/answer";
import type { Judgement } from "#domain/confidence";
import type { AnswerWatch, EarlyVerdict } from "./attempt-input.ts";

/** Looks at an answer that is still coming. */
export interface EarlyLook {
  /** Tokens before the first look: fewer say too little. */
  readonly firstAt: number;
  /** Undefined: nothing can be said yet. `over`: nothing will be, before the answer is whole. */
  readonly look: (
    events: readonly AnswerEvent[],
  ) => { readonly verdict: EarlyVerdict; readonly judgement: Judgement } | "over" | undefined;
}

interface Keeping {
  readonly holds: boolean;
  readonly maxBytes: number;
  /** The first that decides, decides. */
  readonly looks?: readonly EarlyLook[];
}

/** Each look reads all there is: at ever greater distances it is a constant factor of the answer's length altogether. */
const lookAgainAfter = 1.5;

/** Keeps a streamed answer's events for its judgement, and looks at it while it comes, ever more seldom. */
export class KeepingWatch implements AnswerWatch {
  readonly #keeping: Keeping;
  readonly #events: AnswerEvent[] = [];
  #looks: readonly { readonly look: EarlyLook["look"]; readonly atTokens: number }[];
  #bytes = 0;
  /** Events that told of tokens. */
  #tokens = 0;
  /** Of an early look that decided. */
  judgement: Judgement | undefined;

  constructor(keeping: Keeping) {
    this.#keeping = keeping;
    this.#looks = (keeping.looks ?? []).map(({ look, firstAt }) => ({ look, atTokens: firstAt }));
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
    if (this.#looks.length === 0 || event.kind !== "text-delta" || event.logprobs === undefined) return undefined;
    this.#tokens += 1;
    return this.#look();
  }

  /** An answer that is not held, and larger than is kept of one. */
  get isTooMuch(): boolean {
    return !this.#keeping.holds && this.#bytes > this.#keeping.maxBytes;
  }

  #look(): EarlyVerdict | undefined {
    for (const due of this.#looks.filter(({ atTokens }) => this.#tokens >= atTokens)) {
      const seen = due.look(this.#events);
      const others = this.#looks.filter((each) => each !== due);
      const again = { look: due.look, atTokens: Math.ceil(this.#tokens * lookAgainAfter) };
      this.#looks = seen === undefined ? [...others, again] : others;
      if (seen === undefined || seen === "over") continue;
      this.#looks = [];
      this.judgement = seen.judgement;
      return seen.verdict;
    }
    return undefined;
  }
}
