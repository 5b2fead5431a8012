/** One server-sent event. `data` joins its lines by `\n`; undefined where the frame held only comments. */
export interface SseFrame {
  /** The bytes as they came, terminator included: what a relay forwards. Valid until the next `push`. */
  readonly raw: Uint8Array;
  readonly event?: string;
  readonly data?: string;
}

/**
 * A push parser of `text/event-stream` after the WHATWG standard (https://html.spec.whatwg.org/multipage/
 * server-sent-events.html#parsing-an-event-stream): LF, CRLF and CR end lines, a BOM is skipped, comments and unknown
 * fields are ignored, several `data` lines are joined. Linear in the bytes, whatever their split.
 */
export interface SseDecoder {
  push(bytes: Uint8Array): void;
  /** Gives what is left without a blank line behind it as a last frame, marked `unterminated`. */
  end(): void;
}
