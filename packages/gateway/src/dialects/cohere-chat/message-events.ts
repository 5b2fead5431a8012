import type { AnswerEvent } from "#domain/answer";
import { failure, type Failure } from "#domain/failure";
import { isObject, jsonText, type JsonObject } from "#dialects/shape";
import { isBrokenOff, readFinish } from "./finish-words.ts";
import { logprobsOf } from "./read-logprobs.ts";
import { readUsage } from "./read-usage.ts";

/** Far beyond any real answer: what an upstream can make us keep is bounded. */
const mostCalls = 512;

interface OpenCall {
  readonly block: number;
  /** Begins like `null`, which is how Cohere says that there are no arguments (recorded 2025); kept until that is sure. */
  held: string;
}

/**
 * Cohere's stream grammar as answer events; a whole answer runs through it too. Content blocks and tool calls are counted
 * apart. The tool plan ("a chain-of-thought style reflection and plan that the model generates when working with Tools",
 * docs.cohere.com/reference/chat) is a thought: no other vendor shows it as an answer's text.
 */
export class MessageEvents {
  readonly #classify: (complaint: unknown) => Failure;
  readonly #content = new Map<unknown, { readonly kind: "text" | "reasoning"; readonly block: number }>();
  readonly #calls = new Map<unknown, OpenCall>();
  readonly #ids = new Set<string>();
  #plan: number | undefined;
  #blocks = 0;
  #answerId = "";
  #started = false;
  #finished = false;
  #found: AnswerEvent[] = [];

  constructor(classify: (complaint: unknown) => Failure) {
    this.#classify = classify;
  }

  get started(): boolean {
    return this.#started;
  }

  /** Whether the answer said why it ended. */
  get finished(): boolean {
    return this.#finished;
  }

  /** The events of one message of the stream; a failure ends the answer. */
  accept(type: string, message: JsonObject): { readonly events: readonly AnswerEvent[]; readonly failed?: Failure } {
    this.#found = [];
    const failed = this.#accept(type, message);
    return failed === undefined ? { events: this.#found } : { events: this.#found, failed };
  }

  #accept(type: string, message: JsonObject): Failure | undefined {
    const delta = isObject(message["delta"]) ? message["delta"] : {};
    const said = isObject(delta["message"]) ? delta["message"] : {};
    const { index } = message;
    if (this.#finished) {
      this.#foreign("content behind the finish", message);
      return undefined;
    }
    switch (type) {
      case "message-start":
        this.#start(typeof message["id"] === "string" ? message["id"] : "");
        return undefined;
      case "content-start":
        this.#endContent(index);
        this.#piece(index, said["content"]);
        return undefined;
      case "content-delta":
        this.#piece(index, said["content"], message["logprobs"] ?? delta["logprobs"]);
        return undefined;
      case "content-end":
        this.#endContent(index);
        return undefined;
      case "tool-plan-delta":
        this.#planned(said["tool_plan"]);
        return undefined;
      case "tool-call-start":
        return this.#startCall(index, said["tool_calls"]);
      case "tool-call-delta":
        return this.#extendCall(index, said["tool_calls"]);
      case "tool-call-end":
        this.#endCall(index);
        return undefined;
      case "citation-start":
        this.#foreign("citation", said["citations"] ?? message);
        return undefined;
      case "citation-end":
        return undefined;
      case "message-end":
        return this.#end(delta);
      default:
        return this.#other(type, message);
    }
  }

  #start(id: string): void {
    if (this.#started) return;
    this.#started = true;
    this.#answerId = id;
    this.#found.push({ kind: "start", id, model: "" });
  }

  /** A piece without its own type is of the block it belongs to, or of what its field says. */
  #piece(index: unknown, content: unknown, logprobs?: unknown): void {
    const part = isObject(content) ? content : {};
    const { text, thinking } = part;
    if (typeof thinking === "string") this.#say(index, "reasoning", { text: thinking });
    if (typeof text === "string") this.#say(index, "text", { text, logprobs });
    if (typeof thinking === "string" || typeof text === "string" || !isObject(content)) return;
    this.#foreign("content part", content, true);
  }

  #say(
    index: unknown,
    kind: "text" | "reasoning",
    piece: { readonly text: string; readonly logprobs?: unknown },
  ): void {
    const { text, logprobs } = piece;
    if (text === "") return;
    this.#endPlan();
    let open = this.#content.get(index);
    if (open?.kind !== kind) {
      this.#endContent(index);
      open = { kind, block: this.#blocks++ };
      this.#content.set(index, open);
      this.#begin();
      this.#found.push({ kind: `${kind}-start`, block: open.block });
    }
    if (kind === "reasoning") {
      this.#found.push({ kind: "reasoning-delta", block: open.block, text });
      return;
    }
    const probabilities = logprobsOf(logprobs);
    this.#found.push({
      kind: "text-delta",
      block: open.block,
      text,
      ...(probabilities === undefined ? {} : { logprobs: probabilities }),
    });
  }

  #endContent(index: unknown): void {
    const open = this.#content.get(index);
    if (open === undefined) return;
    this.#content.delete(index);
    this.#found.push({ kind: `${open.kind}-end`, block: open.block });
  }

  #planned(text: unknown): void {
    if (typeof text !== "string" || text === "") return;
    this.#begin();
    if (this.#plan === undefined) {
      this.#plan = this.#blocks++;
      this.#found.push({ kind: "reasoning-start", block: this.#plan });
    }
    this.#found.push({ kind: "reasoning-delta", block: this.#plan, text });
  }

  #endPlan(): void {
    if (this.#plan === undefined) return;
    this.#found.push({ kind: "reasoning-end", block: this.#plan });
    this.#plan = undefined;
  }

  /** One object, not a list, in streams. */
  #startCall(index: unknown, call: unknown): Failure | undefined {
    const entry = isObject(call) ? call : {};
    const called = isObject(entry["function"]) ? entry["function"] : {};
    const { name } = called;
    if (typeof name !== "string" || name === "") return broken("a tool call without a name");
    if (this.#calls.size >= mostCalls) return broken("more tool calls than any answer can hold");
    this.#endPlan();
    this.#endCall(index);
    this.#begin();
    const block = this.#blocks++;
    this.#calls.set(index, { block, held: "" });
    this.#found.push({ kind: "tool-start", block, id: this.#idOf(entry["id"], block), name });
    return this.#extendCall(index, call);
  }

  /** A result names its call by the id alone: two calls under one id would be one. */
  #idOf(id: unknown, block: number): string {
    const given =
      typeof id === "string" && id !== "" ? id : `call_${this.#answerId.replace(/[^A-Za-z0-9]/gu, "").slice(-24)}`;
    const unique = this.#ids.has(given) || given !== id ? `${given}_${block}` : given;
    this.#ids.add(unique);
    return unique;
  }

  #extendCall(index: unknown, call: unknown): Failure | undefined {
    const open = this.#calls.get(index);
    if (open === undefined) return broken("a piece of a tool call that did not begin");
    const called = isObject(call) && isObject(call["function"]) ? call["function"] : {};
    const given = called["arguments"];
    const json = isObject(given) || Array.isArray(given) ? jsonText(given) : typeof given === "string" ? given : "";
    if (json === undefined) return broken("tool arguments nested too deep");
    open.held += json;
    if (open.held === "" || "null".startsWith(open.held.trim())) return undefined;
    this.#found.push({ kind: "tool-delta", block: open.block, json: open.held });
    open.held = "";
    return undefined;
  }

  #endCall(index: unknown): void {
    const open = this.#calls.get(index);
    if (open === undefined) return;
    this.#calls.delete(index);
    if (open.held.trim() !== "" && open.held.trim() !== "null") {
      this.#found.push({ kind: "tool-delta", block: open.block, json: open.held });
    }
    this.#found.push({ kind: "tool-end", block: open.block });
  }

  #end(delta: JsonObject): Failure | undefined {
    const word = typeof delta["finish_reason"] === "string" ? delta["finish_reason"] : "";
    const { error } = delta;
    if (isBrokenOff(word) || typeof error === "string" || isObject(error)) {
      return this.#classify({ message: typeof error === "string" ? error : `finish_reason ${word}`, code: word });
    }
    // Without a word of how it ended an answer is not whole.
    if (word === "") return undefined;
    this.#begin();
    for (const index of this.#content.keys()) this.#endContent(index);
    this.#endPlan();
    for (const index of this.#calls.keys()) this.#endCall(index);
    const usage = readUsage(delta["usage"]);
    if (usage !== undefined) this.#found.push({ kind: "usage", usage });
    this.#found.push({ kind: "finish", finish: readFinish(word, this.#ids.size > 0) });
    this.#finished = true;
    return undefined;
  }

  /** `{ "message": … }` and `{ "error": … }` are complaints; anything else is a word we do not know. */
  #other(type: string, message: JsonObject): Failure | undefined {
    if (type === "error" || typeof message["message"] === "string" || message["error"] !== undefined) {
      return this.#classify(message);
    }
    if (message["type"] === undefined) return broken("a message without a type");
    this.#foreign(`event "${type}"`, message);
    return undefined;
  }

  #foreign(what: string, payload: unknown, isContent = false): void {
    this.#begin();
    this.#found.push({ kind: "foreign", what, payload, ...(isContent ? { content: true } : {}) });
  }

  /** A stream that lacks its beginning still begins. */
  #begin(): void {
    this.#start("");
  }
}

function broken(what: string): Failure {
  return failure("bad_upstream_response", `The provider sent ${what}.`);
}
