import { Secret } from "#domain/secret";
import type { ProviderKind, SettingName } from "#providers/provider";
import type { ImpliedAccess } from "./compile-context.ts";
import type { ConfigDocument } from "./schema.ts";
import { startingModels } from "./starting-models.ts";

/** A provider that the environment has an account for. Names are those of variables. */
export interface FoundProvider {
  readonly kind: ProviderKind;
  /** What shows that there is an account. */
  readonly variable: string;
  /** Joined by colons they are the key; none where the login is found without one. */
  readonly key: readonly string[];
  readonly settings: FoundSettings;
}

type FoundSettings = Partial<Readonly<Record<SettingName | "url", string>>>;

/** A configuration nobody wrote. */
export interface MadeDocument {
  readonly document: ConfigDocument;
  readonly notices: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Which kinds the environment has accounts for, in the table's order; of several variables of a kind the first. */
export function foundProviders(env: Environment, kinds: ReadonlyMap<string, ProviderKind>): readonly FoundProvider[] {
  const found: FoundProvider[] = [];
  const claimed = new Set<string>();
  for (const kind of kinds.values()) {
    const provider = findAccount(env, kind);
    // One key belongs to one provider.
    if (provider === undefined || claimed.has(provider.variable)) continue;
    claimed.add(provider.variable);
    found.push(provider);
  }
  return found;
}

function findAccount(env: Environment, kind: ProviderKind): FoundProvider | undefined {
  const { login } = kind.environment ?? {};
  const key = keyVariables(env, kind);
  const variable = key[0] ?? (login !== undefined && isSet(env, login) ? login : undefined);
  if (variable === undefined) return undefined;
  const settings = settingVariables(env, kind);
  return isCallable(env, { kind, key, settings }) ? { kind, variable, key, settings } : undefined;
}

/** Without an address there is nothing to call. */
function isCallable(
  env: Environment,
  { kind, key, settings }: Pick<FoundProvider, "kind" | "key" | "settings">,
): boolean {
  const { url, ...values } = valuesOf(env, settings);
  const given = { url: url !== undefined, keys: key.length === 0 ? [] : [keyIn(env, key)] };
  const isMissing = (name: SettingName) =>
    values[name] === undefined && kind.settings?.[name]?.needed?.(given) === true;
  if (settingNames.some(isMissing)) return false;
  return (url ?? kind.url ?? kind.urlFor?.(values)) !== undefined;
}

/** What a document need not say, because the vendor's own tools find it in the environment too. */
export function impliedAccess(env: Environment, kind: ProviderKind): ImpliedAccess {
  if (kind.environment?.implied !== true) return { settings: {} };
  const key = keyVariables(env, kind);
  const { url: _, ...settings } = valuesOf(env, settingVariables(env, kind));
  return { settings, ...(key.length === 0 ? {} : { key: new Secret(keyIn(env, key)) }) };
}

/** The variables that make the key, in order. */
function keyVariables(env: Environment, kind: ProviderKind): readonly string[] {
  const whole = kind.environmentKeys.find((name) => isSet(env, name));
  if (whole !== undefined) return [whole];
  const { names, needed } = kind.environment?.keyParts ?? { names: [], needed: 0 };
  const missingAt = names.findIndex((name) => !isSet(env, name));
  const parts = missingAt < 0 ? names : names.slice(0, missingAt);
  return parts.length < needed ? [] : parts;
}

function keyIn(env: Environment, names: readonly string[]): string {
  return names.map((name) => valueIn(env, name)).join(":");
}

const settingNames: readonly SettingName[] = ["region", "project", "resource", "apiVersion"];

function settingVariables(env: Environment, kind: ProviderKind): FoundSettings {
  const found: Partial<Record<SettingName | "url", string>> = {};
  for (const name of ["url", ...settingNames] as const) {
    const variable = kind.environment?.settings?.[name]?.find((each) => isSet(env, each));
    if (variable !== undefined) found[name] = variable;
  }
  return found;
}

function valuesOf(env: Environment, variables: FoundSettings): FoundSettings {
  return Object.fromEntries(Object.entries(variables).map(([name, variable]) => [name, valueIn(env, variable)]));
}

function isSet(env: Environment, name: string): boolean {
  return valueIn(env, name) !== "";
}

function valueIn(env: Environment, name: string): string {
  return (env[name] ?? "").trim();
}

/** `provider/model` for a default route over the providers found, in the order worth asking. */
export function defaultTargets(found: readonly Pick<FoundProvider, "kind">[]): readonly string[] {
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
        found.map(({ kind, key, settings }) => [
          kind.id,
          {
            kind: kind.id,
            ...(key.length === 0 ? {} : { key: new Secret(keyIn(env, key)) }),
            ...valuesOf(env, settings),
          },
        ]),
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

/** What is served where nothing is configured: simulated providers that show a failover, a doubted answer and a cut stream at once. */
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
        "demo-doubt": { targets: ["sim/unsure", "sim/fast"], confidence: { min: 0.85 } },
        "demo-cut": { targets: ["sim/cut"] },
      },
    },
    notices: [
      "No configuration file and no provider's key in the environment: simulated providers answer, not language models.",
    ],
  };
}
