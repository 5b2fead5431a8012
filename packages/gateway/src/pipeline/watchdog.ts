import { failure, type Failure } from "#domain/failure";
import type { Timeouts } from "#domain/plan";
import type { Clock } from "#domain/ports";

export interface WatchdogOptions {
  readonly clock: Clock;
  readonly timeouts: Timeouts;
  /** Over all attempts, monotonic. */
  readonly deadlineAtMs: number;
  /** An answer in one piece has no first token to wait for: its deadline is the whole call's. */
  readonly streamed: boolean;
  /** How long the first byte of a whole answer, or a stream's first content, may take while another could be asked. */
  readonly shareMs?: number;
  readonly onTimeout: (failure: Failure) => void;
  /** Something is due to the client: a heartbeat. */
  readonly onQuiet: () => void;
  readonly heartbeatMs: number;
}

/** Node takes a longer wait than this for none at all. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * The deadlines of one attempt behind a single timer. Progress only notes the time; the timer, when it fires, sees
 * what is due and sleeps again, so a chunk costs two assignments and no timer.
 */
export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #startedAtMs: number;
  #byteAtMs: number | undefined;
  #contentAtMs: number | undefined;
  #downstreamAtMs: number | undefined;
  #pausedAtMs: number | undefined;
  #wakesAtMs = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#startedAtMs = options.clock.nowMs();
    const { timeouts, streamed, heartbeatMs, shareMs = Number.POSITIVE_INFINITY } = options;
    // Soon enough for whatever may come to be due first, so that most attempts set one timer and no other.
    const soonestMs = streamed
      ? Math.min(
          timeouts.firstByteMs,
          timeouts.firstTokenMs,
          timeouts.idleMs,
          timeouts.contentIdleMs,
          heartbeatMs,
          shareMs,
        )
      : Math.min(timeouts.idleMs, shareMs);
    this.#sleepUntil(Math.min(options.deadlineAtMs, this.#startedAtMs + soonestMs), this.#startedAtMs);
  }

  /** Any byte of the answer, its head included. */
  sawByte(nowMs: number): void {
    this.#byteAtMs = nowMs;
  }

  sawContent(nowMs: number): void {
    this.#contentAtMs = nowMs;
  }

  /** Bytes went to the client. */
  wroteDownstream(nowMs: number): void {
    this.#downstreamAtMs = nowMs;
  }

  /** While the client holds us up, the upstream's silence is our doing. */
  paused(nowMs: number): void {
    this.#pausedAtMs = nowMs;
  }

  resumed(nowMs: number): void {
    this.#pausedAtMs = undefined;
    if (this.#byteAtMs !== undefined) this.#byteAtMs = nowMs;
    if (this.#contentAtMs !== undefined) this.#contentAtMs = nowMs;
    // While it was paused nothing but the whole time was waited for.
    const next = this.#nextAtMs();
    if (next < this.#wakesAtMs) this.#sleepUntil(next, nowMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #sleepUntil(atMs: number, nowMs: number): void {
    if (this.#stopped) return;
    this.#cancel?.();
    this.#wakesAtMs = atMs;
    const waitMs = Math.min(longestTimerMs, Math.max(1, Math.ceil(atMs - nowMs)));
    this.#cancel = this.#options.clock.timer(waitMs, () => this.#wake());
  }

  #wake(): void {
    if (this.#stopped) return;
    const nowMs = this.#options.clock.nowMs();
    const due = this.#due(nowMs);
    if (due !== undefined) {
      this.stop();
      this.#options.onTimeout(due);
      return;
    }
    if (this.#heartbeatAtMs() <= nowMs) {
      this.#downstreamAtMs = nowMs;
      this.#options.onQuiet();
    }
    this.#sleepUntil(this.#nextAtMs(), nowMs);
  }

  #nextAtMs(): number {
    return Math.min(this.#options.deadlineAtMs, this.#phaseAtMs(), this.#byteDueAtMs(), this.#heartbeatAtMs());
  }

  /** The deadline that has passed; of several the widest, which says most. */
  #due(nowMs: number): Failure | undefined {
    const { timeouts, deadlineAtMs } = this.#options;
    if (deadlineAtMs <= nowMs) {
      return failure("total_timeout", `The whole time for this call, ${timeouts.totalMs} ms, has passed.`);
    }
    if (this.#byteDueAtMs() <= nowMs) {
      return this.#byteAtMs === undefined
        ? failure("first_byte_timeout", `The provider sent no byte within ${this.#firstByteMs} ms.`)
        : failure("transport_idle_timeout", `The provider sent no byte for ${timeouts.idleMs} ms.`);
    }
    if (this.#phaseAtMs() > nowMs) return undefined;
    return this.#contentAtMs === undefined
      ? failure("first_content_timeout", `The provider sent no content within ${this.#firstContentMs} ms.`)
      : failure("content_idle_timeout", `The provider sent no content for ${timeouts.contentIdleMs} ms.`);
  }

  #heartbeatAtMs(): number {
    if (this.#downstreamAtMs === undefined || this.#pausedAtMs !== undefined) return Number.POSITIVE_INFINITY;
    return this.#downstreamAtMs + this.#options.heartbeatMs;
  }

  /** Until the first byte, or between two. */
  #byteDueAtMs(): number {
    if (this.#pausedAtMs !== undefined) return Number.POSITIVE_INFINITY;
    if (this.#byteAtMs !== undefined) return this.#byteAtMs + this.#options.timeouts.idleMs;
    return this.#startedAtMs + this.#firstByteMs;
  }

  /** Until a stream's first content, or between two pieces of it. */
  #phaseAtMs(): number {
    const { streamed, timeouts } = this.#options;
    if (!streamed || this.#pausedAtMs !== undefined) return Number.POSITIVE_INFINITY;
    if (this.#contentAtMs === undefined) return this.#startedAtMs + this.#firstContentMs;
    return this.#contentAtMs + timeouts.contentIdleMs;
  }

  get #firstByteMs(): number {
    const { streamed, timeouts, shareMs = Number.POSITIVE_INFINITY } = this.#options;
    return streamed ? Math.min(timeouts.firstByteMs, shareMs) : shareMs;
  }

  get #firstContentMs(): number {
    const { timeouts, shareMs = Number.POSITIVE_INFINITY } = this.#options;
    return Math.min(timeouts.firstTokenMs, shareMs);
  }
}
