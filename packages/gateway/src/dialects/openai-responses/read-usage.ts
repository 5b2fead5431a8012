import { fromInclusive, completionTokens, promptTokens, type Usage } from "#domain/usage";
import { count, priceFacts } from "#dialects/openai-chat/read-usage";
import { isObject, type JsonObject } from "#dialects/shape";

/**
 * A response's `usage` in disjoint buckets; undefined where it reports nothing. All counts are inclusive: cached tokens
 * are part of the input, reasoning is part of the output (at xAI too, unlike in its Chat: 45 of 45 recordings).
 */
export function readUsage(response: JsonObject): Usage | undefined {
  const usage = response["usage"];
  if (!isObject(usage)) return undefined;
  const prompt = count(usage["input_tokens"]);
  const completion = count(usage["output_tokens"]);
  if (prompt === undefined || completion === undefined) return undefined;
  const inputDetails = isObject(usage["input_tokens_details"]) ? usage["input_tokens_details"] : {};
  const outputDetails = isObject(usage["output_tokens_details"]) ? usage["output_tokens_details"] : {};
  const counts = fromInclusive({
    prompt,
    cacheRead: count(inputDetails["cached_tokens"]) ?? 0,
    cacheWrite: count(inputDetails["cache_write_tokens"]) ?? 0,
    completion,
    reasoning: count(outputDetails["reasoning_tokens"]) ?? 0,
  });
  return { ...counts, ...priceFacts(usage, response["service_tier"]) };
}

/** The reverse, as a response reports it. */
export function usageJson(usage: Usage): object {
  const input = promptTokens(usage);
  const output = completionTokens(usage);
  return {
    input_tokens: input,
    input_tokens_details: {
      cached_tokens: usage.cacheRead,
      cache_write_tokens: usage.cacheWrite + usage.cacheWriteLong,
    },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: usage.reasoning },
    total_tokens: input + output,
  };
}
