import type { FilePrice, FileRates } from "../../packages/gateway/src/catalogue/catalogue-file.ts";
import { modelsSource, pricesSource } from "./read-snapshots.ts";
import type { ListedCost, ListedMode } from "./read-snapshots.ts";

/** What the lists say of one model's price, and what its name says. */
export interface Priced {
  readonly id: string;
  readonly vendor: string;
  readonly listed: ListedCost | undefined;
  /** From the fresher list, which wins. */
  readonly fresh: ListedCost | undefined;
  readonly modes: Readonly<Record<string, ListedMode>>;
  readonly free: boolean;
}

/** Models that read and do not write: they have no price of output. */
const readsOnly = /(?:^|[-/.])(?:embed(?:ding)?s?|bge|e5|gte|rerank(?:er)?|voyage|jina)(?:[-.\d]|$)|-embed(?:ding)?\b/i;

/**
 * Zero in a list mostly means "not filled in" or "trial credit", so that it counts as free only where the name or the
 * place says so. Every other zero is left out, which means unknown.
 */
export function priceOf({ id, vendor, listed, fresh, modes, free }: Priced): FilePrice | undefined {
  const cost = fresh ?? listed;
  const source = fresh === undefined ? modelsSource : pricesSource;
  if (cost === undefined) return undefined;
  if (free && cost.input === 0 && cost.output === 0)
    return { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, source };
  if (chargesOtherwise(cost) || (listed !== undefined && chargesOtherwise(listed))) return undefined;
  const rates = ratesOf(cost);
  if (rates.input === undefined || (rates.output === undefined && !readsOnly.test(id))) return undefined;
  const tiers = tiersOf(cost, listed);
  const services = modesOf(modes);
  return {
    ...rates,
    // Alibaba's "thinking mode" has one price for what is thought and what is said; the lists call it reasoning.
    ...(rates.reasoning !== undefined && vendor === "qwen" ? { reasoningRateForAll: true as const } : {}),
    ...(tiers.length === 0 ? {} : { tiers }),
    ...(services.length === 0 ? {} : { modes: services }),
    source,
  };
}

/** Citations, pictures, a price per request that only one list has: what the gateway does not count. */
function chargesOtherwise(cost: ListedCost): boolean {
  return cost.citation !== undefined || cost.request !== undefined || cost.image !== undefined;
}

function ratesOf(cost: ListedCost): FileRates {
  const rates = {
    input: known(cost.input),
    output: known(cost.output),
    // Most lists repeat the price of output here.
    reasoning: cost.reasoning === cost.output ? undefined : known(cost.reasoning),
    cacheRead: known(cost.cache_read ?? cost.cached_input ?? cost.cache_input),
    cacheWrite: known(cost.cache_write ?? cost.cached_write),
    inputAudio: known(cost.input_audio),
    outputAudio: known(cost.output_audio),
  };
  return Object.fromEntries(Object.entries(rates).filter(([, usd]) => usd !== undefined));
}

/**
 * The fresher list says only "over 200k"; where the other one knows the threshold (272k at OpenAI), that one holds.
 * Tiers it cannot say (over 32k, over 128k) stay as the other list has them, as long as the base price is the same.
 */
function tiersOf(cost: ListedCost, listed: ListedCost | undefined): NonNullable<FilePrice["tiers"]> {
  const known = (listed?.tiers ?? []).filter(({ tier }) => (tier.type ?? "context") === "context");
  const over = cost.context_over_200k;
  const isSame = listed !== undefined && cost.input === listed.input && cost.output === listed.output;
  if (over === undefined && !isSame) return [];
  const raw =
    over === undefined
      ? known.map((each) => ({ above: each.tier.size, rates: each as ListedCost }))
      : [{ above: known.length === 1 ? (known[0]?.tier.size ?? 200_000) : 200_000, rates: over }];
  return raw.flatMap(({ above, rates }) => {
    const parsed = ratesOf(rates);
    return parsed.input === undefined || parsed.output === undefined ? [] : [{ abovePromptTokens: above, ...parsed }];
  });
}

function modesOf(modes: Readonly<Record<string, ListedMode>>): NonNullable<FilePrice["modes"]> {
  return Object.entries(modes).flatMap(([name, { cost, provider }]) => {
    const rates = ratesOf(cost ?? {});
    const asked = Object.fromEntries(
      Object.entries(provider?.body ?? {}).filter((each): each is [string, string] => typeof each[1] === "string"),
    );
    if (rates.input === undefined || rates.output === undefined || Object.keys(asked).length === 0) return [];
    return [{ name, asked, ...rates, source: modelsSource }];
  });
}

/** Nonsense, and what is below a nano-dollar, is unknown like zero. */
function known(usd: number | undefined): number | undefined {
  if (usd === undefined || !Number.isFinite(usd) || usd <= 0) return undefined;
  const nano = Math.round(usd * 1e9);
  return nano > 0 && Number.isSafeInteger(nano) ? nano / 1e9 : undefined;
}
