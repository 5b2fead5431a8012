import type { TraitsOf } from "#policy/find-targets";
import { findKind } from "#providers/kinds";
import { catalogueLookup } from "./catalogue-lookup.ts";

/** What the configuration says of a model, else what the catalogue says on that day (ISO date). */
export function catalogueTraits(onDate: string): TraitsOf {
  const lookup = catalogueLookup(onDate);
  return (spec, model) => {
    const kind = findKind(spec.kind);
    return spec.models.get(model) ?? (kind === undefined ? undefined : lookup.findModel(kind, model));
  };
}
