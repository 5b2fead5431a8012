import type { Snapshot } from "#domain/snapshot";
import { findTargets, type TraitsOf } from "#policy/find-targets";
import type { LabelNames } from "./metrics.ts";

/** What stands for all names that callers made up. */
const other = "other";
/** Names of the catalogue that were met: so that they are looked up once, and nothing rests on the bound. */
const mostKept = 10_000;
/** Names that nobody lists and that answered all the same; some servers answer to any name. */
const mostLearned = 100;

/**
 * Which names may be labels of metrics: those of the configuration, models that the catalogue knows, and the first hundred
 * of those that answered though nobody lists them. Callers may ask any provider for any model; of the rest the provider is
 * named and the model is `other`.
 */
export function labelNames(snapshot: () => Snapshot, traitsOf: TraitsOf): LabelNames {
  let seen: Snapshot | undefined;
  let configured: ReadonlySet<string> = new Set();
  let routes = new Set<string>();
  let targets = new Set<string>();
  /** Over all configurations: what is a series once, stays one. */
  const learned = new Set<string>();

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

  function target(written: string, answered: boolean): string {
    const now = current();
    if (targets.has(written) || learned.has(written)) return written;
    if (isKnown(written, now)) return keep(targets, written);
    if (answered && learned.size < mostLearned) {
      learned.add(written);
      return written;
    }
    const provider = written.slice(0, written.indexOf("/"));
    return now.providers.has(provider) ? `${provider}/${other}` : other;
  }

  return {
    target,
    route(written, answered) {
      const now = current();
      if (routes.has(written)) return written;
      const found = findTargets({ names: [written] }, now, traitsOf);
      const isNamed =
        found.kind === "found" && found.targets.every(({ id, traits }) => traits !== undefined || configured.has(id));
      return isNamed ? keep(routes, written) : target(written, answered);
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
