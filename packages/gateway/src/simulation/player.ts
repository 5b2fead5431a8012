import type { IncomingMessage, ServerResponse } from "node:http";
import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "#domain/ports";
import type { LoggedRequest, RequestLog } from "./request-log.ts";
import type { Step } from "./timeline.ts";

/** Status, headers and how the body's end is told. */
export interface Head {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** `{length}` declares that content-length, right or wrong. */
  readonly framing: "chunked" | "close-delimited" | { readonly length: number };
}

export interface Stage {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly clock: Clock;
  readonly log: RequestLog;
  readonly entry: LoggedRequest;
}

/** What a script plays: `raw` steps go on the socket as they are, without head and framing. */
export interface Performance {
  readonly head: Head;
  readonly steps: Iterable<Step>;
  readonly raw: boolean;
  /** Every write is flushed on its own, so that the other side reads it on its own. */
  readonly flushEach: boolean;
}

/** Plays the steps until their end or until the other side has gone, and keeps the log entry true. */
export async function play(performance: Performance, stage: Stage): Promise<void> {
  const output = new Output(performance, stage);
  for (const step of performance.steps) {
    if (output.gone) return;
    switch (step.kind) {
      case "wait":
        await output.wait(step.ms);
        break;
      case "head":
        output.head();
        break;
      case "send":
        await output.send(step.bytes);
        break;
      case "hold":
        await output.hold(step);
        break;
      case "end":
        await output.end(step.how);
        return;
    }
  }
}

/** The server's side of one exchange. */
class Output {
  readonly #performance: Performance;
  readonly #stage: Stage;
  #gone = false;
  #ended = false;
  #onGone: (() => void) | undefined;
  #flushed: Promise<unknown> = Promise.resolve();

  constructor(performance: Performance, stage: Stage) {
    this.#performance = performance;
    this.#stage = stage;
    const leave = (): void => this.#left();
    const { socket } = stage.request;
    socket.once("end", leave).once("close", leave);
    // A kept-alive socket serves many requests: each leaves no listener behind.
    stage.response.once("close", () => socket.off("end", leave).off("close", leave));
    // Writing to a side that has just left is no fault of ours.
    stage.response.on("error", leave);
    if (socket.destroyed) this.#left();
  }

  /** A body of known length is whole for the other side before we say so. */
  #hasAll(): boolean {
    const { framing } = this.#performance.head;
    return typeof framing === "object" && this.#stage.entry.bytesWritten >= framing.length;
  }

  get gone(): boolean {
    return this.#gone;
  }

  #left(): void {
    if (this.#ended || this.#gone) return;
    this.#gone = true;
    const { log, entry, clock } = this.#stage;
    const nowMs = clock.nowMs();
    if (this.#hasAll()) this.#complete();
    else log.update(entry, { state: "aborted", abortedAtMs: nowMs, endedAtMs: nowMs });
    this.#onGone?.();
  }

  /** Ends early when the other side goes. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#stage.clock.timer(ms, () => this.#settle(resolve));
      this.#onGone = () => {
        cancel();
        this.#settle(resolve);
      };
    });
  }

  #settle(resolve: () => void): void {
    this.#onGone = undefined;
    resolve();
  }

  head(): void {
    const { response, log, entry, clock } = this.#stage;
    const { status, headers, framing } = this.#performance.head;
    response.sendDate = false;
    if (framing === "close-delimited") {
      response.useChunkedEncodingByDefault = false;
      response.shouldKeepAlive = false;
    }
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (typeof framing === "object") response.setHeader("content-length", framing.length);
    response.writeHead(status);
    response.flushHeaders();
    log.update(entry, { headAtMs: clock.nowMs(), status });
  }

  async send(bytes: Buffer): Promise<void> {
    const { request, response, log, entry } = this.#stage;
    const target = this.#performance.raw ? request.socket : response;
    let accepted = true;
    this.#flushed = new Promise((resolve) => {
      accepted = target.write(bytes, resolve);
    });
    log.update(entry, { bytesWritten: entry.bytesWritten + bytes.length });
    if (this.#performance.flushEach || !accepted) await this.#flush();
  }

  async hold({ ping, pingEveryMs, forMs }: Extract<Step, { kind: "hold" }>): Promise<void> {
    const { clock } = this.#stage;
    const untilMs = forMs === undefined ? Number.POSITIVE_INFINITY : clock.nowMs() + forMs;
    while (!this.#gone) {
      const leftMs = untilMs - clock.nowMs();
      if (leftMs <= 0) return;
      const pauseMs = Math.min(leftMs, pingEveryMs ?? Number.POSITIVE_INFINITY);
      if (pauseMs === Number.POSITIVE_INFINITY) await this.#untilGone();
      else await this.wait(pauseMs);
      if (!this.#gone && pauseMs === pingEveryMs) await this.send(ping);
    }
  }

  #untilGone(): Promise<void> {
    return new Promise((resolve) => {
      this.#onGone = () => this.#settle(resolve);
    });
  }

  async end(how: "clean" | "fin" | "rst"): Promise<void> {
    const { request, response } = this.#stage;
    const { raw, head } = this.#performance;
    const short = typeof head.framing === "object" && this.#stage.entry.bytesWritten < head.framing.length;
    if (how === "clean" && !raw && !short) {
      // In the same turn as the last write: the other side may close as soon as it has read that.
      this.#complete();
      response.end();
      return;
    }
    await this.#flush();
    if (this.#gone) return;
    this.#complete();
    if (how === "rst") request.socket.resetAndDestroy();
    else request.socket.end();
  }

  #complete(): void {
    this.#ended = true;
    const { log, entry, clock } = this.#stage;
    log.update(entry, { state: "complete", endedAtMs: clock.nowMs() });
  }

  /**
   * Waits until the last write has left, or the other side has gone; then gives the other side a few turns to read,
   * because a reset throws away what it has not read, and because slices must not arrive glued together.
   */
  async #flush(): Promise<void> {
    const left = new Promise<void>((resolve) => {
      this.#onGone = () => this.#settle(resolve);
    });
    await Promise.race([this.#flushed, left]);
    this.#onGone = undefined;
    for (let turns = 0; turns < 3; turns += 1) await turn();
  }
}
