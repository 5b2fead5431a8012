import type { Clock } from "#domain/ports";
import { CallControl } from "./live-calls.ts";

/** One of two attempts at one call that run at the same time. */
export interface Entrant {
  /** Asked at the first content, or at the end of a whole answer: true for one of them, and from then on. */
  claim(): boolean;
  /** Called at once when the other has claimed the call: nothing of this one is wanted any more. */
  onLost(then: () => void): void;
}

/** The entrant of an attempt that has nobody to race, and may be called off. */
export class Lone implements Entrant {
  #isOff = false;
  #then: (() => void) | undefined;

  get isOff(): boolean {
    return this.#isOff;
  }

  claim(): boolean {
    return !this.#isOff;
  }

  onLost(then: () => void): void {
    this.#then = then;
    if (this.#isOff) then();
  }

  callOff(): void {
    if (this.#isOff) return;
    this.#isOff = true;
    this.#then?.();
  }
}

type Start<T> = (entrant: Entrant, control: CallControl) => Promise<T>;

interface HedgedCall<T> {
  readonly clock: Clock;
  readonly control: CallControl;
  readonly afterMs: number;
  readonly first: Start<T>;
  /** Asked when the wait is over: undefined where no second attempt may start after all. */
  readonly second: () => Start<T> | undefined;
  /** After such an end of the first nobody is to be asked, so that the second is cancelled. */
  readonly endsCall: (end: T) => boolean;
}

/**
 * Runs an attempt, and a second one beside it where the first has no content after a while. Resolves when both are over,
 * in the order in which they began; at most one of them has claimed the call.
 */
export async function hedgedAttempt<T>(call: HedgedCall<T>): Promise<readonly T[]> {
  const { control, clock } = call;
  const race = new Race();
  const controls: CallControl[] = [];
  let second: Promise<T> | undefined;
  const start = (begin: Start<T>): Promise<T> => {
    const own = new CallControl();
    controls.push(own);
    return begin(race.enter(), own);
  };
  control.listen((why) => {
    for (const each of controls) each.end(why);
  });
  const running = start(call.first);
  const stopWaiting = clock.timer(call.afterMs, () => {
    if (race.isOver || control.ended !== undefined) return;
    const begin = call.second();
    if (begin === undefined) return;
    second = start(begin);
    // A bug in it is heard below, when the first is over, and is nobody's unhandled rejection until then.
    second.catch(() => {});
  });
  try {
    const first = await running;
    stopWaiting();
    if (call.endsCall(first)) race.end();
    return second === undefined ? [first] : [first, await second];
  } finally {
    // After a bug in one of them neither the wait nor the other may go on: the call is over.
    stopWaiting();
    race.end();
    control.listen(undefined);
  }
}

/** Who has content first has the call; whoever else is in it is told. */
class Race {
  readonly #losers = new Map<object, () => void>();
  #winner: object | undefined;

  get isOver(): boolean {
    return this.#winner !== undefined;
  }

  enter(): Entrant {
    const me = {};
    return {
      claim: () => {
        if (this.#winner === undefined) this.#decide(me);
        return this.#winner === me;
      },
      onLost: (then) => {
        if (this.#winner === undefined) this.#losers.set(me, then);
        else if (this.#winner !== me) then();
      },
    };
  }

  /** Nobody has it. */
  end(): void {
    if (this.#winner === undefined) this.#decide(this);
  }

  #decide(winner: object): void {
    this.#winner = winner;
    for (const [entrant, lose] of this.#losers) if (entrant !== winner) lose();
    this.#losers.clear();
  }
}
