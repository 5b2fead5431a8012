import type { Clock, Exchange } from "#domain/ports";
import type { Downstream } from "./attempt-input.ts";

type Headers = Readonly<Record<string, string | readonly string[]>>;

interface HeldStreamOptions {
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly heartbeatMs: number;
  /** Empty where the caller's language has none: then nothing is sent before the answer is. */
  readonly heartbeat: Uint8Array;
  /** What is known of the answer before there is one. */
  readonly headers: () => Headers;
}

/**
 * The client's side of a stream of which nothing may be sent yet. Client libraries and proxies give up on silence, so
 * after a while the head goes out, and then something that is no content again and again. From then on the status is
 * said: whatever comes later is said in the stream.
 */
export class HeldStream implements Downstream {
  readonly #options: HeldStreamOptions;
  #cancel: (() => void) | undefined;
  #opened = false;
  #full = false;

  constructor(options: HeldStreamOptions) {
    this.#options = options;
    if (options.heartbeat.length > 0) this.#wait();
  }

  /** The head has left. */
  get opened(): boolean {
    return this.#opened;
  }

  respond(status: number, headers: Headers): void {
    this.stop();
    if (!this.#opened) this.#options.exchange.respond(status, headers);
  }

  write(bytes: Uint8Array): boolean {
    this.stop();
    return this.#options.exchange.write(bytes);
  }

  end(bytes?: Uint8Array): void {
    this.stop();
    this.#options.exchange.end(bytes);
  }

  onDrain(then: () => void): void {
    this.#options.exchange.onDrain(then);
  }

  /** There is a verdict, or nobody is there any more: nothing is sent for the sake of it from here on. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #wait(): void {
    const { clock, heartbeatMs } = this.#options;
    this.#cancel = clock.timer(heartbeatMs, () => {
      this.#beat();
      this.#wait();
    });
  }

  #beat(): void {
    const { exchange, headers, heartbeat } = this.#options;
    if (exchange.gone || this.#full) return;
    if (!this.#opened) {
      exchange.onDrain(() => void (this.#full = false));
      exchange.respond(200, headers());
      this.#opened = true;
    }
    this.#full = !exchange.write(heartbeat);
  }
}
