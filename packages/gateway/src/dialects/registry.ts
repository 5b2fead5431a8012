import type { ClientDialectId, DialectId } from "#domain/call";
import { anthropicMessages } from "./anthropic-messages/index.ts";
import type { Dialect, UpstreamDialect } from "./dialect.ts";
import { openaiChat } from "./openai-chat/index.ts";

const spoken: Readonly<Partial<Record<ClientDialectId, Dialect>>> = {
  "openai-chat": openaiChat,
  "anthropic-messages": anthropicMessages,
};

/** Every language clients speak, by id. The ids without a folder yet are kept out of paths by `isSpoken`. */
export const dialects = spoken as Readonly<Record<ClientDialectId, Dialect>>;

/** Every language providers speak, by id. */
export const upstreamDialects = spoken as Readonly<Partial<Record<DialectId, UpstreamDialect>>> as Readonly<
  Record<DialectId, UpstreamDialect>
>;

/** Whether this version has the language. */
export function isSpoken(id: DialectId): boolean {
  return Object.hasOwn(spoken, id);
}
