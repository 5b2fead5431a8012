import type { CallAddress, DialectId, Operation } from "#domain/call";

export type JsonObject = Readonly<Record<string, unknown>>;

/** What the simulated provider understood of a request, in the same words for every dialect. */
export interface ReceivedRequest extends RequestContent {
  /** From 1, over the life of the server. */
  readonly sequence: number;
  readonly dialect: DialectId;
  readonly operation: Operation;
  /** What the path and the query said. */
  readonly address: CallAddress;
  readonly headers: Readonly<Record<string, string>>;
  readonly json: JsonObject;
}

/** What a body says. Read leniently: wrong shapes read as absent, because judging them is the checks' work. */
export interface RequestContent {
  readonly model: string;
  readonly streamed: boolean;
  /** Every text of the prompt, joined by line breaks; what `contains` looks into and tokens are counted by. */
  readonly promptText: string;
  readonly lastUserText: string;
  /** The results the last turn brings, when it brings tool results. */
  readonly toolResults: readonly string[];
  readonly tools: readonly { readonly name: string; readonly schema: unknown }[];
  readonly toolChoice: "auto" | "none" | "any" | { readonly name: string };
  /** The JSON Schema the answer must fit; `true` where any JSON object will do. */
  readonly outputSchema?: unknown;
  readonly maxOutputTokens?: number;
  readonly stop: readonly string[];
  /** `omitted` asks for the seal alone. */
  readonly thinking?: "shown" | "omitted";
  /** Log-probabilities are asked for, with so many of the likeliest tokens. */
  readonly logprobs?: number;
  /** OpenAI: usage asked for inside the stream. */
  readonly usageAsked: boolean;
}

/** The model's name: the address says it where it says any. */
export function modelOf(json: JsonObject, { model }: CallAddress): string {
  return model ?? (typeof json["model"] === "string" ? json["model"] : "");
}

/** A number of things; 0 where none is said. */
export function countOf(value: unknown): number {
  return typeof value === "number" && value > 0 ? Math.floor(value) : 0;
}

export function object(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

export function objects(value: unknown): readonly JsonObject[] {
  return list(value)
    .map(object)
    .filter((item) => item !== undefined);
}

/** A value as a message may quote it: a word as it is, anything else as JSON. */
export function wordOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "undefined");
}

export function strings(value: unknown): readonly string[] {
  return list(value).filter((item) => typeof item === "string");
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

/** A message's content as texts: a string, or the texts of its blocks. */
export function textsOf(content: unknown): readonly string[] {
  if (typeof content === "string") return [content];
  return objects(content).flatMap((block) => {
    if (typeof block["text"] === "string") return [block["text"]];
    return block["type"] === "tool_result" ? textsOf(block["content"]) : [];
  });
}

export function lastUserText(messages: readonly JsonObject[]): string {
  for (const message of messages.toReversed()) {
    if (message["role"] !== "user") continue;
    const content = message["content"];
    const texts = textsOf(
      typeof content === "string" ? content : objects(content).filter((block) => block["type"] !== "tool_result"),
    );
    if (texts.length > 0) return texts.join("\n");
  }
  return "";
}

/** Most dialects' words for it: a word, or an object with a type or a name. */
export function toolChoiceOf(choice: unknown): RequestContent["toolChoice"] {
  const given = object(choice);
  const word = typeof choice === "string" ? choice : given?.["type"];
  if (word === "none") return "none";
  if (word === "any" || word === "required") return "any";
  const name = given?.["name"] ?? object(given?.["function"])?.["name"];
  return typeof name === "string" ? { name } : "auto";
}

/** The object without its absent parts. */
export function present<T extends object>(parts: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as T;
}
