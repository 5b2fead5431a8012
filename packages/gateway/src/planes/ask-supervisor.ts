import type { KeyAnswer, KeyAsk, KeyDesk } from "#domain/key-desk";
import type { SupervisorMessage, WorkerMessage } from "./messages.ts";

export interface SupervisorDeskOptions {
  /** False where the supervisor cannot be told. */
  readonly say: (message: WorkerMessage) => boolean;
  /** Calls `then` after so long; what it gives takes that back. */
  readonly timer: (ms: number, then: () => void) => () => void;
}

const mostWaiting = 64;
const answerWithinMs = 5_000;

/** A worker's way to the desk of its supervisor. */
export class SupervisorDesk implements KeyDesk {
  readonly #options: SupervisorDeskOptions;
  readonly #waiting = new Map<number, (answer: KeyAnswer) => void>();
  #nextId = 1;

  constructor(options: SupervisorDeskOptions) {
    this.#options = options;
  }

  ask(ask: KeyAsk): Promise<KeyAnswer> {
    if (this.#waiting.size >= mostWaiting) return unavailable("too many ask at once");
    const id = this.#nextId;
    this.#nextId += 1;
    if (!this.#options.say({ kind: "admin-ask", id, ask })) return unavailable("there is no supervisor at the moment");
    return new Promise((resolve) => {
      const cancel = this.#options.timer(answerWithinMs, () => {
        this.#waiting.delete(id);
        const more = ask.kind === "list" || ask.kind === "show" ? "" : "; it may have been done, look at the list";
        resolve({ kind: "unavailable", why: `the supervisor did not answer in time${more}` });
      });
      this.#waiting.set(id, (answer) => {
        cancel();
        resolve(answer);
      });
    });
  }

  answered({ id, answer }: Extract<SupervisorMessage, { readonly kind: "admin-answer" }>): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.(answer);
  }
}

function unavailable(why: string): Promise<KeyAnswer> {
  return Promise.resolve({ kind: "unavailable", why });
}
