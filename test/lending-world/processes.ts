import type { Clock } from "#domain/ports";
import type { VirtualClock } from "#simulation/virtual-clock";

/** The clock as one process has it: with the process its timers are gone. */
export class ProcessClock implements Clock {
  readonly #clock: VirtualClock;
  readonly #cancels = new Set<() => void>();
  alive = true;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  timer(delayMs: number, then: () => void): () => void {
    if (!this.alive) return () => {};
    const cancel = this.#clock.timer(delayMs, () => {
      this.#cancels.delete(cancel);
      then();
    });
    this.#cancels.add(cancel);
    return () => {
      this.#cancels.delete(cancel);
      cancel();
    };
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.timer(delayMs, resolve));
  }

  kill(): void {
    this.alive = false;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }
}

/** A pipe between two processes: in order, each message late by its own time, and gone with either end. */
export class Pipe<Message> {
  readonly #from: ProcessClock;
  readonly #to: ProcessClock;
  readonly #delayMs: () => number;
  readonly #receive: (message: Message) => void;
  #lastAtMs = 0;

  constructor(
    ends: { readonly from: ProcessClock; readonly to: ProcessClock; readonly delayMs: () => number },
    receive: (message: Message) => void,
  ) {
    this.#from = ends.from;
    this.#to = ends.to;
    this.#delayMs = ends.delayMs;
    this.#receive = receive;
  }

  /** False where nobody is at the other end. */
  say(message: Message): boolean {
    if (!this.#from.alive || !this.#to.alive) return false;
    const nowMs = this.#to.nowMs();
    this.#lastAtMs = Math.max(this.#lastAtMs, nowMs + this.#delayMs());
    this.#to.timer(this.#lastAtMs - nowMs, () => this.#receive(message));
    return true;
  }
}
