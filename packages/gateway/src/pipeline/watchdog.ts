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

interface Deadline {
  readonly atMs: number;
  readonly failure: () => Failure;
}

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
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#startedAtMs = options.clock.nowMs();
    this.#arm();
  }

  /** Any byte of the answer, its head included. */
  sawByte(nowMs: number): void {
    const first = this.#byteAtMs === undefined;
    this.#byteAtMs = nowMs;
    if (first) this.#rearm();
  }

  sawContent(nowMs: number): void {
    const first = this.#contentAtMs === undefined;
    this.#contentAtMs = nowMs;
    if (first) this.#rearm();
  }

  /** Bytes went to the client. */
  wroteDownstream(nowMs: number): void {
    const first = this.#downstreamAtMs === undefined;
    this.#downstreamAtMs = nowMs;
    if (first) this.#rearm();
  }

  /** While the client holds us up, the upstream's silence is our doing. */
  paused(nowMs: number): void {
    this.#pausedAtMs = nowMs;
  }

  resumed(nowMs: number): void {
    this.#pausedAtMs = undefined;
    if (this.#byteAtMs !== undefined) this.#byteAtMs = nowMs;
    if (this.#contentAtMs !== undefined) this.#contentAtMs = nowMs;
    this.#rearm();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  /** After a change of phase the next deadline may be nearer than the one the timer waits for. */
  #rearm(): void {
    this.#cancel?.();
    this.#arm();
  }

  #arm(): void {
    if (this.#stopped) return;
    const nowMs = this.#options.clock.nowMs();
    const next = Math.min(...this.#deadlines().map(({ atMs }) => atMs), this.#heartbeatAtMs());
    const waitMs = Math.min(longestTimerMs, Math.max(1, Math.ceil(next - nowMs)));
    this.#cancel = this.#options.clock.timer(waitMs, () => this.#wake());
  }

  #wake(): void {
    if (this.#stopped) return;
    const nowMs = this.#options.clock.nowMs();
    for (const deadline of this.#deadlines()) {
      if (deadline.atMs > nowMs) continue;
      this.stop();
      this.#options.onTimeout(deadline.failure());
      return;
    }
    if (this.#heartbeatAtMs() <= nowMs) {
      this.#downstreamAtMs = nowMs;
      this.#options.onQuiet();
    }
    this.#arm();
  }

  #heartbeatAtMs(): number {
    if (this.#downstreamAtMs === undefined || this.#pausedAtMs !== undefined) return Number.POSITIVE_INFINITY;
    return this.#downstreamAtMs + this.#options.heartbeatMs;
  }

  #deadlines(): readonly Deadline[] {
    const { timeouts, deadlineAtMs, streamed, shareMs } = this.#options;
    const total = {
      atMs: deadlineAtMs,
      failure: () => failure("total_timeout", `The whole time for this call, ${timeouts.totalMs} ms, has passed.`),
    };
    if (this.#pausedAtMs !== undefined) return [total];
    if (!streamed) {
      if (this.#byteAtMs !== undefined) return [total, this.#idle(this.#byteAtMs)];
      return shareMs === undefined ? [total] : [total, this.#firstByte(shareMs)];
    }
    if (this.#byteAtMs === undefined) {
      const withinMs = Math.min(timeouts.firstByteMs, shareMs ?? Number.POSITIVE_INFINITY);
      return [total, this.#firstByte(withinMs), this.#firstContent()];
    }
    if (this.#contentAtMs === undefined) return [total, this.#idle(this.#byteAtMs), this.#firstContent()];
    const why = `The provider sent no content for ${timeouts.contentIdleMs} ms.`;
    const atMs = this.#contentAtMs + timeouts.contentIdleMs;
    return [total, this.#idle(this.#byteAtMs), { atMs, failure: () => failure("content_idle_timeout", why) }];
  }

  #firstByte(withinMs: number): Deadline {
    const why = `The provider sent no byte within ${withinMs} ms.`;
    return { atMs: this.#startedAtMs + withinMs, failure: () => failure("first_byte_timeout", why) };
  }

  #firstContent(): Deadline {
    const { timeouts, shareMs = Number.POSITIVE_INFINITY } = this.#options;
    const withinMs = Math.min(timeouts.firstTokenMs, shareMs);
    const why = `The provider sent no content within ${withinMs} ms.`;
    return { atMs: this.#startedAtMs + withinMs, failure: () => failure("first_content_timeout", why) };
  }

  #idle(lastAtMs: number): Deadline {
    const { idleMs } = this.#options.timeouts;
    const why = `The provider sent no byte for ${idleMs} ms.`;
    return { atMs: lastAtMs + idleMs, failure: () => failure("transport_idle_timeout", why) };
  }
}
