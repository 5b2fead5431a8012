import { promptTokens } from "#domain/usage";
import type { Price, PriceTier } from "#domain/model";
import type { Usage } from "#domain/usage";

/** Prices are per million tokens. */
const million = 1_000_000n;

/**
 * What an answer cost in integer nano-dollars: Σ tokens × price ÷ 10⁶ over disjoint buckets, plus the price of the
 * request; computed exactly and rounded up once. Undefined where a bucket that was used has no known price, or a
 * count is no count: an unknown cost is never shown as zero.
 *
 * Reasoning is priced as output. A prompt longer than a tier's threshold moves the whole request to that tier.
 */
export function costNanoUsd(usage: Usage, price: Price): number | undefined {
  const rates = ratesFor(usage, price);
  const buckets: readonly (readonly [tokens: number, rate: number | undefined])[] = [
    [usage.inputUncached, rates.input],
    [usage.cacheRead, rates.cacheRead],
    [usage.cacheWrite, rates.cacheWrite],
    [usage.cacheWriteLong, longWriteRate(rates)],
    [usage.output, rates.output],
    [usage.reasoning, rates.output],
  ];
  let sum = 0n;
  for (const [tokens, rate] of buckets) {
    if (!isCount(tokens)) return undefined;
    if (tokens === 0) continue;
    if (rate === undefined || !isCount(rate)) return undefined;
    sum += BigInt(tokens) * BigInt(rate);
  }
  const request = price.request ?? 0;
  if (!isCount(request)) return undefined;
  const total = (sum + million - 1n) / million + BigInt(request);
  return total <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(total) : undefined;
}

type Rates = Pick<Price, "input" | "output" | "cacheRead" | "cacheWrite">;

function ratesFor(usage: Usage, price: Price): Rates {
  const prompt = promptTokens(usage);
  let chosen: PriceTier | undefined;
  for (const tier of price.tiers ?? []) {
    if (prompt > tier.abovePromptTokens && tier.abovePromptTokens >= (chosen?.abovePromptTokens ?? 0)) chosen = tier;
  }
  return chosen ?? price;
}

/**
 * Anthropic asks 1.25 × input for five-minute cache writes and 2 × input for an hour's (platform documentation,
 * 2026). No source lists the second figure, so that it is derived, and only where the first shows that scheme.
 */
function longWriteRate(rates: Rates): number | undefined {
  if (rates.cacheWrite === undefined || rates.cacheWrite * 4 !== rates.input * 5) return undefined;
  return rates.input * 2;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
