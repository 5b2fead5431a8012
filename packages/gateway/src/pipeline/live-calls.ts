import { failure, type Failure } from "#domain/failure";
import { HeldRoom } from "./held-room.ts";

/** What can end a call from outside: the client leaving, the gateway draining. Wired before the first await. */
export class CallControl {
  #ended: Failure | undefined;
  #onEnd: ((why: Failure) => void) | undefined;
  readonly #forks: CallControl[] = [];
  /** Among those of {@link LiveCalls}, which says it. */
  place = -1;

  /** Set once the call has been ended from outside. */
  get ended(): Failure | undefined {
    return this.#ended;
  }

  /** One listener at a time: whoever works on the call right now. Called at once where the call already ended. */
  listen(onEnd: ((why: Failure) => void) | undefined): void {
    this.#onEnd = onEnd;
    if (this.#ended !== undefined) onEnd?.(this.#ended);
  }

  /** For something that is asked beside the call's own attempts: ends with the call, and leaves its listener alone. */
  fork(): CallControl {
    const fork = new CallControl();
    this.#forks.push(fork);
    if (this.#ended !== undefined) fork.end(this.#ended);
    return fork;
  }

  /** Ended again, whoever still works on the call is told again: it is to stop now. */
  end(why: Failure): void {
    this.#ended ??= why;
    this.#onEnd?.(why);
    for (const fork of this.#forks) fork.end(why);
  }
}

/** They take sockets and memory from calls somebody waits for. */
const mostShadows = 64;

/** The calls in flight: bounded by admission, ended together when a drain runs out of time. */
export class LiveCalls {
  /** In no order. No `Set`: see {@link RecentlyUsed} for what one costs that every call comes to and leaves. */
  readonly #controls: CallControl[] = [];
  readonly #shadows = new Set<CallControl>();
  readonly #turnedAway = new Set<CallControl>();
  /** For what they keep until it is judged. */
  readonly room: HeldRoom;
  #draining = false;
  #whenIdle: PromiseWithResolvers<void> | undefined;

  constructor(room: HeldRoom = new HeldRoom()) {
    this.room = room;
  }

  get count(): number {
    return this.#controls.length;
  }

  /** Without those that are refused, and wait for nothing but their record. */
  get admitted(): number {
    return this.#controls.length - this.#turnedAway.size;
  }

  turnAway(control: CallControl): void {
    this.#turnedAway.add(control);
  }

  get draining(): boolean {
    return this.#draining;
  }

  open(): CallControl {
    const control = new CallControl();
    control.place = this.#controls.push(control) - 1;
    return control;
  }

  /** A call that nobody waits for; undefined where there are enough of them, or the gateway is to stop. */
  openShadow(): CallControl | undefined {
    if (this.#draining || this.#shadows.size >= mostShadows) return undefined;
    const control = this.open();
    this.#shadows.add(control);
    return control;
  }

  close(control: CallControl): void {
    const last = this.#controls[this.#controls.length - 1];
    if (this.#controls[control.place] !== control || last === undefined) return;
    this.#controls[control.place] = last;
    last.place = control.place;
    this.#controls.pop();
    this.#shadows.delete(control);
    this.#turnedAway.delete(control);
    if (this.#controls.length > 0) return;
    this.#whenIdle?.resolve();
    this.#whenIdle = undefined;
  }

  /** New calls are refused from here on, and nobody waits for what nobody waits for. */
  startDraining(): void {
    this.#draining = true;
    for (const shadow of this.#shadows) shadow.end(failure("draining", "The gateway is stopping."));
  }

  /** Resolves when no call is in flight. */
  idle(): Promise<void> {
    if (this.#controls.length === 0) return Promise.resolve();
    this.#whenIdle ??= Promise.withResolvers();
    return this.#whenIdle.promise;
  }

  /** Ends what is left with an honest error. */
  endAll(): void {
    const why = failure("draining", "The gateway is stopping and the answer could not finish in time; send it again.");
    // Who is ended leaves.
    for (const control of this.#controls.toReversed()) control.end(why);
  }
}
