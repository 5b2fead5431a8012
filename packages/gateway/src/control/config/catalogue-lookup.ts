import { findModel, nearestNames } from "#catalogue/catalogue";
import type { Catalogue } from "#catalogue/catalogue";
import { openCatalogue } from "#catalogue/open-catalogue";
import type { ModelTraits } from "#domain/model";
import type { ProviderSpec } from "#domain/snapshot";
import type { ProviderKind } from "#providers/provider";

export interface CatalogueLookup {
  readonly findModel: (kind: ProviderKind, model: string) => ModelTraits | undefined;
  /** At most two names the provider's kind knows, nearest first. */
  readonly nearestModels: (spec: ProviderSpec, model: string) => readonly string[];
}

/** `onDate` (ISO) decides what is deprecated or retired. */
export function catalogueLookup(onDate: string): CatalogueLookup {
  const catalogue: Catalogue = openCatalogue(onDate);
  return {
    findModel: (kind, model) => findModel(catalogue, kind.id, model),
    nearestModels: (spec, model) => nearestNames(model, idsOf(catalogue, spec.kind), 2),
  };
}

function* idsOf(catalogue: Catalogue, kind: string): Generator<string> {
  for (const shelf of catalogue.shelvesOf(kind)) yield* shelf.ids;
}
