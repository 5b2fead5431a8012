import type { EncodeTarget } from "#dialects/dialect";

/**
 * Models that answer 400 to function tools on `/chat/completions` unless `reasoning_effort` is `none`, even where the
 * field is left out: gpt-5.4 and later (openai/openai-openapi#541, BerriAI/litellm#34569; seen November 2026).
 */
const toolsForbidReasoning = /(?:^|\/)gpt-(?:5\.(?:[4-9]|[1-9]\d)|[6-9]|[1-9]\d)(?!\d)/u;
/** "Unsupported parameter: 'stop'", recorded for the o-series and the first gpt-5 models. */
const stopForbidden = /(?:^|\/)(?:o\d|gpt-5)(?:-(?!chat)[\w-]+)?$/u;

/** Whether a chat with function tools and this effort (undefined: the model's own) is one that OpenAI refuses. */
export function isRefusedWithTools(
  { quirks, traits, model }: EncodeTarget,
  asked: { readonly hasFunctions: boolean; readonly effort: string | undefined },
): boolean {
  const isAllowed = quirks.toolsWithReasoning === true || asked.effort === "none" || !asked.hasFunctions;
  return !isAllowed && toolsForbidReasoning.test(traits?.name ?? model);
}

export function refusesStop({ traits, model }: EncodeTarget): boolean {
  return stopForbidden.test(traits?.name ?? model);
}
