import type { ProviderSpec, Route, Snapshot } from "#domain/snapshot";
import type { Target } from "#domain/plan";
import type { RiskGroup } from "#domain/supply";
import type { ServerSettings } from "./compile-context.ts";
import type { ConfigPath, Places } from "./problem.ts";
import type { ConfigDocument } from "./schema.ts";

export interface LintInput {
  readonly document: ConfigDocument;
  readonly snapshot: Snapshot;
  readonly server: ServerSettings;
  readonly places: Places;
  /** Names near a model's at this kind of provider, nearest first. */
  readonly nearestModels: (spec: ProviderSpec, model: string) => readonly string[];
  /** Paths of secrets that stand in the file as plain text. */
  readonly plainSecrets: readonly ConfigPath[];
  /** ISO date: what claims and notices say holds on it. */
  readonly today: string;
}

/** What rules about routes look at. */
export interface RouteLint {
  readonly route: Route;
  readonly path: ConfigPath;
  readonly links: readonly RouteLink[];
}

export interface RouteLink {
  readonly target: Target;
  readonly spec: ProviderSpec;
  readonly path: ConfigPath;
  readonly groups: readonly RiskGroup[];
}

export function linksOf(
  route: Route,
  { providers }: Snapshot,
  groupsOf: (target: Target) => readonly RiskGroup[],
): readonly RouteLink[] {
  return route.targets.flatMap(({ provider, model, lastResort, despite }, index) => {
    const spec = providers.get(provider);
    if (spec === undefined) return [];
    const traits = spec.models.get(model);
    const target: Target = {
      id: `${provider}/${model}`,
      provider,
      model,
      lastResort,
      ...(despite === undefined ? {} : { despite }),
      ...(traits === undefined ? {} : { traits }),
    };
    return [{ target, spec, path: ["routes", route.name, "targets", index], groups: groupsOf(target) }];
  });
}
