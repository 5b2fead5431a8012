import type { ChatQuirks } from "#domain/quirks";
import type { EncodeTarget } from "#dialects/dialect";
import { isObject, type JsonObject } from "#dialects/shape";
import { issuerOf } from "./reasoning-issuer.ts";
import { toolCallId } from "./tool-call-ids.ts";

export interface FittedMessages {
  /** Undefined where nothing had to change. */
  readonly json?: string;
  /** Thoughts were taken out that another vendor sealed. */
  readonly lostSeals: boolean;
}

/** Whether the bytes of `messages` hold a word that could be a reason to change them. */
export function mayNeedFitting(messages: Buffer, { quirks }: EncodeTarget): boolean {
  return (
    messages.includes("reasoning_details") ||
    (!quirks.developerRole && messages.includes("developer")) ||
    (quirks.toolCallIds !== "any" && messages.includes("tool_call")) ||
    (quirks.reasoningEcho !== undefined && (messages.includes("tool_calls") || messages.includes("reasoning")))
  );
}

/**
 * Messages as a target of the same language takes them: no `developer` turns and no tool-call ids that it refuses, no
 * thoughts that another vendor sealed, and earlier thoughts under the name it reads.
 */
export function fitMessages(messages: readonly unknown[], target: EncodeTarget): FittedMessages {
  const before = JSON.stringify(messages);
  let lostSeals = false;
  const fitted = messages.map((message) => {
    if (!isObject(message)) return message;
    const own = withoutForeignSeals(message, target.issuer);
    lostSeals ||= own !== message;
    return fittedMessage(own, target.quirks);
  });
  const json = JSON.stringify(fitted);
  return json === before ? { lostSeals } : { json, lostSeals };
}

/** A foreign thought goes whole, the plain text that repeats it included. */
function withoutForeignSeals(message: JsonObject, issuer: string): JsonObject {
  const { reasoning_details: details, ...rest } = message;
  if (!Array.isArray(details)) return message;
  const own = details.filter((detail: unknown) => {
    const from = isObject(detail) ? issuerOf(detail["format"]) : "unknown";
    return from === "unknown" || from === issuer;
  });
  if (own.length === details.length) return message;
  const { reasoning_content: _content, reasoning: _reasoning, ...others } = rest;
  return own.length === 0 ? others : { ...others, reasoning_details: own };
}

function fittedMessage(message: JsonObject, quirks: ChatQuirks): JsonObject {
  const fitId = (id: unknown): unknown => {
    return quirks.toolCallIds === "any" || typeof id !== "string" ? id : toolCallId(id, quirks.toolCallIds);
  };
  const changed: Record<string, unknown> = { ...message };
  if (!quirks.developerRole && changed["role"] === "developer") changed["role"] = "system";
  if ("tool_call_id" in changed) changed["tool_call_id"] = fitId(changed["tool_call_id"]);
  const calls = changed["tool_calls"];
  if (Array.isArray(calls)) {
    changed["tool_calls"] = calls.map((call: unknown) => {
      return isObject(call) && "id" in call ? Object.assign({}, call, { id: fitId(call["id"]) }) : call;
    });
  }
  if (changed["role"] === "assistant") echoThoughts(changed, quirks.reasoningEcho);
  return changed;
}

/** The thought under the upstream's name; DeepSeek refuses a turn with tool calls that has none, if only an empty one. */
function echoThoughts(message: Record<string, unknown>, echo: ChatQuirks["reasoningEcho"]): void {
  if (echo === undefined || typeof message[echo] === "string") return;
  const other = echo === "reasoning" ? "reasoning_content" : "reasoning";
  const thought = message[other];
  if (typeof thought === "string") {
    message[echo] = thought;
    delete message[other];
  } else if (echo === "reasoning_content" && Array.isArray(message["tool_calls"])) message[echo] = "";
}
