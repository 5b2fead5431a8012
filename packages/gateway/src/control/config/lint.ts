import type { ModelTraits } from "#domain/model";
import type { ProviderSpec, Route, RouteTarget, Snapshot } from "#domain/snapshot";
import { isLoopback } from "./address.ts";
import type { ServerSettings } from "./compile-context.ts";
import { notEnforced } from "./not-enforced.ts";
import type { ConfigPath, Finding, Places } from "./problem.ts";
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
}

/** What `check` warns of: nothing that keeps the gateway from serving, everything that will surprise its operator. */
export function lint(input: LintInput): readonly Finding[] {
  return [
    ...notEnforced(input.document).map(({ path, notice }) => ({ path, message: notice })),
    ...input.plainSecrets.map((path) => ({
      path,
      message: "a secret stands in the file as plain text",
      fix: "refer to it: ${NAME} or file:PATH",
    })),
    ...[...input.snapshot.routes.values()].flatMap((route) => lintRoute(route, input)),
    ...lintProviders(input),
    ...lintServer(input),
  ];
}

function lintRoute(route: Route, input: LintInput): readonly Finding[] {
  const path: ConfigPath = ["routes", route.name];
  const findings: Finding[] = [];
  const only = route.targets.length === 1 ? route.targets[0] : undefined;
  if (only !== undefined) {
    const fix = "add a target at another operator";
    findings.push({
      path,
      message: `only one target: when ${only.provider}/${only.model} fails, the route fails`,
      fix,
    });
  } else {
    findings.push(...sharedRisk(route, input));
  }
  if (route.targets.every((target) => target.lastResort)) {
    const fix = "drop `when: last-resort` from the first";
    findings.push({ path, message: "every target is a last resort, which makes none of them one", fix });
  }
  if (route.maxAttempts < route.targets.length) {
    const message = `${route.targets.length} targets, but at most ${route.maxAttempts} attempts: the last ones may never be asked`;
    findings.push({ path, message, fix: `set retries: { attempts: ${Math.min(20, route.targets.length)} }` });
  }
  const { firstTokenMs, totalMs } = route.timeouts;
  if (firstTokenMs !== undefined && totalMs !== undefined && firstTokenMs >= totalMs) {
    const fix = "make `firstToken` shorter than `total`";
    findings.push({ path: [...path, "timeouts"], message: "one slow target uses up the whole call's time", fix });
  }
  for (const [index, target] of route.targets.entries()) {
    findings.push(...lintTarget(target, [...path, "targets", index], input));
  }
  return findings;
}

/** The risk groups that a whole chain shares; each kind of group is named once. */
function sharedRisk(route: Route, input: LintInput): readonly Finding[] {
  const specs = route.targets.flatMap(({ provider }) => input.snapshot.providers.get(provider) ?? []);
  const path: ConfigPath = ["routes", route.name, "targets"];
  const findings: Finding[] = [];
  const shared = (key: "operator" | "owner"): string | undefined => {
    const [first] = specs;
    const group = first === undefined ? undefined : said(first, key);
    return group !== undefined && specs.every((spec) => said(spec, key) === group) ? group : undefined;
  };
  const operator = shared("operator");
  const owner = shared("owner");
  if (operator !== undefined) {
    const message = `every target is operated by ${JSON.stringify(operator)}: they can fail together`;
    findings.push({ path, message, fix: "add a target at another operator" });
  } else if (new Set(route.targets.map(({ provider }) => provider)).size === 1) {
    const message = `every target is at ${JSON.stringify(route.targets[0]?.provider)}: they can fail together`;
    findings.push({ path, message, fix: "add a target at another provider" });
  } else if (specs.some((spec) => said(spec, "operator") === undefined)) {
    const unknown = specs.filter((spec) => said(spec, "operator") === undefined).map((spec) => spec.id);
    const message = `nobody said who operates ${[...new Set(unknown)].join(", ")}: whether targets fail together is unknown`;
    findings.push({ path, message, fix: "set `operator` there" });
  }
  if (owner !== undefined) {
    const message = `every target's provider is owned by ${JSON.stringify(owner)}`;
    findings.push({ path, message, fix: "add a target with another owner" });
  }
  return findings;
}

/** As declared, else as usual of the kind. */
function said(spec: ProviderSpec, key: "operator" | "owner"): string | undefined {
  return spec[key] ?? spec.usual?.[key];
}

function lintTarget(target: RouteTarget, path: ConfigPath, input: LintInput): readonly Finding[] {
  const spec = input.snapshot.providers.get(target.provider);
  const traits = spec?.models.get(target.model);
  const name = `${target.provider}/${target.model}`;
  if (spec === undefined) return [];
  if (traits === undefined) {
    const near = input.nearestModels(spec, target.model);
    const meant = near.map((each) => JSON.stringify(each)).join(" or ");
    const state = `state its price and context under providers.${target.provider}.models`;
    const fix = near.length === 0 ? state : `did you mean ${meant}? If not, ${state}`;
    return [{ path, message: `the catalogue does not know ${name}: its limits and price are unknown`, fix }];
  }
  return [...lintPrice(traits, name, path), ...lintLifecycle(traits, name, path)];
}

function lintPrice(traits: ModelTraits, name: string, path: ConfigPath): readonly Finding[] {
  if (traits.price !== undefined) return [];
  const fix = "state `price: { input, output }` for it";
  return [{ path, message: `the price of ${name} is unknown: its calls will have no cost`, fix }];
}

function lintLifecycle(traits: ModelTraits, name: string, path: ConfigPath): readonly Finding[] {
  const { source, date } = traits.lifecycleFrom ?? traits.from;
  const named = traits.replacements?.length ? `: the notice names ${traits.replacements.join(", ")}` : "";
  if (traits.lifecycle === "retired") {
    return [{ path, message: `${name} is retired (${source}, ${date})`, fix: `name its successor${named}` }];
  }
  if (traits.lifecycle === "deprecated") {
    const end = traits.retiresOn === undefined ? "will go away" : `will go away on ${traits.retiresOn}`;
    return [
      { path, message: `${name} is deprecated and ${end} (${source}, ${date})`, fix: `plan for its successor${named}` },
    ];
  }
  return [];
}

function lintProviders(input: LintInput): readonly Finding[] {
  const used = new Set(
    [...input.snapshot.routes.values()].flatMap(({ targets }) => targets.map((each) => each.provider)),
  );
  for (const end of input.snapshot.aliases.values()) used.add(end.split("/", 1)[0] ?? "");
  const findings: Finding[] = [];
  for (const spec of input.snapshot.providers.values()) {
    const path = ["providers", spec.id];
    if (!used.has(spec.id) && input.snapshot.routes.size > 0) {
      const message = "no route or alias uses this provider";
      findings.push({ path, message, fix: `callers can still name ${spec.id}/MODEL; otherwise remove it` });
    }
    const host = new URL(spec.origin).hostname;
    if (spec.origin.startsWith("http:") && spec.credentials.length > 0 && !isLoopback(host)) {
      const fix = "use https";
      findings.push({ path: [...path, "url"], message: "the credential travels unencrypted over the network", fix });
    }
  }
  return findings;
}

function lintServer(input: LintInput): readonly Finding[] {
  if (input.snapshot.defaultRoute !== undefined) return [];
  const fix = "add a route named default";
  return [{ path: ["routes"], message: "no default route: callers that name no model are refused", fix }];
}
