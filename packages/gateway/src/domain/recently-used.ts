interface Kept<Value> {
  readonly value: Value;
  usedAt: number;
}

/** So much of the whole is forgotten at once, so that looking for the oldest is paid for by many that come. */
const forgottenShare = 1 / 64;

/**
 * A bounded map that forgets what was not used for longest. What is found keeps its place: a `Map` whose entry is taken out and
 * put in again at each use grows a new table every few calls, and V8 chains each outgrown table to the next. Once one of them
 * has become old, its successors, and what calls had in hand while they lived, are no garbage to a scavenge any more (measured:
 * 21 KB of each call were moved to the old generation, and scavenges took ten times as long).
 */
export class RecentlyUsed<Value> {
  readonly #most: number;
  readonly #onForgotten: (value: Value) => void;
  readonly #kept = new Map<string, Kept<Value>>();
  #clock = 0;

  constructor(most: number, onForgotten: (value: Value) => void = () => {}) {
    this.#most = most;
    this.#onForgotten = onForgotten;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Looks, and is no use of it. */
  peek(key: string): Value | undefined {
    return this.#kept.get(key)?.value;
  }

  use(key: string): Value | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    kept.usedAt = this.#clock += 1;
    return kept.value;
  }

  set(key: string, value: Value): void {
    if (this.#kept.size >= this.#most && !this.#kept.has(key)) this.#forget();
    this.#kept.set(key, { value, usedAt: (this.#clock += 1) });
  }

  clear(): void {
    this.#kept.clear();
  }

  values(): readonly Value[] {
    return [...this.#kept.values()].map(({ value }) => value);
  }

  #forget(): void {
    const uses = Float64Array.from(this.#kept.values(), ({ usedAt }) => usedAt).toSorted();
    const last = uses[Math.floor(this.#most * forgottenShare)] ?? Number.POSITIVE_INFINITY;
    for (const [key, { value, usedAt }] of this.#kept) {
      if (usedAt > last) continue;
      this.#kept.delete(key);
      this.#onForgotten(value);
    }
  }
}
