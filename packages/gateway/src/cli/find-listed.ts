import { canonicalNames, nearestNames, providersOf } from "#catalogue/catalogue";
import type { Catalogue, Offer } from "#catalogue/catalogue";
import type { ModelTraits } from "#domain/model";

/** A model at a provider, as users mean it. */
export interface Listed {
  /** The provider's id in the catalogue. */
  readonly provider: string;
  /** The model's name there. */
  readonly model: string;
  readonly traits: ModelTraits;
  /** Everybody who serves the same model, this provider included. */
  readonly offers: readonly Offer[];
}

export type Found =
  | { readonly kind: "found"; readonly listed: Listed }
  | { readonly kind: "unknown"; readonly message: string };

/**
 * What a name means: `provider/model`, `vendor/model` or any spelling of a model's name. Where several serve it and none
 * was named, its maker answers, else the first in the catalogue's order.
 */
export function findListed(catalogue: Catalogue, name: string, provider?: string): Found {
  if (provider !== undefined) return findAt(catalogue, name, provider);
  const slash = name.indexOf("/");
  const word = name.slice(0, Math.max(0, slash));
  const here = word === "" ? undefined : atProvider(catalogue, name.slice(slash + 1), word);
  if (here !== undefined) return { kind: "found", listed: here };
  const [offer] = providersOf(catalogue, name);
  const listed = offer === undefined ? undefined : atProvider(catalogue, offer.model, offer.kind);
  if (listed !== undefined) return { kind: "found", listed };
  return {
    kind: "unknown",
    message: `the catalogue knows no model ${quoted(name)}${hint(nearModels(catalogue, name))}`,
  };
}

function findAt(catalogue: Catalogue, name: string, provider: string): Found {
  const shelves = catalogue.shelvesOf(provider);
  if (shelves.length === 0) return { kind: "unknown", message: unknownProvider(catalogue, provider) };
  const listed = atProvider(catalogue, name, provider);
  if (listed !== undefined) return { kind: "found", listed };
  const near = nearestNames(name, idsOf(shelves));
  return { kind: "unknown", message: `the catalogue knows no model ${quoted(name)} at ${provider}${hint(near)}` };
}

function* idsOf(shelves: ReturnType<Catalogue["shelvesOf"]>): Generator<string> {
  for (const shelf of shelves) yield* shelf.ids;
}

function atProvider(catalogue: Catalogue, name: string, provider: string): Listed | undefined {
  for (const shelf of catalogue.shelvesOf(provider)) {
    const traits = shelf.find(name);
    if (traits === undefined) continue;
    const offers = catalogue.offers.get(traits.name) ?? [];
    const own = offers.filter(({ kind }) => kind === shelf.id);
    const model = own.find((offer) => offer.model === name) ?? own.find((offer) => shelf.get(offer.model) === traits);
    return { provider: shelf.id, model: model?.model ?? name, traits, offers };
  }
  return undefined;
}

/** A word for a provider that nobody has, and what may have been meant. */
export function unknownProvider(catalogue: Catalogue, provider: string): string {
  return `the catalogue knows no provider ${quoted(provider)}${hint(nearestNames(provider, catalogue.shelves.keys()))}`;
}

function nearModels(catalogue: Catalogue, name: string): readonly string[] {
  return nearestNames(name, canonicalNames(catalogue));
}

/** What to write instead; where nothing is near, where to look. */
export function hint(near: readonly string[]): string {
  return near.length === 0
    ? "; look with `hedgerow models list --search TEXT`"
    : `; did you mean ${near.join(" or ")}?`;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
