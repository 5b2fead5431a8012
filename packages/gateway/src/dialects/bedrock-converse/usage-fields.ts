import { completionTokens, promptTokens, type Usage } from "#domain/usage";
import { isObject, type JsonObject } from "#dialects/shape";

/**
 * `TokenUsage` beside the tier of the same report: `inputTokens` is without what was read from and written to caches,
 * `totalTokens` with it (recorded, 17 of 17). Undefined where the report holds no counter.
 */
export function usageOf(report: JsonObject): Usage | undefined {
  const { usage } = report;
  if (!isObject(usage)) return undefined;
  const input = countOf(usage["inputTokens"]);
  const output = countOf(usage["outputTokens"]);
  if (input === undefined && output === undefined) return undefined;
  const written = countOf(usage["cacheWriteInputTokens"]) ?? countOf(usage["cacheWriteInputTokenCount"]) ?? 0;
  const long = Math.min(longWrites(usage["cacheDetails"]), written);
  const tier = tierOf(report);
  return {
    inputUncached: input ?? 0,
    // An older duplicate name, still in recordings.
    cacheRead: countOf(usage["cacheReadInputTokens"]) ?? countOf(usage["cacheReadInputTokenCount"]) ?? 0,
    cacheWrite: written - long,
    cacheWriteLong: long,
    output: output ?? 0,
    reasoning: 0,
    estimated: false,
    ...(tier === undefined ? {} : { serviceTier: tier }),
  };
}

/** Usage in this language's exclusive base, as JSON. Its three counters are required even where nothing is known. */
export function usageJson(usage: Usage | undefined): object {
  if (usage === undefined) return { inputTokens: 0, outputTokens: 0, totalTokens: 0 };
  const written = usage.cacheWrite + usage.cacheWriteLong;
  return {
    inputTokens: usage.inputUncached + (usage.inputAudio ?? 0),
    outputTokens: completionTokens(usage),
    totalTokens: promptTokens(usage) + completionTokens(usage),
    cacheReadInputTokens: usage.cacheRead,
    cacheWriteInputTokens: written,
    ...(written === 0 ? {} : { cacheDetails: detailsOf(usage) }),
  };
}

/** `ServiceTier`, where the answer was given by another than the usual one; other vendors' tiers have no word here. */
export function tierJson(usage: Usage | undefined): object | undefined {
  const tier = usage?.serviceTier;
  return tier === "flex" || tier === "priority" || tier === "reserved" ? { type: tier } : undefined;
}

function detailsOf({ cacheWrite, cacheWriteLong }: Usage): readonly object[] {
  return [
    ...(cacheWriteLong === 0 ? [] : [{ ttl: "1h", inputTokens: cacheWriteLong }]),
    ...(cacheWrite === 0 ? [] : [{ ttl: "5m", inputTokens: cacheWrite }]),
  ];
}

function longWrites(details: unknown): number {
  if (!Array.isArray(details)) return 0;
  return details.reduce<number>(
    (sum, detail: unknown) =>
      isObject(detail) && detail["ttl"] === "1h" ? sum + (countOf(detail["inputTokens"]) ?? 0) : sum,
    0,
  );
}

/** Another tier and a model's faster version have prices of their own. */
function tierOf({ serviceTier, performanceConfig }: JsonObject): string | undefined {
  const type = isObject(serviceTier) ? serviceTier["type"] : undefined;
  if (typeof type === "string" && type !== "default") return type;
  return isObject(performanceConfig) && performanceConfig["latency"] === "optimized" ? "optimized" : undefined;
}

function countOf(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 ? value : undefined;
}
