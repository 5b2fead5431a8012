import type { Plan, Target } from "#domain/plan";
import type { HedgeRule } from "#domain/snapshot";
import { hedgeOf, type Hedge } from "#policy/hedge";
import { abortBillingOf } from "#providers/abort-billing";
import { groupsOfTargets } from "./groups-of.ts";
import type { JourneyInput } from "./journey.ts";

interface Asking {
  readonly plan: Plan;
  readonly first: Target;
  /** Attempts before this one. */
  readonly attempts: number;
}

/** Whether this call may have a second attempt while its first is still waited for. */
export function hedgeFor(
  { snapshot, plane, call, dialect, scan, thread }: JourneyInput,
  asking: Asking,
): (Hedge & { readonly rule: HedgeRule }) | undefined {
  const rule = snapshot.routes.get(asking.plan.route)?.hedge;
  if (rule === undefined) return undefined;
  const { first } = asking;
  const hedge = hedgeOf({
    ...asking,
    groupsOf: groupsOfTargets(snapshot, plane.clock.wallMs()),
    rule,
    operation: call.operation,
    hasTools: dialect.findNeeds(call.body, scan).tools === true,
    isHeld: thread?.heldBy !== undefined,
    latency: plane.speeds.of(speedKey(first.id, call.streamed), plane.clock.nowMs()),
    abortBilling: ({ provider }) => abortBillingOf(snapshot.providers.get(provider)?.kind ?? ""),
  });
  return hedge === undefined ? undefined : { ...hedge, rule };
}

/** An answer in one piece has its first content when all of it is written: another figure than that of a stream. */
export function speedKey(target: string, streamed: boolean): string {
  return streamed ? target : `${target} in one piece`;
}
