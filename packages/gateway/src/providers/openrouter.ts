import { plainChatQuirks } from "#domain/quirks";
import { bearer } from "./authorize.ts";
import { classifyReply } from "./classify-reply.ts";
import { usualRequestId } from "./request-id.ts";
import type { ProviderKind } from "./provider.ts";

/** A storefront: who runs a model behind it differs from call to call, but all of it fails with the router. */
export const openrouter: ProviderKind = {
  id: "openrouter",
  title: "OpenRouter",
  dialect: "openai-chat",
  lanes: () => ["openai-chat", "openai-responses", "anthropic-messages"],
  languages: ["openai-chat", "openai-responses", "anthropic-messages"],
  url: "https://openrouter.ai/api/v1",
  environmentKeys: ["OPENROUTER_API_KEY"],
  keyless: false,
  quirks: {
    ...plainChatQuirks,
    maxOutputField: "max_tokens",
    developerRole: false,
    reasoningDetails: true,
    toolsWithReasoning: true,
  },
  operations: () => ["generate", "embed", "complete"],
  operator: "openrouter",
  authorize: bearer,
  classify: (reply) => classifyReply(reply),
  requestId: usualRequestId,
};
