import type { Call } from "#domain/call";
import type { Plan, Target } from "#domain/plan";
import type { Snapshot } from "#domain/snapshot";
import { findKind } from "#providers/kinds";
import { waysOf } from "./find-lane.ts";

/** Whether a target has the operation at all, in a language this version has. */
export function canAsk(target: Target, call: Call, snapshot: Snapshot): boolean {
  const spec = snapshot.providers.get(target.provider);
  const kind = spec === undefined ? undefined : findKind(spec.kind);
  return spec !== undefined && kind !== undefined && waysOf({ call, target, spec, kind }).length > 0;
}

/**
 * The plan without the targets that lack the operation: to pass them over is no recovery from a failure. Where all lack
 * it they stay, so that the answer says what they lack.
 */
export function withAbleTargets(made: Plan, call: Call, snapshot: Snapshot): Plan {
  // Everybody can be asked for an answer, and most calls are for one.
  if (call.operation === "generate") return made;
  const cheaper = made.cheaper?.filter(({ target }) => canAsk(target, call, snapshot));
  const plan = cheaper === undefined ? made : { ...made, cheaper };
  const able = plan.targets.filter(({ target }) => canAsk(target, call, snapshot));
  if (able.length === 0 || able.length === plan.targets.length) return plan;
  const left = plan.targets.filter((each) => !able.includes(each));
  const skipped = left.map(({ target }) => ({ target: target.id, why: `has no such operation (${call.operation})` }));
  return { ...plan, targets: able, skipped: [...plan.skipped, ...skipped] };
}
