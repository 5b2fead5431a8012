import { plainChatQuirks } from "#domain/quirks";
import { bearer } from "./authorize.ts";
import { classifyReply } from "./classify-reply.ts";
import { openaiLanes } from "./openai-lanes.ts";
import { usualRequestId } from "./request-id.ts";
import type { ProviderKind } from "./provider.ts";

/** The last models of `/v1/completions`; to all others it answers "This is a chat model". */
const completing = /(?:^|:)(?:gpt-3\.5-turbo-instruct|davinci-002|babbage-002)/u;

export const openai: ProviderKind = {
  id: "openai",
  title: "OpenAI",
  vendor: "openai",
  dialect: "openai-chat",
  lanes: openaiLanes,
  languages: ["openai-chat", "openai-responses"],
  url: "https://api.openai.com/v1",
  environmentKeys: ["OPENAI_API_KEY"],
  keyless: false,
  quirks: { ...plainChatQuirks, cacheBreakpoints: true, refusesThoughts: true },
  operations: (model) => [
    "generate",
    "count-tokens",
    "embed",
    "moderate",
    ...(completing.test(model) ? (["complete"] as const) : []),
  ],
  operator: "openai",
  owner: "openai",
  authorize: bearer,
  classify: (reply) => classifyReply(reply),
  requestId: usualRequestId,
};
