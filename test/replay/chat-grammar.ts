import { objectOf, objectsOf, textOf, type JsonView } from "./json-view.ts";
import { parsedArguments } from "./meaning.ts";
import { readSse } from "./sse-messages.ts";

/**
 * What in a chat completion stream a strict client of OpenAI's could stumble over, in words; empty for a whole and
 * well-formed answer. `mayBreakArguments`: an answer cut off by its output limit leaves half a tool call.
 */
export function chatStreamFaults(text: string, options: { readonly usageAsked: boolean }): readonly string[] {
  const grammar = new ChatGrammar(options.usageAsked);
  const messages = readSse(text);
  if (messages.map(({ raw }) => raw).join("") !== text) grammar.complain("bytes outside of any message");
  for (const message of messages) {
    if (message.event !== undefined) grammar.complain(`an event line: ${message.event}`);
    if (message.data !== undefined) grammar.data(message.data);
    else if (!message.raw.startsWith(":")) grammar.complain(`neither data nor comment: ${message.raw}`);
  }
  return grammar.end();
}

interface Call {
  readonly id: unknown;
  json: string;
}

class ChatGrammar {
  readonly #usageAsked: boolean;
  readonly #faults: string[] = [];
  readonly #calls: Call[] = [];
  #head: string | undefined;
  #role: unknown;
  #finish: unknown;
  #usageSeen = false;
  #done = false;

  constructor(usageAsked: boolean) {
    this.#usageAsked = usageAsked;
  }

  complain(what: string): void {
    this.#faults.push(what);
  }

  data(data: string): void {
    if (this.#done) this.complain(`something behind [DONE]: ${data}`);
    if (data === "[DONE]") {
      this.#done = true;
      return;
    }
    const chunk = objectOf(JSON.parse(data));
    if (chunk["error"] !== undefined) this.complain(`an error: ${data}`);
    const { object, id, created, model } = chunk;
    if (object !== "chat.completion.chunk") this.complain(`object is ${String(object)}`);
    if (typeof id !== "string" || id === "") this.complain("no id");
    if (typeof model !== "string" || model === "") this.complain("no model");
    if (!Number.isInteger(created)) this.complain("created is no integer");
    const head = JSON.stringify([id, created, model]);
    if (this.#head !== undefined && head !== this.#head) this.complain(`the head changed: ${head}`);
    this.#head = head;
    if (!Array.isArray(chunk["choices"])) this.complain("no choices");
    const choices = objectsOf(chunk["choices"]);
    if (choices.length > 1) this.complain("several choices");
    for (const choice of choices) this.#choice(choice);
    if (chunk["usage"] !== undefined && chunk["usage"] !== null) this.#usage(objectOf(chunk["usage"]), choices.length);
  }

  end(): readonly string[] {
    if (typeof this.#finish !== "string") this.complain("no finish_reason");
    if (!this.#done) this.complain("no [DONE]");
    if (!this.#usageAsked && this.#usageSeen) this.complain("usage nobody asked for");
    for (const { json } of this.#calls) {
      const parsed = parsedArguments(json);
      const isObject = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
      if (json === "" || (this.#finish !== "length" && (!isObject || "broken" in parsed))) {
        this.complain(`arguments are no JSON object: ${json}`);
      }
    }
    if (this.#finish === "tool_calls" && this.#calls.length === 0) this.complain("tool_calls without any");
    return this.#faults;
  }

  #choice(choice: JsonView): void {
    if (choice["index"] !== 0) this.complain(`choice ${String(choice["index"])}`);
    if (this.#finish !== undefined) this.complain("a choice behind the finish_reason");
    const delta = objectOf(choice["delta"]);
    if (this.#role === undefined) {
      this.#role = delta["role"];
      if (this.#role !== "assistant") this.complain("the first delta has no role");
    } else if (delta["role"] !== undefined) this.complain("a second role");
    for (const call of objectsOf(delta["tool_calls"])) this.#call(call);
    const finish = choice["finish_reason"];
    if (finish === undefined) this.complain("a choice without the field finish_reason");
    else if (finish !== null) {
      this.#finish = finish;
      if (!["stop", "length", "tool_calls", "content_filter"].includes(textOf(finish))) {
        this.complain(`finish_reason ${JSON.stringify(finish)}`);
      }
    }
  }

  #call(entry: JsonView): void {
    const { index, id, type } = entry;
    const called = objectOf(entry["function"]);
    const json = called["arguments"];
    if (typeof index !== "number" || typeof json !== "string") {
      this.complain(`a tool call without index or arguments: ${JSON.stringify(entry)}`);
      return;
    }
    const begun = this.#calls[index];
    if (begun !== undefined) {
      if (id !== undefined || type !== undefined || called["name"] !== undefined) this.complain("a call named twice");
      begun.json += json;
      return;
    }
    if (index !== this.#calls.length) this.complain(`call ${index} came as number ${this.#calls.length}`);
    if (typeof id !== "string" || id === "" || type !== "function") this.complain("a call without id or type");
    if (this.#calls.some((other) => other.id === id)) this.complain(`two calls are ${String(id)}`);
    if (typeof called["name"] !== "string" || called["name"] === "") this.complain("a call without a name");
    this.#calls.push({ id, json });
  }

  #usage(usage: JsonView, choices: number): void {
    if (this.#usageSeen) this.complain("usage twice");
    this.#usageSeen = true;
    if (choices !== 0 || this.#finish === undefined) this.complain("usage beside or before the last choice");
    const counts = [usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]].map(Number);
    const [prompt = Number.NaN, completion = Number.NaN, total] = counts;
    if (prompt + completion !== total || counts.some((count) => !(count >= 0))) {
      this.complain(`usage does not add up: ${JSON.stringify(usage)}`);
    }
  }
}
