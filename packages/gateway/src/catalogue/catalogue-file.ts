import type { Capabilities, Provenance } from "#domain/model";

/** A list of models or prices the catalogue was built from. */
export interface Source extends Provenance {
  readonly licence: string;
}

/**
 * `data/catalogue.json`, written by `scripts/build-catalogue.ts`. What many models share stands once in a table, and
 * a model's line points into the tables, so that some nine thousand lines are read in a few milliseconds.
 */
export interface CatalogueFile {
  readonly format: 2;
  readonly about: string;
  readonly sources: readonly Source[];
  /** Canonical `vendor/model`, and the name for people where a list has one. */
  readonly names: readonly (readonly [name: string, title?: string])[];
  readonly capabilities: readonly Capabilities[];
  /** Tokens; 0 where unknown. */
  readonly limits: readonly FileLimits[];
  readonly histories: readonly FileHistory[];
  readonly prices: readonly FilePrice[];
  readonly notices: readonly FileNotice[];
  readonly providers: readonly FileProvider[];
}

export type FileLimits = readonly [context: number, output?: number, input?: number];

/** Dates are ISO, or "" where unknown; weights are open (1) or not (0). */
export type FileHistory = readonly [releasedOn: string, openWeights: number, knowledgeUntil?: string];

/** USD per million tokens; absent is unknown. */
export interface FileRates {
  readonly input?: number;
  readonly output?: number;
  readonly reasoning?: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
  readonly inputAudio?: number;
  readonly outputAudio?: number;
}

export interface FilePrice extends FileRates {
  /** Index into the sources. */
  readonly source: number;
  readonly reasoningRateForAll?: true;
  readonly tiers?: readonly (FileRates & { readonly abovePromptTokens: number })[];
  readonly modes?: readonly (FileRates & {
    readonly name: string;
    readonly asked: Readonly<Record<string, string>>;
    readonly source: number;
  })[];
}

export interface FileNotice {
  readonly deprecatedOn?: string;
  readonly retiresOn?: string;
  readonly replacements?: readonly string[];
  readonly url?: string;
  /** Index into the sources. */
  readonly source: number;
}

export interface FileProvider {
  /** The kind of provider where we have one for it, else the list's word. */
  readonly id: string;
  readonly title: string;
  /** Other words that lead here; several providers may answer to one. */
  readonly alsoCalled?: readonly string[];
  readonly models: readonly FileRow[];
}

/**
 * A model at a provider: its name there, then indexes into the tables in the order of their declaration, -1 for none;
 * `status` is an index into {@link statuses}. What is absent at the end is left out.
 */
export type FileRow = readonly [
  id: string,
  name: number,
  source: number,
  capabilities?: number,
  limits?: number,
  history?: number,
  price?: number,
  notice?: number,
  status?: number,
];

/** A list's own words for how far a model's life is; 0 says nothing. */
export const statuses = [undefined, "alpha", "beta", "deprecated"] as const;

/** The file is ours and tested as a whole, so that only what would make a wrong answer quietly is checked. */
export function isCatalogueFile(json: unknown): json is CatalogueFile {
  if (typeof json !== "object" || json === null) return false;
  const file = json as Partial<CatalogueFile>;
  const tables = [file.sources, file.names, file.capabilities, file.limits, file.histories, file.prices, file.notices];
  return file.format === 2 && tables.every(Array.isArray) && Array.isArray(file.providers);
}
