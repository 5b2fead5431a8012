import type { AnswerEvent } from "#domain/answer";
import { failure, type Failure } from "#domain/failure";
import { foreignName } from "./own-foreign.ts";
import { isObject, jsonText, type JsonObject } from "#dialects/shape";
import { finishOf } from "./stop-reasons.ts";
import { UsageCounter } from "./usage-fields.ts";

/** `repeated` frames say again what was said: a relay must not forward them, the official SDK would fail on them. */
export type MessageStep =
  | { readonly kind: "events"; readonly events: readonly AnswerEvent[]; readonly ended: boolean }
  | { readonly kind: "repeated" }
  | { readonly kind: "failed"; readonly failure: Failure };

interface OpenBlock {
  /** The hub's number: the stream's own indexes may be used again by careless upstreams. */
  readonly block: number;
  readonly kind: "text" | "reasoning" | "tool" | "foreign";
  /** Whether a tool's arguments have begun. */
  argued: boolean;
  /** Arguments given whole in the start frame. */
  readonly input?: string;
}

const nothing: readonly AnswerEvent[] = [];
const ping: readonly AnswerEvent[] = [{ kind: "ping" }];
const carryOn: MessageStep = { kind: "events", events: nothing, ended: false };
const repeated: MessageStep = { kind: "repeated" };

/**
 * Events of one message in the stream grammar of the Messages API (protocols.md §11), one JSON value at a time.
 * What breaks the grammar in a way that could lose or mix content is a failure, not something to be skipped.
 */
export class MessageEvents {
  readonly #classify: (complaint: unknown) => Failure;
  readonly #usage = new UsageCounter();
  readonly #open = new Map<number, OpenBlock>();
  #messageId: string | undefined;
  /** What `message_start` said: it may already say why the answer stops. */
  #head: JsonObject = {};
  #blocks = 0;
  #sawTool = false;
  #finished = false;
  #ended = false;

  constructor(classify: (complaint: unknown) => Failure) {
    this.#classify = classify;
  }

  /** A reason to stop was given: only the terminator is missing. */
  get finished(): boolean {
    return this.#finished;
  }

  /** The event of a delta known to hold the next piece of text of this content block and nothing else. */
  goOn(index: unknown, text: string): AnswerEvent | undefined {
    const open = typeof index === "number" ? this.#open.get(index) : undefined;
    return open?.kind === "text" && text !== "" ? { kind: "text-delta", block: open.block, text } : undefined;
  }

  accept(type: string, message: JsonObject): MessageStep {
    switch (type) {
      case "content_block_delta":
        return this.#delta(message);
      case "ping":
        return { kind: "events", events: ping, ended: false };
      case "message_start":
        return this.#start(message);
      case "content_block_start":
        return this.#blockStart(message);
      case "content_block_stop":
        return this.#blockStop(message);
      case "message_delta":
        return this.#messageDelta(message);
      case "message_stop":
        return this.#messageStop();
      case "error":
        return { kind: "failed", failure: this.#classify(message) };
      default:
        // A complaint in another language's shape, as compatible servers send it.
        if (message["error"] !== undefined) return { kind: "failed", failure: this.#classify(message) };
        return events([{ kind: "foreign", what: foreignName(type), payload: message }]);
    }
  }

  #start(message: JsonObject): MessageStep {
    const head = message["message"];
    if (!isObject(head)) return broken("message_start without a message");
    const id = stringOr(head["id"], "");
    if (this.#messageId !== undefined) {
      return this.#messageId === id && this.#blocks === 0 && !this.#finished
        ? repeated
        : broken("a second message_start inside one answer");
    }
    this.#messageId = id;
    this.#head = head;
    const usage = this.#usage.report(head["usage"]);
    const found: AnswerEvent[] = [{ kind: "start", id, model: stringOr(head["model"], "") }];
    if (usage !== undefined) found.push({ kind: "usage", usage });
    return this.#wholeBlocks(head["content"], found);
  }

  /**
   * Content that came with the start: all of a message that was not streamed, and tool calls that the provider's own
   * running code makes (recorded December 2025: `message_start` with content and stop reason, then `message_stop`).
   */
  #wholeBlocks(content: unknown, found: AnswerEvent[]): MessageStep {
    const blocks: readonly unknown[] = Array.isArray(content) ? content : [];
    for (const [index, block] of blocks.entries()) {
      for (const step of [this.#blockStart({ index, content_block: block }), this.#blockStop({ index })]) {
        if (step.kind === "failed") return step;
        if (step.kind === "events") found.push(...step.events);
      }
    }
    return events(found);
  }

  #blockStart(message: JsonObject): MessageStep {
    const { index, content_block: content } = message;
    if (this.#messageId === undefined) return broken("a content block before message_start");
    if (typeof index !== "number" || !isObject(content)) return broken("content_block_start without index or block");
    if (this.#open.has(index)) return broken(`content block ${index} began twice`);
    const block = this.#blocks;
    this.#blocks += 1;
    const type = stringOr(content["type"], "");
    switch (type) {
      case "text":
        this.#open.set(index, { block, kind: "text", argued: false });
        return events(textStart(block, content));
      case "thinking":
        this.#open.set(index, { block, kind: "reasoning", argued: false });
        return events(thinkingStart(block, content));
      case "redacted_thinking":
        this.#open.set(index, { block, kind: "reasoning", argued: false });
        return events([{ kind: "reasoning-start", block, redacted: stringOr(content["data"], "") }]);
      case "tool_use":
        return this.#toolStart(index, block, content);
      default:
        this.#open.set(index, { block, kind: "foreign", argued: false });
        return events([{ kind: "foreign", what: foreignName(type), payload: content, content: true }]);
    }
  }

  #toolStart(index: number, block: number, content: JsonObject): MessageStep {
    const { id, name, input, caller } = content;
    if (typeof id !== "string" || typeof name !== "string") return broken("a tool_use block without id or name");
    const text = isObject(input) && Object.keys(input).length > 0 ? jsonText(input) : "";
    if (text === undefined) return broken("a tool's input is nested too deep");
    const whole = text === "" ? {} : { input: text };
    this.#open.set(index, { block, kind: "tool", argued: false, ...whole });
    this.#sawTool = true;
    const start: AnswerEvent = { kind: "tool-start", block, id, name };
    return isObject(caller) && caller["type"] !== "direct"
      ? events([start, { kind: "foreign", what: foreignName("caller"), payload: caller }])
      : events([start]);
  }

  #delta(message: JsonObject): MessageStep {
    const { index, delta } = message;
    const open = typeof index === "number" ? this.#open.get(index) : undefined;
    if (open === undefined) return broken("a delta of a content block that is not open");
    if (!isObject(delta)) return broken("content_block_delta without a delta");
    if (open.kind === "foreign") return carryOn;
    const { block } = open;
    switch (delta["type"]) {
      case "text_delta":
        if (open.kind !== "text" || typeof delta["text"] !== "string") return misplaced("text_delta", open.kind);
        return delta["text"] === "" ? carryOn : events([{ kind: "text-delta", block, text: delta["text"] }]);
      case "input_json_delta":
        if (open.kind !== "tool" || typeof delta["partial_json"] !== "string") {
          return misplaced("input_json_delta", open.kind);
        }
        if (delta["partial_json"] === "") return carryOn;
        open.argued = true;
        return events([{ kind: "tool-delta", block, json: delta["partial_json"] }]);
      case "thinking_delta":
        if (open.kind !== "reasoning" || typeof delta["thinking"] !== "string") {
          return misplaced("thinking_delta", open.kind);
        }
        return delta["thinking"] === ""
          ? carryOn
          : events([{ kind: "reasoning-delta", block, text: delta["thinking"] }]);
      case "signature_delta":
        if (open.kind !== "reasoning" || typeof delta["signature"] !== "string") {
          return misplaced("signature_delta", open.kind);
        }
        return events([{ kind: "reasoning-signature", block, signature: delta["signature"] }]);
      default:
        return events([{ kind: "foreign", what: foreignName(stringOr(delta["type"], "delta")), payload: delta }]);
    }
  }

  #blockStop(message: JsonObject): MessageStep {
    const { index } = message;
    const open = typeof index === "number" ? this.#open.get(index) : undefined;
    // A second stop makes some clients run the tool again (litellm#37273), and says nothing new.
    if (typeof index !== "number" || open === undefined) return repeated;
    this.#open.delete(index);
    return events(blockEnd(open));
  }

  #messageDelta(message: JsonObject): MessageStep {
    if (this.#messageId === undefined) return broken("message_delta before message_start");
    const found: AnswerEvent[] = isObject(message["delta"]) ? this.#stop(message["delta"]) : [];
    const usage = this.#usage.report(message["usage"]);
    if (usage !== undefined) found.push({ kind: "usage", usage });
    return events(found);
  }

  #messageStop(): MessageStep {
    if (this.#messageId === undefined) return broken("message_stop before message_start");
    if (this.#ended) return repeated;
    this.#ended = true;
    const found: AnswerEvent[] = [...this.#stop(this.#head), ...this.#closeBlocks()];
    // Some servers complete an answer without ever saying why it stopped.
    if (!this.#finished) found.push({ kind: "finish", finish: { reason: this.#sawTool ? "tools" : "stop" } });
    this.#finished = true;
    found.push({ kind: "end" });
    return { kind: "events", events: found, ended: true };
  }

  /** The finish, where these fields name a reason and none was named before. */
  #stop(fields: JsonObject): AnswerEvent[] {
    const { stop_reason: reason, stop_sequence: sequence, stop_details: details } = fields;
    if (typeof reason !== "string" || this.#finished) return [];
    this.#finished = true;
    return [...this.#closeBlocks(), ...stopDetails(details), { kind: "finish", finish: finishOf(reason, sequence) }];
  }

  #closeBlocks(): AnswerEvent[] {
    const found = [...this.#open.values()].flatMap(blockEnd);
    this.#open.clear();
    return found;
  }
}

function textStart(block: number, content: JsonObject): AnswerEvent[] {
  const found: AnswerEvent[] = [{ kind: "text-start", block }];
  const text = stringOr(content["text"], "");
  if (text !== "") found.push({ kind: "text-delta", block, text });
  const { citations } = content;
  if (Array.isArray(citations) && citations.length > 0) {
    found.push({ kind: "foreign", what: foreignName("citations"), payload: citations });
  }
  return found;
}

function thinkingStart(block: number, content: JsonObject): AnswerEvent[] {
  const found: AnswerEvent[] = [{ kind: "reasoning-start", block }];
  const text = stringOr(content["thinking"], "");
  if (text !== "") found.push({ kind: "reasoning-delta", block, text });
  const signature = stringOr(content["signature"], "");
  if (signature !== "") found.push({ kind: "reasoning-signature", block, signature });
  return found;
}

function blockEnd(open: OpenBlock): readonly AnswerEvent[] {
  const { block } = open;
  switch (open.kind) {
    case "text":
      return [{ kind: "text-end", block }];
    case "reasoning":
      return [{ kind: "reasoning-end", block }];
    case "tool":
      // A call without arguments streams no JSON or the empty string; its arguments are the empty object.
      return open.argued
        ? [{ kind: "tool-end", block }]
        : [
            { kind: "tool-delta", block, json: open.input ?? "{}" },
            { kind: "tool-end", block },
          ];
    case "foreign":
      return nothing;
  }
}

/** The vendor's words on a refusal; the rest of the details has no word in the hub. */
function stopDetails(details: unknown): AnswerEvent[] {
  if (!isObject(details)) return [];
  const found: AnswerEvent[] = [{ kind: "foreign", what: foreignName("stop_details"), payload: details }];
  const explanation = stringOr(details["explanation"], "");
  if (explanation !== "") found.push({ kind: "refusal-delta", text: explanation });
  return found;
}

function events(found: readonly AnswerEvent[]): MessageStep {
  return { kind: "events", events: found, ended: false };
}

function broken(what: string): MessageStep {
  return { kind: "failed", failure: failure("bad_upstream_response", `The provider's answer is malformed: ${what}.`) };
}

function misplaced(delta: string, kind: string): MessageStep {
  return broken(`a ${delta} in a ${kind} block, or one without its text`);
}

function stringOr(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}
