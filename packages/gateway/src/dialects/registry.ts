import type { ClientDialectId, DialectId } from "#domain/call";
import { anthropicMessages } from "./anthropic-messages/index.ts";
import type { Dialect, UpstreamDialect } from "./dialect.ts";
import { openaiChat } from "./openai-chat/index.ts";

/** Every language clients speak, by id. */
export const dialects: Readonly<Record<ClientDialectId, Dialect>> = {
  "openai-chat": openaiChat,
  "anthropic-messages": anthropicMessages,
} as Readonly<Record<ClientDialectId, Dialect>>;

/** Every language providers speak, by id. */
export const upstreamDialects: Readonly<Record<DialectId, UpstreamDialect>> = {
  ...dialects,
} as Readonly<Record<DialectId, UpstreamDialect>>;
