import { crc32 } from "./crc32.ts";
import { readEventHeaders, type EventHeaders } from "./event-stream-headers.ts";

/** One frame of `application/vnd.amazon.eventstream`, its checksums right. */
export interface EventStreamFrame extends EventHeaders {
  readonly payload: Uint8Array;
  /** The whole frame as it came: what a relay forwards. Nobody writes to these bytes, or the payload's, again. */
  readonly raw: Uint8Array;
}

export interface EventStreamProblem {
  /** `malformed`: checksums right, but lengths or headers that contradict each other. */
  readonly kind: "prelude_checksum" | "message_checksum" | "malformed" | "oversize" | "truncated";
  /** A sentence for people. */
  readonly message: string;
}

/**
 * A push parser of Amazon's event stream encoding (https://smithy.io/2.0/aws/amazon-eventstream.html). A frame is given
 * only after both its checksums proved right. Linear in the bytes, whatever their split; the raw bytes of all frames,
 * joined, are the input as far as it was read.
 */
export interface EventStreamDecoder {
  push(bytes: Uint8Array): void;
  /** Bytes left without the rest of their frame are a `truncated` stream. */
  end(): void;
}

export interface EventStreamDecoderOptions {
  /** A frame that says it is larger is not read: memory is bounded by it. */
  readonly maxFrameBytes: number;
  readonly onFrame: (frame: EventStreamFrame) => void;
  /** Called at most once; nothing is parsed or reported after it, because the next frame's start is not known. */
  readonly onProblem: (problem: EventStreamProblem) => void;
}

export function eventStreamDecoder(options: EventStreamDecoderOptions): EventStreamDecoder {
  return new EventFrameSplitter(options);
}

/** Total length, headers' length, and the checksum of these eight bytes. */
export const preludeBytes = 12;
const preludeChecksumAt = 8;
export const checksumBytes = 4;
/** The format's own bound of the headers of one frame. */
export const maxHeaderBytes = 128 * 1024;
const smallestHold = 1024;

class EventFrameSplitter implements EventStreamDecoder {
  readonly #options: EventStreamDecoderOptions;
  /** The start of a frame whose end has not come yet; grown by doubling, handed over with the frame. */
  #held: Buffer | undefined;
  #heldBytes = 0;
  /** The length of the frame under way; 0 while its prelude is not whole. */
  #frameBytes = 0;
  #closed = false;

  constructor(options: EventStreamDecoderOptions) {
    this.#options = options;
  }

  push(bytes: Uint8Array): void {
    const chunk = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    while (at < chunk.length && !this.#closed) {
      at = this.#held === undefined ? this.#readInPlace(chunk, at) : this.#readHeld(this.#held, chunk, at);
    }
  }

  end(): void {
    if (this.#closed) return;
    const missing = this.#held !== undefined;
    if (missing) this.#refuse("truncated", `the stream ended after ${this.#heldBytes} bytes of a frame`);
    this.#closed = true;
  }

  /** A frame that lies inside one chunk is not copied. Gives where the next one starts. */
  #readInPlace(chunk: Buffer, at: number): number {
    const there = chunk.length - at;
    if (there >= preludeBytes) {
      const frameBytes = this.#readPrelude(chunk, at);
      if (frameBytes === undefined) return chunk.length;
      if (frameBytes <= there) {
        this.#complete(chunk.subarray(at, at + frameBytes));
        return at + frameBytes;
      }
      this.#frameBytes = frameBytes;
    }
    this.#held = Buffer.allocUnsafe(Math.max(smallestHold, there));
    this.#heldBytes = chunk.copy(this.#held, 0, at);
    return chunk.length;
  }

  #readHeld(held: Buffer, chunk: Buffer, at: number): number {
    const wanted = this.#frameBytes === 0 ? preludeBytes : this.#frameBytes;
    const end = Math.min(chunk.length, at + wanted - this.#heldBytes);
    const grown = this.#append(held, chunk.subarray(at, end));
    if (this.#heldBytes < wanted) return end;
    if (this.#frameBytes === 0) {
      this.#frameBytes = this.#readPrelude(grown, 0) ?? 0;
      return end;
    }
    this.#held = undefined;
    this.#frameBytes = 0;
    this.#complete(grown.subarray(0, wanted));
    return end;
  }

  #append(held: Buffer, piece: Buffer): Buffer {
    const needed = this.#heldBytes + piece.length;
    let room = held;
    if (held.length < needed) {
      room = Buffer.allocUnsafe(Math.min(needed * 2, this.#frameBytes));
      held.copy(room, 0, 0, this.#heldBytes);
      this.#held = room;
    }
    piece.copy(room, this.#heldBytes);
    this.#heldBytes = needed;
    return room;
  }

  /** The frame's length. Lengths are believed, and memory is taken for them, only after their checksum. */
  #readPrelude(bytes: Buffer, at: number): number | undefined {
    const checksum = bytes.readUInt32BE(at + preludeChecksumAt);
    if (crc32(bytes, at, at + preludeChecksumAt) !== checksum) {
      return this.#refuse("prelude_checksum", "the checksum of a frame's lengths is wrong");
    }
    const frameBytes = bytes.readUInt32BE(at);
    const headerBytes = bytes.readUInt32BE(at + 4);
    const most = this.#options.maxFrameBytes;
    if (frameBytes > most)
      return this.#refuse("oversize", `a frame of ${frameBytes} bytes is over the limit of ${most}`);
    if (headerBytes > maxHeaderBytes) {
      return this.#refuse("oversize", `headers of ${headerBytes} bytes are over the limit of ${maxHeaderBytes}`);
    }
    if (frameBytes < preludeBytes + headerBytes + checksumBytes) {
      return this.#refuse("malformed", `a frame of ${frameBytes} bytes cannot hold headers of ${headerBytes}`);
    }
    return frameBytes;
  }

  #complete(raw: Buffer): void {
    const payloadEnd = raw.length - checksumBytes;
    if (crc32(raw, 0, payloadEnd) !== raw.readUInt32BE(payloadEnd)) {
      this.#refuse("message_checksum", "the checksum of a frame is wrong");
      return;
    }
    const headersEnd = preludeBytes + raw.readUInt32BE(4);
    const headers = readEventHeaders(raw.subarray(preludeBytes, headersEnd));
    if (headers === undefined) {
      this.#refuse("malformed", "a frame's headers are not in the form of the format");
      return;
    }
    this.#options.onFrame({ ...headers, payload: raw.subarray(headersEnd, payloadEnd), raw });
  }

  #refuse(kind: EventStreamProblem["kind"], message: string): undefined {
    this.#closed = true;
    this.#held = undefined;
    this.#options.onProblem({ kind, message });
  }
}
