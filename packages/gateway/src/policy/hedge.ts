import type { AbortBilling } from "#domain/abort-billing";
import type { Operation } from "#domain/call";
import type { Plan, PlannedTarget, Target } from "#domain/plan";
import type { HedgeRule } from "#domain/snapshot";
import type { RiskGroup } from "#domain/supply";
import { sharesKind } from "#supply/overlap";
import type { Latency } from "./wishes.ts";

/** A 95th percentile is worth waiting for once so many calls have told of it. */
const fewestCallsForP95 = 50;
/** A plan for a wait shorter than this would hedge calls that are on their way already. */
const shortestMs = 1;

/** What is known of a call before its first attempt. */
export interface HedgeCase {
  readonly rule: HedgeRule;
  readonly plan: Plan;
  readonly first: Target;
  readonly operation: Operation;
  /** Attempts before this one. */
  readonly attempts: number;
  /** The request names tools, its own or the provider's. */
  readonly hasTools: boolean;
  /** A provider holds what the call goes on from. */
  readonly isHeld: boolean;
  /** What is known of how long the first target usually takes. */
  readonly latency: Latency | undefined;
  readonly groupsOf: (target: Target) => readonly RiskGroup[];
  readonly abortBilling: (target: Target) => AbortBilling;
}

export interface Hedge {
  readonly afterMs: number;
  /** Whom the second attempt may go to, in order. */
  readonly candidates: readonly PlannedTarget[];
}

/**
 * Whether and when a second attempt may start while the first is still waited for, and where. Only the first attempt of
 * a call for an answer is hedged; not where doing something twice would show, where a cancelled call is paid for in
 * full, or where both attempts would wait at the same operator.
 */
export function hedgeOf(of: HedgeCase): Hedge | undefined {
  const { rule, plan, first, operation, attempts } = of;
  if (operation !== "generate" || attempts > 0 || plan.maxAttempts < 2) return undefined;
  if (of.isHeld || (of.hasTools && !rule.sideEffects)) return undefined;
  if (of.abortBilling(first) === "runs") return undefined;
  const afterMs = rule.afterMs ?? usualMs(of.latency);
  if (afterMs === undefined) return undefined;
  const groups = of.groupsOf(first);
  const candidates = plan.targets.filter(
    ({ target, parked }) =>
      target.id !== first.id &&
      parked !== true &&
      !target.lastResort &&
      of.abortBilling(target) !== "runs" &&
      sharesKind(groups, of.groupsOf(target), "operator") === "none",
  );
  return candidates.length === 0 ? undefined : { afterMs: Math.max(shortestMs, Math.ceil(afterMs)), candidates };
}

function usualMs(latency: Latency | undefined): number | undefined {
  return latency === undefined || latency.calls < fewestCallsForP95 ? undefined : latency.p95Ms;
}

/** In words, for the record. */
export function hedgeReason({ afterMs: written }: HedgeRule, afterMs: number): string {
  const wait = `${Math.round(afterMs)} ms`;
  return written === undefined
    ? `hedge: no content within ${wait}, as 95 of 100 calls have it`
    : `hedge: no content within ${wait}`;
}
