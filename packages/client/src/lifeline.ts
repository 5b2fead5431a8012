import { Aborted, TimedOut } from "./errors.ts";

/** How much longer than the gateway this side waits, so that the gateway's own, better explained error arrives. */
const graceMs = 2_000;

/** Timers of JavaScript hold 31 bits; a longer one would fire at once. */
const longestTimeoutMs = 2 ** 31 - 1 - graceMs;

/** Throws a TypeError on a timeout that no timer can keep. */
export function mustBeTimeout(timeoutMs: number | undefined): void {
  if (timeoutMs !== undefined && !(timeoutMs > 0 && timeoutMs <= longestTimeoutMs)) {
    throw new TypeError(
      `timeoutMs must be more than 0 and at most ${longestTimeoutMs} milliseconds, not ${timeoutMs}.`,
    );
  }
}

/** What may end a call early: the caller's signal, the deadline, or the caller leaving a stream. */
export class Lifeline {
  readonly #abort = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #timeoutMs: number | undefined;
  readonly #startedAtMs = Date.now();
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  #ended: "by-caller" | "by-deadline" | undefined;

  constructor(limits: { readonly signal: AbortSignal | undefined; readonly timeoutMs: number | undefined }) {
    this.#caller = limits.signal;
    this.#timeoutMs = limits.timeoutMs;
    if (limits.signal?.aborted === true) this.#onCaller();
    limits.signal?.addEventListener("abort", this.#onCaller, { once: true });
    if (limits.timeoutMs !== undefined) {
      this.#timer = setTimeout(() => this.#end("by-deadline"), limits.timeoutMs + graceMs);
    }
  }

  /** For `fetch`. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Milliseconds the gateway may still use; undefined where there is no limit. Never under 1. */
  get leftMs(): number | undefined {
    if (this.#timeoutMs === undefined) return undefined;
    return Math.max(1, Math.round(this.#timeoutMs - (Date.now() - this.#startedAtMs)));
  }

  /** Whether the call can still wait so long and then be made. */
  allows(delayMs: number): boolean {
    return this.leftMs === undefined || delayMs < this.leftMs;
  }

  /** The error that explains an early end, or undefined where the end came from elsewhere. */
  explain(requestId?: string): Aborted | TimedOut | undefined {
    const known = requestId === undefined ? {} : { requestId };
    if (this.#ended === "by-caller") {
      return new Aborted("The call was aborted by its signal.", {
        code: "aborted",
        ...known,
        cause: this.#caller?.reason,
      });
    }
    if (this.#ended === "by-deadline") {
      return new TimedOut(`No complete answer within ${this.#timeoutMs} ms.`, { code: "timed_out", ...known });
    }
    return undefined;
  }

  /** Waits, or throws what ended the call meanwhile. */
  async sleep(delayMs: number): Promise<void> {
    const signal = this.#abort.signal;
    await new Promise<void>((resolve) => {
      if (signal.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, delayMs);
      signal.addEventListener("abort", done);
    });
    const ended = this.explain();
    if (ended !== undefined) throw ended;
  }

  /** The call is over: lets go of timer, signal and whatever is still under way. */
  release(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener("abort", this.#onCaller);
    this.#abort.abort();
  }

  readonly #onCaller = (): void => this.#end("by-caller");

  #end(how: "by-caller" | "by-deadline"): void {
    this.#ended ??= how;
    this.#abort.abort();
  }
}
