import { plainChatQuirks } from "#domain/quirks";
import { bearer } from "./authorize.ts";
import { classifyReply } from "./classify-reply.ts";
import { usualRequestId } from "./request-id.ts";
import type { ProviderKind } from "./provider.ts";

export const openai: ProviderKind = {
  id: "openai",
  title: "OpenAI",
  vendor: "openai",
  dialect: "openai-chat",
  url: "https://api.openai.com/v1",
  environmentKeys: ["OPENAI_API_KEY"],
  keyless: false,
  quirks: { ...plainChatQuirks, cacheBreakpoints: true },
  operator: "openai",
  owner: "openai",
  authorize: bearer,
  classify: (reply) => classifyReply(reply),
  requestId: usualRequestId,
};
