import type { Clock } from "#domain/ports";
import type { Downstream } from "./attempt-input.ts";

export interface OutletOptions {
  readonly exchange: Pick<Downstream, "write" | "onDrain">;
  readonly clock: Clock;
  /** A client that takes no byte for so long is let go. */
  readonly stalledMs: number;
  readonly onFull: () => void;
  readonly onFree: () => void;
  readonly onStalled: () => void;
}

/**
 * The client's side of a stream with its back-pressure: once the socket says it is full, `onFull` stops the upstream
 * until the client has taken what there is. What can pile up is the socket's own mark plus one upstream read.
 */
export class Outlet {
  readonly #options: OutletOptions;
  #full = false;
  #listens = false;
  #cancelStall: (() => void) | undefined;
  bytes = 0;

  constructor(options: OutletOptions) {
    this.#options = options;
  }

  get full(): boolean {
    return this.#full;
  }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.bytes += bytes.length;
    // Only now: of two attempts at once, the one that writes is the one to hear of it.
    if (!this.#listens) this.#options.exchange.onDrain(() => this.#drained());
    this.#listens = true;
    if (this.#options.exchange.write(bytes) || this.#full) return;
    this.#full = true;
    this.#cancelStall = this.#options.clock.timer(this.#options.stalledMs, () => this.#options.onStalled());
    this.#options.onFull();
  }

  #drained(): void {
    if (!this.#full) return;
    this.#full = false;
    this.#cancelStall?.();
    this.#options.onFree();
  }

  close(): void {
    this.#cancelStall?.();
    this.#full = false;
  }
}
