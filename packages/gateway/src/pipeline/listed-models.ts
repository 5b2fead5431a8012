import type { ListedModel } from "#dialects/dialect";
import type { Capabilities, ModelTraits } from "#domain/model";
import type { Target } from "#domain/plan";
import type { Snapshot } from "#domain/snapshot";
import { outOfScope, type TargetScope } from "#policy/key-scope";
import { findTargets, type TraitsOf } from "#policy/find-targets";

export interface ListView {
  readonly snapshot: Snapshot;
  readonly traitsOf: TraitsOf;
  /** The names that the caller's key is good for; undefined: all. */
  readonly allowed: readonly string[] | undefined;
  /** The targets that it is good for; absent: all. */
  readonly scope?: TargetScope;
}

/** Routes, aliases, and each provider's models, as far as the caller's key reaches. */
export function listedModels(view: ListView): readonly ListedModel[] {
  const { snapshot } = view;
  const listed: ListedModel[] = [];
  for (const name of [...snapshot.routes.keys(), ...snapshot.aliases.keys()]) {
    const entry = namedEntry(name, view);
    if (entry !== undefined) listed.push(entry);
  }
  for (const spec of snapshot.providers.values()) {
    for (const [name, traits] of spec.models) {
      const id = `${spec.id}/${name}`;
      const target = { id, provider: spec.id, model: name, lastResort: false, traits };
      if (isAllowed(id, view) && isWithin(target, view)) listed.push(modelEntry(id, spec.vendor ?? spec.id, traits));
    }
  }
  return listed;
}

/** One of the list, or another name that is known to lead to a model: a plain one, or a vendor's. */
export function findModel(id: string, view: ListView): ListedModel | undefined {
  const listed = listedModels(view).find((each) => each.id === id);
  if (listed !== undefined) return listed;
  const found = findTargets({ names: [id] }, view.snapshot, view.traitsOf);
  if (found.kind !== "found" || !isAllowed(found.uses[0] ?? id, view)) return undefined;
  const target = found.targets.find((each) => isWithin(each, view));
  if (target?.traits === undefined) return undefined;
  const spec = view.snapshot.providers.get(target.provider);
  return modelEntry(id, spec?.vendor ?? target.provider, target.traits);
}

/** As the planner judges it: a route by its own name whatever the alias, a target by the name that was written. */
function isAllowed(use: string, { allowed }: ListView): boolean {
  return allowed === undefined || allowed.includes(use);
}

function isWithin(target: Target, { scope }: ListView): boolean {
  return scope === undefined || outOfScope(target, scope) === undefined;
}

/** A route or an alias; undefined where it leads nowhere, or where this caller may not go. */
function namedEntry(name: string, view: ListView): ListedModel | undefined {
  const found = findTargets({ names: [name] }, view.snapshot, view.traitsOf);
  if (found.kind !== "found" || !isAllowed(found.uses[0] ?? name, view)) return undefined;
  const targets = found.targets.filter((target) => isWithin(target, view));
  if (targets.length === 0) return undefined;
  const traits = sharedTraits(targets);
  return { id: name, ownedBy: "hedgerow", createdAtS: 0, ...(traits === undefined ? {} : { traits }) };
}

function modelEntry(id: string, ownedBy: string, traits: ModelTraits): ListedModel {
  const releasedAtMs = Date.parse(traits.releasedOn ?? "");
  return { id, ownedBy, createdAtS: Number.isNaN(releasedAtMs) ? 0 : releasedAtMs / 1000, traits };
}

/** What all targets of a name have, as far as it is known: any of them may be the one that answers. */
function sharedTraits(targets: readonly Target[]): ModelTraits | undefined {
  const known = targets.flatMap(({ traits }) => traits ?? []);
  const [first] = known;
  if (first === undefined) return undefined;
  const least = (name: "contextTokens" | "maxInputTokens" | "maxOutputTokens"): Partial<ModelTraits> => {
    const counts = known.flatMap((traits) => traits[name] ?? []);
    return counts.length === 0 ? {} : { [name]: Math.min(...counts) };
  };
  return {
    name: first.name,
    ...least("contextTokens"),
    ...least("maxInputTokens"),
    ...least("maxOutputTokens"),
    capabilities: sharedCapabilities(known),
    from: first.from,
  };
}

function sharedCapabilities(known: readonly ModelTraits[]): Capabilities {
  const have = (name: "tools" | "structuredOutput" | "reasoning"): Partial<Capabilities> => {
    const said = known.flatMap(({ capabilities }) => capabilities[name] ?? []);
    if (said.includes(false)) return { [name]: false };
    return said.length < known.length ? {} : { [name]: true };
  };
  const inputs = known.map(({ capabilities }) => capabilities.inputs);
  const [first] = inputs;
  const common = first?.filter((kind) => inputs.every((each) => each?.includes(kind) === true));
  return {
    ...have("tools"),
    ...have("structuredOutput"),
    ...have("reasoning"),
    ...(common === undefined ? {} : { inputs: common }),
  };
}
