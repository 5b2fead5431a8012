import { fromInclusive, type Usage } from "#domain/usage";
import { isObject } from "#dialects/shape";

/**
 * Cohere's `usage`; undefined where it reports nothing usable. `tokens` is what the model read and wrote, templates
 * included; `billed_units` is what is paid for, and much less (39 of 1,683 in a recording of 2026). `cached_tokens`, which
 * stands beside both, is a part of `tokens.input_tokens`. Thoughts are told apart in neither.
 */
export function readUsage(usage: unknown): Usage | undefined {
  if (!isObject(usage)) return undefined;
  const billed = pairOf(usage["billed_units"]);
  const tokens = pairOf(usage["tokens"]) ?? billed;
  if (tokens === undefined) return undefined;
  const counts = fromInclusive({
    prompt: tokens.input,
    cacheRead: count(usage["cached_tokens"]) ?? 0,
    completion: tokens.output,
  });
  return billed === undefined ? counts : { ...counts, billed };
}

/** Usage of answers that have only `meta.billed_units`: embeddings. */
export function readBilledUnits(meta: unknown): Usage | undefined {
  const units = isObject(meta) && isObject(meta["billed_units"]) ? meta["billed_units"] : {};
  const prompt = count(units["input_tokens"]) ?? count(units["image_tokens"]);
  return prompt === undefined ? undefined : fromInclusive({ prompt, completion: 0 });
}

export function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? Math.trunc(value) : undefined;
}

function pairOf(units: unknown): { readonly input: number; readonly output: number } | undefined {
  if (!isObject(units)) return undefined;
  const input = count(units["input_tokens"]);
  return input === undefined ? undefined : { input, output: count(units["output_tokens"]) ?? 0 };
}
