import type { Lender, Lent, Return, Want } from "#domain/account";
import type { Clock } from "#domain/ports";
import type { SupervisorMessage, WorkerMessage } from "./messages.ts";

export interface SupervisorLenderOptions {
  /** False where the supervisor cannot be told. */
  readonly say: (message: WorkerMessage) => boolean;
  readonly clock: Pick<Clock, "timer">;
  /** Told once each time the supervisor is gone. */
  readonly onAlone: () => void;
}

/** A supervisor that is busy is waited for, but not long: callers wait with it. */
const answerWithinMs = 1_000;

/**
 * A worker's way to what its node may use. Without a supervisor it serves on: rates and places are then its own to count,
 * and nobody counts them; money that was not lent before is not spent.
 */
export class SupervisorLender implements Lender {
  readonly #options: SupervisorLenderOptions;
  /** By the question's id: that of one that was answered is free again. */
  readonly #waiting: (((lent: Lent | undefined) => void) | undefined)[] = [];
  readonly #freeIds: number[] = [];
  #isAlone = false;

  constructor(options: SupervisorLenderOptions) {
    this.#options = options;
  }

  async borrow(wants: readonly Want[]): Promise<Lent> {
    const id = this.#freeIds.pop() ?? this.#waiting.push(undefined) - 1;
    const told = this.#options.say({ kind: "borrow", id, wants });
    if (!told) {
      this.#freeIds.push(id);
      return this.#alone(wants);
    }
    this.#isAlone = false;
    const lent = await new Promise<Lent | undefined>((resolve) => {
      const cancel = this.#options.clock.timer(answerWithinMs, () => {
        // What comes after that goes back: nobody waits for it any more.
        this.#waiting[id] = (late) => this.#returnLate(wants, late);
        resolve(undefined);
      });
      this.#waiting[id] = (answer) => {
        cancel();
        resolve(answer);
      };
    });
    return lent ?? { kind: "unreachable", why: "the supervisor did not answer in time" };
  }

  giveBack(returns: readonly Return[]): void {
    this.#options.say({ kind: "give-back", returns });
  }

  answered({ id, lent }: Extract<SupervisorMessage, { readonly kind: "lent" }>): void {
    const waiting = this.#waiting[id];
    if (waiting === undefined) return;
    this.#waiting[id] = undefined;
    this.#freeIds.push(id);
    waiting(lent);
  }

  #returnLate(wants: readonly Want[], late: Lent | undefined): void {
    if (late?.kind !== "lent") return;
    this.giveBack(wants.map(({ meter }, index) => ({ meter, back: late.amounts[index] ?? 0, spent: 0 })));
  }

  #alone(wants: readonly Want[]): Lent {
    if (!this.#isAlone) this.#options.onAlone();
    this.#isAlone = true;
    const isMoney = wants.some(({ meter }) => meter.unit === "money" && meter.soft !== true);
    if (isMoney) return { kind: "unreachable", why: "there is no supervisor that could say what is left of a budget" };
    return { kind: "lent", amounts: wants.map(({ need, like }) => need + like) };
  }
}
