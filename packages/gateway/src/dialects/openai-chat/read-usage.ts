import type { ChatQuirks } from "#domain/quirks";
import { fromInclusive, type Usage } from "#domain/usage";
import { defined, isObject, type JsonObject } from "#dialects/shape";

/**
 * A chat `usage` object in disjoint buckets; undefined where it reports nothing usable. `prompt_tokens` includes cached
 * tokens. Whether `completion_tokens` includes reasoning is told by the total where there is one (xAI's does not: total
 * = prompt + completion + reasoning in 30 of 30 recordings, 2026), else by the quirk.
 * `serviceTier` is the answer's field of that name, which stands beside `usage`.
 */
export function readUsage(usage: JsonObject, quirks: ChatQuirks, serviceTier?: unknown): Usage | undefined {
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
  const counts = fromInclusive({
    prompt,
    // DeepSeek reports its hits beside the total, not in the details.
    cacheRead: count(promptDetails["cached_tokens"]) ?? count(usage["prompt_cache_hit_tokens"]) ?? 0,
    // OpenAI's and OpenRouter's name; Vercel's gateway uses Anthropic's.
    cacheWrite: count(promptDetails["cache_write_tokens"]) ?? count(usage["cache_creation_input_tokens"]) ?? 0,
    completion: includesReasoning ? completion : completion + reasoning,
    reasoning,
    inputAudio: count(promptDetails["audio_tokens"]) ?? 0,
    outputAudio: count(completionDetails["audio_tokens"]) ?? 0,
  });
  return { ...counts, ...priceFacts(usage, serviceTier) };
}

/** What decides the price beside the counts, as OpenAI's two languages report it. */
export function priceFacts(
  usage: JsonObject,
  serviceTier: unknown,
): Pick<Usage, "reportedCostNanoUsd" | "serviceTier"> {
  const tier = typeof serviceTier === "string" && !usualTiers.has(serviceTier) ? serviceTier.slice(0, 64) : undefined;
  return defined({ reportedCostNanoUsd: reportedCost(usage), serviceTier: tier });
}

/** What `service_tier` says where nothing special was given: OpenAI's words, and Groq's `on_demand`. */
const usualTiers: ReadonlySet<string> = new Set(["", "auto", "default", "on_demand", "standard"]);

/**
 * What the provider says the answer cost, in nano-dollars rounded up: xAI counts ticks of 10⁻¹⁰ USD, OpenRouter gives
 * USD (and beside it what it paid on the caller's own key), Perplexity an object with the total.
 */
function reportedCost(usage: JsonObject): number | undefined {
  const ticks = count(usage["cost_in_usd_ticks"]);
  if (ticks !== undefined) return safeCount(Math.ceil(ticks / 10));
  const { cost, cost_details: details } = usage;
  const usd = isObject(cost) ? amount(cost["total_cost"]) : amount(cost);
  if (usd === undefined) return undefined;
  const upstream = usage["is_byok"] === true && isObject(details) ? amount(details["upstream_inference_cost"]) : 0;
  // Through twelve figures: 0.0003287 is 328,700 nano-dollars, and not a hair more.
  return safeCount(Math.ceil(Number(((usd + (upstream ?? 0)) * 1e9).toPrecision(12))));
}

function safeCount(value: number): number | undefined {
  return Number.isSafeInteger(value) ? value : undefined;
}

function amount(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}

export function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? Math.trunc(value) : undefined;
}
