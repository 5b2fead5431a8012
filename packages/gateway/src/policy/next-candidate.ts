import { failure, traitsOf, type Failure, type FailureKind, type Next } from "#domain/failure";
import type { Attempt, FailedTarget, Plan, PlannedTarget, SkippedTarget, Target } from "#domain/plan";
import type { Snapshot } from "#domain/snapshot";
import { isUnpaid, lacksMoney } from "./cheaper-targets.ts";
import { placeOf, type Danger } from "./health.ts";
import { isLastRung } from "./ladder.ts";
import { outlooks, type PlanningView } from "./make-plan.ts";
import { rankBySuccess } from "./rank-by-success.ts";
import { compareParked, mayPanic, type Parked } from "./readmit.ts";
import { spreadOut } from "./spread.ts";

/** What to do after the attempts so far. */
export type Step = Candidate | Stop;

export interface Candidate {
  readonly kind: "try";
  readonly target: Target;
  readonly credential: string;
  readonly afterMs: number;
  /** In words, for the record. */
  readonly why: string;
  /** Who was passed over for what failed in this call. */
  readonly skipped: readonly SkippedTarget[];
}

interface Stop {
  readonly kind: "stop";
  readonly why?: Failure;
  readonly skipped?: readonly SkippedTarget[];
  /** Somebody could still be asked, and there is no time for it. */
  readonly late?: true;
}

export interface Situation {
  readonly plan: Plan;
  readonly attempts: readonly Attempt[];
  readonly snapshot: Snapshot;
  readonly view: PlanningView;
  /** Monotonic; no attempt starts with less than a tenth of the whole time left. */
  readonly deadlineAtMs: number;
  /** 0..1, for jitter. */
  readonly chance: number;
  /** Rotates over the credentials of a provider. */
  readonly turn: number;
  /** What this very request did to providers; absent: nothing is known but the attempts of this call. */
  readonly danger?: Danger;
  /** Asked once, and only when a further attempt would be made. */
  readonly mayRetry: () => boolean;
}

const backoffFirstMs = 500;
const backoffMostMs = 8_000;
const longestWaitMs = 10_000;

/** The next attempt of a call, by what the failures so far allow. Pure but for the budget it spends. */
export function nextCandidate(at: Situation): Step {
  // Who was only slower than another attempt of the call says nothing of what to do.
  const last = at.attempts.findLast(hasHadItsTurn);
  if (last === undefined) return first(at);
  const outcome = last.outcome;
  if (outcome.kind === "answered" && outcome.empty !== true) return { kind: "stop" };
  if (outcome.kind === "broken") return { kind: "stop" };
  const cause = outcome.kind === "failed" ? outcome.failure : undefined;
  const next = cause === undefined ? "elsewhere" : traitsOf(cause).next;
  // Doubts are bounded by the targets there are; only what failed is bounded by attempts, and paid from the retry budget.
  const isDoubted = outcome.kind === "doubted";
  const sent = at.attempts.filter(wasSent).length;
  if (at.attempts.some((each) => isFinal(each) && !isUnpaid(each))) return { kind: "stop" };
  if (killsConnections(at, last)) {
    const why = "Two providers lost the connection on this same request; it was not sent to a third.";
    return { kind: "stop", why: failure("query_of_death", why) };
  }
  const isSpent = !isDoubted && sent >= at.plan.maxAttempts;
  const candidate = isSpent ? lastRung(at, next) : orCheaper(at, () => choose(at, last, next));
  if (candidate.kind === "stop") return candidate;
  const leftMs = at.deadlineAtMs - at.view.nowMs - candidate.afterMs;
  if (leftMs < at.plan.timeouts.totalMs / 10) return { kind: "stop", late: true };
  // A retry budget spares providers, and a model of one's own is none.
  if (isDoubted || sent === 0 || isLastRung(candidate.target, at.view) || at.mayRetry()) return candidate;
  return lastRung(at, next);
}

/** Where a budget cannot pay for the others: whom the route names for that. */
function orCheaper(at: Situation, others: () => Step): Step {
  const isOver = at.attempts.some(isUnpaid);
  const step: Step = isOver ? { kind: "stop" } : others();
  if (step.kind !== "stop" || !at.attempts.some(lacksMoney)) return step;
  for (const planned of untried({ attempts: at.attempts, targets: at.plan.cheaper ?? [] })) {
    const { target, why } = planned;
    const credential = credentialFor(at, planned);
    if (credential !== undefined) return { kind: "try", target, credential, afterMs: 0, why, skipped: [] };
  }
  return step;
}

/** What is left when no more attempts are: a model of one's own, that waits for just this. */
function lastRung(at: Situation, next: Next): Step {
  if (next === "larger-window") return { kind: "stop" };
  for (const planned of untried({ attempts: at.attempts, targets: at.plan.targets })) {
    if (!isLastRung(planned.target, at.view)) continue;
    const { target, why } = planned;
    const credential = credentialFor(at, planned);
    if (credential !== undefined) return { kind: "try", target, credential, afterMs: 0, why, skipped: [] };
  }
  return { kind: "stop" };
}

/** Nobody else would do better with this call. Of two attempts at once the other may have ended otherwise before. */
export function isFinal({ outcome }: Attempt): boolean {
  return outcome.kind === "failed" && traitsOf(outcome.failure).next === "never";
}

/** Nobody was asked anything: the target has no word for the request, or the operator's limits had no room for it. */
const unsent: ReadonlySet<FailureKind> = new Set([
  "not_translatable",
  "account_full",
  "not_affordable",
  "budget_exceeded",
]);

/** One whose answer is doubted did not fail. */
export function wasSent({ outcome }: Attempt): boolean {
  if (outcome.kind === "doubted") return false;
  return outcome.kind !== "failed" || !unsent.has(outcome.failure.kind);
}

function first(at: Situation): Step {
  const { targets } = at.plan;
  for (const planned of at.danger?.proven === true ? knownToIt(targets, at.danger.killers) : targets) {
    const { target, why } = planned;
    const credential = credentialFor(at, planned);
    if (credential !== undefined) return { kind: "try", target, credential, afterMs: 0, why, skipped: [] };
  }
  // All were ready when the plan was made, a moment ago.
  const [only] = targets;
  const credential = only === undefined ? undefined : soonestCredential(at, only.target);
  if (only === undefined || credential === undefined) return { kind: "stop" };
  return { kind: "try", target: only.target, credential, afterMs: 0, why: only.why, skipped: [] };
}

/** A request that cost connections before is tried once more where it did, and nowhere else before that ends well. */
function knownToIt(targets: readonly PlannedTarget[], killers: readonly string[]): readonly PlannedTarget[] {
  const isKnown = ({ target }: PlannedTarget): boolean => killers.includes(target.provider);
  return [...targets.filter(isKnown), ...targets.filter((each) => !isKnown(each))];
}

function credentialFor(at: Situation, { target, parked }: PlannedTarget): string | undefined {
  return parked === true ? soonestCredential(at, target) : freeCredential(at, target);
}

/** Of a target that the plan has although it is parked: one that nobody asked us to spare, and that is back soonest. */
function soonestCredential(at: Situation, target: Target): string | undefined {
  let soonest: { readonly credential: string; readonly state: Parked["state"] } | undefined;
  for (const credential of credentialsOf(at, target)) {
    const place = placeOf({ provider: target.provider, model: target.model, credential }, at.plan.operation);
    const state = at.view.health.readiness(place, at.view.nowMs);
    if (state.kind === "ready") return credential;
    if (!mayPanic(state)) continue;
    if (soonest === undefined || compareParked(state, soonest.state) < 0) soonest = { credential, state };
  }
  return soonest?.credential;
}

function choose(at: Situation, last: Attempt, next: string): Step {
  if (next === "other-credential") {
    const { target } = last;
    const credential = freeCredential(at, target);
    const why = `another account than ${last.credential}`;
    if (credential !== undefined) return { kind: "try", target, credential, afterMs: 0, why, skipped: [] };
  }
  const remaining = untried({ attempts: at.attempts, targets: at.plan.targets }).filter(
    ({ target }) => next !== "larger-window" || isLarger(target, last.target),
  );
  const failed = [...at.attempts.flatMap(failedOf), ...at.plan.failing];
  const { order: apart, barred: skipped } = spreadOut(remaining, failed, { rule: at.plan.spread, risk: at.view });
  const ranking = { risk: at.view, outlookOf: outlooks(at.plan.operation, at.view) };
  // Whom a doubt is answered by is a question of likeness, not of who is up.
  const bySuccess = at.plan.order === "success" && last.outcome.kind !== "doubted";
  const order = bySuccess ? rankBySuccess(apart, failed, ranking) : apart;
  for (const planned of slowLast(order, at.attempts)) {
    const { target, why } = planned;
    const credential = credentialFor(at, planned);
    if (credential !== undefined) return { kind: "try", target, credential, afterMs: 0, why, skipped };
  }
  const same = next === "larger-window" ? undefined : sameAgain(at, last);
  return same ?? { kind: "stop", skipped };
}

/** An empty answer is no fault, and what a client was shown a part of is not tried again. */
function failedOf({ target, outcome }: Attempt): readonly FailedTarget[] {
  if (outcome.kind === "doubted") return [{ target, cause: "low_confidence" }];
  return outcome.kind === "failed" ? [{ target, cause: outcome.failure.kind }] : [];
}

/** Whoever was only slower than another gave no answer, and may still be asked for one when the other's is doubted. */
export function hasHadItsTurn({ outcome }: Attempt): boolean {
  return outcome.kind !== "outrun";
}

interface Untried {
  readonly attempts: readonly Attempt[];
  readonly targets: readonly PlannedTarget[];
}

function untried({ attempts, targets }: Untried): readonly PlannedTarget[] {
  const tried = new Set(attempts.filter(hasHadItsTurn).map((attempt) => attempt.target.id));
  return targets.filter(({ target }) => !tried.has(target.id));
}

/** Whoever was too slow in this call already comes after those who were not asked in it. */
function slowLast(order: readonly PlannedTarget[], attempts: readonly Attempt[]): readonly PlannedTarget[] {
  const slow = new Set(attempts.filter((each) => !hasHadItsTurn(each)).map(({ target }) => target.id));
  if (slow.size === 0) return order;
  return order.toSorted((a, b) => Number(slow.has(a.target.id)) - Number(slow.has(b.target.id)));
}

function isLarger(target: Target, than: Target): boolean {
  const window = target.traits?.contextTokens;
  return window !== undefined && window > (than.traits?.contextTokens ?? 0);
}

/** Only where the plan has a sole target, once, and only for what a moment can cure. */
function sameAgain(at: Situation, last: Attempt): Candidate | undefined {
  const before = at.attempts.filter((each) => each.credential === last.credential).length;
  const [only, ...others] = at.plan.targets;
  // What is parked and asked for want of anybody else gets one call at a time, not two.
  if (only === undefined || only.parked === true || others.length > 0 || before > 1) return undefined;
  if (last.outcome.kind === "answered") return again(last, 0);
  if (last.outcome.kind !== "failed") return undefined;
  const { failure: cause } = last.outcome;
  if (cause.kind === "rate_limited" || cause.kind === "upstream_overloaded") {
    const waitMs = cause.retryAfterMs;
    const leftMs = at.deadlineAtMs - at.view.nowMs;
    return waitMs !== undefined && waitMs <= Math.min(longestWaitMs, leftMs / 2) ? again(last, waitMs) : undefined;
  }
  const curable = ["upstream_failed", "upstream_transient", "unreachable", "unresolvable", "connection_lost"];
  const hopeful = [...curable, "truncated_response", "empty_completion", "bad_upstream_response"];
  if (!hopeful.includes(cause.kind)) return undefined;
  const most = Math.min(backoffFirstMs * 2 ** (at.attempts.length - 1), backoffMostMs);
  return again(last, Math.round(at.chance * most));
}

function again(last: Attempt, afterMs: number): Candidate {
  const why = "the only target, once more";
  return { kind: "try", target: last.target, credential: last.credential, afterMs, why, skipped: [] };
}

/** A request that makes two providers drop the connection is likelier at fault than both of them. */
function killsConnections({ attempts, danger }: Situation, last: Attempt): boolean {
  if (!lostConnection(last)) return false;
  const killers = danger?.killers ?? attempts.filter(lostConnection).map(({ target }) => target.provider);
  return new Set(killers).size >= 2;
}

function lostConnection({ outcome }: Attempt): boolean {
  return outcome.kind === "failed" && outcome.failure.kind === "connection_lost";
}

function credentialsOf(at: Pick<Situation, "snapshot">, target: Target): readonly string[] {
  const ids = at.snapshot.providers.get(target.provider)?.credentials.map((each) => each.id) ?? [];
  return ids.length === 0 ? [`${target.provider}#0`] : ids;
}

/** A credential that was not used for this target in this call and is not parked, in rotation. */
export function freeCredential(at: Omit<Situation, "mayRetry">, target: Target): string | undefined {
  const before = at.attempts.filter((each) => each.target.id === target.id && hasHadItsTurn(each));
  const used = new Set(before.map((each) => each.credential));
  const all = credentialsOf(at, target);
  for (let step = 0; step < all.length; step += 1) {
    const credential = all[(at.turn + step) % all.length];
    if (credential === undefined || used.has(credential)) continue;
    const place = placeOf({ provider: target.provider, model: target.model, credential }, at.plan.operation);
    if (at.view.health.readiness(place, at.view.nowMs).kind === "ready") return credential;
  }
  return undefined;
}
