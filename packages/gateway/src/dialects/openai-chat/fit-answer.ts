import { isObject, type JsonObject } from "#dialects/shape";
import { thinkingText } from "./decode-parts.ts";
import { splitThinking } from "./message-shape.ts";

/**
 * A whole answer whose content is a list of parts, thoughts among them (Mistral's reasoning models), as OpenAI's clients
 * read answers: text in `content`, thoughts in `reasoning_content`. Undefined where it is that already.
 */
export function fitAnswer(body: Uint8Array): Uint8Array | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (!bytes.includes('"thinking"')) return undefined;
  try {
    const answer = JSON.parse(bytes.toString("utf8")) as unknown;
    const fitted = isObject(answer) ? fitChoices(answer) : undefined;
    return fitted === undefined ? undefined : Buffer.from(JSON.stringify(fitted));
  } catch {
    return undefined;
  }
}

/** The same of an answer or a stream's chunk that is parsed. */
export function fitChoices(answer: JsonObject): JsonObject | undefined {
  const { choices } = answer;
  if (!Array.isArray(choices)) return undefined;
  const fitted = choices.map(fitChoice);
  return fitted.every((choice, at) => choice === choices[at]) ? undefined : { ...answer, choices: fitted };
}

function fitChoice(choice: unknown): unknown {
  if (!isObject(choice)) return choice;
  const name = isObject(choice["delta"]) ? "delta" : "message";
  const message = choice[name];
  const plain = isObject(message) ? plainMessage(message) : undefined;
  return plain === undefined ? choice : { ...choice, [name]: plain };
}

function plainMessage(message: JsonObject): JsonObject | undefined {
  const { content } = message;
  if (!Array.isArray(content) || content.length === 0) return undefined;
  const split = splitThinking([{ type: "thinking", thinking: "" }, ...(content as readonly unknown[])], thinkingText);
  // Parts that are neither are for those who know them.
  if (typeof split?.content !== "string") return undefined;
  const thought = split.thought === "" ? {} : { reasoning_content: split.thought };
  return { ...message, content: split.content, ...thought };
}
