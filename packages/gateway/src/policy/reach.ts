import type { FailureKind } from "#domain/failure";

const maxProviders = 1024;
/** So long after it could not be reached, a provider counts as out of reach. */
const cutOffMs = 30_000;
/** How often one call finds out whether somebody is back. */
const probeEveryMs = 5_000;

/** No word came back: a name that does not resolve, a port that does not answer. */
const unreached: ReadonlySet<FailureKind> = new Set(["unresolvable", "unreachable", "connect_timeout"]);

/**
 * Which providers could not be reached a moment ago: not those that fail, but those of which nothing is heard, as when
 * the network is gone. Bounded by the number of providers; time is an argument.
 */
export class Reach {
  readonly #missedAtMs = new Map<string, number>();
  #probedAtMs = Number.NEGATIVE_INFINITY;

  /** Any answer at all, a refusal too. */
  heard(provider: string): void {
    this.#missedAtMs.delete(provider);
  }

  failed(provider: string, cause: FailureKind, nowMs: number): void {
    if (!unreached.has(cause)) return;
    // The latest come last, so that the first is the one that was looked at longest ago.
    this.#missedAtMs.delete(provider);
    this.#missedAtMs.set(provider, nowMs);
    const oldest = this.#missedAtMs.keys().next();
    if (this.#missedAtMs.size > maxProviders && oldest.done !== true) this.#missedAtMs.delete(oldest.value);
  }

  isCutOff(provider: string, nowMs: number): boolean {
    const missedAtMs = this.#missedAtMs.get(provider);
    return missedAtMs !== undefined && nowMs - missedAtMs < cutOffMs;
  }

  /** Of providers that are out of reach the one to look at now; undefined while another call has just done so. */
  takeProbe(providers: readonly string[], nowMs: number): string | undefined {
    if (nowMs - this.#probedAtMs < probeEveryMs) return undefined;
    const missedAtMs = (provider: string): number => this.#missedAtMs.get(provider) ?? 0;
    const [longest] = providers.toSorted((a, b) => missedAtMs(a) - missedAtMs(b));
    // Who has only just been found out of reach is not to be asked again at once.
    if (longest === undefined || nowMs - missedAtMs(longest) < probeEveryMs) return undefined;
    this.#probedAtMs = nowMs;
    return longest;
  }
}
