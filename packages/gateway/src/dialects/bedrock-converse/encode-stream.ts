import type { EncodeOptions, StreamEncoder } from "#dialects/dialect";
import { refusalBlock } from "#dialects/gather-blocks";
import type { AnswerEvent, Finish } from "#domain/answer";
import { failure } from "#domain/failure";
import type { Usage } from "#domain/usage";
import { encodeEventStreamFrame } from "#wire/encode-event-stream";
import { answeredToolId, reportFields, stopFields } from "./answer-ending.ts";
import { failureFrame } from "./encode-failure.ts";
import { answerWarning } from "./losses.ts";
import { tagRedacted, tagSignature } from "./seal-tag.ts";

/**
 * Held-back frames of blocks that wait for an earlier one to close, in bytes. An answer's tool arguments are a few
 * kilobytes; beyond this the stream is broken off.
 */
const maxHeldBytes = 8 * 1024 * 1024;

export function streamEncoder(options: EncodeOptions): StreamEncoder {
  return new ConverseStreamEncoder(options);
}

interface Block {
  readonly kind: "text" | "reasoning" | "tool";
  readonly index: number;
  /** Frames that wait for earlier blocks to close. */
  readonly held: Uint8Array[];
  signature?: string;
  redacted: boolean;
  /** A piece of it was said: of a tool, of its arguments. */
  begun: boolean;
  closed: boolean;
}

const nothing: readonly Uint8Array[] = [];

/**
 * Writes the stream as Bedrock does (protocols.md §11, recorded): blocks one after another with rising indexes, only
 * tools have a start, and what was used comes last, behind the stop. Blocks that interleave are put in the order they
 * began: the first open one is written through, the others wait. A block of text or thought begins with its first
 * content, because an empty text in a history is refused when the caller sends it back.
 */
class ConverseStreamEncoder implements StreamEncoder {
  readonly #options: EncodeOptions;
  readonly #warnings = new Set<string>();
  readonly #blocks = new Map<number, Block>();
  /** In order; the first is written through. */
  readonly #queue: Block[] = [];
  #heldBytes = 0;
  #nextIndex = 0;
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

  encode(event: AnswerEvent): Uint8Array {
    return joined(this.#frames(event));
  }

  #frames(event: AnswerEvent): readonly Uint8Array[] {
    if (this.#done) return nothing;
    switch (event.kind) {
      case "usage":
        this.#usage = event.usage;
        return nothing;
      case "failed":
        this.#done = true;
        return [failureFrame(event.failure)];
      // Nothing in this language only says that the answer is still under way.
      case "ping":
        return nothing;
      default:
        return [...this.#begin(), ...this.#content(event)];
    }
  }

  #begin(): readonly Uint8Array[] {
    if (this.#begun) return nothing;
    this.#begun = true;
    return [frame("messageStart", { role: "assistant" })];
  }

  #content(event: Exclude<AnswerEvent, { kind: "usage" | "failed" | "ping" }>): readonly Uint8Array[] {
    switch (event.kind) {
      case "start":
      case "text-start":
      // Opaque state on texts and calls has no place here; the gateway keeps it under the call's id.
      case "text-signature":
      case "tool-signature":
        return nothing;
      case "text-delta":
        return this.#piece(event.block, "text", event.text === "" ? undefined : { text: event.text });
      case "reasoning-start":
        return event.redacted === undefined ? nothing : this.#redacted(event.block, event.redacted);
      case "reasoning-delta":
        return this.#piece(event.block, "reasoning", event.text === "" ? undefined : thought({ text: event.text }));
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
        return this.#piece(refusalBlock, "text", event.text === "" ? undefined : { text: event.text });
      case "foreign":
        this.#warnings.add(answerWarning("foreign-event", event.what));
        return nothing;
      case "finish":
        this.#finish = event.finish;
        if (event.finish.reason === "paused") this.#warnings.add(answerWarning("answer-paused"));
        return this.#closeAll();
      case "end":
        return this.#end();
    }
  }

  #piece(number: number, kind: "text" | "reasoning", delta: object | undefined): readonly Uint8Array[] {
    if (delta === undefined) return nothing;
    const block = this.#obtain(number, kind);
    block.begun = true;
    return block.redacted ? nothing : this.#write(block, deltaFrame(block.index, delta));
  }

  #redacted(number: number, sealed: string): readonly Uint8Array[] {
    const block = this.#obtain(number, "reasoning");
    block.redacted = true;
    const redactedContent = tagRedacted(sealed, this.#options.issuer);
    return this.#write(block, deltaFrame(block.index, thought({ redactedContent })));
  }

  /** Said when the thought is over: it is about the whole of it. */
  #signature(number: number, signature: string): readonly Uint8Array[] {
    this.#obtain(number, "reasoning").signature = signature;
    return nothing;
  }

  #toolStart({ block: number, id, name }: Extract<AnswerEvent, { kind: "tool-start" }>): readonly Uint8Array[] {
    this.#sawTool = true;
    const block = this.#obtain(number, "tool");
    const toolUseId = answeredToolId(id, this.#options.fallbackId, block.index);
    const start = { toolUse: { toolUseId, name } };
    return this.#write(block, frame("contentBlockStart", { contentBlockIndex: block.index, start }));
  }

  #toolDelta(number: number, input: string): readonly Uint8Array[] {
    const block = this.#blocks.get(number);
    if (block === undefined || input === "") return nothing;
    block.begun = true;
    return this.#write(block, deltaFrame(block.index, { toolUse: { input } }));
  }

  /** The block under a number, begun where it was not: its index is its place in the order of beginning. */
  #obtain(number: number, kind: Block["kind"]): Block {
    const known = this.#blocks.get(number);
    if (known !== undefined) return known;
    const made: Block = { kind, index: this.#nextIndex, held: [], redacted: false, begun: false, closed: false };
    this.#nextIndex += 1;
    this.#blocks.set(number, made);
    this.#queue.push(made);
    return made;
  }

  #write(block: Block, bytes: Uint8Array): readonly Uint8Array[] {
    if (this.#queue[0] === block) return [bytes];
    block.held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes <= maxHeldBytes) return nothing;
    this.#done = true;
    return [failureFrame(failure("event_too_large", "The answer interleaves more content than can be put in order."))];
  }

  #close(number: number): readonly Uint8Array[] {
    const ending = this.#blocks.get(number);
    if (ending === undefined || ending.closed) return nothing;
    this.#blocks.delete(number);
    return this.#closeBlock(ending);
  }

  #closeBlock(ending: Block): readonly Uint8Array[] {
    ending.closed = true;
    const { index: contentBlockIndex } = ending;
    const closing = [
      ...this.#lastPieces(ending).map((piece) => deltaFrame(contentBlockIndex, piece)),
      frame("contentBlockStop", { contentBlockIndex }),
    ];
    if (this.#queue[0] === ending) return [...closing, ...this.#advance()];
    return closing.flatMap((bytes) => this.#write(ending, bytes));
  }

  /**
   * A foreign vendor's thought is marked even where it is not signed, and one that is only a signature has an empty text,
   * without which it is not taken back; a call without arguments has an empty object.
   */
  #lastPieces({ kind, redacted, begun, signature = "" }: Block): readonly object[] {
    if (kind === "tool") return begun ? [] : [{ toolUse: { input: "{}" } }];
    const seal = kind === "text" || redacted ? undefined : tagSignature(signature, this.#options.issuer);
    if (seal === undefined) return [];
    return [...(begun ? [] : [thought({ text: "" })]), thought({ signature: seal })];
  }

  /** What waited behind the first block, up to and including the next one that is still open. */
  #advance(): readonly Uint8Array[] {
    const released: Uint8Array[] = [];
    this.#queue.shift();
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      for (const bytes of next.held.splice(0)) {
        released.push(bytes);
        this.#heldBytes -= bytes.length;
      }
      if (!next.closed) break;
      this.#queue.shift();
    }
    return released;
  }

  #closeAll(): readonly Uint8Array[] {
    const closing: Uint8Array[] = [];
    // The first in the queue is always open: `advance` takes closed ones along.
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0])
      closing.push(...this.#closeBlock(first));
    this.#blocks.clear();
    return closing;
  }

  #end(): readonly Uint8Array[] {
    const closing = this.#closeAll();
    this.#done = true;
    const content = { tools: this.#sawTool, refused: this.#sawRefusal };
    return [
      ...closing,
      frame("messageStop", stopFields(this.#finish, content, this.#options)),
      frame("metadata", reportFields(this.#usage, this.#options)),
    ];
  }
}

function thought(piece: object): object {
  return { reasoningContent: piece };
}

function deltaFrame(contentBlockIndex: number, delta: object): Uint8Array {
  return frame("contentBlockDelta", { contentBlockIndex, delta });
}

function frame(type: string, content: object): Uint8Array {
  return encodeEventStreamFrame({
    headers: { ":event-type": type, ":content-type": "application/json", ":message-type": "event" },
    payload: Buffer.from(JSON.stringify(content)),
  });
}

function joined(frames: readonly Uint8Array[]): Uint8Array {
  const [only] = frames;
  return frames.length === 1 && only !== undefined ? only : Buffer.concat(frames);
}
