import type { CallOptions, Operation } from "#domain/call";
import { failure, type Failure } from "#domain/failure";
import type { FailedTarget, Plan, PlannedTarget, SkippedTarget, SpreadRule, Target, Timeouts } from "#domain/plan";
import { defaultTimeouts, type Snapshot } from "#domain/snapshot";
import { findTargets, type TraitsOf } from "./find-targets.ts";
import { placeOf, type Health, type Readiness } from "./health.ts";
import { defaultSpread, spreadOut, type SharedRisk } from "./spread.ts";

/** What a plan is made from, as far as the caller is concerned. */
export interface Wanted {
  /** The name the caller wrote; empty where it was left to the gateway. */
  readonly model: string;
  readonly options: CallOptions;
  /** Absent: an answer. */
  readonly operation?: Operation;
}

/** What is known of the world at this moment. */
export interface PlanningView extends SharedRisk {
  readonly health: Health;
  readonly traitsOf: TraitsOf;
  readonly nowMs: number;
}

const defaultAttempts = 3;

/** The ordered targets and rules for a call, or why there are none. Pure: the same input gives the same plan. */
export function makePlan(call: Wanted, snapshot: Snapshot, view: PlanningView): Plan | Failure {
  const first = call.options.route ?? call.model;
  const names = [first, ...(call.options.chain ?? [])].filter((name, at, all) => all.indexOf(name) === at);
  const found = findTargets({ names, wish: call.options.provider }, snapshot, view.traitsOf);
  if (found.kind !== "found") return found;
  const ordered = found.targets.toSorted((a, b) => Number(a.lastResort) - Number(b.lastResort));
  const { ready, parked } = sortByHealth(ordered, (target) => readinessOf(target, call.operation, { snapshot, view }));
  const written = found.route?.spread;
  const spread = written === undefined ? defaultSpread : { by: written, strict: true };
  const failing = parked.map(({ target, state }): FailedTarget => ({ target, cause: state.cause, parked: true }));
  const kept = ready.length > 0 ? leanAway(ready, failing, { rule: spread, risk: view }) : panic(parked);
  if (kept.targets.length === 0) return noneLeft(parked, view.nowMs);
  return {
    route: found.route?.name ?? first,
    uses: found.uses,
    ...(call.operation === undefined ? {} : { operation: call.operation }),
    targets: kept.targets,
    skipped: [
      ...parked
        .filter(({ target }) => !kept.targets.some((each) => each.target === target))
        .map(({ target, state }) => ({ target: target.id, why: state.why })),
      ...kept.skipped,
    ],
    failing,
    spread,
    timeouts: timeoutsFor(found.route?.timeouts, call.options),
    routeTimeouts: found.route?.timeouts ?? {},
    maxAttempts: found.route?.maxAttempts ?? defaultAttempts,
    retryEmpty: found.route?.retryEmpty ?? true,
  };
}

export function isPlan(made: Plan | Failure): made is Plan {
  return "targets" in made;
}

interface Parked {
  readonly target: Target;
  readonly state: Extract<Readiness, { kind: "parked" }>;
}

interface Kept {
  readonly targets: readonly PlannedTarget[];
  readonly skipped: readonly SkippedTarget[];
}

function sortByHealth(
  targets: readonly Target[],
  readiness: (target: Target) => Readiness,
): { readonly ready: readonly PlannedTarget[]; readonly parked: readonly Parked[] } {
  const ready: PlannedTarget[] = [];
  const parked: Parked[] = [];
  for (const [at, target] of targets.entries()) {
    const state = readiness(target);
    if (state.kind === "ready") ready.push({ target, why: wording(target, at) });
    else parked.push({ target, state });
  }
  return { ready, parked };
}

/**
 * What shares a risk with what is parked comes later, or not at all where the rule is strict. Where that would leave
 * nobody, the rule gives way: it is about backups, and to ask somebody who may work is better than to ask nobody.
 */
function leanAway(
  ready: readonly PlannedTarget[],
  failing: readonly FailedTarget[],
  by: { readonly rule: SpreadRule; readonly risk: SharedRisk },
): Kept {
  if (failing.length === 0) return { targets: ready, skipped: [] };
  const { order, barred } = spreadOut(ready, failing, by);
  if (order.length > 0) return { targets: order, skipped: barred };
  const targets = ready.map((each, at) => ({
    ...each,
    why: `${barred[at]?.why ?? each.why}, but nothing else is left`,
  }));
  return { targets, skipped: [] };
}

/**
 * All are parked: whoever broke may be tried again rather than nobody (the panic rule); whoever asked us to wait, or has
 * no working account, is left alone.
 */
function panic(parked: readonly Parked[]): Kept {
  const broken = parked.filter(({ state }) => mayPanic(state)).toSorted((a, b) => a.state.untilMs - b.state.untilMs);
  const [soonest] = broken;
  if (soonest === undefined) return { targets: [], skipped: [] };
  const why = `${soonest.state.why}, but nothing else is left`;
  return { targets: [{ target: soonest.target, why }], skipped: [] };
}

/** A target is as ready as the readiest of its credentials. */
function readinessOf(
  target: Target,
  operation: Operation | undefined,
  { snapshot, view }: { readonly snapshot: Snapshot; readonly view: PlanningView },
): Readiness {
  const credentials = snapshot.providers.get(target.provider)?.credentials ?? [];
  const ids = credentials.length === 0 ? [`${target.provider}#0`] : credentials.map((each) => each.id);
  let best: Readiness | undefined;
  for (const credential of ids) {
    const place = placeOf({ provider: target.provider, model: target.model, credential }, operation);
    const state = view.health.readiness(place, view.nowMs);
    if (state.kind === "ready") return state;
    if (best?.kind !== "parked" || state.untilMs < best.untilMs) best = state;
  }
  return best ?? { kind: "ready" };
}

function mayPanic(state: Parked["state"]): boolean {
  return !["rate_limited", "slow_down", "quota_exhausted", "credential_rejected", "tls_rejected"].includes(state.cause);
}

function wording(target: Target, at: number): string {
  if (target.lastResort) return "last resort: asked when everything before it failed";
  return at === 0 ? "first in the order given" : `number ${at + 1} in the order given`;
}

function timeoutsFor(route: Partial<Timeouts> | undefined, options: CallOptions): Timeouts {
  const base = { ...defaultTimeouts, ...route };
  return options.timeoutMs === undefined ? base : { ...base, totalMs: Math.min(base.totalMs, options.timeoutMs) };
}

/** The failure that parked them: asking again cures a lack of credit or a refused key no more than it did at first. */
function noneLeft(parked: readonly Parked[], nowMs: number): Failure {
  const limited = parked.filter(({ state }) => state.cause === "rate_limited" || state.cause === "slow_down");
  if (limited.length > 0) {
    const retryAfterMs = Math.min(...limited.map(({ state }) => Math.max(0, state.untilMs - nowMs)));
    return failure("rate_limited", "Every provider for this model asks us to wait; try again later.", { retryAfterMs });
  }
  const cause = parked[0]?.state.cause ?? "no_capacity";
  return failure(cause, "No provider for this model can be used at the moment; the operator has to look.");
}
