interface Slot {
  tick: number;
  calls: number;
  failures: number;
}

const slotMs = 10_000;
const slots = 12;
const fewestCalls = 20;
const mostFailing = 0.5;

/**
 * The calls of the last two minutes and how many of them failed. A call counts when it is sent, not when it ends: most
 * answers take longer than a burst of faults, and the window is longer than almost any answer.
 */
export class FailureWindow {
  readonly #slots: Slot[] = Array.from({ length: slots }, () => ({ tick: -1, calls: 0, failures: 0 }));

  called(nowMs: number): void {
    this.#slot(nowMs).calls += 1;
  }

  /** True where too many fail: more than half of at least twenty. */
  failed(nowMs: number): boolean {
    const current = this.#slot(nowMs);
    current.failures += 1;
    let calls = 0;
    let failures = 0;
    for (const slot of this.#slots) {
      if (slot.tick <= current.tick - slots) continue;
      calls += slot.calls;
      failures += slot.failures;
    }
    return calls >= fewestCalls && failures > calls * mostFailing;
  }

  clear(): void {
    for (const slot of this.#slots) slot.tick = -1;
  }

  #slot(nowMs: number): Slot {
    const tick = Math.floor(nowMs / slotMs);
    const slot = this.#slots[tick % slots];
    if (slot === undefined) throw new Error("a failure window needs a clock that never goes below zero");
    if (slot.tick !== tick) {
      slot.tick = tick;
      slot.calls = 0;
      slot.failures = 0;
    }
    return slot;
  }
}
