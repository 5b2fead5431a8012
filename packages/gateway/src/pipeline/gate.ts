import type { Clock } from "#domain/ports";
import type { Downstream } from "./attempt-input.ts";
import { Outlet } from "./outlet.ts";

export interface GateOptions {
  readonly exchange: Downstream;
  readonly clock: Clock;
  readonly stalledMs: number;
  readonly maxHeldBytes: number;
  readonly heartbeat: Uint8Array;
  readonly onFull: () => void;
  readonly onFree: () => void;
  readonly onStalled: () => void;
  /** Bytes have left for the client. */
  readonly onWrote: () => void;
  /** Runs what no caller of ours waits for, so that an exception in it does not reach the event loop. */
  readonly guard: (work: () => void) => void;
}

type Headers = Readonly<Record<string, string | readonly string[]>>;

/**
 * Holds a stream's bytes until its first content, then lets them through; keeps the last ones back until the record
 * is durable. Nothing reaches the client before `commit`, so until then another target may still answer.
 */
export class CommitGate {
  readonly #options: GateOptions;
  readonly #outlet: Outlet;
  #pieces: Uint8Array[] = [];
  #heldBytes = 0;
  /** What the upstream sent before the commit point, whatever of it is to be passed on. */
  #preambleBytes = 0;
  #last: Uint8Array | undefined;
  #committed = false;
  #closed = false;
  #scheduled = false;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#outlet = new Outlet(options);
  }

  get committed(): boolean {
    return this.#committed;
  }

  /** More came than may be held back: the upstream talks and says nothing. */
  get overfull(): boolean {
    return !this.#committed && this.#preambleBytes > this.#options.maxHeldBytes;
  }

  /** Everything meant for the client so far, what is still held included. */
  get bytes(): number {
    return this.#outlet.bytes + this.#heldBytes + (this.#last?.length ?? 0);
  }

  /** `cameAs`: how many bytes it took the upstream to say this. */
  add(bytes: Uint8Array, cameAs: number): void {
    if (!this.#committed) this.#preambleBytes += Math.max(bytes.length, cameAs);
    if (bytes.length === 0) return;
    this.#pieces.push(bytes);
    this.#heldBytes += bytes.length;
  }

  /** The completing bytes, while they wait. */
  get last(): Uint8Array | undefined {
    return this.#last;
  }

  /** The completing bytes: they leave by `finish`. */
  holdLast(bytes: Uint8Array): void {
    this.#last = bytes;
  }

  commit(headers: Headers): void {
    this.#committed = true;
    this.#options.exchange.respond(200, headers);
  }

  /**
   * Writes what has gathered once the upstream's whole read has been looked at: the pieces of one read are handed
   * over one by one, and each write costs more than the bytes in it.
   */
  flushSoon(): void {
    if (!this.#committed || this.#scheduled || this.#pieces.length === 0) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (!this.#closed && this.#pieces.length > 0) this.#options.guard(() => this.#flush());
    });
  }

  #flush(): void {
    this.#outlet.write(joined(this.#take()));
    this.#options.onWrote();
  }

  heartbeat(): void {
    if (!this.#committed || this.#closed || this.#outlet.full) return;
    this.#options.guard(() => this.#outlet.write(this.#options.heartbeat));
  }

  /** The upstream has no more to say here. */
  close(): void {
    this.#closed = true;
    this.#outlet.close();
  }

  /** The end of a whole stream: everything still held, then the completing bytes as `edit` leaves them. */
  finish(edit: (last: Uint8Array) => Uint8Array): void {
    const last = this.#last === undefined || this.#last.length === 0 ? [] : [edit(this.#last)];
    this.#options.exchange.end(joined([...this.#take(), ...last]));
  }

  /** The end of a broken stream: the dialect's own error, and never its completion. */
  breakOff(error: Uint8Array): void {
    this.#options.exchange.end(joined([...this.#take(), error]));
  }

  #take(): Uint8Array[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#heldBytes = 0;
    return pieces;
  }
}

/** Pieces of one upstream read lie side by side in memory: then one view serves and nothing is copied. */
function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [first] = pieces;
  if (first === undefined) return new Uint8Array(0);
  if (pieces.length === 1) return first;
  let end = first.byteOffset + first.length;
  for (const piece of pieces.slice(1)) {
    if (piece.buffer !== first.buffer || piece.byteOffset !== end) return Buffer.concat(pieces);
    end += piece.length;
  }
  return Buffer.from(first.buffer, first.byteOffset, end - first.byteOffset);
}
