import type { ModelTraits } from "#domain/model";
import { isCatalogueFile } from "./catalogue-file.ts";
import { modelKey, openName, plainName, vendorOf, withoutVariant } from "./names.ts";
import { nameOfRow } from "./open-row.ts";
import { Shelf } from "./shelf.ts";
import type { CatalogueFile, Source } from "./catalogue-file.ts";

export { costNanoUsd } from "./cost.ts";
export { vendorOf } from "./names.ts";
export { nearestNames } from "./nearest-names.ts";
export type { Source } from "./catalogue-file.ts";

export interface Offer {
  /** The provider's id in the catalogue: a kind where we have one. */
  readonly kind: string;
  /** The model's name there. */
  readonly model: string;
}

/** What is known of models at providers. Data only: nothing here reads a file, a clock or the network. */
export class Catalogue {
  /** Where its figures come from, with dates and licences. */
  readonly sources: readonly Source[];
  /** By the provider's id. */
  readonly shelves: ReadonlyMap<string, Shelf>;
  readonly #file: CatalogueFile;
  readonly #byWord = new Map<string, Shelf[]>();
  #offers: ReadonlyMap<string, readonly Offer[]> | undefined;

  constructor(file: CatalogueFile, asOf: string) {
    this.#file = file;
    this.sources = file.sources;
    const shelves = new Map<string, Shelf>();
    for (const provider of file.providers) {
      const shelf = new Shelf(file, provider, asOf);
      shelves.set(provider.id, shelf);
      for (const word of [provider.id, ...(provider.alsoCalled ?? [])]) {
        const known = this.#byWord.get(word);
        if (known === undefined) this.#byWord.set(word, [shelf]);
        else known.push(shelf);
      }
    }
    this.shelves = shelves;
  }

  /** The providers a word means: a kind, or the name a list has for one. */
  shelvesOf(word: string): readonly Shelf[] {
    return this.#byWord.get(word) ?? this.#byWord.get(word.toLowerCase()) ?? [];
  }

  /** By canonical name: where it is served and under which name. */
  get offers(): ReadonlyMap<string, readonly Offer[]> {
    if (this.#offers !== undefined) return this.#offers;
    const offers = new Map<string, Offer[]>();
    for (const { id: kind, models } of this.#file.providers) {
      for (const row of models) {
        const name = nameOfRow(this.#file, row);
        const offer = { kind, model: row[0] };
        const known = offers.get(name);
        if (known === undefined) offers.set(name, [offer]);
        else known.push(offer);
      }
    }
    this.#offers = offers;
    return offers;
  }
}

/**
 * From the JSON of `data/catalogue.json`. `onDate` (ISO) decides what is deprecated or retired by then; without it
 * the catalogue is read as of its newest source. Throws where the JSON is not a catalogue: the file ships with us.
 */
export function loadCatalogue(json: unknown, onDate?: string): Catalogue {
  if (!isCatalogueFile(json))
    throw new Error("The model catalogue is damaged or of an unknown format; reinstall hedgerow.");
  const asOf = onDate ?? json.sources.reduce((newest, { date }) => (date > newest ? date : newest), "");
  return new Catalogue(json, asOf);
}

/**
 * What the catalogue knows of a model at a kind of provider. Tried in this order: the exact name; another spelling
 * (case, dots for dashes, `models/`, an ARN, a region, a vendor before it); an undated or `-latest` name for its
 * newest dated one; a dated name for the undated one; then the same without a storefront's variant, without a price.
 * Undefined means unknown, not forbidden.
 */
export function findModel(catalogue: Catalogue, kind: string, model: string): ModelTraits | undefined {
  const shelves = catalogue.shelvesOf(kind);
  if (shelves.length <= 1) return shelves[0]?.find(model);
  for (const shelf of shelves) {
    const exact = shelf.get(model);
    if (exact !== undefined) return exact;
  }
  for (const shelf of shelves) {
    const found = shelf.find(model);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `vendor/model`: the catalogue's name where it knows the model, else one made from the name itself. */
export function canonicalName(catalogue: Catalogue, kind: string, model: string): string {
  const known = findModel(catalogue, kind, model);
  return known?.name ?? `${vendorOf(model) ?? kind}/${plainName(model)}`;
}

/**
 * The providers that serve a model and its name there, by canonical name or any spelling of it. One that offers it
 * under several names (variants, regions) is listed with each, in the catalogue's order.
 */
export function providersOf(catalogue: Catalogue, name: string): readonly Offer[] {
  const exact = catalogue.offers.get(name);
  if (exact !== undefined) return exact;
  const vendor = vendorOf(name);
  const plain = withoutVariant(openName(name).path);
  const key = modelKey(plain);
  if (key === "") return [];
  for (const shelf of catalogue.shelves.values()) {
    const traits = shelf.find(plain) ?? shelf.find(key);
    if (traits !== undefined && (vendor === undefined || traits.name.startsWith(`${vendor}/`)))
      return catalogue.offers.get(traits.name) ?? [];
  }
  return [];
}

/** Every canonical name, for suggestions. */
export function canonicalNames(catalogue: Catalogue): Iterable<string> {
  return catalogue.offers.keys();
}

/** Everybody who made a model of the catalogue. */
export function vendorsOf(catalogue: Catalogue): ReadonlySet<string> {
  return new Set(Array.from(canonicalNames(catalogue), (name) => name.slice(0, name.indexOf("/"))));
}
