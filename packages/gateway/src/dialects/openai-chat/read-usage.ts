import type { ChatQuirks } from "#domain/quirks";
import { fromInclusive, type Usage } from "#domain/usage";
import { isObject, type JsonObject } from "#dialects/shape";

/**
 * A chat `usage` object in disjoint buckets; undefined where it reports nothing usable. `prompt_tokens` includes cached
 * tokens. Whether `completion_tokens` includes reasoning is told by the total where there is one (xAI's does not: total
 * = prompt + completion + reasoning in 30 of 30 recordings, 2026), else by the quirk.
 */
export function readUsage(usage: JsonObject, quirks: ChatQuirks): Usage | undefined {
  const prompt = count(usage["prompt_tokens"]);
  const total = count(usage["total_tokens"]);
  const reported = count(usage["completion_tokens"]);
  if (prompt === undefined || (reported === undefined && total === undefined)) return undefined;
  const completion = reported ?? Math.max(0, (total ?? 0) - prompt);
  const promptDetails = isObject(usage["prompt_tokens_details"]) ? usage["prompt_tokens_details"] : {};
  const completionDetails = isObject(usage["completion_tokens_details"]) ? usage["completion_tokens_details"] : {};
  const reasoning = count(completionDetails["reasoning_tokens"]) ?? 0;
  const includesReasoning =
    total === undefined || reported === undefined || reasoning === 0
      ? quirks.completionIncludesReasoning
      : total !== prompt + completion + reasoning &&
        (total === prompt + completion || quirks.completionIncludesReasoning);
  return fromInclusive({
    prompt,
    // DeepSeek reports its hits beside the total, not in the details.
    cacheRead: count(promptDetails["cached_tokens"]) ?? count(usage["prompt_cache_hit_tokens"]) ?? 0,
    // OpenAI's and OpenRouter's name; Vercel's gateway uses Anthropic's.
    cacheWrite: count(promptDetails["cache_write_tokens"]) ?? count(usage["cache_creation_input_tokens"]) ?? 0,
    completion: includesReasoning ? completion : completion + reasoning,
    reasoning,
  });
}

function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? Math.trunc(value) : undefined;
}
