import { Secret } from "#domain/secret";
import type { ProviderKind } from "#providers/provider";
import type { ConfigDocument } from "./schema.ts";
import { startingModels } from "./starting-models.ts";

/** A provider whose key the environment holds. */
export interface FoundProvider {
  readonly kind: ProviderKind;
  /** The variable's name. */
  readonly variable: string;
}

/** A configuration nobody wrote. */
export interface MadeDocument {
  readonly document: ConfigDocument;
  readonly notices: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Which kinds the environment has keys for, in the table's order; of several variables of a kind the first. */
export function foundProviders(env: Environment, kinds: ReadonlyMap<string, ProviderKind>): readonly FoundProvider[] {
  const found: FoundProvider[] = [];
  const claimed = new Set<string>();
  for (const kind of kinds.values()) {
    const variable = kind.environmentKeys.find((name) => (env[name] ?? "").trim() !== "");
    // Without an address there is nothing to call, and one key belongs to one provider.
    if (variable === undefined || kind.url === undefined || claimed.has(variable)) continue;
    claimed.add(variable);
    found.push({ kind, variable });
  }
  return found;
}

/** `provider/model` for a default route over the providers found, in the order worth asking. */
export function defaultTargets(found: readonly FoundProvider[]): readonly string[] {
  const ids = new Set(found.map(({ kind }) => kind.id));
  return [...startingModels].filter(([id]) => ids.has(id)).map(([id, model]) => `${id}/${model}`);
}

/** The zero-configuration document; undefined where the environment holds no provider's key. */
export function documentFromEnvironment(
  env: Environment,
  kinds: ReadonlyMap<string, ProviderKind>,
): MadeDocument | undefined {
  const found = foundProviders(env, kinds);
  if (found.length === 0) return undefined;
  const targets = defaultTargets(found);
  const listed = found.map(({ kind, variable }) => `${kind.id} (${variable})`).join(", ");
  const notices = [`No configuration file: providers come from the environment: ${listed}.`];
  if (targets.length === 0) notices.push("No default route: callers must name provider/model.");
  return {
    document: {
      providers: Object.fromEntries(
        found.map(({ kind, variable }) => [kind.id, { kind: kind.id, key: new Secret((env[variable] ?? "").trim()) }]),
      ),
      ...(targets.length === 0 ? {} : { routes: { default: { targets: [...targets] } } }),
    },
    notices,
  };
}

/** Addresses of the running simulators, with their base paths. */
export interface SimulatorUrls {
  readonly openaiUrl: string;
  readonly anthropicUrl: string;
}

/** What is served where nothing is configured: simulated providers that show a failover and a cut stream at once. */
export function simulatedDocument(urls: SimulatorUrls): MadeDocument {
  return {
    document: {
      providers: {
        sim: { kind: "sim", url: urls.openaiUrl },
        "sim-b": { kind: "sim-anthropic", url: urls.anthropicUrl },
      },
      routes: {
        default: { targets: ["sim/fast", "sim-b/steady"] },
        "demo-failover": { targets: ["sim/flaky", "sim-b/steady"] },
        "demo-cut": { targets: ["sim/cut"] },
      },
    },
    notices: [
      "No configuration file and no provider's key in the environment: simulated providers answer, not language models.",
    ],
  };
}
