/** One provider of the lists. */
export interface Place {
  /** Our kind where we have one, else the list's word. */
  readonly id: string;
  /** The list's word. */
  readonly listed: string;
  /** The maker, where the place serves its own models. */
  readonly vendor?: string;
  readonly alsoCalled?: readonly string[];
  /** Names that say that nothing is charged. */
  readonly free?: RegExp;
}

/**
 * What the lists do not say of themselves: kinds, makers, and what users call a place otherwise. Makers come first:
 * their spelling of a model's name is the canonical one. Every other provider follows by its own word.
 */
const known: readonly Place[] = [
  { id: "openai", listed: "openai", vendor: "openai" },
  { id: "anthropic", listed: "anthropic", vendor: "anthropic" },
  { id: "xai", listed: "xai", vendor: "xai" },
  { id: "gemini", listed: "google", vendor: "google" },
  { id: "mistral", listed: "mistral", vendor: "mistral" },
  { id: "deepseek", listed: "deepseek", vendor: "deepseek" },
  { id: "moonshot", listed: "moonshotai", vendor: "moonshotai" },
  { id: "zai", listed: "zai", vendor: "zai" },
  { id: "perplexity", listed: "perplexity", vendor: "perplexity" },
  { id: "cohere", listed: "cohere", vendor: "cohere" },
  { id: "alibaba", listed: "alibaba", vendor: "qwen", alsoCalled: ["dashscope", "qwen"] },
  { id: "minimax", listed: "minimax", vendor: "minimax" },
  { id: "stepfun", listed: "stepfun", vendor: "stepfun" },
  { id: "xiaomi", listed: "xiaomi", vendor: "xiaomi" },
  { id: "meta", listed: "meta", vendor: "meta" },
  { id: "llama", listed: "llama", vendor: "meta" },
  { id: "ai21", listed: "ai21", vendor: "ai21" },
  { id: "upstage", listed: "upstage", vendor: "upstage" },
  { id: "inception", listed: "inception", vendor: "inception" },
  { id: "arcee", listed: "arcee", vendor: "arcee" },
  { id: "longcat", listed: "longcat", vendor: "meituan" },
  { id: "bailing", listed: "bailing", vendor: "inclusionai" },
  { id: "zhipuai", listed: "zhipuai", vendor: "zai" },
  { id: "moonshotai-cn", listed: "moonshotai-cn", vendor: "moonshotai" },
  { id: "alibaba-cn", listed: "alibaba-cn", vendor: "qwen" },
  { id: "minimax-cn", listed: "minimax-cn", vendor: "minimax" },
  { id: "openrouter", listed: "openrouter" },
  { id: "groq", listed: "groq" },
  { id: "cerebras", listed: "cerebras" },
  { id: "together", listed: "togetherai", alsoCalled: ["together_ai"] },
  { id: "nvidia", listed: "nvidia", alsoCalled: ["nvidia_nim"] },
  { id: "huggingface", listed: "huggingface" },
  { id: "lm-studio", listed: "lmstudio", free: /./ },
  { id: "fireworks", listed: "fireworks-ai", alsoCalled: ["fireworks_ai"] },
  { id: "azure", listed: "azure", alsoCalled: ["azure-openai", "azure-foundry", "azure_ai"] },
  {
    id: "azure-cognitive-services",
    listed: "azure-cognitive-services",
    alsoCalled: ["azure", "azure-openai", "azure-foundry"],
  },
  { id: "bedrock", listed: "amazon-bedrock", alsoCalled: ["aws-bedrock"] },
  { id: "vertex", listed: "google-vertex", alsoCalled: ["vertex_ai", "vertex-ai"] },
  { id: "google-vertex-anthropic", listed: "google-vertex-anthropic", alsoCalled: ["vertex", "vertex-anthropic"] },
];

/** Words before a slash that storefronts use for hosts, and that are no provider of the lists. */
export const hostWords: readonly string[] = [
  "aws-mantle",
  "azure-ai-foundry",
  "azure-anthropic",
  "bailian",
  "canopywave",
  "consensusprotocol",
  "embercloud",
  "fireworks_ai",
  "flexai",
  "gonka24",
  "inference.net",
  "route",
  "runware",
  "scx-ai-gp",
  "stealth",
  "together-ai",
  "together_ai",
  "vertex-anthropic",
  "vertex-openai",
];

/** Who gave notice, in the words of the list of notices. */
export const noticeGivers: Readonly<Record<string, string>> = {
  OpenAI: "openai",
  Anthropic: "anthropic",
  xAI: "xai",
  Google: "gemini",
  Groq: "groq",
  Cohere: "cohere",
  Azure: "azure",
  "AWS Bedrock": "bedrock",
  "Google Vertex": "vertex",
};

export function placesOf(listed: Iterable<string>): readonly Place[] {
  const left = new Set(listed);
  const here = known.filter((place) => left.delete(place.listed));
  const taken = new Set(here.flatMap(({ id, alsoCalled = [] }) => [id, ...alsoCalled]));
  const others = [...left].toSorted().filter((word) => !taken.has(word));
  return [...here.map(withItsWord), ...others.map((word) => ({ id: word, listed: word }))];
}

/** The list's word leads to the place too. */
function withItsWord(place: Place): Place {
  return place.id === place.listed ? place : { ...place, alsoCalled: [place.listed, ...(place.alsoCalled ?? [])] };
}
