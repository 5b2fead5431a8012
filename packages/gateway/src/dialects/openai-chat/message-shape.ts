import type { ChatQuirks } from "#domain/quirks";
import type { EncodeTarget } from "#dialects/dialect";
import { isAbsent, isObject, type JsonObject } from "#dialects/shape";
import type { LossReport } from "./losses.ts";

/** The shortest that says something: Mistral refuses an assistant's message without content or calls. */
const shortAnswer = { role: "assistant", content: "OK." } as const;

/**
 * Messages in the shape that a target insists on, whoever wrote them: no fields that it refuses, a last message of the
 * assistant's marked where the target then goes on from it, an answer between a tool's result and the user's next.
 */
export function shapeMessages(
  messages: readonly JsonObject[],
  { quirks }: EncodeTarget,
  report: LossReport,
): readonly JsonObject[] {
  const { messageFields, answersTools } = quirks;
  const shaped = withPrefix(messages, quirks, report).map((message) => {
    return messageFields === undefined ? message : knownFields(message, messageFields, report);
  });
  if (answersTools !== true) return shaped;
  return shaped.flatMap((message, at) => {
    if (message["role"] !== "user" || shaped[at - 1]?.["role"] !== "tool") return [message];
    report.meet("tool-answer");
    return [shortAnswer, message];
  });
}

/** Without the mark OpenAI and most others answer anew behind such a message, and refuse the mark itself. */
function withPrefix(
  messages: readonly JsonObject[],
  { prefixes }: ChatQuirks,
  report: LossReport,
): readonly JsonObject[] {
  if (prefixes === undefined) {
    return messages.map((message) => {
      if (!("prefix" in message)) return message;
      const { prefix, ...rest } = message;
      if (prefix === true) report.meet("prefill");
      return rest;
    });
  }
  const last = messages.at(-1);
  const isAnswer = last?.["role"] === "assistant" && isAbsent(last["tool_calls"]) && isAbsent(last["prefix"]);
  if (prefixes === "asked" || !isAnswer) return messages;
  return [...messages.slice(0, -1), { ...last, prefix: true }];
}

function knownFields(
  message: JsonObject,
  fields: NonNullable<ChatQuirks["messageFields"]>,
  report: LossReport,
): JsonObject {
  const role = message["role"];
  const known =
    role === "system" || role === "user" || role === "assistant" || role === "tool" ? fields[role] : undefined;
  if (known === undefined || Object.keys(message).every((field) => known.includes(field))) return message;
  const kept = Object.fromEntries(Object.entries(message).filter(([field]) => known.includes(field)));
  const { refusal } = message;
  const isRefusal = typeof refusal === "string" && refusal !== "" && !known.includes("refusal");
  if (isRefusal && (isAbsent(kept["content"]) || kept["content"] === "")) kept["content"] = refusal;
  const lost = Object.entries(message).filter(([field, value]) => {
    return !known.includes(field) && !saysNothing(value) && !(field === "refusal" && kept["content"] === refusal);
  });
  if (lost.length > 0) report.meet("message-field", lost.map(([field]) => field.slice(0, 64)).join(", "));
  return kept;
}

function saysNothing(value: unknown): boolean {
  return isAbsent(value) || value === "" || (Array.isArray(value) && value.length === 0);
}

/** Where a target wants earlier thoughts; undefined where it takes none. */
export function echoOf({ quirks, traits }: EncodeTarget): ChatQuirks["reasoningEcho"] {
  const isRefused = quirks.echoNeedsReasoner === true && traits?.capabilities.reasoning !== true;
  return isRefused ? undefined : quirks.reasoningEcho;
}

/** Puts a thought into an assistant's message, where the target looks for it. */
export function placeThought(
  message: Record<string, unknown>,
  thought: string,
  echo: NonNullable<ChatQuirks["reasoningEcho"]>,
): void {
  if (echo !== "thinking") {
    message[echo] = thought;
    return;
  }
  if (thought === "") return;
  const { content } = message;
  const said: readonly unknown[] = Array.isArray(content) ? content : saysNothing(content) ? [] : [textPart(content)];
  message["content"] = [{ type: "thinking", thinking: [textPart(thought)] }, ...said];
}

function textPart(text: unknown): JsonObject {
  return { type: "text", text };
}

/** The text of a content's `thinking` parts, and the content without them; undefined where there are none. */
export function splitThinking(
  content: unknown,
  textOf: (thinking: unknown) => string,
): { readonly thought: string; readonly content: unknown } | undefined {
  if (!Array.isArray(content)) return undefined;
  const parts = content as readonly unknown[];
  if (!parts.some(isThought)) return undefined;
  const thought = parts.map((part) => (isThought(part) ? textOf(part["thinking"]) : "")).join("");
  const said = parts.filter((part) => !isThought(part));
  const isText = said.every((part) => isObject(part) && part["type"] === "text" && typeof part["text"] === "string");
  return { thought, content: isText ? said.map((part) => String((part as JsonObject)["text"])).join("") : said };
}

function isThought(part: unknown): part is JsonObject {
  return isObject(part) && part["type"] === "thinking";
}
