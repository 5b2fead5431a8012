import type { AnswerEvent } from "#domain/answer";
import { failure, type Failure } from "#domain/failure";
import { sseDecoder, type SseDecoder, type SseFrame } from "#wire/sse";
import type { AnswerFrame, DecodeOptions, StreamDecoder } from "#dialects/dialect";
import { isObject, type JsonObject } from "#dialects/shape";
import { MessageEvents } from "./message-events.ts";

const doneFrame: Uint8Array = Buffer.from("data: [DONE]\n\n");
const noBytes = new Uint8Array(0);
const less = 0x3c;
const openBrace = 0x7b;

/** A push parser of streamed chats; see `UpstreamDialect.streamDecoder`. */
export function streamDecoder(options: DecodeOptions, onFrame: (frame: AnswerFrame) => void): StreamDecoder {
  return new CohereStreamDecoder(options, onFrame);
}

/** A whole chat answer as events. The list ends with `end` or `failed`. */
export function decodeAnswer(body: Uint8Array, options: DecodeOptions): readonly AnswerEvent[] {
  const answer = parseObject(textOf(body));
  if (answer === undefined) return [{ kind: "failed", failure: malformed("it is no JSON object") }];
  const { message } = answer;
  if (!isObject(message)) {
    const isComplaint = typeof message === "string" || answer["error"] !== undefined;
    return [{ kind: "failed", failure: isComplaint ? options.classify(answer) : malformed("it has no message") }];
  }
  const grammar = new MessageEvents(options.classify);
  const events: AnswerEvent[] = [];
  for (const [type, step] of stepsOf(answer, message)) {
    const { events: found, failed } = grammar.accept(type, step);
    events.push(...found);
    if (failed !== undefined) return [...events, { kind: "failed", failure: failed }];
  }
  if (grammar.finished) return [...events, { kind: "end" }];
  return [...events, { kind: "failed", failure: truncated("does not say how it ended") }];
}

/** The messages of a stream that would have said the same. Log probabilities are those of the first text. */
function* stepsOf(answer: JsonObject, message: JsonObject): Generator<readonly [string, JsonObject]> {
  yield ["message-start", { id: answer["id"] }];
  const { content } = message;
  const parts: readonly unknown[] = typeof content === "string" ? [{ text: content }] : listOf(content);
  let logprobs: unknown = answer["logprobs"] ?? message["logprobs"];
  for (const [index, part] of parts.entries()) {
    const isText = isObject(part) && typeof part["text"] === "string" && part["text"] !== "";
    yield ["content-delta", { index, logprobs: isText ? logprobs : undefined, ...said({ content: part }) }];
    yield ["content-end", { index }];
    if (isText) logprobs = undefined;
  }
  yield ["tool-plan-delta", said({ tool_plan: message["tool_plan"] })];
  for (const [index, call] of listOf(message["tool_calls"]).entries()) {
    yield ["tool-call-start", { index, ...said({ tool_calls: call }) }];
    yield ["tool-call-end", { index }];
  }
  for (const citation of listOf(message["citations"])) yield ["citation-start", said({ citations: citation })];
  yield ["message-end", { delta: answer }];
}

function said(content: JsonObject): JsonObject {
  return { delta: { message: content } };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

class CohereStreamDecoder implements StreamDecoder {
  readonly #options: DecodeOptions;
  readonly #onFrame: (frame: AnswerFrame) => void;
  readonly #grammar: MessageEvents;
  readonly #sse: SseDecoder;
  #over = false;
  #sawData = false;

  constructor(options: DecodeOptions, onFrame: (frame: AnswerFrame) => void) {
    this.#options = options;
    this.#onFrame = onFrame;
    this.#grammar = new MessageEvents(options.classify);
    this.#sse = sseDecoder({
      maxFrameBytes: options.maxEventBytes,
      onFrame: (frame) => this.#frame(frame),
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
    if (this.#grammar.finished) this.#complete(doneFrame);
    else this.#fail(noBytes, [], truncated(this.#sawData ? "ended before it was complete" : "ended before any answer"));
  }

  #frame(frame: SseFrame): void {
    if (this.#over) return;
    const { data } = frame;
    if (data === undefined) {
      this.#frameWithoutData(frame);
      return;
    }
    if (data.trim() === "[DONE]") {
      if (this.#grammar.finished) this.#complete(frame.unterminated === true ? doneFrame : frame.raw);
      else this.#fail(frame.raw, [], truncated("ended before it was complete"));
      return;
    }
    const message = parseObject(data);
    if (message === undefined) {
      // The torn last event of a cut stream is judged by `end`.
      if (frame.unterminated !== true && data.trim() !== "") {
        this.#fail(frame.raw, [], malformed("an event is no JSON object"));
      }
      return;
    }
    this.#sawData = true;
    const type = typeof message["type"] === "string" ? message["type"] : (frame.event ?? "");
    const { events, failed } = this.#grammar.accept(type, message);
    if (failed !== undefined) this.#fail(frame.raw, events, failed);
    else this.#give(frame.raw, events);
  }

  /** Comments are signs of life. A page or a plain JSON body in place of a stream is an error. */
  #frameWithoutData(frame: SseFrame): void {
    const text = textOf(frame.raw).trim();
    const first = text.charCodeAt(0);
    if (this.#sawData || (first !== less && first !== openBrace)) {
      if (frame.unterminated !== true) this.#give(frame.raw, text === "" ? [] : [{ kind: "ping" }]);
      return;
    }
    const body = first === openBrace ? parseObject(text) : undefined;
    const isComplaint = body !== undefined && !isObject(body["message"]);
    const notStream = failure("bad_upstream_response", "The provider answered with something that is no event stream.");
    this.#fail(frame.raw, [], isComplaint ? this.#options.classify(body) : notStream);
  }

  #give(raw: Uint8Array, events: readonly AnswerEvent[]): void {
    this.#onFrame({ raw, events, usageOnly: false, terminal: false });
  }

  #complete(raw: Uint8Array): void {
    this.#over = true;
    this.#onFrame({ raw, events: [{ kind: "end" }], usageOnly: false, terminal: true });
  }

  #fail(raw: Uint8Array, events: readonly AnswerEvent[], failed: Failure): void {
    this.#over = true;
    this.#onFrame({ raw, events: [...events, { kind: "failed", failure: failed }], usageOnly: false, terminal: false });
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const json = JSON.parse(text) as unknown;
    return isObject(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

function malformed(what: string): Failure {
  return failure("bad_upstream_response", `The provider's answer is malformed: ${what}.`);
}

function truncated(what: string): Failure {
  return failure("truncated_response", `The provider's answer ${what}.`);
}
