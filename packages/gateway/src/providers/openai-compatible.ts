import { plainChatQuirks } from "#domain/quirks";
import { bearer } from "./authorize.ts";
import { classifierWith } from "./classify-reply.ts";
import { usualRequestId } from "./request-id.ts";
import { mistralRows, zaiRows } from "./own-rows.ts";
import type { ChatQuirks } from "#domain/quirks";
import type { ClassificationRow } from "./classification.ts";
import type { ProviderKind } from "./provider.ts";

/** What differs between two servers that speak OpenAI Chat. */
interface CompatibleRow {
  readonly id: string;
  readonly title: string;
  /** Only where the host serves its own models. */
  readonly vendor?: string;
  readonly url?: string;
  /** Environment variables that hold a key; none means that it works without. */
  readonly keys?: readonly string[];
  readonly quirks?: Partial<ChatQuirks>;
  readonly operator?: string;
  /** Absent where public facts name no single owner (Fireworks runs in eight clouds by its own account). */
  readonly owner?: string;
  /** Codes with a meaning of their own. */
  readonly rows?: readonly ClassificationRow[];
}

/** What most imitations share: the older name of the output limit, and no `developer` messages. */
const imitation: ChatQuirks = { ...plainChatQuirks, maxOutputField: "max_tokens", developerRole: false };

/** Servers on the operator's own machines fail with them. */
const own = { operator: "ours", owner: "ours" } as const;

/**
 * Addresses and fields from the vendors' documentation, usage in streams from recordings (November 2026). `refusedFields`
 * lists what is answered with 400 or 422, not what is ignored.
 */
const compatibleRows: readonly CompatibleRow[] = [
  {
    id: "groq",
    title: "Groq",
    url: "https://api.groq.com/openai/v1",
    keys: ["GROQ_API_KEY"],
    quirks: { maxOutputField: "max_completion_tokens", refusedFields: ["n", "logprobs", "top_logprobs", "logit_bias"] },
    operator: "groq",
    owner: "groq",
  },
  {
    id: "mistral",
    title: "Mistral",
    vendor: "mistral",
    url: "https://api.mistral.ai/v1",
    keys: ["MISTRAL_API_KEY"],
    quirks: {
      // Usage comes in the last chunk unasked; a field Mistral does not know is a 422 `extra_forbidden`.
      streamUsage: "always",
      toolCallIds: "nine-alphanumeric",
      requiredToolChoice: "any",
      seedField: "random_seed",
      refusedFields: [
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "max_completion_tokens",
        "seed",
        "service_tier",
        "store",
        "stream_options",
        "user",
        "verbosity",
      ],
    },
    operator: "mistral",
    owner: "mistral",
    rows: mistralRows,
  },
  {
    id: "deepseek",
    title: "DeepSeek",
    vendor: "deepseek",
    url: "https://api.deepseek.com",
    keys: ["DEEPSEEK_API_KEY"],
    // An assistant turn with tool calls must carry its earlier reasoning back, or the next turn is a 400.
    quirks: { reasoningEcho: "reasoning_content", jsonSchema: false },
    operator: "deepseek",
    owner: "deepseek",
  },
  {
    id: "together",
    title: "Together AI",
    url: "https://api.together.xyz/v1",
    keys: ["TOGETHER_API_KEY"],
    operator: "together",
    owner: "together",
  },
  {
    id: "fireworks",
    title: "Fireworks AI",
    url: "https://api.fireworks.ai/inference/v1",
    keys: ["FIREWORKS_API_KEY"],
    operator: "fireworks",
  },
  {
    // A storefront: who runs a model behind it differs from call to call, but all of it fails with the router.
    id: "openrouter",
    title: "OpenRouter",
    url: "https://openrouter.ai/api/v1",
    keys: ["OPENROUTER_API_KEY"],
    operator: "openrouter",
  },
  {
    id: "cerebras",
    title: "Cerebras",
    url: "https://api.cerebras.ai/v1",
    keys: ["CEREBRAS_API_KEY"],
    quirks: {
      maxOutputField: "max_completion_tokens",
      refusedFields: ["frequency_penalty", "presence_penalty", "logit_bias"],
    },
    operator: "cerebras",
    owner: "cerebras",
  },
  {
    id: "nvidia",
    title: "NVIDIA NIM",
    url: "https://integrate.api.nvidia.com/v1",
    keys: ["NVIDIA_API_KEY"],
    operator: "nvidia",
    owner: "nvidia",
  },
  {
    id: "perplexity",
    title: "Perplexity",
    vendor: "perplexity",
    url: "https://api.perplexity.ai",
    keys: ["PERPLEXITY_API_KEY"],
    // Every chunk carries usage.
    quirks: { streamUsage: "always" },
    operator: "perplexity",
    owner: "perplexity",
  },
  {
    id: "gemini",
    title: "Google Gemini (OpenAI-compatible address)",
    vendor: "google",
    url: "https://generativelanguage.googleapis.com/v1beta/openai",
    keys: ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
    // "Unknown name …: Cannot find field", issues Vali-98/ChatterUI#227 and liliMozi/openhanako#394.
    quirks: { refusedFields: ["frequency_penalty", "presence_penalty", "seed", "logit_bias", "store"] },
    operator: "google",
    owner: "google",
  },
  {
    id: "moonshot",
    title: "Moonshot AI (Kimi)",
    vendor: "moonshotai",
    url: "https://api.moonshot.ai/v1",
    keys: ["MOONSHOT_API_KEY", "KIMI_API_KEY"],
    quirks: { reasoningEcho: "reasoning_content" },
    operator: "moonshotai",
    owner: "moonshotai",
  },
  {
    id: "zai",
    title: "Z.ai (GLM)",
    vendor: "zai",
    url: "https://api.z.ai/api/paas/v4",
    keys: ["ZAI_API_KEY", "ZHIPU_API_KEY"],
    quirks: { reasoningEcho: "reasoning_content", jsonSchema: false },
    operator: "zai",
    owner: "zai",
    rows: zaiRows,
  },
  {
    // A storefront like OpenRouter.
    id: "huggingface",
    title: "Hugging Face Inference Providers",
    url: "https://router.huggingface.co/v1",
    keys: ["HF_TOKEN"],
    operator: "huggingface",
  },
  { id: "ollama", title: "Ollama", url: "http://127.0.0.1:11434/v1", ...own },
  {
    id: "vllm",
    title: "vLLM",
    url: "http://127.0.0.1:8000/v1",
    // The name `reasoning_content` was given up between 0.16 and 0.19, in requests too.
    quirks: { reasoningEcho: "reasoning" },
    ...own,
  },
  { id: "llama-cpp", title: "llama.cpp server", url: "http://127.0.0.1:8080/v1", ...own },
  { id: "lm-studio", title: "LM Studio", url: "http://127.0.0.1:1234/v1", ...own },
  { id: "openai-compatible", title: "OpenAI-compatible server" },
];

export const compatibleKinds: readonly ProviderKind[] = compatibleRows.map(kindOf);

function kindOf(row: CompatibleRow): ProviderKind {
  return {
    id: row.id,
    title: row.title,
    dialect: "openai-chat",
    environmentKeys: row.keys ?? [],
    keyless: row.keys === undefined,
    quirks: { ...imitation, ...row.quirks },
    authorize: bearer,
    classify: classifierWith(row.rows ?? []),
    requestId: usualRequestId,
    ...(row.vendor === undefined ? {} : { vendor: row.vendor }),
    ...(row.url === undefined ? {} : { url: row.url }),
    ...(row.operator === undefined ? {} : { operator: row.operator }),
    ...(row.owner === undefined ? {} : { owner: row.owner }),
  };
}
