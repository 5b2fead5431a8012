import type { ClientDialectId, DialectId } from "#domain/call";
import { anthropicMessages } from "./anthropic-messages/index.ts";
import { bedrockConverse } from "./bedrock-converse/index.ts";
import { cohereChat } from "./cohere-chat/index.ts";
import type { Dialect, UpstreamDialect } from "./dialect.ts";
import { gemini } from "./gemini/index.ts";
import { openaiChat } from "./openai-chat/index.ts";
import { openaiResponses } from "./openai-responses/index.ts";

const spoken: Readonly<Partial<Record<ClientDialectId, Dialect>>> = {
  "openai-chat": openaiChat,
  "openai-responses": openaiResponses,
  "anthropic-messages": anthropicMessages,
  gemini,
  "bedrock-converse": bedrockConverse,
};

/** Those that providers alone speak come last. */
const heard: Readonly<Partial<Record<DialectId, UpstreamDialect>>> = { ...spoken, "cohere-chat": cohereChat };

/** Every language clients speak, by id. The ids without a folder yet are kept out of paths by `isSpoken`. */
export const dialects = spoken as Readonly<Record<ClientDialectId, Dialect>>;

/** The language of requests that the gateway makes itself: every target can be asked it, relayed or translated. */
export const requestDialect: Dialect = openaiChat;

/** Every language providers speak, by id. */
export const upstreamDialects = heard as Readonly<Record<DialectId, UpstreamDialect>>;

/** Whether this version has the language. */
export function isSpoken(id: DialectId): boolean {
  return Object.hasOwn(heard, id);
}
