interface Served {
  readonly target: string;
  readonly untilMs: number;
}

const maxRemembered = 10_000;

/**
 * Who answered a session or a prompt last, as long as that is worth something. A worker's own, and bounded: what it
 * forgets costs a cache, no call. Time is an argument.
 */
export class Affinity {
  /** The least recently told first. */
  readonly #served = new Map<string, Served>();

  servedBy(key: string, nowMs: number): string | undefined {
    const found = this.#served.get(key);
    return found === undefined || found.untilMs <= nowMs ? undefined : found.target;
  }

  serve(key: string, target: string, untilMs: number): void {
    this.#served.delete(key);
    this.#served.set(key, { target, untilMs });
    const oldest = this.#served.keys().next();
    if (this.#served.size > maxRemembered && oldest.done !== true) this.#served.delete(oldest.value);
  }
}
