import { objectOf, type JsonView } from "./json-view.ts";
import { parsedArguments } from "./meaning.ts";
import { readSse } from "./sse-messages.ts";

const deltasOf: Readonly<Record<string, readonly string[]>> = {
  text: ["text_delta"],
  thinking: ["thinking_delta", "signature_delta"],
  redacted_thinking: [],
  tool_use: ["input_json_delta"],
};

/**
 * What in a Messages stream the official SDK or a strict client could stumble over, in words; empty for a whole and
 * well-formed answer: `message_start (start delta* stop)* message_delta message_stop`, indexes rising from 0.
 */
export function messagesStreamFaults(text: string): readonly string[] {
  const grammar = new MessagesGrammar();
  const messages = readSse(text);
  if (messages.map(({ raw }) => raw).join("") !== text) grammar.complain("bytes outside of any message");
  for (const { event, data, raw } of messages) {
    if (data === undefined) grammar.complain(`no data: ${raw}`);
    else grammar.event(event, objectOf(JSON.parse(data)));
  }
  return grammar.end();
}

interface Block {
  readonly type: string;
  json: string;
  sealed: boolean;
  deltas: number;
}

class MessagesGrammar {
  readonly #faults: string[] = [];
  #phase: "before" | "content" | "stopped" | "over" = "before";
  #next = 0;
  #open: Block | undefined;
  readonly #inputs: string[] = [];
  #reason: unknown;
  #usedTools = false;

  complain(what: string): void {
    this.#faults.push(what);
  }

  event(name: string | undefined, event: JsonView): void {
    const type = String(event["type"]);
    if (name !== type) this.complain(`the event line says ${String(name)}, the data ${type}`);
    if (this.#phase === "over") this.complain(`${type} behind message_stop`);
    switch (type) {
      case "ping":
        break;
      case "message_start":
        this.#start(objectOf(event["message"]));
        break;
      case "content_block_start":
        this.#begin(event);
        break;
      case "content_block_delta":
        this.#delta(event);
        break;
      case "content_block_stop":
        if (this.#open === undefined || event["index"] !== this.#next) this.complain("a stop of no open block");
        if (this.#open?.type === "tool_use") this.#inputs.push(this.#open.json);
        if (this.#open?.type === "text" && this.#open.deltas === 0) this.complain("an empty text block");
        this.#open = undefined;
        this.#next += 1;
        break;
      case "message_delta":
        this.#stop(event);
        break;
      case "message_stop":
        if (this.#phase !== "stopped") this.complain(`message_stop while ${this.#phase}`);
        this.#phase = "over";
        break;
      default:
        this.complain(`event ${type}`);
    }
  }

  end(): readonly string[] {
    if (this.#phase !== "over") this.complain("no message_stop");
    if (this.#reason === "tool_use" && !this.#usedTools) this.complain("tool_use without any");
    for (const json of this.#inputs) {
      const parsed = parsedArguments(json);
      const isObject = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
      if (this.#reason !== "max_tokens" && (!isObject || "broken" in parsed)) this.complain(`input is ${json}`);
    }
    return this.#faults;
  }

  #start(message: JsonView): void {
    if (this.#phase !== "before") this.complain("a second message_start");
    this.#phase = "content";
    const { id, type, role, model, content, usage } = message;
    if (typeof id !== "string" || id === "" || typeof model !== "string" || model === "")
      this.complain("no id or model");
    if (type !== "message" || role !== "assistant") this.complain("no message of the assistant");
    if (!Array.isArray(content) || content.length > 0) this.complain("content in message_start");
    if (message["stop_reason"] !== null || message["stop_sequence"] !== null) this.complain("a stop at the start");
    this.#counts(usage, "input_tokens");
  }

  #begin(event: JsonView): void {
    const block = objectOf(event["content_block"]);
    const type = String(block["type"]);
    if (this.#phase !== "content" || this.#open !== undefined) this.complain(`a ${type} block out of turn`);
    if (event["index"] !== this.#next) this.complain(`block ${String(event["index"])} in place of ${this.#next}`);
    if (deltasOf[type] === undefined) this.complain(`a block of type ${type}`);
    if (type === "text" && block["text"] !== "") this.complain("a text block that begins with text");
    if (type === "tool_use") {
      this.#usedTools = true;
      const { id, name, input } = block;
      if (typeof id !== "string" || id === "" || typeof name !== "string" || name === "")
        this.complain("a nameless call");
      if (JSON.stringify(input) !== "{}") this.complain("a call that begins with input");
    }
    this.#open = { type, json: "", sealed: false, deltas: 0 };
  }

  #delta(event: JsonView): void {
    const delta = objectOf(event["delta"]);
    const type = String(delta["type"]);
    const open = this.#open;
    if (open === undefined || event["index"] !== this.#next) {
      this.complain("a delta of no open block");
      return;
    }
    if (deltasOf[open.type]?.includes(type) !== true) this.complain(`${type} in a ${open.type} block`);
    if (open.sealed) this.complain("a delta behind the signature");
    if (type === "signature_delta") open.sealed = true;
    if (type === "input_json_delta") open.json += String(delta["partial_json"]);
    open.deltas += 1;
  }

  #stop(event: JsonView): void {
    const delta = objectOf(event["delta"]);
    if (this.#phase !== "content" || this.#open !== undefined) this.complain("message_delta out of turn");
    this.#phase = "stopped";
    this.#reason = delta["stop_reason"];
    if (typeof this.#reason !== "string") this.complain("no stop_reason");
    if (this.#reason === "stop_sequence" && typeof delta["stop_sequence"] !== "string")
      this.complain("which sequence?");
    this.#counts(event["usage"], "output_tokens");
  }

  #counts(given: unknown, name: string): void {
    const usage = objectOf(given);
    if (!Number.isInteger(usage[name])) this.complain(`usage without ${name}`);
    for (const [key, value] of Object.entries(usage)) {
      if (typeof value === "number" && value < 0) this.complain(`${key} is ${value}`);
    }
  }
}
