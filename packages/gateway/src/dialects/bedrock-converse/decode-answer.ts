import type { AnswerFrame, DecodeOptions, StreamDecoder } from "#dialects/dialect";
import { parseExact } from "#dialects/exact-numbers";
import { isObject, jsonText, type JsonObject } from "#dialects/shape";
import type { AnswerEvent } from "#domain/answer";
import { failure, type Failure } from "#domain/failure";
import { eventStreamDecoder, type EventStreamDecoder, type EventStreamFrame } from "#wire/event-stream";
import type { EventStreamProblem } from "#wire/event-stream";
import { complaintOf } from "#wire/event-stream-complaint";
import { ConverseEvents, malformed, memberOf, type ConverseStep } from "./converse-events.ts";

export function streamDecoder(options: DecodeOptions, onFrame: (frame: AnswerFrame) => void): StreamDecoder {
  return new ConverseStreamDecoder(options, onFrame);
}

/** Runs a whole answer through the grammar of streams, so that both are understood alike. */
export function decodeAnswer(body: Uint8Array, options: DecodeOptions): readonly AnswerEvent[] {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
  const json = parseObject(text);
  if (json === undefined) return [{ kind: "failed", failure: malformed("it is no JSON object") }];
  const message = contentOf(json) === undefined ? undefined : json;
  if (message === undefined) {
    // Some gateways answer a refusal with 200.
    const isComplaint = typeof json["message"] === "string" || json["Output"] !== undefined;
    return [{ kind: "failed", failure: isComplaint ? options.classify(json) : malformed("it has no message") }];
  }
  // Numbers in tool input keep the digits they came with; parsing twice is for answers that have such input.
  const exact = text.includes('"toolUse"') ? parseExact(text) : message;
  const content = (isObject(exact) ? contentOf(exact) : undefined) ?? contentOf(message) ?? [];
  const grammar = new ConverseEvents();
  const found: AnswerEvent[] = [];
  for (const [type, value] of steps(message, content)) {
    const step = grammar.accept(type, value);
    if (step.kind === "failed") return [...found, { kind: "failed", failure: step.failure }];
    found.push(...step.events);
  }
  return [...found, { kind: "end" }];
}

function contentOf(answer: JsonObject): readonly unknown[] | undefined {
  const output = answer["output"];
  const message = isObject(output) ? output["message"] : undefined;
  const content = isObject(message) ? message["content"] : undefined;
  return Array.isArray(content) ? content : undefined;
}

type Said = readonly [type: string, message: JsonObject];

/** The stream that would have said the same. */
function* steps(answer: JsonObject, content: readonly unknown[]): Generator<Said> {
  yield ["messageStart", { role: "assistant" }];
  for (const [contentBlockIndex, block] of content.entries()) {
    for (const [type, inside] of blockSteps(block)) yield [type, { contentBlockIndex, ...inside }];
    yield ["contentBlockStop", { contentBlockIndex }];
  }
  yield ["messageStop", answer];
  yield ["metadata", answer];
}

function* blockSteps(block: unknown): Generator<Said> {
  const [member, inside] = memberOf(block);
  switch (member) {
    case "text":
      yield ["contentBlockDelta", { delta: { text: inside } }];
      return;
    case "toolUse": {
      yield ["contentBlockStart", { start: { toolUse: inside } }];
      const input = isObject(inside) ? inside["input"] : undefined;
      const json = isObject(input) && Object.keys(input).length > 0 ? jsonText(input) : "";
      yield ["contentBlockDelta", { delta: { toolUse: { input: json } } }];
      return;
    }
    case "reasoningContent":
      for (const delta of thoughtPieces(inside)) yield ["contentBlockDelta", { delta: { reasoningContent: delta } }];
      return;
    case "citationsContent":
      yield* citedSteps(inside);
      return;
    case undefined:
      return;
    default:
      yield ["contentBlockStart", { start: { [member]: inside } }];
  }
}

function thoughtPieces(content: unknown): readonly JsonObject[] {
  const [member, inside] = memberOf(content);
  if (member !== "reasoningText" || !isObject(inside)) return member === undefined ? [] : [{ [member]: inside }];
  const { text, signature } = inside;
  return [{ text }, ...(signature === undefined || signature === null ? [] : [{ signature }])];
}

function* citedSteps(cited: unknown): Generator<Said> {
  if (!isObject(cited)) return;
  const texts: readonly unknown[] = Array.isArray(cited["content"]) ? cited["content"] : [];
  for (const piece of texts) {
    const text = isObject(piece) ? piece["text"] : undefined;
    if (typeof text === "string") yield ["contentBlockDelta", { delta: { text } }];
  }
  const citations: readonly unknown[] = Array.isArray(cited["citations"]) ? cited["citations"] : [];
  for (const citation of citations) yield ["contentBlockDelta", { delta: { citation } }];
}

const noBytes = new Uint8Array(0);

class ConverseStreamDecoder implements StreamDecoder {
  readonly #options: DecodeOptions;
  readonly #onFrame: (frame: AnswerFrame) => void;
  readonly #grammar = new ConverseEvents();
  readonly #frames: EventStreamDecoder;
  /** From `messageStop` on all waits for the usage behind it, so that the completion is one frame. */
  readonly #heldBytes: Uint8Array[] = [];
  readonly #heldEvents: AnswerEvent[] = [];
  #heldLength = 0;
  #closed = false;

  constructor(options: DecodeOptions, onFrame: (frame: AnswerFrame) => void) {
    this.#options = options;
    this.#onFrame = onFrame;
    this.#frames = eventStreamDecoder({
      maxFrameBytes: options.maxEventBytes,
      onFrame: (frame) => this.#frame(frame),
      onProblem: (problem) => this.#problem(problem),
    });
  }

  push(bytes: Uint8Array): void {
    if (!this.#closed) this.#frames.push(bytes);
  }

  end(): void {
    if (this.#closed) return;
    this.#frames.end();
    if (!this.#closed) this.#cutOff();
  }

  /** An answer that said why it stopped is whole without its usage. */
  #cutOff(): void {
    if (this.#grammar.finished) this.#complete();
    else this.#fail(failure("truncated_response", "The provider's answer ended before it was complete."));
  }

  #problem({ kind, message }: EventStreamProblem): void {
    if (kind === "truncated") {
      this.#cutOff();
      return;
    }
    this.#fail(
      kind === "oversize"
        ? failure("event_too_large", `One event of the provider's answer exceeds ${this.#options.maxEventBytes} bytes.`)
        : malformed(message),
    );
  }

  #frame({ headers, payload, raw }: EventStreamFrame): void {
    // What follows the completion is no part of the answer.
    if (this.#closed) return;
    const complaint = complaintOf({ headers, payload });
    if (complaint !== undefined) {
      this.#fail(this.#options.classify(complaint));
      return;
    }
    const step = this.#read(headers[":event-type"] ?? "", payload);
    if (step.kind === "failed") {
      this.#fail(step.failure);
      return;
    }
    if (!this.#grammar.finished) {
      this.#onFrame({ raw, events: step.events, usageOnly: false, terminal: false });
      return;
    }
    this.#heldBytes.push(raw);
    this.#heldEvents.push(...step.events);
    this.#heldLength += raw.length;
    if (this.#grammar.complete) this.#complete();
    else if (this.#heldLength > this.#options.maxEventBytes) this.#complete();
  }

  #read(type: string, payload: Uint8Array): ConverseStep {
    // Nothing inside: some send such frames to keep the connection.
    if (payload.length === 0) return { kind: "events", events: [{ kind: "ping" }] };
    const message = parseObject(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString("utf8"));
    if (message === undefined) return { kind: "failed", failure: malformed("an event is no JSON object") };
    return this.#grammar.accept(type, message);
  }

  #complete(): void {
    this.#close({
      raw: Buffer.concat(this.#heldBytes),
      events: [...this.#heldEvents, { kind: "end" }],
      usageOnly: false,
      terminal: true,
    });
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

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
