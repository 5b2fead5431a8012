import { plainChatQuirks } from "#domain/quirks";
import { bearer } from "./authorize.ts";
import { classifierWith } from "./classify-reply.ts";
import { usualRequestId } from "./request-id.ts";
import { mistralRows, zaiRows } from "./own-rows.ts";
import type { DialectId, Operation } from "#domain/call";
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
  /** What it has beside chat; absent: the usual. */
  readonly operations?: readonly Operation[];
  /** Every language it may be asked in where the configuration says so; absent: chat alone. */
  readonly languages?: readonly DialectId[];
  readonly operator?: string;
  /** Absent where public facts name no single owner (Fireworks runs in eight clouds by its own account). */
  readonly owner?: string;
  /** Codes with a meaning of their own. */
  readonly rows?: readonly ClassificationRow[];
}

/** What most servers of this language have. */
const usual: readonly Operation[] = ["generate", "embed", "complete"];

/** What most imitations share: the older name of the output limit, and no `developer` messages. */
const imitation: ChatQuirks = {
  ...plainChatQuirks,
  maxOutputField: "max_tokens",
  developerRole: false,
  // Who resells OpenAI's models asks it where it answers.
  toolsWithReasoning: true,
};

/** All that Groq's and Cerebras's messages may hold: "property '…' is unsupported" (janhq/jan#8136, opencode#33413). */
const checkedFields: ChatQuirks["messageFields"] = {
  system: ["role", "content", "name"],
  user: ["role", "content", "name"],
  assistant: ["role", "content", "name", "tool_calls", "function_call", "reasoning"],
  tool: ["role", "content", "name", "tool_call_id"],
};

/** Servers on the operator's own machines fail with them. */
const own = { operator: "ours", owner: "ours" } as const;

/** Newer releases have these beside chat (vLLM 0.11, Ollama 0.14, LM Studio 0.4), so that nothing is asked unsaid. */
const also: readonly DialectId[] = ["openai-chat", "openai-responses", "anthropic-messages"];

/** Responses beside chat, in beta by its own account. */
const inBeta: readonly DialectId[] = ["openai-chat", "openai-responses"];

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
    quirks: {
      maxOutputField: "max_completion_tokens",
      refusedFields: ["n", "logprobs", "top_logprobs", "logit_bias"],
      messageFields: checkedFields,
      // "reasoning is not supported with this model" (vercel/ai#8057).
      reasoningEcho: "reasoning",
      echoNeedsReasoner: true,
    },
    languages: inBeta,
    operations: ["generate"],
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
      reasoningEcho: "thinking",
      echoNeedsReasoner: true,
      // "Extra inputs are not permitted", `user.name` among them (mistral-go#2, litellm#30835, #30882).
      messageFields: {
        system: ["role", "content"],
        user: ["role", "content"],
        assistant: ["role", "content", "tool_calls", "prefix"],
        tool: ["role", "content", "name", "tool_call_id"],
      },
      prefixes: "always",
      // "Unexpected role 'user' after role 'tool'" (zed#37021, datapizza-ai#98).
      answersTools: true,
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
        "safety_identifier",
        "prompt_cache_retention",
        "prompt_cache_options",
        "modalities",
        "audio",
        "functions",
        "function_call",
        "moderation",
        "web_search_options",
        "verbosity",
      ],
    },
    operations: ["generate", "embed", "moderate"],
    operator: "mistral",
    owner: "mistral",
    rows: mistralRows,
  },
  {
    id: "together",
    title: "Together AI",
    url: "https://api.together.xyz/v1",
    keys: ["TOGETHER_API_KEY"],
    operations: [...usual, "rerank"],
    operator: "together",
    owner: "together",
  },
  {
    id: "fireworks",
    title: "Fireworks AI",
    url: "https://api.fireworks.ai/inference/v1",
    keys: ["FIREWORKS_API_KEY"],
    languages: inBeta,
    operations: [...usual, "rerank"],
    operator: "fireworks",
  },
  {
    id: "cerebras",
    title: "Cerebras",
    url: "https://api.cerebras.ai/v1",
    keys: ["CEREBRAS_API_KEY"],
    quirks: {
      maxOutputField: "max_completion_tokens",
      refusedFields: ["frequency_penalty", "presence_penalty", "logit_bias"],
      messageFields: checkedFields,
      reasoningEcho: "reasoning",
      echoNeedsReasoner: true,
    },
    operations: ["generate", "complete"],
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
    operations: ["generate"],
    operator: "perplexity",
    owner: "perplexity",
  },
  {
    id: "moonshot",
    title: "Moonshot AI (Kimi)",
    vendor: "moonshotai",
    url: "https://api.moonshot.ai/v1",
    keys: ["MOONSHOT_API_KEY", "KIMI_API_KEY"],
    quirks: { reasoningEcho: "reasoning_content" },
    operations: ["generate"],
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
    operations: ["generate"],
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
    languages: inBeta,
    operations: ["generate"],
    operator: "huggingface",
  },
  {
    id: "ollama",
    title: "Ollama",
    url: "http://127.0.0.1:11434/v1",
    // https://docs.ollama.com/api/openai-compatibility: no `tool_choice`, no image addresses, thoughts as `reasoning`.
    quirks: { ignoresToolChoice: true, imagesAsData: true, reasoningEcho: "reasoning" },
    languages: also,
    ...own,
  },
  {
    id: "vllm",
    title: "vLLM",
    url: "http://127.0.0.1:8000/v1",
    // The name `reasoning_content` was given up between 0.16 and 0.19, in requests too.
    quirks: { reasoningEcho: "reasoning" },
    languages: also,
    operations: [...usual, "rerank"],
    ...own,
  },
  {
    id: "llama-cpp",
    title: "llama.cpp server",
    url: "http://127.0.0.1:8080/v1",
    languages: also,
    operations: [...usual, "rerank"],
    ...own,
  },
  { id: "lm-studio", title: "LM Studio", url: "http://127.0.0.1:1234/v1", languages: also, ...own },
  // Nobody knows what stands there: what it lacks it answers 404 to, and the next target is asked.
  {
    id: "openai-compatible",
    title: "OpenAI-compatible server",
    operations: [...usual, "rerank"],
    languages: [...also, "gemini", "bedrock-converse", "cohere-chat"],
  },
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
    operations: () => row.operations ?? usual,
    authorize: bearer,
    classify: classifierWith(row.rows ?? []),
    requestId: usualRequestId,
    ...(row.languages === undefined ? {} : { languages: row.languages }),
    ...(row.vendor === undefined ? {} : { vendor: row.vendor }),
    ...(row.url === undefined ? {} : { url: row.url }),
    ...(row.operator === undefined ? {} : { operator: row.operator }),
    ...(row.owner === undefined ? {} : { owner: row.owner }),
  };
}
