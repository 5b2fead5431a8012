import type { ClassificationRow } from "./classification.ts";

/** Never 429: Bedrock says "too many tokens" of a rate. */
const statuses = [400, 413, 422, 500, "none"] as const;

const wording = (message: RegExp, from: string): ClassificationRow => ({
  kind: "context_length_exceeded",
  from,
  message,
  statuses,
});

/**
 * How providers and engines say that a prompt does not fit the model's window. Few have a code for it, so that the
 * wording is all there is. Collected November 2026: an issue that is named was read, the rest is common knowledge.
 */
export const contextWordings: readonly ClassificationRow[] = [
  {
    kind: "context_length_exceeded",
    from: "known OpenAI error codes (also Groq, Cerebras, DeepSeek); llama.cpp: issue DraconDev/pi-goal-list-loop-audit#48",
    words: ["context_length_exceeded", "exceed_context_size_error"],
  },
  wording(
    /maximum context length/i,
    "OpenAI, DeepSeek, vLLM, OpenRouter, Mistral: issues chathub-dev/chathub#126, cline/cline#13194, earendil-works/pi#5677",
  ),
  wording(/exceeds? the (?:available )?context (?:window|size)/i, "OpenAI Responses; llama.cpp"),
  wording(/prompt (?:is )?too long/i, "Anthropic, Fireworks, Z.ai, Ollama: issue 0xBakeer/inference-atlas#186"),
  wording(/exceed context limit/i, "Anthropic, input and max_tokens together: issue openclaw/openclaw#20539"),
  wording(/token count .{0,40}exceeds the maximum number of tokens/i, "Gemini"),
  wording(/maximum prompt length is/i, "xAI"),
  wording(/reduce the length of the (?:messages|prompt|input)/i, "Groq, Cerebras"),
  wording(/inputs`? tokens \+ `?max_new_tokens/i, "Together, Hugging Face TGI"),
  wording(/context length of only \d+ tokens/i, "LM Studio"),
  wording(/longer than the (?:model's context|maximum model) length/i, "SGLang: issue BerriAI/litellm#10793; vLLM"),
  wording(/too long to fit into the model/i, "vLLM, multimodal"),
  wording(/exceeds the maximum allowed input length/i, "Poolside by OpenRouter: issue earendil-works/pi#4943"),
  wording(/prompt exceeds max length/i, "Z.ai: issue mangowhoiscloud/geode#668"),
  wording(/range of input length should be/i, "Alibaba: issue anomalyco/opencode#45834"),
  wording(/exceeded model token limit/i, "Moonshot"),
  wording(/input is too long for requested model/i, "Amazon Bedrock"),
  wording(/input length exceeds the context length/i, "Ollama"),
];
