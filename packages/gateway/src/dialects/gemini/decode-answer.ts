import type { AnswerEvent } from "#domain/answer";
import { failure, type Failure } from "#domain/failure";
import { jsonArrayDecoder, type JsonArrayDecoder } from "#wire/json-array";
import { sseDecoder, type SseDecoder, type SseFrame } from "#wire/sse";
import type { AnswerFrame, DecodeOptions, StreamDecoder } from "#dialects/dialect";
import { isObject } from "#dialects/shape";
import { ChunkEvents } from "./chunk-events.ts";

export function streamDecoder(options: DecodeOptions, onFrame: (frame: AnswerFrame) => void): StreamDecoder {
  return new ChunkStreamDecoder(options, onFrame);
}

/** A whole answer is one chunk; one in the array framing is many. */
export function decodeAnswer(body: Uint8Array, options: DecodeOptions): readonly AnswerEvent[] {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
  const parsed = parseJson(text);
  const chunks: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed];
  const events: AnswerEvent[] = [];
  const failed = readWhole(chunks, { text, options, events });
  if (failed !== undefined) events.push({ kind: "failed", failure: failed });
  return events;
}

interface Whole {
  readonly text: string;
  readonly options: DecodeOptions;
  readonly events: AnswerEvent[];
}

function readWhole(chunks: readonly unknown[], { text, options, events }: Whole): Failure | undefined {
  const grammar = new ChunkEvents(options.classify);
  for (const chunk of chunks) {
    if (!isObject(chunk)) return malformed("it is no JSON object");
    const failed = grammar.accept(chunk, chunks.length === 1 ? text : JSON.stringify(chunk), events);
    if (failed !== undefined) return failed;
  }
  if (!grammar.started) return malformed("it has no candidates");
  if (!grammar.finished) return truncated;
  grammar.complete(events);
  return undefined;
}

const truncated = failure("truncated_response", "The provider's answer ended before it was complete.");
const noBytes = new Uint8Array(0);
const arrayEnd = Buffer.from("\r\n]");
const openBracket = 0x5b;
const openBrace = 0x7b;
const whiteSpace: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

interface Pending {
  readonly raw: Uint8Array;
  readonly events: readonly AnswerEvent[];
}

/**
 * A push parser of all three things a stream may turn out to be: server-sent events, a JSON array that grows (without
 * `alt=sse`), or one JSON object, which is an error or an answer that was not streamed. The language has no terminator:
 * the chunk that names the finish is held back until the stream ends, or the array does, and is then the last.
 */
class ChunkStreamDecoder implements StreamDecoder {
  readonly #options: DecodeOptions;
  readonly #onFrame: (frame: AnswerFrame) => void;
  readonly #grammar: ChunkEvents;
  #framing: "unknown" | "events" | "array" | "object" = "unknown";
  #sse: SseDecoder | undefined;
  #array: JsonArrayDecoder | undefined;
  /** What came before the framing was known, or of the one object. */
  readonly #held: Buffer[] = [];
  #heldBytes = 0;
  #pending: Pending | undefined;
  #over = false;

  constructor(options: DecodeOptions, onFrame: (frame: AnswerFrame) => void) {
    this.#options = options;
    this.#onFrame = onFrame;
    this.#grammar = new ChunkEvents(options.classify);
  }

  push(bytes: Uint8Array): void {
    if (this.#over || bytes.byteLength === 0) return;
    if (this.#framing === "unknown") this.#recognise(bytes);
    if (this.#framing === "unknown" || this.#framing === "object") {
      this.#hold(bytes);
      return;
    }
    for (const piece of [...this.#held.splice(0), bytes]) {
      if (this.#over) return;
      this.#sse?.push(piece);
      this.#array?.push(piece);
    }
  }

  end(): void {
    if (this.#over) return;
    this.#sse?.end();
    if (this.#framing === "object") this.#wholeObject();
    if (this.#over) return;
    if (this.#grammar.finished) this.#complete(this.#framing === "array" ? arrayEnd : noBytes);
    else this.#fail(truncated);
  }

  #recognise(bytes: Uint8Array): void {
    const first = bytes.find((byte) => !whiteSpace.has(byte));
    if (first === undefined) return;
    const { maxEventBytes } = this.#options;
    if (first === openBrace) {
      this.#framing = "object";
    } else if (first === openBracket) {
      this.#framing = "array";
      this.#array = jsonArrayDecoder({
        maxElementBytes: maxEventBytes,
        onElement: (raw, text) => this.#chunk(raw, text),
        onClose: (raw) => this.#arrayClosed(raw),
        onFail: (why) => this.#fail(why === "oversize" ? this.#tooLarge() : malformed("it is no array of chunks")),
      });
    } else {
      this.#framing = "events";
      this.#sse = sseDecoder({
        maxFrameBytes: maxEventBytes,
        onFrame: (frame) => this.#frame(frame),
        onOversize: () => this.#fail(this.#tooLarge()),
      });
    }
  }

  #tooLarge(): Failure {
    const most = this.#options.maxEventBytes;
    return failure("event_too_large", `One event of the provider's answer exceeds ${most} bytes.`);
  }

  #hold(bytes: Uint8Array): void {
    this.#heldBytes += bytes.byteLength;
    if (this.#heldBytes > this.#options.maxEventBytes) this.#fail(this.#tooLarge());
    else this.#held.push(Buffer.from(bytes));
  }

  #wholeObject(): void {
    const raw = Buffer.concat(this.#held);
    const text = raw.toString("utf8");
    // Cut off inside: that the answer is truncated is said by `end`.
    if (parseJson(text) !== undefined) this.#chunk(raw, text);
  }

  #frame(frame: SseFrame): void {
    if (this.#over) return;
    const { data } = frame;
    if (data === undefined) {
      this.#frameWithoutData(frame);
      return;
    }
    // A habit of OpenAI's language; it proves nothing here, and Google's own clients would fail on it.
    if (data.trim() === "[DONE]") return;
    if (data.trim() === "") {
      if (frame.unterminated === undefined) this.#pass(frame.raw, []);
      return;
    }
    if (frame.unterminated === true && parseJson(data) === undefined) return;
    this.#chunk(wholeRaw(frame), data);
  }

  /** Comments are signs of life; an error may come as bare JSON between events. */
  #frameWithoutData(frame: SseFrame): void {
    const text = Buffer.from(frame.raw).toString("utf8").trim();
    if (text.startsWith("{")) this.#chunk(frame.raw, text);
    else if (text.startsWith("<")) this.#fail(malformed("it is no event stream"));
    else if (frame.unterminated === undefined) this.#pass(frame.raw, text === "" ? [] : [{ kind: "ping" }]);
  }

  #chunk(raw: Uint8Array, text: string): void {
    if (this.#over) return;
    const parsed = parseJson(text);
    // An error in a list of one, as refused requests get it where a list was to be the answer.
    const chunk: unknown = Array.isArray(parsed) && parsed.length === 1 ? parsed[0] : parsed;
    if (!isObject(chunk)) {
      this.#fail(malformed("a chunk is no JSON object"));
      return;
    }
    const events: AnswerEvent[] = [];
    const failed = this.#grammar.accept(chunk, text, events);
    if (failed !== undefined) {
      this.#fail(failed, events);
      return;
    }
    const before = this.#pending;
    this.#pending = undefined;
    if (before !== undefined) this.#give(before.raw, before.events, false);
    if (this.#grammar.finished) this.#pending = { raw, events };
    else this.#give(raw, events, false);
  }

  /** Behind the finish, what says nothing joins the last frame: nothing may come after that one. */
  #pass(raw: Uint8Array, events: readonly AnswerEvent[]): void {
    if (this.#pending === undefined) this.#give(raw, events, false);
    else this.#pending = { ...this.#pending, raw: Buffer.concat([this.#pending.raw, raw]) };
  }

  #arrayClosed(raw: Uint8Array): void {
    if (this.#grammar.finished) this.#complete(raw);
    else this.#fail(this.#grammar.started ? truncated : malformed("it has no candidates"));
  }

  #complete(closing: Uint8Array): void {
    this.#over = true;
    const { raw, events } = this.#pending ?? { raw: noBytes, events: [] };
    const all = [...events];
    this.#grammar.complete(all);
    this.#give(Buffer.concat([raw, closing]), all, true);
  }

  /** Without bytes, not even those of a finish that was held back: a failure is told in the gateway's words alone. */
  #fail(failed: Failure, events: readonly AnswerEvent[] = []): void {
    if (this.#over) return;
    this.#over = true;
    const held = this.#pending?.events ?? [];
    this.#give(noBytes, [...held, ...events, { kind: "failed", failure: failed }], false);
  }

  #give(raw: Uint8Array, events: readonly AnswerEvent[], terminal: boolean): void {
    this.#onFrame({ raw, events, usageOnly: false, terminal });
  }
}

/** The frame's bytes, completed by what a whole but unterminated last event lacks. */
function wholeRaw(frame: SseFrame): Uint8Array {
  if (frame.unterminated !== true) return frame.raw;
  const text = Buffer.from(frame.raw).toString("latin1");
  const missing = text.endsWith("\r\n") ? "\r\n" : text.endsWith("\n") ? "\n" : "\r\n\r\n";
  return Buffer.concat([frame.raw, Buffer.from(missing)]);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function malformed(what: string): Failure {
  return failure("bad_upstream_response", `The provider's answer is malformed: ${what}.`);
}
