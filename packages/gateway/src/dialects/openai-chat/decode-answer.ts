import type { AnswerEvent } from "#domain/answer";
import { failure, type Failure } from "#domain/failure";
import { DeltaTemplate } from "#wire/delta-template";
import { encodeSse, sseDecoder, type SseDecoder, type SseFrame } from "#wire/sse";
import type { AnswerFrame, DecodeOptions, StreamDecoder } from "#dialects/dialect";
import { isObject, type JsonObject } from "#dialects/shape";
import { fitChoices } from "./fit-answer.ts";
import { ChoiceReader } from "./read-choices.ts";

const doneFrame: Uint8Array = Buffer.from("data: [DONE]\n\n");
const blankLine = Buffer.from("\n\n");
const noBytes = new Uint8Array(0);
const noEvents: readonly AnswerEvent[] = [];
const pingEvents: readonly AnswerEvent[] = [{ kind: "ping" }];
const endEvents: readonly AnswerEvent[] = [{ kind: "end" }];
const lineFeed = 0x0a;
const less = 0x3c;
const openBrace = 0x7b;

/** A push parser of streamed chat completions; see `Dialect.streamDecoder`. */
export function streamDecoder(options: DecodeOptions, onFrame: (frame: AnswerFrame) => void): StreamDecoder {
  return new ChatStreamDecoder(options, onFrame);
}

/** A whole chat completion as events. The list ends with `end` or `failed`. */
export function decodeAnswer(body: Uint8Array, options: DecodeOptions): readonly AnswerEvent[] {
  const events: AnswerEvent[] = [];
  const reader = new ChoiceReader(options);
  const answer = parseObject(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8"));
  const failed = answer === undefined ? notJson : (reader.read(answer, events) ?? wholeOrCut(reader, events));
  if (failed !== undefined) events.push({ kind: "failed", failure: failed });
  return events;
}

const notJson = failure("bad_upstream_response", "The provider's answer is no JSON object.");

function wholeOrCut(reader: ChoiceReader, events: AnswerEvent[]): Failure | undefined {
  if (reader.finished) {
    events.push({ kind: "end" });
    return undefined;
  }
  const seen = events.length > 0;
  return seen
    ? failure("truncated_response", "The provider's answer does not say how it ended.")
    : failure("bad_upstream_response", "The provider's answer has no choices.");
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const json = JSON.parse(text) as unknown;
    return isObject(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

class ChatStreamDecoder implements StreamDecoder {
  readonly #options: DecodeOptions;
  readonly #onFrame: (frame: AnswerFrame) => void;
  readonly #reader: ChoiceReader;
  readonly #sse: SseDecoder;
  readonly #template = new DeltaTemplate("content");
  #over = false;
  #sawData = false;

  constructor(options: DecodeOptions, onFrame: (frame: AnswerFrame) => void) {
    this.#options = options;
    this.#onFrame = onFrame;
    this.#reader = new ChoiceReader(options);
    this.#sse = sseDecoder({
      maxFrameBytes: options.maxEventBytes,
      onFrame: (frame) => this.#frame(frame),
      known: (bytes, from) => this.#known(bytes, from),
      onOversize: () => {
        const most = options.maxEventBytes;
        this.#fail(noBytes, [], failure("event_too_large", `The provider sent an event of more than ${most} bytes.`));
      },
    });
  }

  push(bytes: Uint8Array): void {
    if (!this.#over) this.#sse.push(bytes);
  }

  end(): void {
    if (this.#over) return;
    this.#sse.end();
    if (this.#over) return;
    if (this.#reader.finished) this.#complete(doneFrame, endEvents);
    else if (this.#sawData) this.#fail(noBytes, [], truncated);
    else this.#fail(noBytes, [], failure("truncated_response", "The provider's stream ended before any answer."));
  }

  #frame(frame: SseFrame): void {
    if (this.#over) return;
    const { data } = frame;
    if (data === undefined) {
      this.#frameWithoutData(frame);
      return;
    }
    if (data === "[DONE]" || data.trim() === "[DONE]") {
      this.#done(frame);
      return;
    }
    if (data.trim() === "") {
      // A torn `data:` must not reach the client: what we write next would become its value.
      if (frame.unterminated !== true) this.#give(frame.raw, noEvents, false);
      return;
    }
    if (frame.event === undefined && this.#repeatsText(data, frame)) return;
    const chunk = parseObject(data);
    // The torn last event of a cut stream is no answer of its own; `end` judges what came before.
    if (chunk === undefined && frame.unterminated === true) return;
    this.#sawData = true;
    if (chunk === undefined) this.#unreadable(frame);
    else this.#chunk(chunk, frame);
  }

  /** The same as {@link #repeatsText}, by the bytes of a frame that has not been looked for. */
  #known(bytes: Buffer, from: number): number {
    const end = this.#over ? 0 : this.#template.matchKnown(bytes, from, this.#options);
    if (end === 0) return 0;
    const delta = this.#reader.goOn(this.#template.frameText);
    if (delta === undefined) return 0;
    this.#give(bytes.subarray(from, end), [delta], false);
    return end;
  }

  /** Most chunks of an answer differ from the one before in their text alone. */
  #repeatsText(data: string, frame: SseFrame): boolean {
    const text = this.#template.match(data);
    const delta = text === undefined ? undefined : this.#reader.goOn(text);
    if (delta === undefined) return false;
    this.#give(wholeRaw(frame), [delta], false);
    return true;
  }

  #chunk(chunk: JsonObject, frame: SseFrame): void {
    const { event } = frame;
    const isSideEvent = event !== undefined && event !== "message" && event !== "error";
    if (isSideEvent && chunk["choices"] === undefined && chunk["error"] === undefined) {
      this.#give(wholeRaw(frame), [{ kind: "foreign", what: `event "${event}"`, payload: chunk }], false);
      return;
    }
    const events: AnswerEvent[] = [];
    const failed = event === "error" ? this.#options.classify(chunk) : this.#reader.read(chunk, events);
    if (failed !== undefined) {
      this.#fail(frame.raw, events, failed);
      return;
    }
    const fitted = this.#options.quirks.reasoningEcho === "thinking" ? fitChoices(chunk) : undefined;
    const [only] = events;
    if (fitted === undefined && events.length === 1 && only?.kind === "text-delta" && only.logprobs === undefined) {
      this.#template.learn(frame.data ?? "", only.text, frame.raw);
    }
    const { choices } = chunk;
    const hasNoChoice = !Array.isArray(choices) || choices.length === 0;
    const raw = fitted === undefined ? wholeRaw(frame) : Buffer.from(encodeSse({ data: JSON.stringify(fitted) }));
    this.#give(raw, events, hasNoChoice && events.some((each) => each.kind === "usage"));
  }

  #unreadable(frame: SseFrame): void {
    const complaint = frame.event === "error" ? this.#options.classify({ error: { message: frame.data } }) : undefined;
    const broken = failure("bad_upstream_response", "The provider sent an event that is no JSON object.");
    this.#fail(frame.raw, [], complaint ?? broken);
  }

  /** Comments are signs of life. A page or a plain JSON body in place of a stream is an error. */
  #frameWithoutData(frame: SseFrame): void {
    const text = Buffer.from(frame.raw.buffer, frame.raw.byteOffset, frame.raw.byteLength).toString("utf8").trim();
    const first = text.charCodeAt(0);
    if (this.#sawData || (first !== less && first !== openBrace)) {
      const events = text === "" ? noEvents : pingEvents;
      if (frame.unterminated !== true) this.#give(frame.raw, events, false);
      return;
    }
    const body = first === openBrace ? parseObject(text) : undefined;
    const isComplaint = body !== undefined && !Array.isArray(body["choices"]);
    const notStream = failure("bad_upstream_response", "The provider answered with something that is no event stream.");
    this.#fail(frame.raw, [], (isComplaint ? this.#reader.read(body, []) : undefined) ?? notStream);
  }

  #done(frame: SseFrame): void {
    const events: AnswerEvent[] = [];
    if (this.#reader.endsAtTerminator(events)) this.#complete(wholeRaw(frame), [...events, ...endEvents]);
    else if (this.#sawData) this.#fail(frame.raw, [], truncated);
    else this.#fail(frame.raw, [], failure("empty_completion", "The provider's stream ended without an answer."));
  }

  #complete(raw: Uint8Array, events: readonly AnswerEvent[]): void {
    this.#over = true;
    this.#onFrame({ raw, events, usageOnly: false, terminal: true });
  }

  #give(raw: Uint8Array, events: readonly AnswerEvent[], usageOnly: boolean): void {
    this.#onFrame({ raw, events, usageOnly, terminal: false });
  }

  #fail(raw: Uint8Array, events: AnswerEvent[], failed: Failure): void {
    this.#over = true;
    events.push({ kind: "failed", failure: failed });
    this.#onFrame({ raw, events, usageOnly: false, terminal: false });
  }
}

const truncated = failure("truncated_response", "The provider's stream ended before the answer was complete.");

/** The frame's bytes, completed by the blank line that a cut-off but whole last event lacks. */
function wholeRaw(frame: SseFrame): Uint8Array {
  if (frame.unterminated !== true) return frame.raw;
  // A last CR would make one CRLF of itself and the first LF.
  return Buffer.concat([frame.raw, frame.raw.at(-1) === lineFeed ? blankLine.subarray(1) : blankLine]);
}
