import { countOf, objectOf, objectsOf, textOf, type JsonView } from "./json-view.ts";
import { parsedArguments, type Meaning } from "./meaning.ts";
import { readSse } from "./sse-messages.ts";

interface Call {
  readonly index: unknown;
  id: string;
  name: string;
  json: string;
}

/** Reads chat answers as a tolerant client would, the habits of compatible servers included; first choice only. */
export class ChatReader {
  #text = "";
  #refusal = "";
  #reasoning = "";
  readonly #seals: string[] = [];
  readonly #calls: Call[] = [];
  #usage: Meaning["usage"];
  #finish: string | undefined;
  #stopSequence: string | undefined;

  /** A chunk of a stream, or a whole completion. */
  read(answer: JsonView): void {
    for (const choice of objectsOf(answer["choices"])) if ((choice["index"] ?? 0) === 0) this.#choice(choice);
    const usage = objectOf(answer["usage"] ?? objectOf(answer["x_groq"])["usage"]);
    const prompt = countOf(usage["prompt_tokens"]);
    if (prompt === undefined) return;
    const completion = countOf(usage["completion_tokens"]) ?? 0;
    const reasoning = countOf(objectOf(usage["completion_tokens_details"])["reasoning_tokens"]) ?? 0;
    const apart = reasoning > 0 && usage["total_tokens"] === prompt + completion + reasoning;
    this.#usage = { prompt, completion: apart ? completion + reasoning : completion };
  }

  meaning(): Meaning {
    return {
      text: this.#text,
      refusal: this.#refusal,
      reasoning: this.#reasoning,
      seals: this.#seals,
      tools: this.#calls.map(({ id, name, json }) => ({ id, name, arguments: parsedArguments(json) })),
      usage: this.#usage,
      finish: this.#finish,
      stopSequence: this.#stopSequence,
    };
  }

  #choice(choice: JsonView): void {
    const piece = objectOf(choice["delta"] ?? choice["message"]);
    this.#thoughts(piece);
    if (Array.isArray(piece["content"])) for (const part of objectsOf(piece["content"])) this.#part(part);
    else this.#text += textOf(piece["content"]);
    this.#refusal += textOf(piece["refusal"]);
    for (const call of objectsOf(piece["tool_calls"])) this.#call(call);
    if (textOf(choice["finish_reason"]) !== "") this.#finish = textOf(choice["finish_reason"]);
    if (textOf(choice["stop_reason"]) !== "") this.#stopSequence = textOf(choice["stop_reason"]);
  }

  /** Mistral's content parts. */
  #part(part: JsonView): void {
    this.#text += textOf(part["text"]);
    for (const thought of objectsOf(part["thinking"])) this.#reasoning += textOf(thought["text"]);
  }

  #thoughts(piece: JsonView): void {
    const details = objectsOf(piece["reasoning_details"]);
    const typed = details.map((detail) => textOf(detail["text"] ?? detail["summary"])).join("");
    const plain = piece["reasoning_content"] ?? piece["reasoning"];
    this.#reasoning += typeof plain === "string" ? plain : typed;
    for (const detail of details) {
      for (const seal of [textOf(detail["data"]), textOf(detail["signature"])]) if (seal !== "") this.#seals.push(seal);
    }
  }

  #call(entry: JsonView): void {
    const called = objectOf(entry["function"]);
    const id = textOf(entry["id"]);
    const name = textOf(called["name"]);
    const begun = this.#calls.findLast((call) =>
      entry["index"] === undefined ? id === "" || call.id === id : call.index === entry["index"],
    );
    const isNew = begun === undefined || (id !== "" && name !== "" && begun.id !== "" && begun.id !== id);
    const call = isNew ? { index: entry["index"], id, name, json: "" } : begun;
    if (isNew) this.#calls.push(call);
    if (call.id === "") call.id = id;
    if (call.name === "") call.name = name;
    const given = called["arguments"];
    call.json += typeof given === "string" || given === undefined ? textOf(given) : JSON.stringify(given);
  }
}

export function meaningOfChatStream(text: string): Meaning {
  const reader = new ChatReader();
  for (const { data } of readSse(text)) {
    if (data?.trim() === "[DONE]") break;
    if (data !== undefined && data.trim() !== "") reader.read(objectOf(JSON.parse(data)));
  }
  return reader.meaning();
}

export function meaningOfChatAnswer(json: string): Meaning {
  const reader = new ChatReader();
  reader.read(objectOf(JSON.parse(json)));
  return reader.meaning();
}
