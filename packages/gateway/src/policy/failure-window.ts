const slotMs = 10_000;
const slots = 12;
const fewestCalls = 20;
const mostFailing = 0.5;

/**
 * The calls of the last two minutes and how many of them failed. A call counts when it is sent, not when it ends: most
 * answers take longer than a burst of faults, and the window is longer than almost any answer.
 */
export class FailureWindow {
  readonly #ticks = new Float64Array(slots).fill(-1);
  readonly #calls = new Uint32Array(slots);
  readonly #failures = new Uint32Array(slots);

  called(nowMs: number): void {
    const at = this.#slot(nowMs);
    this.#calls[at] = (this.#calls[at] ?? 0) + 1;
  }

  /** True where too many fail: more than half of at least twenty. */
  failed(nowMs: number): boolean {
    const at = this.#slot(nowMs);
    this.#failures[at] = (this.#failures[at] ?? 0) + 1;
    const oldest = Math.floor(nowMs / slotMs) - slots;
    let calls = 0;
    let failures = 0;
    for (let slot = 0; slot < slots; slot += 1) {
      if ((this.#ticks[slot] ?? -1) <= oldest) continue;
      calls += this.#calls[slot] ?? 0;
      failures += this.#failures[slot] ?? 0;
    }
    return calls >= fewestCalls && failures > calls * mostFailing;
  }

  clear(): void {
    this.#ticks.fill(-1);
    this.#calls.fill(0);
    this.#failures.fill(0);
  }

  #slot(nowMs: number): number {
    const tick = Math.floor(nowMs / slotMs);
    if (tick < 0) throw new Error("a failure window needs a clock that never goes below zero");
    const slot = tick % slots;
    if (this.#ticks[slot] !== tick) {
      this.#ticks[slot] = tick;
      this.#calls[slot] = 0;
      this.#failures[slot] = 0;
    }
    return slot;
  }
}
