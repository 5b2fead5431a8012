import { plainChatQuirks } from "#domain/quirks";
import { classifyReply } from "./classify-reply.ts";
import { usualRequestId } from "./request-id.ts";
import type { ProviderKind } from "./provider.ts";

const simulated = {
  environmentKeys: [],
  keyless: true,
  quirks: plainChatQuirks,
  operations: () => ["generate", "count-tokens", "embed", "complete", "moderate", "rerank"],
  authorize: () => ({}),
  classify: (reply) => classifyReply(reply),
  requestId: usualRequestId,
} as const satisfies Partial<ProviderKind>;

/** The simulated providers; their address is where the simulation listens, so that the configuration must say. */
export const simulatedKinds: readonly ProviderKind[] = [
  { ...simulated, id: "sim", title: "Simulated provider", dialect: "openai-chat" },
  { ...simulated, id: "sim-anthropic", title: "Simulated Anthropic provider", dialect: "anthropic-messages" },
  { ...simulated, id: "sim-responses", title: "Simulated provider of OpenAI Responses", dialect: "openai-responses" },
  { ...simulated, id: "sim-gemini", title: "Simulated Gemini provider", dialect: "gemini" },
  { ...simulated, id: "sim-bedrock", title: "Simulated Bedrock provider", dialect: "bedrock-converse" },
  { ...simulated, id: "sim-cohere", title: "Simulated Cohere provider", dialect: "cohere-chat" },
];
