import { RecentlyUsed } from "#domain/recently-used";

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
  readonly #served = new RecentlyUsed<Served>(maxRemembered);

  servedBy(key: string, nowMs: number): string | undefined {
    const found = this.#served.peek(key);
    return found === undefined || found.untilMs <= nowMs ? undefined : found.target;
  }

  serve(key: string, target: string, untilMs: number): void {
    this.#served.set(key, { target, untilMs });
  }
}
