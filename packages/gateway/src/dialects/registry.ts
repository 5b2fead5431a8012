import type { DialectId, Operation } from "#domain/call";
import { anthropicMessages } from "./anthropic-messages/index.ts";
import type { Dialect } from "./dialect.ts";
import { openaiChat } from "./openai-chat/index.ts";

/** Every language there is, by id. */
export const dialects: Readonly<Record<DialectId, Dialect>> = {
  "openai-chat": openaiChat,
  "anthropic-messages": anthropicMessages,
};

export type Endpoint =
  | { readonly kind: "call"; readonly dialect: DialectId; readonly operation: Operation }
  | { readonly kind: "models"; readonly model?: string };

const calls: Readonly<Record<string, Extract<Endpoint, { kind: "call" }>>> = {
  "/chat/completions": { kind: "call", dialect: "openai-chat", operation: "generate" },
  "/messages": { kind: "call", dialect: "anthropic-messages", operation: "generate" },
  "/messages/count_tokens": { kind: "call", dialect: "anthropic-messages", operation: "count-tokens" },
};

/** SDKs get along with a base address alone: with or without `/v1`, and under a root named after their vendor. */
const prefixes = /^(?:\/(?:openai|anthropic|genai))?(?:\/v1(?:beta)?)?(?=\/)/;

/** What a client's path asks for; undefined where there is nothing. */
export function clientEndpoint(path: string): Endpoint | undefined {
  const rest = path.replace(prefixes, "");
  const call = Object.hasOwn(calls, rest) ? calls[rest] : undefined;
  if (call !== undefined) return call;
  if (rest === "/models") return { kind: "models" };
  if (!rest.startsWith("/models/")) return undefined;
  try {
    return { kind: "models", model: decodeURIComponent(rest.slice("/models/".length)) };
  } catch {
    return undefined;
  }
}

/** `GET /v1/models` is one path in several languages: the headers tell which (protocols §0.2). */
export function dialectOfHeaders(headers: Readonly<Record<string, string>>): Dialect {
  return headers["anthropic-version"] === undefined ? openaiChat : anthropicMessages;
}
