import type { AnswerEvent } from "#domain/answer";
import { failure, type Failure } from "#domain/failure";
import { sseDecoder, type SseDecoder, type SseFrame } from "#wire/sse";
import type { AnswerFrame, DecodeOptions, StreamDecoder } from "#dialects/dialect";
import { isObject, type JsonObject } from "#dialects/shape";
import { ResponseEvents, type ResponseStep } from "./response-events.ts";

const noBytes = new Uint8Array(0);
const noEvents: readonly AnswerEvent[] = [];
const pingEvents: readonly AnswerEvent[] = [{ kind: "ping" }];
const blankLine = Buffer.from("\n\n");
const lineFeed = 0x0a;
const less = 0x3c;
const openBrace = 0x7b;

/** A push parser of streamed responses; see `Dialect.streamDecoder`. */
export function streamDecoder(options: DecodeOptions, onFrame: (frame: AnswerFrame) => void): StreamDecoder {
  return new ResponseStreamDecoder(options, onFrame);
}

/** A whole response as events. The list ends with `end` or `failed`. */
export function decodeAnswer(body: Uint8Array, options: DecodeOptions): readonly AnswerEvent[] {
  const response = parseObject(textOf(body));
  if (response === undefined) return [failed(malformed("it is no JSON object"))];
  return eventsOf(readWhole(response, options));
}

function readWhole(response: JsonObject, options: DecodeOptions): ResponseStep {
  const isResponse = Array.isArray(response["output"]) || typeof response["status"] === "string";
  if (isObject(response["error"]) && response["status"] !== "failed") {
    return { kind: "failed", events: noEvents, failure: options.classify(response) };
  }
  if (!isResponse) return { kind: "failed", events: noEvents, failure: malformed("it has no output") };
  return new ResponseEvents(options.classify).whole(response);
}

function eventsOf(step: ResponseStep): readonly AnswerEvent[] {
  return step.kind === "events" ? step.events : [...step.events, failed(step.failure)];
}

function failed(why: Failure): AnswerEvent {
  return { kind: "failed", failure: why };
}

class ResponseStreamDecoder implements StreamDecoder {
  readonly #options: DecodeOptions;
  readonly #onFrame: (frame: AnswerFrame) => void;
  readonly #grammar: ResponseEvents;
  readonly #sse: SseDecoder;
  #closed = false;
  #sawData = false;

  constructor(options: DecodeOptions, onFrame: (frame: AnswerFrame) => void) {
    this.#options = options;
    this.#onFrame = onFrame;
    this.#grammar = new ResponseEvents(options.classify);
    this.#sse = sseDecoder({
      maxFrameBytes: options.maxEventBytes,
      onFrame: (frame) => this.#frame(frame),
      onOversize: () => {
        const why = `One event of the provider's answer exceeds ${options.maxEventBytes} bytes.`;
        this.#fail(noEvents, failure("event_too_large", why));
      },
    });
  }

  push(bytes: Uint8Array): void {
    if (!this.#closed) this.#sse.push(bytes);
  }

  /** The last event is the finish and the completion in one: a stream without it is cut, whatever it ended with. */
  end(): void {
    if (!this.#closed) this.#sse.end();
    if (!this.#closed) this.#fail(noEvents, truncated);
  }

  #frame(frame: SseFrame): void {
    // What follows the last event is no part of the answer.
    if (this.#closed) return;
    const { data } = frame;
    if (data === undefined) {
      this.#frameWithoutData(frame);
      return;
    }
    if (data.trim() === "[DONE]") {
      this.#fail(noEvents, truncated);
      return;
    }
    if (data.trim() === "") {
      if (frame.unterminated !== true) this.#give(frame.raw, noEvents);
      return;
    }
    const event = parseObject(data);
    if (event === undefined) {
      // Cut off inside a frame: that the answer is truncated is said by `end`.
      if (frame.unterminated !== true) this.#fail(noEvents, malformed("an event is no JSON object"));
      return;
    }
    this.#sawData = true;
    const type = typeof event["type"] === "string" ? event["type"] : (frame.event ?? "unknown");
    const step = this.#grammar.accept(type, event);
    if (step.kind === "failed") this.#fail(step.events, step.failure);
    else if (step.ended) this.#close({ raw: wholeRaw(frame), events: step.events, usageOnly: false, terminal: true });
    else this.#give(wholeRaw(frame), step.events);
  }

  /** Comments are signs of life. A page or a plain JSON body in place of a stream is an error. */
  #frameWithoutData(frame: SseFrame): void {
    const text = textOf(frame.raw).trim();
    const first = text.charCodeAt(0);
    if (this.#sawData || (first !== less && first !== openBrace)) {
      if (frame.unterminated !== true) this.#give(frame.raw, text === "" ? noEvents : pingEvents);
      return;
    }
    const body = first === openBrace ? parseObject(text) : undefined;
    const complaint = body !== undefined && isObject(body["error"]) ? this.#options.classify(body) : undefined;
    const notStream = failure("bad_upstream_response", "The provider answered with something that is no event stream.");
    this.#fail(noEvents, complaint ?? notStream);
  }

  #give(raw: Uint8Array, events: readonly AnswerEvent[]): void {
    this.#onFrame({ raw, events, usageOnly: false, terminal: false });
  }

  /** Without bytes: a failure is told in the gateway's words, never in a provider's. */
  #fail(events: readonly AnswerEvent[], why: Failure): void {
    this.#close({ raw: noBytes, events: [...events, failed(why)], usageOnly: false, terminal: false });
  }

  #close(frame: AnswerFrame): void {
    this.#closed = true;
    this.#onFrame(frame);
  }
}

const truncated = failure("truncated_response", "The provider's stream ended before the answer was complete.");

function malformed(what: string): Failure {
  return failure("bad_upstream_response", `The provider's answer is malformed: ${what}.`);
}

/** The frame's bytes, completed by the blank line that a cut-off but whole last event lacks. */
function wholeRaw(frame: SseFrame): Uint8Array {
  if (frame.unterminated !== true) return frame.raw;
  // A last CR would make one CRLF of itself and the first LF.
  return Buffer.concat([frame.raw, frame.raw.at(-1) === lineFeed ? blankLine.subarray(1) : blankLine]);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
