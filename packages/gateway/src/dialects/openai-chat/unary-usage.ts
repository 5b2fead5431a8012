import type { Operation } from "#domain/call";
import { fromInclusive, type Usage } from "#domain/usage";
import { isObject } from "#dialects/shape";

/**
 * Usage of embeddings, rerank and moderations: all of it is input. Jina and vLLM report the total alone, Cohere what it
 * read under `meta.tokens` (search units, which it bills by, are no tokens). Nobody reads nothing: a zero was not counted.
 */
export function readUnaryUsage(_operation: Operation, answer: unknown): Usage | undefined {
  if (!isObject(answer)) return undefined;
  const usage = isObject(answer["usage"]) ? answer["usage"] : {};
  const meta = isObject(answer["meta"]) ? answer["meta"] : {};
  const tokens = isObject(meta["tokens"]) ? meta["tokens"] : {};
  const billed = isObject(meta["billed_units"]) ? meta["billed_units"] : {};
  const counts = [usage["prompt_tokens"], usage["total_tokens"], tokens["input_tokens"], billed["input_tokens"]];
  const prompt = counts.find((count) => typeof count === "number" && Number.isSafeInteger(count) && count > 0);
  return typeof prompt === "number" ? fromInclusive({ prompt, completion: 0 }) : undefined;
}
