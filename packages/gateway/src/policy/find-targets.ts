import { nearestNames } from "#catalogue/catalogue";
import { failure, type Failure } from "#domain/failure";
import type { ModelTraits } from "#domain/model";
import type { Target } from "#domain/plan";
import type { ProviderSpec, Route, Snapshot } from "#domain/snapshot";

/** What a catalogue says of a model at a kind of provider; undefined where it knows nothing. */
export type TraitsOf = (spec: ProviderSpec, model: string) => ModelTraits | undefined;

export interface Found {
  readonly kind: "found";
  /** The first route met, whose policy then holds. */
  readonly route: Route | undefined;
  /** For each name, the route it stands for, or the name itself. */
  readonly uses: readonly string[];
  readonly targets: readonly Target[];
}

interface Asked {
  /** Names in the order to try; an empty one means "you choose". */
  readonly names: readonly string[];
}

const maxAliasSteps = 8;
const freeChoice = new Set(["", "auto", "default"]);

/**
 * From the names a caller wrote to targets: a route's name, an alias, `provider/model`, `vendor/model`, or a model's
 * plain name at whoever serves it. A pinned `provider/model` gives that target alone.
 */
export function findTargets(asked: Asked, snapshot: Snapshot, traitsOf: TraitsOf): Found | Failure {
  const targets = new Map<string, Target>();
  const uses: string[] = [];
  let route: Route | undefined;
  for (const name of asked.names) {
    const found = targetsOf(name, snapshot, traitsOf);
    if (found === undefined) return unknownModel(name, snapshot);
    route ??= found.route;
    uses.push(found.route?.name ?? name);
    for (const target of found.targets) if (!targets.has(target.id)) targets.set(target.id, target);
  }
  return { kind: "found", route, uses, targets: [...targets.values()] };
}

function targetsOf(
  written: string,
  snapshot: Snapshot,
  traitsOf: TraitsOf,
): { readonly route?: Route; readonly targets: readonly Target[] } | undefined {
  if (!isName(written)) return undefined;
  const name = followAliases(written, snapshot);
  const route = snapshot.routes.get(name) ?? fallbackRoute(name, snapshot);
  if (route !== undefined) {
    const targets = route.targets.flatMap((each) => {
      const spec = snapshot.providers.get(each.provider);
      return spec === undefined ? [] : [targetOf(spec, each.model, { ...each, traitsOf })];
    });
    return { route, targets };
  }
  const slash = name.indexOf("/");
  const spec = slash === -1 ? undefined : snapshot.providers.get(name.slice(0, slash));
  if (spec !== undefined) {
    return { targets: [targetOf(spec, name.slice(slash + 1), { lastResort: false, traitsOf })] };
  }
  const served = servedBy(name, snapshot, traitsOf);
  return served.length === 0 ? undefined : { targets: served };
}

/** Names of callers' making are kept in many places, of which each bounds how many: ARNs of Amazon have up to 200. */
const longestName = 512;

/** Some providers have the model in the path: what cannot stand there, or would climb out of it, is nobody's name. */
function isName(written: string): boolean {
  if (written.length > longestName) return false;
  return written.isWellFormed() && !/\p{Cc}|(?:^|\/)\.{1,2}(?:\/|$)/u.test(written);
}

function fallbackRoute(name: string, snapshot: Snapshot): Route | undefined {
  if (!freeChoice.has(name) || snapshot.defaultRoute === undefined) return undefined;
  return snapshot.routes.get(snapshot.defaultRoute);
}

function followAliases(written: string, snapshot: Snapshot): string {
  let name = written;
  for (let step = 0; step < maxAliasSteps; step += 1) {
    const next = snapshot.aliases.get(name);
    if (next === undefined) return name;
    name = next;
  }
  return name;
}

/** `vendor/model` or a plain model name, at every provider that is known to serve it, in configuration order. */
function servedBy(name: string, snapshot: Snapshot, traitsOf: TraitsOf): readonly Target[] {
  const targets: Target[] = [];
  const slash = name.indexOf("/");
  const vendor = slash === -1 ? undefined : name.slice(0, slash);
  for (const spec of snapshot.providers.values()) {
    const model = vendor !== undefined && spec.vendor === vendor ? name.slice(slash + 1) : name;
    const traits = traitsOf(spec, model);
    if (traits !== undefined) targets.push(targetOf(spec, model, { lastResort: false, traitsOf: () => traits }));
    else if (spec.vendor !== undefined && spec.vendor === vendor) {
      targets.push(targetOf(spec, model, { lastResort: false, traitsOf }));
    }
  }
  return targets;
}

function targetOf(
  spec: ProviderSpec,
  model: string,
  more: Pick<Target, "lastResort" | "whenSpent" | "weight" | "despite"> & { readonly traitsOf: TraitsOf },
): Target {
  const traits = more.traitsOf(spec, model);
  return {
    id: `${spec.id}/${model}`,
    provider: spec.id,
    model,
    lastResort: more.lastResort,
    ...(more.whenSpent === undefined ? {} : { whenSpent: more.whenSpent }),
    ...(more.weight === undefined ? {} : { weight: more.weight }),
    ...(more.despite === undefined ? {} : { despite: more.despite }),
    ...(traits === undefined ? {} : { traits }),
  };
}

function unknownModel(name: string, snapshot: Snapshot): Failure {
  const known = [...snapshot.routes.keys(), ...snapshot.aliases.keys()];
  for (const spec of snapshot.providers.values()) {
    for (const model of spec.models.keys()) known.push(`${spec.id}/${model}`);
  }
  const near = nearestNames(name, known, 3);
  const listed = `there is ${known.slice(0, 3).join(", ")}${known.length > 3 ? ", …" : ""}`;
  const hint = near.length === 0 ? listed : `did you mean ${near.join(" or ")}?`;
  return failure(
    "model_not_found",
    `There is no model "${name.slice(0, 200)}" here; ${hint} (GET /v1/models lists all)`,
    { param: "model" },
  );
}
