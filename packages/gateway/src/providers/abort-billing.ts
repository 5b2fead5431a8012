import type { AbortBilling } from "#domain/abort-billing";

/**
 * By kind, as OpenRouter's list of providers whose streams it can cancel has it (https://openrouter.ai/docs/api-reference/streaming,
 * "Stream Cancellation", read in 2026): a vendor can change it any day. Clouds follow their own row; Vertex and Gemini are
 * both Google's.
 */
const byKind: Readonly<Record<string, AbortBilling>> = {
  openai: "stop",
  "azure-openai": "stop",
  "azure-foundry": "stop",
  anthropic: "stop",
  deepseek: "stop",
  xai: "stop",
  together: "stop",
  fireworks: "stop",
  cohere: "stop",
  bedrock: "runs",
  gemini: "runs",
  vertex: "runs",
  groq: "runs",
  mistral: "runs",
  perplexity: "runs",
  huggingface: "runs",
  // Machines of one's own send no bill, and these servers stop writing when the connection is closed.
  ollama: "stop",
  vllm: "stop",
  "llama-cpp": "stop",
  "lm-studio": "stop",
};

/** What is known of a kind's bill for an answer that was cancelled. */
export function abortBillingOf(kind: string): AbortBilling {
  return (Object.hasOwn(byKind, kind) ? byKind[kind] : undefined) ?? "unknown";
}
