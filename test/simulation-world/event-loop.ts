import type { Clock } from "#domain/ports";

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly run: () => void;
  over: boolean;
}

const startWallMs = Date.UTC(2026, 0, 1);

/**
 * Virtual time: the event that is due next runs, then every promise it woke, then what `afterEach` looks at. Events due
 * together run in the order they were set. No real timer and no real clock has a part in it.
 */
export class EventLoop implements Clock {
  /** A binary heap. */
  readonly #heap: Timer[] = [];
  #nowMs = 0;
  #order = 0;
  ran = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return startWallMs + Math.floor(this.#nowMs);
  }

  timer(delayMs: number, then: () => void): () => void {
    const timer: Timer = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run: then, over: false };
    this.#push(timer);
    return () => void (timer.over = true);
  }

  at(dueMs: number, then: () => void): void {
    this.timer(dueMs - this.#nowMs, then);
  }

  /** Runs what falls due until then. */
  async run(untilMs: number, afterEach: () => void): Promise<void> {
    for (let next = this.#due(untilMs); next !== undefined; next = this.#due(untilMs)) {
      this.#nowMs = next.dueMs;
      next.over = true;
      this.ran += 1;
      next.run();
      await settled();
      afterEach();
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  #due(untilMs: number): Timer | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || (first.dueMs > untilMs && !first.over)) return undefined;
      this.#pop();
      if (!first.over) return first;
    }
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above]!;
      if (!isBefore(timer, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below += 1;
      const child = heap[below]!;
      if (!isBefore(child, last)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}

/** V8 runs every promise that waits for nothing outside before the next turn of the loop. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A node's own view of the clock: what it has set and not taken back is counted. */
export class CountedClock implements Clock {
  readonly #loop: EventLoop;
  #pending = 0;

  constructor(loop: EventLoop) {
    this.#loop = loop;
  }

  get pending(): number {
    return this.#pending;
  }

  nowMs(): number {
    return this.#loop.nowMs();
  }

  wallMs(): number {
    return this.#loop.wallMs();
  }

  timer(delayMs: number, then: () => void): () => void {
    let over = false;
    const finish = (): void => {
      if (!over) this.#pending -= 1;
      over = true;
    };
    this.#pending += 1;
    const cancel = this.#loop.timer(delayMs, () => {
      finish();
      then();
    });
    return () => {
      finish();
      cancel();
    };
  }
}
