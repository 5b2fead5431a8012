const initial = 20;
const least = 4;
const most = 200;
/** Calls that may wait without a limit taking them for too many. */
const slack = 4;
const smoothing = 0.2;
const tolerance = 1.5;
/** Of the long mean. */
const longSamples = 600;
const fewestSamples = 10;
const shortestWindowMs = 1_000;
const slowDownBy = 0.7;
/** After it was told to slow down, a limit does not grow for so long. */
const restMs = 30_000;

/**
 * How many calls at once a credential serves for one model before its answers come later, learned from the time to
 * first content: the limit grows while that stays near its long mean and shrinks as it rises (Gradient2 of Netflix's
 * concurrency-limits). The whole time would say nothing: it depends on how much there is to write.
 */
export class ConcurrencyLimit {
  #limit = initial;
  #longMs = 0;
  #longCount = 0;
  #windowFromMs = 0;
  #windowSumMs = 0;
  #windowCount = 0;
  #mostInFlight = 0;
  /** Calls beyond the limit have been seen to wait, or the provider said so. */
  #crowded = false;
  #restUntilMs = 0;

  get calls(): number {
    return Math.round(this.#limit);
  }

  /** The long mean, ms; zero where nothing is known. */
  get usualMs(): number {
    return this.#longMs;
  }

  /** Whether more calls than `inFlight` would only wait. What was never seen to be too much is no limit. */
  isReached(inFlight: number): boolean {
    return this.#crowded && inFlight >= this.calls;
  }

  /** The time to first content of one call, and how many were in flight then. */
  sample(firstContentMs: number, inFlight: number, nowMs: number): void {
    if (this.#windowCount === 0) this.#windowFromMs = nowMs;
    this.#windowSumMs += firstContentMs;
    this.#windowCount += 1;
    this.#mostInFlight = Math.max(this.#mostInFlight, inFlight);
    if (this.#windowCount < fewestSamples || nowMs - this.#windowFromMs < shortestWindowMs) return;
    const shortMs = this.#windowSumMs / this.#windowCount;
    const busiest = this.#mostInFlight;
    this.#windowSumMs = 0;
    this.#windowCount = 0;
    this.#mostInFlight = 0;
    this.#judge({ shortMs, busiest, nowMs });
  }

  /** The provider asks for a gentler start. */
  slowDown(inFlight: number, nowMs: number): void {
    // Many that are refused in the same moment are one refusal.
    if (nowMs >= this.#restUntilMs) this.#limit = clamp(Math.min(this.#limit, inFlight) * slowDownBy);
    this.#crowded = true;
    this.#restUntilMs = nowMs + restMs;
  }

  #judge({
    shortMs,
    busiest,
    nowMs,
  }: {
    readonly shortMs: number;
    readonly busiest: number;
    readonly nowMs: number;
  }): void {
    this.#longCount = Math.min(longSamples, this.#longCount + fewestSamples);
    this.#longMs += (shortMs - this.#longMs) * Math.max(fewestSamples / this.#longCount, fewestSamples / longSamples);
    // A mean from a bad time would take an ordinary one for a gain for long.
    if (this.#longMs > 2 * shortMs) this.#longMs *= 0.95;
    if (busiest < this.#limit / 2 || nowMs < this.#restUntilMs) return;
    const gradient = Math.min(1, Math.max(0.5, (tolerance * this.#longMs) / Math.max(shortMs, 1)));
    this.#crowded = gradient < 1;
    // What is beyond the limit and does not wait was no limit.
    const base = this.#crowded ? this.#limit : Math.max(this.#limit, Math.min(busiest, most));
    this.#limit = clamp(base * (1 - smoothing) + (base * gradient + slack) * smoothing);
  }
}

function clamp(limit: number): number {
  return Math.min(most, Math.max(least, limit));
}
