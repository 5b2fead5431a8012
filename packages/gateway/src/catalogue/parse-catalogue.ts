import type { Capabilities, ModelTraits, Price, PriceTier, Provenance } from "#domain/model";

/** A list of models or prices the catalogue was built from. */
export interface Source extends Provenance {
  readonly licence: string;
  readonly url?: string;
}

/** One line of the file: a model at a kind of provider. Prices in nano-dollars per million tokens. */
export interface CatalogueRow {
  readonly id: string;
  /** Canonical `vendor/model`. */
  readonly name: string;
  readonly context?: number;
  readonly output?: number;
  readonly price?: RowPrice;
  readonly capabilities?: Capabilities;
  readonly status?: "alpha" | "beta" | "deprecated";
  /** ISO dates of a notice. */
  readonly deprecatedOn?: string;
  readonly retiresOn?: string;
  /** Index into the file's sources. */
  readonly source: number;
}

export interface RowPrice {
  readonly input: number;
  readonly output: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
  readonly tiers?: readonly PriceTier[];
  readonly source: number;
}

/** The whole file. */
export interface CatalogueFile {
  readonly format: 1;
  readonly about: string;
  readonly sources: readonly Source[];
  readonly kinds: Readonly<Record<string, readonly CatalogueRow[]>>;
}

export interface ParsedRow {
  readonly kind: string;
  readonly id: string;
  readonly traits: ModelTraits;
}

/**
 * Reads the file's rows into traits as of a date. The file is ours, written by `scripts/build-catalogue.ts` and
 * tested as a whole, so that only what would make a wrong answer quietly is checked here.
 */
export function parseCatalogue(
  json: unknown,
  onDate?: string,
): { sources: readonly Source[]; rows: readonly ParsedRow[] } {
  if (!isCatalogueFile(json))
    throw new Error("The model catalogue is damaged or of an unknown format; reinstall hedgerow.");
  const asOf = onDate ?? json.sources.reduce((newest, { date }) => (date > newest ? date : newest), "");
  const rows: ParsedRow[] = [];
  for (const [kind, list] of Object.entries(json.kinds)) {
    for (const row of list) rows.push({ kind, id: row.id, traits: traitsOf(row, json.sources, asOf) });
  }
  return { sources: json.sources, rows };
}

function isCatalogueFile(json: unknown): json is CatalogueFile {
  if (typeof json !== "object" || json === null) return false;
  const file = json as Partial<CatalogueFile>;
  return file.format === 1 && Array.isArray(file.sources) && typeof file.kinds === "object" && file.kinds !== null;
}

function traitsOf(row: CatalogueRow, sources: readonly Source[], asOf: string): ModelTraits {
  const lifecycle = lifecycleOf(row, asOf);
  return {
    name: row.name,
    capabilities: row.capabilities ?? {},
    from: provenanceOf(sources, row.source),
    ...(row.context === undefined ? {} : { contextTokens: row.context }),
    ...(row.output === undefined ? {} : { maxOutputTokens: row.output }),
    ...(row.price === undefined ? {} : { price: priceOf(row.price, sources) }),
    ...(lifecycle === undefined ? {} : { lifecycle }),
    ...(row.retiresOn === undefined ? {} : { retiresOn: row.retiresOn }),
  };
}

/** A dated notice outranks a list's status word. */
function lifecycleOf(row: CatalogueRow, asOf: string): ModelTraits["lifecycle"] {
  if (row.retiresOn !== undefined && row.retiresOn <= asOf) return "retired";
  if (row.deprecatedOn !== undefined && row.deprecatedOn <= asOf) return "deprecated";
  return row.status;
}

function priceOf(price: RowPrice, sources: readonly Source[]): Price {
  const { source, ...rates } = price;
  return { ...rates, from: provenanceOf(sources, source) };
}

function provenanceOf(sources: readonly Source[], index: number): Provenance {
  const found = sources[index];
  if (found === undefined) throw new Error(`The model catalogue names source ${index}, which it does not list.`);
  return { source: found.source, date: found.date };
}
