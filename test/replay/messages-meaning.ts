import { countOf, objectOf, objectsOf, textOf, type JsonView } from "./json-view.ts";
import { parsedArguments, type Meaning } from "./meaning.ts";
import { readSse } from "./sse-messages.ts";

interface Block {
  readonly kind: string;
  readonly id: string;
  readonly name: string;
  /** Where it came whole, at the start. */
  readonly input: unknown;
  text: string;
  json: string;
  seal: string;
}

/** What the gateway puts before a foreign vendor's seal: the seal itself follows the second colon. */
const mark = /^hedgerow:[^:]*:/u;

/** Reads Messages answers; blocks that only Anthropic's own servers use say nothing here. */
export class MessagesReader {
  readonly #blocks = new Map<unknown, Block>();
  readonly #all: Block[] = [];
  #counts: Record<string, number | undefined> = {};
  #compaction = { prompt: 0, completion: 0 };
  #refusal = "";
  #finish: string | undefined;
  #stopSequence: string | undefined;

  event(event: JsonView): void {
    switch (event["type"]) {
      case "message_start":
        this.whole(objectOf(event["message"]));
        break;
      case "content_block_start":
        this.#begin(event["index"], objectOf(event["content_block"]));
        break;
      case "content_block_delta":
        this.#extend(this.#blocks.get(event["index"]), objectOf(event["delta"]));
        break;
      case "message_delta":
        this.#stop(objectOf(event["delta"]));
        this.#report(event["usage"]);
        break;
      default:
    }
  }

  /** A message that was not streamed, or what a stream begins with: in rare cases all of it. */
  whole(message: JsonView): void {
    for (const [index, block] of objectsOf(message["content"]).entries()) this.#begin(index, block);
    this.#stop(message);
    this.#report(message["usage"]);
  }

  meaning(): Meaning {
    const all = (kind: string): readonly Block[] => this.#all.filter((block) => block.kind === kind);
    const textIn = (kind: string): string =>
      all(kind)
        .map((block) => block.text)
        .join("");
    const { input_tokens: input, output_tokens: output } = this.#counts;
    const cached = (this.#counts["cache_read_input_tokens"] ?? 0) + (this.#counts["cache_creation_input_tokens"] ?? 0);
    const { prompt, completion } = this.#compaction;
    return {
      text: textIn("text"),
      refusal: this.#refusal,
      reasoning: textIn("thinking"),
      seals: this.#all.map(({ seal }) => seal.replace(mark, "")).filter((seal) => seal !== ""),
      tools: all("tool_use").map(({ id, name, json, input: given }) => ({
        id,
        name,
        arguments: json === "" ? given : parsedArguments(json),
      })),
      usage:
        input === undefined && output === undefined
          ? undefined
          : { prompt: (input ?? 0) + cached + prompt, completion: (output ?? 0) + completion },
      finish: this.#finish,
      stopSequence: this.#stopSequence,
    };
  }

  #begin(index: unknown, content: JsonView): void {
    const block: Block = {
      kind: textOf(content["type"]),
      id: textOf(content["id"]),
      name: textOf(content["name"]),
      input: content["input"],
      text: textOf(content["text"] ?? content["thinking"]),
      json: "",
      seal: textOf(content["data"] ?? content["signature"]),
    };
    this.#blocks.set(index, block);
    this.#all.push(block);
  }

  #extend(block: Block | undefined, delta: JsonView): void {
    if (block === undefined) return;
    if (delta["type"] === "text_delta") block.text += textOf(delta["text"]);
    if (delta["type"] === "thinking_delta") block.text += textOf(delta["thinking"]);
    if (delta["type"] === "input_json_delta") block.json += textOf(delta["partial_json"]);
    if (delta["type"] === "signature_delta") block.seal = textOf(delta["signature"]);
  }

  #stop(delta: JsonView): void {
    if (typeof delta["stop_reason"] !== "string") return;
    this.#finish = delta["stop_reason"];
    if (typeof delta["stop_sequence"] === "string") this.#stopSequence = delta["stop_sequence"];
    this.#refusal = textOf(objectOf(delta["stop_details"])["explanation"]);
  }

  /** Cumulative: a later number replaces an earlier one. */
  #report(given: unknown): void {
    const usage = objectOf(given);
    for (const name of ["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"]) {
      this.#counts[name] = countOf(usage[name]) ?? this.#counts[name];
    }
    if (!Array.isArray(usage["iterations"])) return;
    this.#compaction = { prompt: 0, completion: 0 };
    for (const iteration of objectsOf(usage["iterations"])) {
      if (iteration["type"] !== "compaction") continue;
      const count = (name: string): number => countOf(iteration[name]) ?? 0;
      this.#compaction.prompt +=
        count("input_tokens") + count("cache_read_input_tokens") + count("cache_creation_input_tokens");
      this.#compaction.completion += count("output_tokens");
    }
  }
}

export function meaningOfMessagesStream(text: string): Meaning {
  const reader = new MessagesReader();
  for (const { data } of readSse(text)) if (data !== undefined) reader.event(objectOf(JSON.parse(data)));
  return reader.meaning();
}

export function meaningOfMessage(json: string): Meaning {
  const reader = new MessagesReader();
  reader.whole(objectOf(JSON.parse(json)));
  return reader.meaning();
}
