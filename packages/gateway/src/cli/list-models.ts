import type { Catalogue } from "#catalogue/catalogue";
import type { Listed } from "./find-listed.ts";

export interface ModelFilter {
  /** A word for a provider: its own names are listed, else one line stands for a model wherever it is served. */
  readonly provider?: string;
  readonly vendor?: string;
  /** In any of a model's names, whatever the case. */
  readonly search?: string;
  /** Only what is deprecated or retired. */
  readonly deprecated: boolean;
}

/** By name; what goes away, by its day. */
export function listModels(catalogue: Catalogue, filter: ModelFilter): readonly Listed[] {
  const all = filter.provider === undefined ? everyModel(catalogue) : modelsAt(catalogue, filter.provider);
  const wanted = filter.search?.toLowerCase() ?? "";
  const kept = all.filter(
    (listed) =>
      (filter.vendor === undefined || listed.traits.name.startsWith(`${filter.vendor.toLowerCase()}/`)) &&
      (!filter.deprecated || isLeaving(listed)) &&
      (wanted === "" || namesOf(listed).some((name) => name.toLowerCase().includes(wanted))),
  );
  return kept.toSorted((a, b) => order(a, filter.deprecated).localeCompare(order(b, filter.deprecated), "en"));
}

/** The maker of each name comes first in the catalogue, and stands for it. */
function everyModel(catalogue: Catalogue): readonly Listed[] {
  return [...catalogue.offers].flatMap(([, offers]) => {
    const [first] = offers;
    const traits = first === undefined ? undefined : catalogue.shelves.get(first.kind)?.get(first.model);
    if (first === undefined || traits === undefined) return [];
    return [{ provider: first.kind, model: first.model, traits, offers }];
  });
}

function modelsAt(catalogue: Catalogue, provider: string): readonly Listed[] {
  return catalogue.shelvesOf(provider).flatMap((shelf) =>
    [...shelf.ids].flatMap((model) => {
      const traits = shelf.get(model);
      if (traits === undefined) return [];
      return [{ provider: shelf.id, model, traits, offers: catalogue.offers.get(traits.name) ?? [] }];
    }),
  );
}

function isLeaving({ traits }: Listed): boolean {
  return traits.lifecycle === "deprecated" || traits.lifecycle === "retired";
}

function namesOf({ model, traits }: Listed): readonly string[] {
  return [traits.name, model, traits.title ?? ""];
}

function order({ model, traits }: Listed, byEnd: boolean): string {
  return `${byEnd ? (traits.retiresOn ?? "9999") : ""} ${traits.name} ${model}`;
}
