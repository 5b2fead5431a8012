import type { ModelTraits, Price, PriceMode, PriceTier, Provenance, Rates } from "#domain/model";
import { statuses } from "./catalogue-file.ts";
import type { CatalogueFile, FilePrice, FileRates, FileRow } from "./catalogue-file.ts";

/** Prices of the file are in USD, and the smallest is far above a nano-dollar. */
const nanoPerUsd = 1e9;

/**
 * What a line of the file says, in full. `asOf` (ISO date) decides what is deprecated or retired by then. Throws where
 * the line points at nothing: a wrong figure is worse than none.
 */
export function openRow(file: CatalogueFile, row: FileRow, asOf: string): ModelTraits {
  const [, nameAt, sourceAt, capabilitiesAt = -1, limitsAt = -1, historyAt = -1, priceAt = -1, noticeAt = -1] = row;
  const [name, title] = pick(file.names, nameAt, "names");
  const price = priceAt < 0 ? undefined : openPrice(file, pick(file.prices, priceAt, "prices"));
  return {
    name,
    ...(title === undefined ? {} : { title }),
    capabilities: capabilitiesAt < 0 ? {} : pick(file.capabilities, capabilitiesAt, "capabilities"),
    from: provenance(file, sourceAt),
    ...limitsOf(file, limitsAt),
    ...(price === undefined ? {} : { price }),
    ...lifecycleOf(file, { noticeAt, status: row[8] ?? 0, asOf }),
    ...historyOf(file, historyAt),
  };
}

/** The canonical name alone, which is asked of every line. */
export function nameOfRow(file: CatalogueFile, row: FileRow): string {
  return pick(file.names, row[1], "names")[0];
}

function limitsOf(file: CatalogueFile, at: number): Partial<ModelTraits> {
  if (at < 0) return {};
  const [context, output = 0, input = 0] = pick(file.limits, at, "limits");
  return {
    ...(context === 0 ? {} : { contextTokens: context }),
    ...(output === 0 ? {} : { maxOutputTokens: output }),
    ...(input === 0 ? {} : { maxInputTokens: input }),
  };
}

function historyOf(file: CatalogueFile, at: number): Partial<ModelTraits> {
  if (at < 0) return {};
  const [releasedOn, weights, knowledgeUntil = ""] = pick(file.histories, at, "histories");
  return {
    ...(releasedOn === "" ? {} : { releasedOn }),
    ...(knowledgeUntil === "" ? {} : { knowledgeUntil }),
    openWeights: weights === 1,
  };
}

/** A dated notice outranks a list's status word. */
function lifecycleOf(
  file: CatalogueFile,
  { noticeAt, status, asOf }: { readonly noticeAt: number; readonly status: number; readonly asOf: string },
): Partial<ModelTraits> {
  const word = pick(statuses, status, "statuses");
  const listed = word === undefined ? {} : { lifecycle: word };
  if (noticeAt < 0) return listed;
  const { deprecatedOn, retiresOn, replacements, source, url } = pick(file.notices, noticeAt, "notices");
  const isRetired = retiresOn !== undefined && retiresOn <= asOf;
  const isDeprecated = deprecatedOn !== undefined && deprecatedOn <= asOf;
  return {
    ...listed,
    ...(isRetired ? { lifecycle: "retired" as const } : isDeprecated ? { lifecycle: "deprecated" as const } : {}),
    ...(deprecatedOn === undefined ? {} : { deprecatedOn }),
    ...(retiresOn === undefined ? {} : { retiresOn }),
    ...(replacements === undefined ? {} : { replacements }),
    lifecycleFrom: { ...provenance(file, source), ...(url === undefined ? {} : { url }) },
  };
}

function openPrice(file: CatalogueFile, price: FilePrice): Price {
  const { tiers, modes } = price;
  return {
    ...openRates(price),
    ...(price.reasoningRateForAll === true ? { reasoningRateForAll: true } : {}),
    ...(tiers === undefined ? {} : { tiers: tiers.map(openTier) }),
    ...(modes === undefined ? {} : { modes: modes.map((mode) => openMode(file, mode)) }),
    from: provenance(file, price.source),
  };
}

function openTier(tier: NonNullable<FilePrice["tiers"]>[number]): PriceTier {
  return { abovePromptTokens: tier.abovePromptTokens, ...openRates(tier) };
}

function openMode(file: CatalogueFile, mode: NonNullable<FilePrice["modes"]>[number]): PriceMode {
  return { name: mode.name, asked: mode.asked, ...openRates(mode), from: provenance(file, mode.source) };
}

const rateNames = ["input", "output", "reasoning", "cacheRead", "cacheWrite", "inputAudio", "outputAudio"] as const;

function openRates(rates: FileRates): Rates {
  const opened: { -readonly [Name in keyof Rates]: Rates[Name] } = {};
  for (const name of rateNames) {
    const usd = rates[name];
    if (usd !== undefined) opened[name] = Math.round(usd * nanoPerUsd);
  }
  return opened;
}

function provenance(file: CatalogueFile, at: number): Provenance {
  const { source, date } = pick(file.sources, at, "sources");
  return { source, date };
}

function pick<Entry>(table: readonly Entry[], at: number, name: string): Entry {
  if (at < 0 || at >= table.length) throw new Error(`The model catalogue points at entry ${at} of its ${name}.`);
  return table[at] as Entry;
}
