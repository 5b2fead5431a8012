import type { Snapshot } from "#domain/snapshot";
import { findTargets, type TraitsOf } from "#policy/find-targets";
import type { LabelNames } from "./metrics.ts";

/** What stands for all names that callers made up. */
const other = "other";
/** Kept apart from the rest, so that nobody can fill it: names of the configuration and the catalogue only. */
const mostKept = 10_000;

/**
 * Which names may be labels of metrics: those of the configuration, and models that the catalogue knows. Callers may ask
 * any provider for any model; of those nobody knows, the provider is named and the model is `other`.
 */
export function labelNames(snapshot: () => Snapshot, traitsOf: TraitsOf): LabelNames {
  let seen: Snapshot | undefined;
  let configured: ReadonlySet<string> = new Set();
  let routes = new Set<string>();
  let targets = new Set<string>();

  /** A new configuration has other names. */
  function current(): Snapshot {
    const now = snapshot();
    if (now !== seen) {
      seen = now;
      configured = configuredTargets(now);
      routes = new Set(["", ...now.routes.keys(), ...now.aliases.keys()]);
      targets = new Set(configured);
    }
    return now;
  }

  function isKnown(written: string, { providers }: Snapshot): boolean {
    const slash = written.indexOf("/");
    const spec = providers.get(written.slice(0, slash));
    return spec !== undefined && traitsOf(spec, written.slice(slash + 1)) !== undefined;
  }

  function target(written: string): string {
    const now = current();
    if (targets.has(written)) return written;
    if (isKnown(written, now)) return keep(targets, written);
    const provider = written.slice(0, written.indexOf("/"));
    return now.providers.has(provider) ? `${provider}/${other}` : other;
  }

  return {
    target,
    route(written) {
      const now = current();
      if (routes.has(written)) return written;
      const found = findTargets({ names: [written] }, now, traitsOf);
      const isNamed =
        found.kind === "found" && found.targets.every(({ id, traits }) => traits !== undefined || configured.has(id));
      return isNamed ? keep(routes, written) : target(written);
    },
  };
}

function keep(names: Set<string>, name: string): string {
  if (names.size < mostKept) names.add(name);
  return name;
}

/** Every `provider/model` that the configuration itself names. */
function configuredTargets({ providers, routes }: Snapshot): ReadonlySet<string> {
  const named = new Set<string>();
  for (const { id, models } of providers.values()) for (const model of models.keys()) named.add(`${id}/${model}`);
  for (const { targets, confidence } of routes.values()) {
    for (const { provider, model } of targets) named.add(`${provider}/${model}`);
    for (const aside of [confidence?.second, confidence?.judge]) if (aside !== undefined) named.add(aside);
  }
  return named;
}
