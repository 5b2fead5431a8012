import { parseCatalogue } from "./parse-catalogue.ts";
import { lastSegment, modelKey, undatedKey, vendorOf, withoutVariant } from "./names.ts";
import type { Source } from "./parse-catalogue.ts";
import type { ModelTraits } from "#domain/model";

export { costNanoUsd } from "./cost.ts";
export { vendorOf } from "./names.ts";
export { nearestNames } from "./nearest-names.ts";

/** What is known of models at kinds of providers. Data only: nothing here reads a file, a clock or the network. */
export interface Catalogue {
  /** Where its figures come from, with dates and licences. */
  readonly sources: readonly Source[];
  /** By kind, then by the model's name there. */
  readonly models: ReadonlyMap<string, ReadonlyMap<string, ModelTraits>>;
  /** By kind, then by what spellings of one model have in common; the newest date first. */
  readonly spellings: ReadonlyMap<string, ReadonlyMap<string, readonly ModelTraits[]>>;
  /** By canonical name: where it is served and under which name. */
  readonly offers: ReadonlyMap<string, readonly Offer[]>;
}

export interface Offer {
  readonly kind: string;
  /** The model's name there. */
  readonly model: string;
}

/**
 * From the JSON of `data/catalogue.json`. `onDate` (ISO) decides what is deprecated or retired by then; without it
 * the catalogue is read as of its newest source. Throws where the JSON is not a catalogue: the file ships with us.
 */
export function loadCatalogue(json: unknown, onDate?: string): Catalogue {
  const { sources, rows } = parseCatalogue(json, onDate);
  const models = new Map<string, Map<string, ModelTraits>>();
  const spellings = new Map<string, Map<string, ModelTraits[]>>();
  const offers = new Map<string, Offer[]>();
  for (const { kind, id, traits } of rows) {
    childOf(models, kind, () => new Map<string, ModelTraits>()).set(id, traits);
    const byKey = childOf(spellings, kind, () => new Map<string, ModelTraits[]>());
    const key = modelKey(id);
    for (const each of new Set([key, undatedKey(key)])) childOf(byKey, each, () => []).push(traits);
    childOf(offers, traits.name, () => []).push({ kind, model: id });
  }
  for (const byKey of spellings.values()) for (const [key, list] of byKey) list.sort((a, b) => compareFor(key, a, b));
  return { sources, models, spellings, offers };
}

/** The row whose own key it is comes first, then the newest date. */
function compareFor(key: string, a: ModelTraits, b: ModelTraits): number {
  const [keyA, keyB] = [modelKey(a.name), modelKey(b.name)];
  if ((keyA === key) !== (keyB === key)) return keyA === key ? -1 : 1;
  if (keyA === keyB) return a.name.length - b.name.length;
  return keyA < keyB ? 1 : -1;
}

function childOf<Child>(map: Map<string, Child>, key: string, make: () => Child): Child {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/**
 * What the catalogue knows of a model at a kind of provider. Tried in this order: the exact name; another spelling
 * (case, dots for dashes, `models/`, a vendor before it); an undated or `-latest` name for its newest dated one; a
 * dated name for the undated one. Undefined means unknown, not forbidden.
 */
export function findModel(catalogue: Catalogue, kind: string, model: string): ModelTraits | undefined {
  const exact = catalogue.models.get(kind)?.get(model);
  if (exact !== undefined) return exact;
  const byKey = catalogue.spellings.get(kind);
  if (byKey === undefined) return undefined;
  const key = modelKey(model);
  const undated = byKey.get(undatedKey(key)) ?? [];
  const candidates = byKey.get(key) ?? (key.endsWith("-latest") ? undated : undated.filter(isUndated));
  // A vendor that was written must be the vendor meant: two hosts' `r1` need not be one model.
  const written = model.includes("/") ? vendorOf(model) : undefined;
  return candidates.find((traits) => written === undefined || traits.name.startsWith(`${written}/`));
}

/** One date must not stand for another: prices differ between them. */
function isUndated(traits: ModelTraits): boolean {
  const key = modelKey(traits.name);
  return undatedKey(key) === key;
}

/** `vendor/model`: the catalogue's name where it knows the model, else one made from the name itself. */
export function canonicalName(catalogue: Catalogue, kind: string, model: string): string {
  const known = findModel(catalogue, kind, model);
  if (known !== undefined) return known.name;
  return `${vendorOf(model) ?? kind}/${withoutVariant(lastSegment(model.trim().toLowerCase()))}`;
}

/**
 * The kinds that serve a model and its name there, by canonical name or any spelling of it. A kind that offers it
 * under several names (variants) is listed with each, in the catalogue's order.
 */
export function providersOf(catalogue: Catalogue, name: string): readonly Offer[] {
  const exact = catalogue.offers.get(name);
  if (exact !== undefined) return exact;
  const vendor = vendorOf(name);
  const key = modelKey(withoutVariant(name));
  for (const kind of catalogue.spellings.keys()) {
    const traits = findModel(catalogue, kind, key);
    if (traits !== undefined && traits.name.startsWith(`${vendor ?? ""}/`))
      return catalogue.offers.get(traits.name) ?? [];
  }
  return [];
}

/** Every canonical name, for suggestions. */
export function canonicalNames(catalogue: Catalogue): Iterable<string> {
  return catalogue.offers.keys();
}
