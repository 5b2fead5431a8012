const rememberMs = 60_000;
const maxRequests = 256;
const maxKillsEach = 8;

/** Tells one request from others, whoever sends it; asked for only where a connection was lost. */
export type Fingerprint = () => string;

/**
 * Requests that made providers drop the connection while nothing else failed there: likelier at fault than the
 * providers are. Two providers within a minute are a verdict.
 */
export class DeadlyRequests {
  /** By fingerprint: the providers and when. */
  readonly #kills = new Map<string, Map<string, number>>();

  /** True where this makes it deadly: the loss then says nothing of the provider. */
  killed(request: Fingerprint, provider: string, nowMs: number): boolean {
    const print = request();
    const kills = this.#kills.get(print) ?? new Map<string, number>();
    this.#kills.delete(print);
    const oldest = this.#kills.keys().next();
    if (this.#kills.size >= maxRequests && oldest.done !== true) this.#kills.delete(oldest.value);
    this.#kills.set(print, kills);
    if (kills.has(provider) || kills.size < maxKillsEach) kills.set(provider, nowMs);
    return this.killers(request, nowMs).length >= 2;
  }

  /** The provider turned out to drop the connections of others as well. */
  withdraw(request: Fingerprint, provider: string): void {
    if (this.#kills.size > 0) this.#kills.get(request())?.delete(provider);
  }

  /** It was answered in full: it is no danger. */
  answered(request: Fingerprint): void {
    if (this.#kills.size > 0) this.#kills.delete(request());
  }

  /** Providers whose connection it cost within the last minute. */
  killers(request: Fingerprint, nowMs: number): readonly string[] {
    this.#forget(nowMs);
    if (this.#kills.size === 0) return none;
    const print = request();
    const kills = this.#kills.get(print);
    if (kills === undefined) return none;
    for (const [provider, atMs] of kills) if (nowMs - atMs >= rememberMs) kills.delete(provider);
    if (kills.size === 0) this.#kills.delete(print);
    return [...kills.keys()];
  }

  /** Of whatever is in here every call pays for a fingerprint of its body: what is over must not stay. */
  #forget(nowMs: number): void {
    for (const [print, kills] of this.#kills) {
      // The latest to kill come last.
      if (kills.values().some((atMs) => nowMs - atMs < rememberMs)) return;
      this.#kills.delete(print);
    }
  }
}

const none: readonly string[] = [];
