import { anthropic, anthropicCompatible } from "./anthropic.ts";
import { azureFoundry } from "./azure-foundry.ts";
import { azureOpenai } from "./azure-openai.ts";
import { bedrock } from "./bedrock.ts";
import { cohere } from "./cohere.ts";
import { deepseek } from "./deepseek.ts";
import { gemini } from "./gemini.ts";
import { compatibleKinds } from "./openai-compatible.ts";
import { openai } from "./openai.ts";
import { openrouter } from "./openrouter.ts";
import { simulatedKinds } from "./simulated.ts";
import { vertex } from "./vertex.ts";
import { xai } from "./xai.ts";
import type { ProviderKind } from "./provider.ts";

/** Every kind, by the word users write as `kind`; in the order lists show them. */
export const providerKinds: ReadonlyMap<string, ProviderKind> = new Map(
  [
    openai,
    anthropic,
    gemini,
    xai,
    deepseek,
    cohere,
    ...compatibleKinds,
    anthropicCompatible,
    openrouter,
    bedrock,
    vertex,
    azureOpenai,
    azureFoundry,
    ...simulatedKinds,
  ].map((kind) => [kind.id, kind]),
);

/** Other names users bring along: from models.dev, LiteLLM, OpenRouter, or the product's name. */
const otherNames: Readonly<Record<string, string>> = {
  grok: "xai",
  "x-ai": "xai",
  claude: "anthropic",
  google: "gemini",
  "google-ai-studio": "gemini",
  "amazon-bedrock": "bedrock",
  "aws-bedrock": "bedrock",
  aws: "bedrock",
  "google-vertex": "vertex",
  "google-vertex-anthropic": "vertex",
  "vertex-ai": "vertex",
  vertex_ai: "vertex",
  azure: "azure-openai",
  azure_ai: "azure-foundry",
  "azure-ai": "azure-foundry",
  "azure-ai-foundry": "azure-foundry",
  foundry: "azure-foundry",
  mistralai: "mistral",
  togetherai: "together",
  together_ai: "together",
  "fireworks-ai": "fireworks",
  fireworks_ai: "fireworks",
  nim: "nvidia",
  kimi: "moonshot",
  moonshotai: "moonshot",
  "z-ai": "zai",
  zhipu: "zai",
  hf: "huggingface",
  "llama.cpp": "llama-cpp",
  llamacpp: "llama-cpp",
  lmstudio: "lm-studio",
  lm_studio: "lm-studio",
};

/** By id or another usual name, whatever the case; undefined where no such kind is known. */
export function findKind(word: string): ProviderKind | undefined {
  const id = word.trim().toLowerCase();
  return providerKinds.get(id) ?? (Object.hasOwn(otherNames, id) ? providerKinds.get(otherNames[id] ?? "") : undefined);
}
