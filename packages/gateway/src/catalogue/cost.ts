import { promptTokens } from "#domain/usage";
import type { Price, PriceTier, Rates } from "#domain/model";
import type { Usage } from "#domain/usage";

/** Prices are per million tokens. */
const million = 1_000_000;

/**
 * What an answer cost in integer nano-dollars: Σ tokens × price ÷ 10⁶ over disjoint buckets, plus the price of the
 * request; computed exactly and rounded up once. Undefined where a bucket that was used has no known price, where a
 * special service was given that has none, or a count is no count: an unknown cost is never shown as zero.
 *
 * Reasoning is priced as output where it has no rate of its own. A prompt longer than a tier's threshold moves the
 * whole request to that tier.
 */
export function costNanoUsd(usage: Usage, price: Price): number | undefined {
  const rates = ratesFor(usage, price);
  if (rates === undefined) return undefined;
  const request = price.request ?? 0;
  const reasoningRate = reasoningRateOf(rates, price);
  const outputRate = price.reasoningRateForAll === true && usage.reasoning > 0 ? reasoningRate : rates.output;
  const products =
    usage.billed === undefined
      ? [
          product(usage.inputUncached, rates.input),
          product(usage.cacheRead, rates.cacheRead),
          product(usage.cacheWrite, rates.cacheWrite),
          product(usage.cacheWriteLong, longWriteRate(rates)),
          product(usage.output, outputRate),
          product(usage.reasoning, reasoningRate),
        ]
      : [product(usage.billed.input, rates.input), product(usage.billed.output, outputRate)];
  if (usage.inputAudio !== undefined) products.push(product(usage.inputAudio, rates.inputAudio));
  if (usage.outputAudio !== undefined) products.push(product(usage.outputAudio, rates.outputAudio));
  let sum: number | bigint = 0;
  for (const each of products) {
    if (each === undefined) return undefined;
    sum = plus(sum, each);
  }
  if (!isCount(request)) return undefined;
  const total = typeof sum === "number" ? millionth(sum) + request : millionthOfBig(sum) + BigInt(request);
  return total <= Number.MAX_SAFE_INTEGER ? Number(total) : undefined;
}

/** Undefined where there is something to pay and no rate for it. A plain number as long as that is exact. */
function product(tokens: number, rate: number | undefined): number | bigint | undefined {
  if (!isCount(tokens)) return undefined;
  if (tokens === 0) return 0;
  if (rate === undefined || !isCount(rate)) return undefined;
  const plain = tokens * rate;
  return plain <= Number.MAX_SAFE_INTEGER ? plain : BigInt(tokens) * BigInt(rate);
}

function plus(a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === "number" && typeof b === "number" && a <= Number.MAX_SAFE_INTEGER - b) return a + b;
  return BigInt(a) + BigInt(b);
}

/** Rounded up; through the remainder, because a quotient of large numbers may round to the wrong side. */
function millionth(sum: number): number {
  const rest = sum % million;
  return (sum - rest) / million + (rest > 0 ? 1 : 0);
}

function millionthOfBig(sum: bigint): bigint {
  const divisor = BigInt(million);
  return (sum + divisor - 1n) / divisor;
}

/** A special service's own rates, else the tier's of a prompt this long, else the usual ones. */
function ratesFor(usage: Usage, price: Price): Rates | undefined {
  const { serviceTier } = usage;
  if (serviceTier !== undefined) {
    return price.modes?.find(({ name, asked }) => name === serviceTier || Object.values(asked).includes(serviceTier));
  }
  if (price.tiers === undefined) return price;
  const prompt = promptTokens(usage);
  let chosen: PriceTier | undefined;
  for (const tier of price.tiers) {
    if (prompt > tier.abovePromptTokens && tier.abovePromptTokens >= (chosen?.abovePromptTokens ?? 0)) chosen = tier;
  }
  return chosen ?? price;
}

/** Where the usual rates tell reasoning apart and a tier's do not, the tier's is unknown. */
function reasoningRateOf(rates: Rates, price: Price): number | undefined {
  return rates.reasoning ?? (price.reasoning === undefined ? rates.output : undefined);
}

/**
 * Anthropic asks 1.25 × input for five-minute cache writes and 2 × input for an hour's (platform documentation,
 * 2026). No source lists the second figure, so that it is derived, and only where the first shows that scheme.
 */
function longWriteRate({ input, cacheWrite }: Rates): number | undefined {
  if (input === undefined || cacheWrite === undefined || cacheWrite * 4 !== input * 5) return undefined;
  return input * 2;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
