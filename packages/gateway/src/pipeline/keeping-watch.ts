import type { AnswerEvent } from "#domain/answer";
import type { Judgement } from "#domain/confidence";
import { failure, type Failure } from "#domain/failure";
import type { AnswerWatch, EarlyVerdict } from "./attempt-input.ts";
import type { HeldShare } from "./held-room.ts";

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
  /** Of the call. */
  readonly room: HeldShare;
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
  #isCrowded = false;
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
    this.#isCrowded = !this.#keeping.room.take(bytes);
    // What is held ends where it is held; what the client has already, an early verdict's rest too, is let go here.
    if (this.isTooMuch) this.#events.length = 0;
    else this.#events.push(event);
    if (this.#looks.length === 0 || event.kind !== "text-delta" || event.logprobs === undefined) return undefined;
    this.#tokens += 1;
    return this.#look();
  }

  /** Larger than is kept of one, or there is no room for it beside all others. */
  get isTooMuch(): boolean {
    return this.#isCrowded || this.#bytes > this.#keeping.maxBytes;
  }

  get refusal(): Failure | undefined {
    if (!this.#isCrowded || !this.#keeping.holds) return undefined;
    return failure("overloaded", "Too many answers wait for their verdict here; send the call again later.", {
      retryAfterMs: 2_000,
    });
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
