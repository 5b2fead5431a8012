import type { CallOptions, Needs, Operation } from "#domain/call";
import type { ConfidenceRule } from "#domain/confidence";
import { failure, traitsOf, type Failure } from "#domain/failure";
import type { FailedTarget, Plan, PlannedTarget, SkippedTarget, SpreadRule, Target, Timeouts } from "#domain/plan";
import { defaultTimeouts, type Route, type Snapshot } from "#domain/snapshot";
import { whereSpent } from "./cheaper-targets.ts";
import { confidenceRule } from "./confidence-rule.ts";
import { sift, type Conditions } from "./constraints.ts";
import type { TargetScope } from "./key-scope.ts";
import { drawOrder } from "./draw.ts";
import { findTargets, type TraitsOf } from "./find-targets.ts";
import { placeOf, type Health } from "./health.ts";
import type { Readiness } from "./readiness.ts";
import type { Outlook } from "./recent-success.ts";
import { rankBySuccess } from "./rank-by-success.ts";
import { compareParked, panic, type Parked, withReadmitted } from "./readmit.ts";
import { defaultSpread, spreadOut, type SharedRisk } from "./spread.ts";
import { arrange } from "./wishes.ts";

/** What a plan is made from, as far as the caller is concerned. */
export interface Wanted {
  /** The name the caller wrote; empty where it was left to the gateway. */
  readonly model: string;
  readonly options: CallOptions;
  /** Absent: an answer. */
  readonly operation?: Operation;
  /** Looked for when it is asked: a sole target needs no choosing. Absent: nothing is known. */
  readonly needs?: () => Needs;
  /** What weights draw by: a session or a call. Absent: nothing is drawn. */
  readonly seed?: string;
  readonly served?: Served;
  /** Of the caller's key; absent: any target. */
  readonly scope?: TargetScope;
}

/** The ids of the targets that served the same before; asked for only where it matters. */
export interface Served {
  bySession(): string | undefined;
  byPrompt(): string | undefined;
}

/** What is known of the world at this moment. */
export interface PlanningView extends SharedRisk, Pick<Conditions, "latencyOf" | "isCritical"> {
  readonly health: Health;
  readonly traitsOf: TraitsOf;
  readonly nowMs: number;
}

const defaultAttempts = 3;

/** The ordered targets and rules for a call, or why there are none. Pure: the same input gives the same plan. */
export function makePlan(call: Wanted, snapshot: Snapshot, view: PlanningView): Plan | Failure {
  const first = call.options.route ?? call.model;
  const names = [first, ...(call.options.chain ?? [])].filter((name, at, all) => all.indexOf(name) === at);
  const found = findTargets({ names }, snapshot, view.traitsOf);
  if (found.kind !== "found") return found;
  const sifted = sift(
    lastResortsLast(found.targets, (target) => target),
    {
      route: found.route,
      options: call.options,
      ...(call.needs === undefined ? {} : { needs: call.needs }),
      ...(call.scope === undefined ? {} : { scope: call.scope }),
      snapshot,
      ...view,
    },
  );
  if (sifted.kind !== "sifted") return sifted;
  const ordered = inOrder(sifted.kept, call, view);
  const { ready, parked, before } = sortByHealth(ordered, (target) =>
    readinessOf(target, call.operation, { snapshot, view }),
  );
  const written = found.route?.spread;
  const spread = written === undefined ? defaultSpread : { by: written, strict: true };
  const failing = parked.map(({ target, state }): FailedTarget => ({ target, cause: state.cause, parked: true }));
  const kept = leanAway(ready, { failing, before, rule: spread, risk: view });
  const order = hasOwnOrder(call.options) ? undefined : found.route?.order;
  const ranking = { risk: view, outlookOf: outlooks(call.operation, view) };
  const led = order === undefined ? kept.targets : rankBySuccess(kept.targets, failing, ranking);
  const targets = ready.length > 0 ? withReadmitted(led, parked, ordered.length) : panic(parked);
  if (targets.length === 0) return noneLeft(parked, view.nowMs);
  return {
    route: found.route?.name ?? first,
    uses: found.uses,
    ...(call.operation === undefined ? {} : { operation: call.operation }),
    targets,
    skipped: [
      ...sifted.skipped,
      ...parked
        .filter(({ target }) => !targets.some((each) => each.target === target))
        .map(({ target, state }) => ({ target: target.id, why: state.why })),
      ...kept.skipped,
    ],
    failing,
    spread,
    ...(order === undefined ? {} : { order }),
    timeouts: timeoutsFor(found.route?.timeouts, call.options),
    routeTimeouts: found.route?.timeouts ?? {},
    maxAttempts: found.route?.maxAttempts ?? defaultAttempts,
    retryEmpty: found.route?.retryEmpty ?? true,
    ...confidenceOf(call, found.route?.confidence),
    ...cheaperOf(call, { route: found.route, snapshot, view }),
  };
}

interface Around {
  readonly route: Route | undefined;
  readonly snapshot: Snapshot;
  readonly view: PlanningView;
}

/** They are planned as if there were nobody else: what holds for targets of the route holds for them. */
function cheaperOf(call: Wanted, { route, snapshot, view }: Around): Pick<Plan, "cheaper"> {
  const among = whereSpent(route, snapshot);
  if (route === undefined || among === undefined) return {};
  const { route: _, chain: __, ...options } = call.options;
  const made = makePlan({ ...call, model: route.name, options }, among, view);
  return isPlan(made) ? { cheaper: made.targets } : {};
}

/** Only answers are judged: vectors and counts are right or wrong without doubt. */
function confidenceOf({ operation, options }: Wanted, ofRoute: ConfidenceRule | undefined): Pick<Plan, "confidence"> {
  const isAnswer = operation === undefined || operation === "generate" || operation === "complete";
  const rule = isAnswer ? confidenceRule(ofRoute, options) : undefined;
  return rule === undefined ? {} : { confidence: rule };
}

function hasOwnOrder({ sort, provider }: CallOptions): boolean {
  return sort !== undefined || provider?.sort !== undefined || provider?.order !== undefined;
}

/** How calls to targets ended of late. */
export function outlooks(
  operation: Operation | undefined,
  { health, nowMs }: Pick<PlanningView, "health" | "nowMs">,
): (target: Target) => Outlook {
  return ({ provider, model }) => {
    const place = placeOf({ provider, model, credential: "" }, operation);
    return health.recentAt(place).outlook(nowMs);
  };
}

export function isPlan(made: Plan | Failure): made is Plan {
  return "targets" in made;
}

/** As the caller wishes, else as it is written and drawn; whoever serves the session comes first. */
function inOrder(targets: readonly Target[], { options, seed, served }: Wanted, view: PlanningView) {
  const wished = arrange(targets, options, view.latencyOf);
  const asWritten = targets.map((target, at) => ({ target, why: wording(target, at) }));
  const ordered = lastResortsLast(
    wished ?? drawOrder(asWritten, options.session ?? seed, () => served?.byPrompt()),
    ({ target }) => target,
  );
  const sticky = stick(ordered, options.provider?.order === undefined ? served?.bySession() : undefined);
  return options.provider?.allowFallbacks === false ? sticky.slice(0, 1) : sticky;
}

/** A last resort is no place to stay at. */
function stick(planned: readonly PlannedTarget[], session: string | undefined): readonly PlannedTarget[] {
  const last = planned.find(({ target }) => target.id === session && !target.lastResort);
  if (last === undefined) return planned;
  const why = "answered this session last";
  return [{ ...last, why }, ...planned.filter((each) => each !== last)];
}

function lastResortsLast<T>(all: readonly T[], targetOf: (each: T) => Target): readonly T[] {
  if (!all.some((each) => targetOf(each).lastResort)) return all;
  return all.toSorted((a, b) => Number(targetOf(a).lastResort) - Number(targetOf(b).lastResort));
}

interface Kept {
  readonly targets: readonly PlannedTarget[];
  readonly skipped: readonly SkippedTarget[];
}

function sortByHealth(
  targets: readonly PlannedTarget[],
  readiness: (target: Target) => Readiness,
): { readonly ready: readonly PlannedTarget[]; readonly parked: readonly Parked[]; readonly before: number } {
  const ready: PlannedTarget[] = [];
  const parked: Parked[] = [];
  // Who stands before the first that is parked, replaces nobody.
  let before = 0;
  for (const planned of targets) {
    const { target } = planned;
    const state = readiness(target);
    if (state.kind === "ready") ready.push(planned);
    else parked.push({ target, state });
    if (parked.length === 0) before = ready.length;
  }
  return { ready, parked, before };
}

interface Leaning {
  readonly failing: readonly FailedTarget[];
  /** So many of the first keep their place: their own health speaks for them. */
  readonly before: number;
  readonly rule: SpreadRule;
  readonly risk: SharedRisk;
}

/**
 * Of those that stand in for what is parked, who shares a risk with it comes later, or not at all where the rule is
 * strict. Where that would leave nobody, the rule gives way: it is about backups, and to ask somebody who may work is
 * better than to ask nobody.
 */
function leanAway(ready: readonly PlannedTarget[], { failing, before, ...by }: Leaning): Kept {
  if (failing.length === 0) return { targets: ready, skipped: [] };
  const { order, barred } = spreadOut(ready.slice(before), failing, by);
  if (before + order.length > 0) return { targets: [...ready.slice(0, before), ...order], skipped: barred };
  const targets = ready.map((each, at) => ({
    ...each,
    why: `${barred[at]?.why ?? each.why}, but nothing else is left`,
  }));
  return { targets, skipped: [] };
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
    if (best?.kind !== "parked" || compareParked(state, best) < 0) best = state;
  }
  return best ?? { kind: "ready" };
}

function wording(target: Target, at: number): string {
  if (target.whenSpent === true) return "asked because a budget cannot pay the others";
  if (target.lastResort) return "last resort: asked when everything before it failed";
  return at === 0 ? "first in the order given" : `number ${at + 1} in the order given`;
}

function timeoutsFor(route: Partial<Timeouts> | undefined, options: CallOptions): Timeouts {
  const base = { ...defaultTimeouts, ...route };
  return options.timeoutMs === undefined ? base : { ...base, totalMs: Math.min(base.totalMs, options.timeoutMs) };
}

/** The failure that parked them: asking again cures a lack of credit or a refused key no more than it did at first. */
function noneLeft(parked: readonly Parked[], nowMs: number): Failure {
  const curable = parked.filter(({ state }) => traitsOf(state.cause).again);
  const [first] = curable;
  if (first !== undefined) {
    const retryAfterMs = Math.min(...curable.map(({ state }) => Math.max(0, state.untilMs - nowMs)));
    const limited = curable.find(({ state }) => state.cause === "rate_limited" || state.cause === "slow_down");
    const why = "Every provider for this model asks us to wait; try again later.";
    return failure(limited === undefined ? first.state.cause : "rate_limited", why, { retryAfterMs });
  }
  const cause = parked[0]?.state.cause ?? "no_capacity";
  return failure(cause, "No provider for this model can be used at the moment; the operator has to look.");
}
