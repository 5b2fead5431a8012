import type { HealthHint } from "#domain/health";
import { keyOf } from "#policy/health-entry";
import { agedHint } from "#policy/hints";

interface Kept {
  readonly hint: HealthHint;
  readonly atMs: number;
}

const maxScopes = 1024;

/** What the workers found out about providers, for those that start later. */
export class HealthBoard {
  /** The longest unchanged first. */
  readonly #kept = new Map<string, Kept>();

  take(hints: readonly HealthHint[], nowMs: number): void {
    for (const hint of hints) {
      const key = keyOf(hint.scope);
      this.#kept.delete(key);
      if (hint.closed) continue;
      const oldest = this.#kept.keys().next();
      if (this.#kept.size >= maxScopes && oldest.done !== true) this.#kept.delete(oldest.value);
      this.#kept.set(key, { hint, atMs: nowMs });
    }
  }

  /** As of now; what is over is forgotten. */
  view(nowMs: number): readonly HealthHint[] {
    const hints: HealthHint[] = [];
    for (const [key, { hint, atMs }] of this.#kept) {
      const aged = agedHint(hint, nowMs - atMs);
      if (aged === undefined) this.#kept.delete(key);
      else hints.push(aged);
    }
    return hints;
  }

  /** New keys or addresses may have cured what was known. */
  clear(): void {
    this.#kept.clear();
  }
}
