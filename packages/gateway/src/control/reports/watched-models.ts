import { openCatalogue } from "#catalogue/open-catalogue";
import type { ModelTraits } from "#domain/model";
import type { Snapshot } from "#domain/snapshot";
import { findTargets } from "#policy/find-targets";
import { catalogueTraits } from "#control/config/catalogue-traits";
import { watchedFacts, type WatchedModel } from "./watch.ts";

/** Every model of the configured kinds that the catalogue lists on that day (ISO date), and every one that is asked. */
export function watchedModels(snapshot: Snapshot, today: string): readonly WatchedModel[] {
  const catalogue = openCatalogue(today);
  const models = new Map<string, WatchedModel>();
  for (const kind of new Set([...snapshot.providers.values()].map((spec) => spec.kind))) {
    for (const shelf of catalogue.shelvesOf(kind)) {
      for (const model of shelf.ids) add(models, { kind, model, targets: [] }, shelf.get(model));
    }
  }
  const traitsOf = catalogueTraits(today);
  const names = [...snapshot.routes.keys(), ...snapshot.aliases.keys()];
  for (const name of names) {
    const found = findTargets({ names: [name] }, snapshot, traitsOf);
    if (found.kind !== "found") continue;
    for (const { id, provider, model, traits } of found.targets) {
      const kind = snapshot.providers.get(provider)?.kind ?? provider;
      const known = models.get(`${kind} ${model}`);
      const targets = new Set([...(known?.targets ?? []), id]);
      add(models, { kind, model, targets: [...targets] }, traits);
    }
  }
  return [...models.values()];
}

function add(
  models: Map<string, WatchedModel>,
  named: Pick<WatchedModel, "kind" | "model" | "targets">,
  traits: ModelTraits | undefined,
): void {
  models.set(`${named.kind} ${named.model}`, {
    ...named,
    ...(traits === undefined ? {} : { facts: watchedFacts(traits) }),
    ...(traits?.replacements === undefined ? {} : { replacements: traits.replacements }),
  });
}
