import type { CallOptions, Needs } from "#domain/call";
import { failure, type Failure } from "#domain/failure";
import type { ModelTraits } from "#domain/model";
import type { SkippedTarget, Target } from "#domain/plan";
import type { Route, Snapshot } from "#domain/snapshot";
import type { RiskGroup } from "#domain/supply";
import { outOfScope, type TargetScope } from "./key-scope.ts";
import type { LatencyOf } from "./wishes.ts";

/** What is asked of targets before any is preferred to another. */
export interface Conditions {
  readonly route: Route | undefined;
  readonly options: CallOptions;
  readonly needs?: () => Needs;
  readonly snapshot: Snapshot;
  readonly groupsOf: (target: Target) => readonly RiskGroup[];
  readonly latencyOf?: LatencyOf;
  /** What makes an automatic change from the first target to another a critical one, in words. */
  readonly isCritical?: (primary: Target, backup: Target) => string | undefined;
  /** Of the caller's key. */
  readonly scope?: TargetScope;
}

export interface Sifted {
  readonly kind: "sifted";
  readonly kept: readonly Target[];
  readonly skipped: readonly SkippedTarget[];
}

/** Why a target is left out; undefined: it is not. */
type Objector = (target: Target) => string | undefined;

/**
 * Leaves out who must not answer, then who cannot. What the operator or the caller forbids is forbidden though nobody
 * is left; what a list or a measurement says against a target gives way when it says it of all: a provider knows better.
 */
export function sift(targets: readonly Target[], conditions: Conditions): Sifted | Failure {
  const skipped: SkippedTarget[] = [];
  const without = (from: readonly Target[], objector: Objector): readonly Target[] => {
    const kept: Target[] = [];
    for (const target of from) {
      const why = objector(target);
      if (why === undefined) kept.push(target);
      else skipped.push({ target: target.id, why });
    }
    return kept;
  };
  const lawful = without(targets, (target) => breaks(target, conditions));
  // What the others are measured by is the first that may answer at all, whatever the caller leaves out.
  const [primary] = lawful;
  const allowed = without(lawful, (target) => (target === primary ? undefined : isWorse(target, primary, conditions)));
  if (allowed.length === 0 && targets.length > 0) return nobodyMay(skipped);
  let kept = without(allowed, (target) => unwanted(target, conditions.options));
  if (kept.length === 0) {
    return failure(
      "model_not_found",
      "The request's `provider` object leaves no target; loosen `only`, `ignore` or `max_price`.",
    );
  }
  for (const objector of unfit(kept, conditions)) {
    const fit = kept.filter((target) => objector(target) === undefined);
    if (fit.length > 0 && fit.length < kept.length) kept = without(kept, objector);
  }
  return { kind: "sifted", kept, skipped };
}

/** What is against a change from the first target to this one. */
function isWorse(target: Target, primary: Target | undefined, conditions: Conditions): string | undefined {
  if (primary === undefined) return undefined;
  const { despite = [] } = target;
  const downgrade = despite.includes("safety") ? undefined : isBelow(target, primary, conditions.snapshot);
  if (downgrade !== undefined) return downgrade;
  if (despite.includes("critical") || isCallersOwn(target, conditions.route)) return undefined;
  return conditions.isCritical?.(primary, target);
}

/** A caller who lists models in the request allows each by name. */
function isCallersOwn({ id }: Target, route: Route | undefined): boolean {
  return route?.targets.some(({ provider, model }) => `${provider}/${model}` === id) !== true;
}

/** What forbids that a target is sent this call's data, whatever for; undefined: nothing. */
export function forbids(
  target: Target,
  conditions: Pick<Conditions, "route" | "snapshot" | "groupsOf" | "options" | "scope">,
): string | undefined {
  return breaks(target, conditions) ?? unwanted(target, conditions.options);
}

/** What the caller's key is not for, or which promise of its route a target does not keep. */
function breaks(
  target: Target,
  { route, snapshot, groupsOf, scope }: Pick<Conditions, "route" | "snapshot" | "groupsOf" | "scope">,
): string | undefined {
  const foreign = scope === undefined ? undefined : outOfScope(target, scope);
  if (foreign !== undefined) return foreign;
  const { constraints } = route ?? {};
  if (constraints === undefined) return undefined;
  const spec = snapshot.providers.get(target.provider);
  const { regions, jurisdictions, dataClass, maxPrice } = constraints;
  const dear = maxPrice === undefined ? undefined : isDear(target, maxPrice, "its route");
  if (dear !== undefined) return dear;
  if (jurisdictions !== undefined) {
    const own = spec?.jurisdiction;
    if (own === undefined) return "its jurisdiction is not declared";
    if (!jurisdictions.some((each) => isSame(each, own))) return `its jurisdiction is ${own}`;
  }
  if (regions !== undefined) {
    const own = spec?.region === undefined ? wholeRegions(groupsOf(target)) : [spec.region];
    if (own.length === 0) return "its region is not known";
    const outside = own.find((region) => !regions.some((each) => isRegion(region, each)));
    if (outside !== undefined) return `its region is ${outside}`;
  }
  if (dataClass === undefined) return undefined;
  if (spec?.dataClasses === undefined) return `it is not declared what data it may be sent, such as ${dataClass}`;
  return spec.dataClasses.some((each) => isSame(each, dataClass)) ? undefined : `it may not be sent ${dataClass} data`;
}

/** Where it surely is, by what the supply graph says. */
function wholeRegions(groups: readonly RiskGroup[]): readonly string[] {
  return groups.filter(({ kind, share }) => kind === "region" && share[0] === 1).map(({ name }) => name);
}

function isRegion(region: string, allowed: string): boolean {
  if (!allowed.endsWith("*")) return isSame(region, allowed);
  return region.toLowerCase().startsWith(allowed.slice(0, -1).toLowerCase());
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** Where nobody says how safe a backup is, and the first target's safety was worth saying, it counts as less. */
function isBelow(target: Target, primary: Target, snapshot: Snapshot): string | undefined {
  const least = tierOf(primary, snapshot);
  if (least === undefined) return undefined;
  const own = tierOf(target, snapshot);
  if (own === undefined) return `its safety tier is not declared, and ${primary.id} has ${least}`;
  return own < least ? `its safety tier is ${own}, below the ${least} of ${primary.id}` : undefined;
}

function tierOf({ provider, traits }: Target, { providers }: Snapshot): number | undefined {
  return traits?.safetyTier ?? providers.get(provider)?.safetyTier;
}

/** What the caller rules out: OpenRouter's `provider` object where the meaning is the same. */
function unwanted({ provider, traits }: Target, { provider: wish }: CallOptions): string | undefined {
  if (wish === undefined) return undefined;
  const { only, ignore, maxPrice } = wish;
  if (only !== undefined && !only.includes(provider)) return "the request names others as the only ones";
  if (ignore?.includes(provider) === true) return "the request leaves this provider out";
  if (maxPrice === undefined) return undefined;
  return isDear({ traits }, { input: maxPrice.prompt, output: maxPrice.completion }, "the request");
}

interface Ceiling {
  readonly input?: number | undefined;
  readonly output?: number | undefined;
}

/** An unknown price is above every ceiling. */
function isDear({ traits }: { traits?: ModelTraits | undefined }, most: Ceiling, whose: string): string | undefined {
  const { price } = traits ?? {};
  if (price === undefined) return `its price is unknown, and ${whose} has a highest one`;
  return isAbove(price.input, most.input) || isAbove(price.output, most.output)
    ? `it costs more than ${whose} allows`
    : undefined;
}

function isAbove(price: number | undefined, ceiling = Number.POSITIVE_INFINITY): boolean {
  return (price ?? Number.POSITIVE_INFINITY) > ceiling;
}

/** What speaks against a target as far as is known, the weightiest first. None for a sole target: it is asked anyway. */
function unfit(targets: readonly Target[], { route, options, needs, latencyOf }: Conditions): readonly Objector[] {
  if (targets.length < 2) return [];
  const { reasoning } = options;
  const maxLatencyMs = lower(options.maxLatencyMs, route?.constraints?.maxLatencyMs);
  const { tools, structuredOutput, inputs, promptTokens } = needs?.() ?? {};
  return [
    ...(inputs === undefined ? [] : [(target: Target) => lacksInput(target, inputs)]),
    ...(tools === undefined ? [] : [(target: Target) => lacks(target, "tools", "calls no tools")]),
    ...(promptTokens === undefined ? [] : [(target: Target) => overflows(target, promptTokens)]),
    ...(structuredOutput === undefined
      ? []
      : [(target: Target) => lacks(target, "structuredOutput", "obeys no JSON schema")]),
    ...(reasoning === undefined ? [] : [(target: Target) => lacksEffort(target, reasoning)]),
    ...(maxLatencyMs === undefined ? [] : [(target: Target) => isSlow(target, maxLatencyMs, latencyOf)]),
  ];
}

function lacks(target: Target, what: "tools" | "structuredOutput" | "reasoning", words: string): string | undefined {
  return target.traits?.capabilities[what] === false ? `${words} (${sourceOf(target)})` : undefined;
}

function lacksInput(target: Target, inputs: readonly string[]): string | undefined {
  const known = target.traits?.capabilities.inputs;
  const missing = known === undefined ? undefined : inputs.find((input) => !known.includes(input));
  return missing === undefined ? undefined : `takes no ${missing} (${sourceOf(target)})`;
}

function overflows(target: Target, [least, most]: readonly [least: number, most: number]): string | undefined {
  const room = target.traits?.maxInputTokens ?? target.traits?.contextTokens;
  if (room === undefined || least <= room) return undefined;
  return `has room for ${room} tokens, and the prompt is estimated at ${least} to ${most}`;
}

function lacksEffort(target: Target, effort: string): string | undefined {
  const efforts = target.traits?.capabilities.reasoningControl?.efforts;
  if (efforts !== undefined && !efforts.includes(effort)) return `has no ${effort} reasoning (${sourceOf(target)})`;
  return lacks(target, "reasoning", "does not reason");
}

function isSlow(target: Target, mostMs: number, latencyOf: LatencyOf | undefined): string | undefined {
  const latency = latencyOf?.(target);
  if (latency === undefined || latency.p95Ms <= mostMs) return undefined;
  return `begins within ${Math.round(latency.p95Ms)} ms for 95 % of ${latency.calls} calls, and ${mostMs} ms were asked for`;
}

function lower(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

function sourceOf({ traits }: Target): string {
  return traits === undefined ? "unknown" : `${traits.from.source}, ${traits.from.date}`;
}

const mostNamed = 3;

function nobodyMay(skipped: readonly SkippedTarget[]): Failure {
  const named = skipped.slice(0, mostNamed).map(({ target, why }) => `${target}: ${why}`);
  const more = skipped.length > mostNamed ? "; …" : "";
  return failure("forbidden", `No target may take the call (${named.join("; ")}${more}).`);
}
