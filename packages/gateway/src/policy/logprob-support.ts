import type { Failure } from "#domain/failure";

/** What a host or a model lacks today it may have tomorrow. */
const rememberMs = 24 * 3_600_000;
/** Models' names are of callers' making. */
const maxTargets = 1000;

/** Statuses of a request that is refused as it is, OpenAI's 403 for models that reason among them. */
const refusals: ReadonlySet<number | undefined> = new Set([400, 403, 422]);

/**
 * Whether a provider refused a request because of the log-probabilities in it, however it puts that: "Logprobs is not
 * enabled for models/gemini-2.5-flash", "You are not allowed to request logprobs from this model", "Unrecognized request
 * argument supplied: logprobs", or the name of the field alone. The same request without them deserves one more try.
 */
export function refusesLogprobs({ message, param, upstream }: Failure): boolean {
  if (!refusals.has(upstream?.status)) return false;
  return [message, param, upstream?.code].some((text) => text !== undefined && /log[\s_-]?prob/iu.test(text));
}

/** Targets that refused log-probabilities within a day: they are not asked for them in vain again. */
export class LogprobSupport {
  /** By target, and when it refused; the longest known first. */
  readonly #refusedAtMs = new Map<string, number>();

  /** `target`: `provider/model`, and whatever else tells apart who refuses, its language for instance. */
  refused(target: string, nowMs: number): void {
    this.#refusedAtMs.delete(target);
    const oldest = this.#refusedAtMs.keys().next();
    if (this.#refusedAtMs.size >= maxTargets && oldest.done !== true) this.#refusedAtMs.delete(oldest.value);
    this.#refusedAtMs.set(target, nowMs);
  }

  mayAsk(target: string, nowMs: number): boolean {
    const atMs = this.#refusedAtMs.get(target);
    if (atMs === undefined) return true;
    if (nowMs - atMs < rememberMs) return false;
    this.#refusedAtMs.delete(target);
    return true;
  }
}
