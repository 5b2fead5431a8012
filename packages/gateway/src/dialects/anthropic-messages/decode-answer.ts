import type { AnswerEvent } from "#domain/answer";
import { failure, type Failure } from "#domain/failure";
import { DeltaTemplate } from "#wire/delta-template";
import { encodeSse, sseDecoder, type SseDecoder, type SseFrame } from "#wire/sse";
import type { AnswerFrame, DecodeOptions, StreamDecoder } from "#dialects/dialect";
import { parseExact } from "#dialects/exact-numbers";
import { MessageEvents } from "./message-events.ts";
import { isObject, type JsonObject } from "#dialects/shape";

export function streamDecoder(options: DecodeOptions, onFrame: (frame: AnswerFrame) => void): StreamDecoder {
  return new MessageStreamDecoder(options, onFrame);
}

/** Runs a whole message through the grammar of streams, so that both are understood alike. */
export function decodeAnswer(body: Uint8Array, options: DecodeOptions): readonly AnswerEvent[] {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
  const message = parseObject(text);
  if (message === undefined) return [{ kind: "failed", failure: malformed("it is no JSON object") }];
  if (message["type"] === "error" || (isObject(message["error"]) && message["content"] === undefined)) {
    return [{ kind: "failed", failure: options.classify(message) }];
  }
  if (!Array.isArray(message["content"])) {
    return [{ kind: "failed", failure: malformed("it has no content") }];
  }
  // Numbers in tool input keep the digits they came with; parsing twice is for answers that have such input.
  const exact = text.includes('"tool_use"') ? parseExact(text) : message;
  const content = isObject(exact) && Array.isArray(exact["content"]) ? exact["content"] : message["content"];
  const grammar = new MessageEvents(options.classify);
  const found: AnswerEvent[] = [];
  const whole = { message: { ...message, content } };
  for (const step of [grammar.accept("message_start", whole), grammar.accept("message_stop", {})]) {
    if (step.kind === "failed") return [...found, { kind: "failed", failure: step.failure }];
    if (step.kind === "events") found.push(...step.events);
  }
  return found;
}

const noBytes = new Uint8Array(0);
const terminator = Buffer.from(encodeSse({ event: "message_stop", data: '{"type":"message_stop"}' }));

class MessageStreamDecoder implements StreamDecoder {
  readonly #options: DecodeOptions;
  readonly #onFrame: (frame: AnswerFrame) => void;
  readonly #grammar: MessageEvents;
  readonly #sse: SseDecoder;
  readonly #template = new DeltaTemplate("text");
  /** The content block whose delta the template was learnt from. */
  #templateIndex: unknown;
  #closed = false;

  constructor(options: DecodeOptions, onFrame: (frame: AnswerFrame) => void) {
    this.#options = options;
    this.#onFrame = onFrame;
    this.#grammar = new MessageEvents(options.classify);
    this.#sse = sseDecoder({
      maxFrameBytes: options.maxEventBytes,
      onFrame: (frame) => this.#frame(frame),
      known: (bytes, from) => this.#known(bytes, from),
      onOversize: () =>
        this.#fail(
          failure("event_too_large", `One event of the provider's answer exceeds ${options.maxEventBytes} bytes.`),
        ),
    });
  }

  push(bytes: Uint8Array): void {
    if (!this.#closed) this.#sse.push(bytes);
  }

  end(): void {
    if (!this.#closed) this.#sse.end();
    if (this.#closed) return;
    if (!this.#grammar.finished) {
      this.#fail(failure("truncated_response", "The provider's answer ended before it was complete."));
      return;
    }
    const step = this.#grammar.accept("message_stop", {});
    this.#close({
      raw: terminator,
      events: step.kind === "events" ? step.events : [],
      usageOnly: false,
      terminal: true,
    });
  }

  #frame(frame: SseFrame): void {
    // What follows the terminator is no part of the answer.
    if (this.#closed) return;
    const { data } = frame;
    if (data === undefined) {
      if (frame.unterminated === undefined) this.#give(frame.raw, [{ kind: "ping" }]);
      return;
    }
    // A habit of OpenAI's language that some compatible servers keep; it proves nothing here.
    if (data === "[DONE]") return;
    if (this.#repeatsText(data, frame)) return;
    const message = parseObject(data);
    if (message === undefined) {
      // Cut off inside a frame: that the answer is truncated is said by `end`.
      if (frame.unterminated === undefined) this.#fail(malformed("an event is no JSON object"));
      return;
    }
    const type = typeof message["type"] === "string" ? message["type"] : (frame.event ?? "unknown");
    const step = this.#grammar.accept(type, message);
    if (step.kind === "repeated") return;
    if (step.kind === "failed") {
      this.#fail(step.failure);
      return;
    }
    const raw = wellFramed(frame, type);
    const [only] = step.events;
    // Only what says its own type means the same whatever the event line beside it.
    if (only?.kind === "text-delta" && step.events.length === 1 && message["type"] === "content_block_delta") {
      // A frame that had to be written anew is no pattern for those that follow.
      this.#template.learn(data, only.text, raw === frame.raw ? raw : undefined);
      this.#templateIndex = message["index"];
    }
    if (step.ended) this.#close({ raw, events: step.events, usageOnly: false, terminal: true });
    else this.#give(raw, step.events);
  }

  /** The same as {@link #repeatsText}, by the bytes of a frame that has not been looked for. */
  #known(bytes: Buffer, from: number): number {
    const end = this.#closed ? 0 : this.#template.matchKnown(bytes, from, this.#options);
    if (end === 0) return 0;
    const delta = this.#grammar.goOn(this.#templateIndex, this.#template.frameText);
    if (delta === undefined) return 0;
    this.#give(bytes.subarray(from, end), [delta]);
    return end;
  }

  /** Most frames of an answer differ from the one before in their text alone. */
  #repeatsText(data: string, frame: SseFrame): boolean {
    const text = this.#template.match(data);
    const delta = text === undefined ? undefined : this.#grammar.goOn(this.#templateIndex, text);
    if (delta === undefined) return false;
    this.#give(wellFramed(frame, "content_block_delta"), [delta]);
    return true;
  }

  #give(raw: Uint8Array, events: readonly AnswerEvent[]): void {
    this.#onFrame({ raw, events, usageOnly: false, terminal: false });
  }

  /** Without bytes: a failure is told in the gateway's words, never in a provider's. */
  #fail(failed: Failure): void {
    this.#close({ raw: noBytes, events: [{ kind: "failed", failure: failed }], usageOnly: false, terminal: false });
  }

  #close(frame: AnswerFrame): void {
    this.#closed = true;
    this.#onFrame(frame);
  }
}

/** The official SDKs ignore a message without an `event` line, and discard one without its blank line. */
function wellFramed(frame: SseFrame, type: string): Uint8Array {
  if (frame.unterminated !== undefined) return Buffer.from(encodeSse({ event: type, data: frame.data ?? "" }));
  if (frame.event !== undefined) return frame.raw;
  const bom = frame.raw[0] === 0xef ? 3 : 0;
  return Buffer.concat([Buffer.from(`event: ${type}\n`), frame.raw.subarray(bom)]);
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function malformed(what: string): Failure {
  return failure("bad_upstream_response", `The provider's answer is malformed: ${what}.`);
}
