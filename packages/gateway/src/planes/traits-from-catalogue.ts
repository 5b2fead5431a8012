import { findModel } from "#catalogue/catalogue";
import { openCatalogue } from "#catalogue/open-catalogue";
import type { TraitsOf } from "#policy/find-targets";

/** The configuration's own rows first: they correct the catalogue's. */
export function traitsFromCatalogue(): TraitsOf {
  const catalogue = openCatalogue();
  return (spec, model) => spec.models.get(model) ?? findModel(catalogue, spec.kind, model);
}
