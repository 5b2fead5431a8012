import { plainChatQuirks } from "#domain/quirks";
import { bearer } from "./authorize.ts";
import { classifyReply } from "./classify-reply.ts";
import { usualRequestId } from "./request-id.ts";
import type { ProviderKind } from "./provider.ts";

export const xai: ProviderKind = {
  id: "xai",
  title: "xAI",
  vendor: "xai",
  dialect: "openai-chat",
  // The one xAI develops further; only there does reasoning come back to be carried on.
  lanes: (_model, operation = "generate") =>
    operation === "generate" ? ["openai-responses", "openai-chat"] : ["openai-chat"],
  languages: ["openai-chat", "openai-responses", "anthropic-messages"],
  url: "https://api.x.ai/v1",
  environmentKeys: ["XAI_API_KEY"],
  keyless: false,
  // `completion_tokens` leaves reasoning out: total = prompt + completion + reasoning in 30 of 30 recordings.
  quirks: {
    ...plainChatQuirks,
    completionIncludesReasoning: false,
    // "Adding them in the request would result in an error" (https://docs.x.ai/docs/guides/reasoning).
    reasonersRefuse: ["presence_penalty", "frequency_penalty", "stop"],
  },
  // Its completions are "not supported by reasoning models", which all its present ones are (docs.x.ai, 2026).
  operations: () => ["generate", "embed"],
  operator: "xai",
  // xAI is a part of SpaceX, which also lets Colossus capacity to other vendors (supply facts of 2026).
  owner: "spacex",
  authorize: bearer,
  classify: (reply) => classifyReply(reply),
  requestId: usualRequestId,
};
