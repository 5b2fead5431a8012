import type { AnswerEvent, Finish } from "#domain/answer";
import { failure } from "#domain/failure";
import type { GenerateRequest } from "#domain/request";
import type { Usage } from "#domain/usage";
import { encodeSse } from "#wire/sse";
import type { EncodeOptions, TextStreamEncoder } from "#dialects/dialect";
import { refusalBlock } from "#dialects/gather-blocks";
import { failureFrame } from "./encode-failure.ts";
import { answerWarning } from "./losses.ts";
import { tagSeal } from "./seal-tag.ts";
import { stopReasonOf } from "./stop-reasons.ts";
import { usageJson } from "./usage-fields.ts";

/**
 * Held-back text of blocks that wait for an earlier one to close, in characters. An answer's tool arguments are a
 * few kilobytes; beyond this the stream is broken off.
 */
const maxHeldCharacters = 8 * 1024 * 1024;

export function streamEncoder(options: EncodeOptions): TextStreamEncoder {
  return new MessageStreamEncoder(options);
}

interface Block {
  readonly kind: "text" | "reasoning" | "tool";
  readonly index: number;
  /** Frames that wait for earlier blocks to close. */
  readonly held: string[];
  signature?: string;
  redacted: boolean;
  closed: boolean;
}

/**
 * Writes the stream as the official SDK accumulates it (1.12): blocks strictly one after another, each
 * start → delta* → stop with rising indexes. Blocks that interleave are put in the order they began: the first open
 * one is written through, the others wait. A block of text or thought begins with its first content, because an empty
 * text block in a history is refused when the caller sends it back.
 */
class MessageStreamEncoder implements TextStreamEncoder {
  readonly #options: EncodeOptions;
  readonly #warnings = new Set<string>();
  readonly #blocks = new Map<number, Block>();
  /** In order; the first is written through. */
  readonly #queue: Block[] = [];
  #heldCharacters = 0;
  #nextIndex = 0;
  #head: { readonly id: string; readonly model: string } | undefined;
  #begun = false;
  #done = false;
  #usage: Usage | undefined;
  #finish: Finish | undefined;
  #sawTool = false;
  #sawRefusal = false;

  constructor(options: EncodeOptions) {
    this.#options = options;
  }

  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  encode(event: AnswerEvent): string {
    if (this.#done) return "";
    switch (event.kind) {
      case "start":
        this.#head = event;
        return "";
      case "usage":
        this.#usage = event.usage;
        return "";
      case "failed":
        this.#done = true;
        return failureFrame(event.failure);
      case "ping":
        return pingFrame;
      default:
        return this.#begin() + this.#content(event);
    }
  }

  /** `message_start` waits for what comes after the usage that some languages report first. */
  #begin(): string {
    if (this.#begun) return "";
    this.#begun = true;
    return frame("message_start", {
      message: {
        ...messageHead(this.#head, this.#options),
        content: [],
        stop_reason: null,
        stop_sequence: null,
        stop_details: null,
        container: null,
        usage: usageJson(this.#usage),
      },
    });
  }

  #content(event: Exclude<AnswerEvent, { kind: "start" | "usage" | "failed" | "ping" }>): string {
    switch (event.kind) {
      case "text-start":
      // Opaque state on texts and calls has no place here; the gateway keeps it under the call's id.
      case "text-signature":
      case "tool-signature":
        return "";
      case "text-delta":
        return event.text === "" ? "" : this.#textDelta(event.block, event.text);
      case "reasoning-start":
        return event.redacted === undefined ? "" : this.#openReasoning(event.block, event.redacted).opening;
      case "reasoning-delta":
        return event.text === "" ? "" : this.#thinkingDelta(event.block, event.text);
      case "reasoning-signature":
        return this.#signature(event.block, event.signature);
      case "tool-start":
        return this.#toolStart(event);
      case "tool-delta":
        return this.#toolDelta(event.block, event.json);
      case "text-end":
      case "reasoning-end":
      case "tool-end":
        return this.#close(event.block);
      case "refusal-delta":
        this.#sawRefusal = true;
        return event.text === "" ? "" : this.#textDelta(refusalBlock, event.text);
      case "foreign":
        this.#warnings.add(answerWarning("foreign-event", event.what));
        return "";
      case "finish":
        this.#finish = event.finish;
        if (event.finish.reason === "malformed") this.#warnings.add(answerWarning("answer-malformed"));
        return this.#closeAll();
      case "end":
        return this.#end();
    }
  }

  #textDelta(block: number, text: string): string {
    const { opened, opening } = this.#obtain(block, "text", () => ({ type: "text", text: "", citations: null }));
    return opening + this.#write(opened, deltaFrame(opened.index, { type: "text_delta", text }));
  }

  #openReasoning(block: number, redacted?: string): { readonly opened: Block; readonly opening: string } {
    return this.#obtain(block, "reasoning", (made) => {
      made.redacted = redacted !== undefined;
      return redacted === undefined
        ? { type: "thinking", thinking: "", signature: "" }
        : { type: "redacted_thinking", data: tagSeal(redacted, this.#options.issuer) };
    });
  }

  #thinkingDelta(block: number, thinking: string): string {
    const { opened, opening } = this.#openReasoning(block);
    if (opened.redacted) return opening;
    return opening + this.#write(opened, deltaFrame(opened.index, { type: "thinking_delta", thinking }));
  }

  #signature(block: number, signature: string): string {
    const { opened, opening } = this.#openReasoning(block);
    opened.signature = signature;
    return opening;
  }

  #toolStart(event: Extract<AnswerEvent, { kind: "tool-start" }>): string {
    this.#sawTool = true;
    const { opened, opening } = this.#obtain(event.block, "tool", ({ index }) => ({
      type: "tool_use",
      id: toolId(event.id, this.#options.fallbackId, index),
      name: event.name,
      input: {},
      caller: { type: "direct" },
    }));
    return opening + this.#write(opened, deltaFrame(opened.index, { type: "input_json_delta", partial_json: "" }));
  }

  #toolDelta(block: number, json: string): string {
    const opened = this.#blocks.get(block);
    if (opened === undefined || json === "") return "";
    return this.#write(opened, deltaFrame(opened.index, { type: "input_json_delta", partial_json: json }));
  }

  /** The block under a number, begun where it was not: its index is its place in the order of beginning. */
  #obtain(
    block: number,
    kind: Block["kind"],
    content: (made: Block) => object,
  ): { readonly opened: Block; readonly opening: string } {
    const known = this.#blocks.get(block);
    if (known !== undefined) return { opened: known, opening: "" };
    const opened: Block = { kind, index: this.#nextIndex, held: [], redacted: false, closed: false };
    this.#nextIndex += 1;
    this.#blocks.set(block, opened);
    this.#queue.push(opened);
    const start = frame("content_block_start", { index: opened.index, content_block: content(opened) });
    return { opened, opening: this.#write(opened, start) };
  }

  #write(block: Block, text: string): string {
    if (this.#queue[0] === block) return text;
    block.held.push(text);
    this.#heldCharacters += text.length;
    if (this.#heldCharacters <= maxHeldCharacters) return "";
    this.#done = true;
    return failureFrame(failure("event_too_large", "The answer interleaves more content than can be put in order."));
  }

  #close(block: number): string {
    const ending = this.#blocks.get(block);
    if (ending === undefined || ending.closed) return "";
    this.#blocks.delete(block);
    return this.#closeBlock(ending);
  }

  #closeBlock(ending: Block): string {
    ending.closed = true;
    const seal = this.#sealOf(ending);
    const signed = seal === "" ? "" : deltaFrame(ending.index, { type: "signature_delta", signature: seal });
    const stop = signed + frame("content_block_stop", { index: ending.index });
    return this.#queue[0] === ending ? stop + this.#advance() : this.#write(ending, stop);
  }

  /** A thought of a foreign vendor is marked even where it has no signature. */
  #sealOf(block: Block): string {
    if (block.kind !== "reasoning" || block.redacted) return "";
    return tagSeal(block.signature ?? "", this.#options.issuer);
  }

  /** What waited behind the first block, up to and including the next one that is still open. */
  #advance(): string {
    let released = "";
    this.#queue.shift();
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      for (const text of next.held.splice(0)) {
        released += text;
        this.#heldCharacters -= text.length;
      }
      if (!next.closed) break;
      this.#queue.shift();
    }
    return released;
  }

  #closeAll(): string {
    let closing = "";
    // The first in the queue is always open: `advance` takes closed ones along.
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) closing += this.#closeBlock(first);
    this.#blocks.clear();
    return closing;
  }

  #end(): string {
    const closing = this.#closeAll();
    this.#done = true;
    const { facts } = this.#options;
    const content = { tools: this.#sawTool, refused: this.#sawRefusal };
    const delta = stopFields(this.#finish, content, this.#options.request);
    return [
      closing,
      frame("message_delta", { delta, usage: usageJson(this.#usage) }),
      frame("message_stop", facts === undefined ? {} : { hedgerow: facts() }),
    ].join("");
  }
}

export const pingFrame = encodeSse({ event: "ping", data: '{"type": "ping"}' });

function frame(type: string, content: object): string {
  return encodeSse({ event: type, data: JSON.stringify({ type, ...content }) });
}

function deltaFrame(index: number, delta: object): string {
  return frame("content_block_delta", { index, delta });
}

/** What every message says first, streamed or whole. */
export function messageHead(
  head: { readonly id: string; readonly model: string } | undefined,
  options: EncodeOptions,
): object {
  return {
    id: head === undefined || head.id === "" ? options.fallbackId : head.id,
    type: "message",
    role: "assistant",
    model: head === undefined || head.model === "" ? options.model : head.model,
    diagnostics: null,
  };
}

/** Cohere says that a stop sequence was met and not which: where one alone was asked for it can be no other. */
export function stopFields(
  finish: Finish | undefined,
  content: { readonly tools: boolean; readonly refused: boolean },
  request: GenerateRequest | undefined,
): object {
  const reason = stopReasonOf(finish, content);
  const onlyStop = request?.stop.length === 1 ? request.stop[0] : undefined;
  return {
    stop_reason: reason,
    stop_sequence: finish?.stopSequence ?? (reason === "stop_sequence" ? (onlyStop ?? null) : null),
    stop_details: reason === "refusal" ? { type: "refusal", category: null, explanation: null } : null,
    container: null,
  };
}

/** Callers answer a tool call by its id: one without gets one that is unique in the answer. */
export function toolId(id: string, fallbackId: string, index: number): string {
  return id === "" ? `toolu_${fallbackId}_${index}` : id;
}
