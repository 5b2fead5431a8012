/** One server-sent event. `data` joins its lines by `\n`; undefined where the frame held only comments. */
export interface SseFrame {
  /** The bytes as they came, terminator included: what a relay forwards. Nobody writes to them again. */
  readonly raw: Uint8Array;
  readonly event?: string;
  readonly data?: string;
  /** The stream ended before the blank line that completes the frame: the standard would discard it. */
  readonly unterminated?: true;
}

/**
 * A push parser of `text/event-stream` after the WHATWG standard (https://html.spec.whatwg.org/multipage/
 * server-sent-events.html#parsing-an-event-stream): LF, CRLF and CR end lines, a BOM is skipped, comments and unknown
 * fields are ignored, several `data` lines are joined. Linear in the bytes, whatever their split. The raw bytes of
 * all frames, joined, are the input. `id` and `retry` are not reported: no language of ours uses them.
 */
export interface SseDecoder {
  push(bytes: Uint8Array): void;
  /** Gives what is left without a blank line behind it as a last frame, marked `unterminated`. */
  end(): void;
}

export interface SseDecoderOptions {
  /** A frame that grows beyond this is not kept: memory is bounded by it. */
  readonly maxFrameBytes: number;
  readonly onFrame: (frame: SseFrame) => void;
  /** Called at most once; nothing is parsed or reported after it. */
  readonly onOversize: () => void;
  /**
   * Asked where a frame begins: its end, where the caller knows all of it by its bytes, has taken it, and it ends in two LF;
   * else 0, and the frame is read as usual.
   */
  readonly known?: (bytes: Buffer, from: number) => number;
}

export function sseDecoder(options: SseDecoderOptions): SseDecoder {
  return new FrameSplitter(options);
}

/** Writes one event. Line breaks in `data` become several `data` lines. */
export function encodeSse(frame: { readonly event?: string; readonly data: string }): string {
  const head = frame.event === undefined ? "" : `event: ${frame.event}\n`;
  return `${head}data: ${/[\r\n]/u.test(frame.data) ? frame.data.replace(/\r\n|\r|\n/gu, "\ndata: ") : frame.data}\n\n`;
}

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;
const smallestHold = 1024;

/**
 * Finds the blank lines. Line ends are searched natively, and each search's result is kept until it is passed, so that
 * every byte is looked at a constant number of times even where a stream knows only one kind of line end.
 */
class FrameSplitter implements SseDecoder {
  readonly #options: SseDecoderOptions;
  /** The start of a frame whose end has not come yet; grown by doubling, handed over with the frame. */
  #held: Buffer | undefined;
  #heldBytes = 0;
  /** Whether the line at the boundary of two pushes has no bytes so far. */
  #lineEmpty = true;
  /** The last byte was a CR that ended a line: an LF that follows belongs to it. */
  #afterCr = false;
  /** The frame is complete, but its last CR is the first half of a CRLF whose LF is still under way. */
  #awaitingLf = false;
  #previousEndWasCrLf = false;
  #atStreamStart = true;
  #closed = false;

  constructor(options: SseDecoderOptions) {
    this.#options = options;
  }

  push(bytes: Uint8Array): void {
    if (this.#closed || bytes.byteLength === 0) return;
    const chunk = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const length = chunk.length;
    let frameStart = 0;
    let lineStart = 0;
    if (this.#afterCr) {
      this.#afterCr = false;
      if (chunk[0] === LF) {
        lineStart = 1;
        this.#previousEndWasCrLf = true;
      }
      if (this.#awaitingLf) {
        this.#awaitingLf = false;
        this.#complete(chunk, 0, lineStart);
        frameStart = lineStart;
      }
    }
    let nextLf = -1;
    let nextCr = -1;
    let lineEmpty = this.#lineEmpty;
    const { known } = this.#options;
    while (lineStart < length && !this.#closed) {
      if (known !== undefined && lineStart === frameStart && lineEmpty && this.#held === undefined) {
        const end = known(chunk, lineStart);
        if (end > 0) {
          lineStart = frameStart = end;
          this.#previousEndWasCrLf = false;
          continue;
        }
      }
      if (nextLf < lineStart) nextLf = indexOrEnd(chunk, LF, lineStart);
      if (nextCr < lineStart) nextCr = indexOrEnd(chunk, CR, lineStart);
      const lineEnd = nextLf < nextCr ? nextLf : nextCr;
      if (lineEnd > lineStart) lineEmpty = false;
      if (lineEnd === length) break;
      lineStart = lineEnd + 1;
      if (lineEnd === nextCr) {
        if (lineStart === length) {
          this.#afterCr = true;
          if (lineEmpty && this.#previousEndWasCrLf) {
            this.#awaitingLf = true;
            break;
          }
        } else if (nextLf === lineStart) {
          lineStart += 1;
        }
      }
      this.#previousEndWasCrLf = lineStart - lineEnd === 2;
      if (lineEmpty) {
        this.#complete(chunk, frameStart, lineStart);
        frameStart = lineStart;
      }
      lineEmpty = true;
    }
    this.#lineEmpty = lineEmpty;
    if (frameStart < length) this.#hold(chunk, frameStart);
  }

  end(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#held === undefined) return;
    const frame = this.#parse(this.#held.subarray(0, this.#heldBytes));
    this.#held = undefined;
    this.#options.onFrame(this.#awaitingLf ? frame : { ...frame, unterminated: true });
  }

  #complete(chunk: Buffer, start: number, end: number): void {
    if (this.#heldBytes + end - start > this.#options.maxFrameBytes) {
      this.#refuse();
      return;
    }
    let raw: Buffer;
    if (this.#held === undefined) {
      raw = start === 0 && end === chunk.length ? chunk : chunk.subarray(start, end);
    } else {
      this.#hold(chunk.subarray(start, end), 0);
      raw = this.#held.subarray(0, this.#heldBytes);
      this.#held = undefined;
      this.#heldBytes = 0;
    }
    this.#options.onFrame(this.#parse(raw));
  }

  #hold(chunk: Buffer, start: number): void {
    if (this.#closed) return;
    const needed = this.#heldBytes + chunk.length - start;
    if (needed > this.#options.maxFrameBytes) {
      this.#refuse();
      return;
    }
    if (this.#held === undefined || this.#held.length < needed) {
      const grown = Buffer.allocUnsafe(Math.max(smallestHold, needed * 2));
      this.#held?.copy(grown, 0, 0, this.#heldBytes);
      this.#held = grown;
    }
    chunk.copy(this.#held, this.#heldBytes, start);
    this.#heldBytes = needed;
  }

  #refuse(): void {
    this.#closed = true;
    this.#held = undefined;
    this.#options.onOversize();
  }

  #parse(raw: Buffer): SseFrame {
    let start = 0;
    if (this.#atStreamStart) {
      this.#atStreamStart = false;
      if (raw[0] === 0xef && raw[1] === 0xbb && raw[2] === 0xbf) start = 3;
    }
    return parseFrame(raw, start);
  }
}

/** Reads the fields of one whole frame. One `data` line, by far the most common frame, is decoded without joining. */
function parseFrame(raw: Buffer, from: number): SseFrame {
  let data: string | undefined;
  let event: string | undefined;
  let start = from;
  let nextLf = -1;
  let nextCr = -1;
  while (start < raw.length) {
    if (nextLf < start) nextLf = indexOrEnd(raw, LF, start);
    if (nextCr < start) nextCr = indexOrEnd(raw, CR, start);
    const end = Math.min(nextLf, nextCr);
    const first = raw[start];
    const dataAt = first === 0x64 ? valueBehind(raw, start, "data") : 0;
    const eventAt = first === 0x65 ? valueBehind(raw, start, "event") : 0;
    if (dataAt > 0) {
      const value = dataAt < end ? raw.toString("utf8", dataAt, end) : "";
      data = data === undefined ? value : `${data}\n${value}`;
    } else if (eventAt > 0) {
      event = eventAt < end ? raw.toString("utf8", eventAt, end) : "";
    }
    start = end === nextCr && nextLf === end + 1 ? end + 2 : end + 1;
  }
  if (event === undefined || event === "") return data === undefined ? { raw } : { raw, data };
  return data === undefined ? { raw, event } : { raw, event, data };
}

/** Where the field's value begins (its colon and one space are skipped); 0 where the line is another field. */
function valueBehind(raw: Buffer, start: number, name: string): number {
  for (let i = 1; i < name.length; i += 1) if (raw[start + i] !== name.charCodeAt(i)) return 0;
  const behind = start + name.length;
  const next = raw[behind];
  if (next === COLON) return raw[behind + 1] === SPACE ? behind + 2 : behind + 1;
  return next === undefined || next === LF || next === CR ? behind : 0;
}

function indexOrEnd(bytes: Buffer, byte: number, from: number): number {
  const at = bytes.indexOf(byte, from);
  return at === -1 ? bytes.length : at;
}
