import { RowReport, type LossRow } from "#dialects/loss-report";

/**
 * Everything that OpenAI Chat cannot say as the hub says it, and what is done about it. What carries meaning the caller
 * relies on is refused, so that another target is tried; hints are dropped. Every row is met by code and by a test.
 */
export const losses = {
  // Sampling and limits.
  "top-k": { treatment: "dropped", why: "OpenAI Chat has no top_k" },
  sampling: { treatment: "dropped", why: "the model takes no sampling parameters" },
  "stop-sequences": { treatment: "refused", why: "OpenAI Chat takes at most 4 stop sequences" },
  "stop-unsupported": { treatment: "refused", why: "this reasoning model takes no stop sequences" },
  "max-tokens-lowered": { treatment: "mapped", why: "the limit of the answer was lowered to what the model can give" },
  "service-tier": { treatment: "dropped", why: "the service tier has no counterpart in OpenAI Chat" },
  "user-id": { treatment: "mapped", why: "OpenAI Chat takes at most 64 characters of user id, so its digest was sent" },
  "unknown-field": { treatment: "dropped", why: "fields that OpenAI Chat has no word for were left out" },
  "needed-field": {
    treatment: "refused",
    why: "OpenAI Chat has no word for a field that the answer depends on",
  },
  "refused-hint": { treatment: "dropped", why: "the target refuses the field, and it is only a hint" },
  "refused-meaning": { treatment: "refused", why: "the target refuses the field, and the answer depends on it" },
  "json-schema": { treatment: "refused", why: "the target cannot hold its answer to a JSON schema" },
  "json-schema-loose": {
    treatment: "mapped",
    why: "OpenAI enforces only schemas whose objects are closed and require all properties, so this one is not enforced",
  },
  // Prompt.
  "cache-markers": { treatment: "dropped", why: "OpenAI Chat caches prompts by itself and takes no marker there" },
  citations: { treatment: "dropped", why: "OpenAI Chat has no citations" },
  "document-context": { treatment: "dropped", why: "a document's context has no place in OpenAI Chat" },
  video: { treatment: "refused", why: "OpenAI Chat takes no video" },
  "document-url": { treatment: "refused", why: "OpenAI Chat cannot fetch documents; send the file's bytes" },
  "image-address": { treatment: "refused", why: "the target fetches no images; send their data" },
  "provider-file": { treatment: "refused", why: "a file id is known only to the provider that gave it" },
  "foreign-user-part": { treatment: "refused", why: "OpenAI Chat has no word for a part of the prompt" },
  "message-field": { treatment: "dropped", why: "the target refuses a field of a message" },
  "tool-answer": {
    treatment: "mapped",
    why: "the target wants an answer between a tool's result and the next message, so a short one was put there",
  },
  prefill: { treatment: "mapped", why: "OpenAI Chat answers anew where the last message is the assistant's own" },
  "foreign-assistant-part": { treatment: "dropped", why: "OpenAI Chat has no word for a part of an earlier answer" },
  // Tools.
  "tool-error": { treatment: "mapped", why: "OpenAI Chat has no error flag for tool results, so the text says it" },
  "tool-result-media": { treatment: "mapped", why: "images and files of a tool result were moved to a user message" },
  "tool-name": { treatment: "refused", why: "OpenAI Chat takes tool names of 1 to 64 letters, digits, _ and -" },
  "foreign-tool": { treatment: "dropped", why: "a tool that the provider itself would run is not known to the target" },
  "caller-tool": { treatment: "refused", why: "OpenAI Chat has no word for a kind of tool that the caller runs" },
  "foreign-tool-choice": { treatment: "refused", why: "the tool that must be called is not known to the target" },
  // Reasoning.
  "tool-choice-ignored": {
    treatment: "refused",
    why: "the target calls tools as it likes, so that no call can be demanded of it",
  },
  "reasoning-history": { treatment: "dropped", why: "the target takes no earlier thoughts" },
  "reasoning-seal": { treatment: "dropped", why: "sealed thoughts go back to the vendor that sealed them only" },
  "reasoning-effort": { treatment: "dropped", why: "the model does not reason" },
  "reasoning-budget": { treatment: "mapped", why: "OpenAI Chat takes a reasoning effort in place of a token budget" },
  "effort-fixed": { treatment: "dropped", why: "the model thinks as much as it likes, so the effort was left out" },
  "effort-moved": {
    treatment: "mapped",
    why: "the reasoning effort was moved to the nearest this model knows",
  },
  "reasoning-with-tools": {
    treatment: "dropped",
    why: "the model takes function tools on this endpoint only without reasoning, so reasoning_effort is none",
  },
  "signatures-elsewhere": {
    treatment: "refused",
    why: "tool calls are signed, which most clients of OpenAI Chat do not bring back, and can be asked for elsewhere",
  },
  "reasoning-elsewhere": {
    treatment: "refused",
    why: "the model takes function tools on this endpoint only without reasoning, and can be asked on another",
  },
} as const satisfies Record<string, LossRow>;

/** What an answer of another language loses on its way to a caller of this one. */
export const answerLosses = {
  "further-call": {
    treatment: "dropped",
    why: "only one call fits into function_call; ask with tools for all of them",
  },
  "answer-paused": { treatment: "mapped", why: "OpenAI Chat cannot say that the answer is paused, so it says stop" },
  "answer-malformed": {
    treatment: "mapped",
    why: "OpenAI Chat cannot say that the answer is malformed, so it says stop",
  },
  "foreign-event": { treatment: "dropped", why: "OpenAI Chat has no word for a part of the answer" },
} as const satisfies Record<string, LossRow>;

const rows = { ...losses, ...answerLosses };

type Loss = keyof typeof rows;

/** Collects what one translation into OpenAI Chat loses, by the rows above. */
export class LossReport extends RowReport<Loss> {
  constructor() {
    super(rows);
  }
}
