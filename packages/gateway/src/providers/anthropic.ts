import { plainChatQuirks } from "#domain/quirks";
import { anthropicKey, eitherHeader } from "./authorize.ts";
import { classifyReply } from "./classify-reply.ts";
import { usualRequestId } from "./request-id.ts";
import type { ProviderKind } from "./provider.ts";

/** Both speak Anthropic Messages, so that the chat quirks are never looked at. */
export const anthropic: ProviderKind = {
  id: "anthropic",
  title: "Anthropic",
  vendor: "anthropic",
  dialect: "anthropic-messages",
  url: "https://api.anthropic.com/v1",
  environmentKeys: ["ANTHROPIC_API_KEY"],
  keyless: false,
  quirks: plainChatQuirks,
  operator: "anthropic",
  owner: "anthropic",
  authorize: anthropicKey,
  classify: (reply) => classifyReply(reply),
  requestId: usualRequestId,
};

/** Any host that imitates Anthropic's Messages: DeepSeek's `/anthropic`, Moonshot's, a proxy of one's own. */
export const anthropicCompatible: ProviderKind = {
  id: "anthropic-compatible",
  title: "Anthropic-compatible server",
  dialect: "anthropic-messages",
  environmentKeys: [],
  keyless: true,
  quirks: plainChatQuirks,
  authorize: eitherHeader,
  classify: (reply) => classifyReply(reply),
  requestId: usualRequestId,
};
