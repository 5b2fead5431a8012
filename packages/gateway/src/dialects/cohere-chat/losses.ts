import { RowReport, type LossRow } from "#dialects/loss-report";

/**
 * Everything that Cohere's Chat (version 2) cannot say as the hub says it, and what is done about it. What carries
 * meaning the caller relies on is refused, so that another target is tried; hints are dropped. Every row is met by code
 * and by a test.
 */
export const losses = {
  // Sampling and limits.
  sampling: { treatment: "mapped", why: "a sampling parameter was moved to the nearest value that Cohere takes" },
  "presence-penalty": {
    treatment: "dropped",
    why: "Cohere takes one of the two penalties: frequency_penalty was sent",
  },
  seed: { treatment: "dropped", why: "Cohere takes only seeds that are whole numbers from 0" },
  "logit-bias": { treatment: "refused", why: "Cohere has no logit_bias" },
  choices: { treatment: "refused", why: "Cohere gives one answer per request: n must be 1" },
  "top-logprobs": { treatment: "refused", why: "Cohere tells no probabilities of tokens it did not choose" },
  "stop-sequences": { treatment: "refused", why: "Cohere takes at most 5 stop sequences" },
  "max-tokens-lowered": { treatment: "mapped", why: "the limit of the answer was lowered to what the model can give" },
  user: { treatment: "dropped", why: "Cohere takes no id of the end user" },
  "service-tier": { treatment: "dropped", why: "Cohere has no service tiers" },
  verbosity: { treatment: "dropped", why: "Cohere has no verbosity" },
  "unknown-field": { treatment: "dropped", why: "fields that Cohere has no word for were left out" },
  "needed-field": { treatment: "refused", why: "Cohere has no word for a field that the answer depends on" },
  // Output.
  "json-with-tools": { treatment: "refused", why: "Cohere holds no answer to JSON where there are tools or documents" },
  "json-schema-shape": {
    treatment: "refused",
    why: "Cohere holds answers only to schemas of an object, and each object must require a property",
  },
  "schema-depth": { treatment: "refused", why: "the JSON schema is nested more than 64 levels deep" },
  "schema-keywords": {
    treatment: "mapped",
    why: "keywords of a JSON schema were moved to its descriptions, nothing enforces them",
  },
  // Prompt.
  "nothing-to-ask": { treatment: "refused", why: "Cohere needs at least one message with content" },
  "system-inside": {
    treatment: "mapped",
    why: "a system message in mid-conversation was sent as marked text of the user's",
  },
  "cache-markers": { treatment: "dropped", why: "Cohere caches prompts by itself and takes no marker" },
  citations: { treatment: "dropped", why: "citations in earlier answers were not sent" },
  "participant-name": { treatment: "dropped", why: "Cohere has no names of participants" },
  "cited-document": { treatment: "mapped", why: "documents to be cited were moved from their message to `documents`" },
  "document-type": { treatment: "refused", why: "Cohere takes documents as text only" },
  "provider-file": { treatment: "refused", why: "a file id is known only to the provider that gave it" },
  audio: { treatment: "refused", why: "Cohere's Chat takes no audio" },
  video: { treatment: "refused", why: "Cohere's Chat takes no video" },
  "foreign-part": { treatment: "refused", why: "Cohere has no word for a part of the prompt" },
  "foreign-history": { treatment: "dropped", why: "Cohere has no word for a part of an earlier answer" },
  // Tools.
  "tool-choice-named": { treatment: "mapped", why: "Cohere cannot name the tool to call, so only that one was sent" },
  "parallel-tools": { treatment: "dropped", why: "Cohere cannot be kept to one tool call at a time" },
  "strict-tool": { treatment: "dropped", why: "Cohere's strict_tools holds for all tools or for none" },
  "tool-error": { treatment: "mapped", why: "Cohere has no error flag for tool results, so the text says it" },
  "tool-result-media": { treatment: "mapped", why: "images of a tool result were moved to a user message" },
  "empty-result": { treatment: "mapped", why: "Cohere takes no empty tool result, so the text says that it is empty" },
  "invalid-arguments": {
    treatment: "mapped",
    why: 'earlier tool arguments that are no JSON object were wrapped as {"INVALID_JSON": ...}',
  },
  "foreign-tool": { treatment: "dropped", why: "a tool that the provider itself would run is not known to Cohere" },
  "caller-tool": { treatment: "refused", why: "Cohere has no word for a kind of tool that the caller runs" },
  "foreign-tool-choice": { treatment: "refused", why: "the tool that must be called is not known to the target" },
  // Reasoning.
  "reasoning-history": { treatment: "dropped", why: "the model takes no earlier thoughts" },
  "reasoning-seal": { treatment: "dropped", why: "sealed thoughts go back to the vendor that sealed them only" },
  "reasoning-unsupported": { treatment: "dropped", why: "the model does not reason" },
  "effort-as-budget": { treatment: "mapped", why: "Cohere takes a budget of thinking tokens in place of an effort" },
} as const satisfies Record<string, LossRow>;

export type Loss = keyof typeof losses;

/** Collects what one translation into Cohere's Chat loses, by the rows above. */
export class LossReport extends RowReport<Loss> {
  constructor() {
    super(losses);
  }
}
