import type { FailureKind } from "#domain/failure";
import { isPlan } from "#policy/make-plan";
import { canAsk } from "./able-targets.ts";
import type { Journey, JourneyEnd } from "./journey.ts";
import { estimateTokens } from "./observation.ts";

/** What says that a target cannot count, rather than that it could not this time. */
const cannotCount: ReadonlySet<FailureKind> = new Set([
  "not_translatable",
  "model_unavailable",
  "bad_upstream_response",
]);

/**
 * A token count by the target, where its language has such a thing and it is there; else by our own estimate, which
 * says so. Other failures are told as they are: a prompt nobody accepts has no count.
 */
export async function countTokens(journey: Journey): Promise<JourneyEnd> {
  if (!mayCount(journey)) return estimate(journey) ?? (await journey.travel());
  const end = await journey.travel();
  if (end.kind !== "refused") return end;
  // Whoever is known to lack it is not asked again for a while.
  const none =
    cannotCount.has(end.failure.kind) &&
    journey.attempts.every(({ outcome }) => outcome.kind === "failed" && cannotCount.has(outcome.failure.kind));
  return (none ? estimate(journey) : undefined) ?? end;
}

function mayCount(journey: Journey): boolean {
  const { call, snapshot } = journey.input;
  const plan = journey.plan();
  return !isPlan(plan) || plan.targets.some(({ target }) => canAsk(target, call, snapshot));
}

/** Undefined where the caller's language cannot be told a count. */
function estimate(journey: Journey): JourneyEnd | undefined {
  const { call, dialect } = journey.input;
  const plan = journey.plan();
  const target = isPlan(plan) ? plan.targets[0]?.target : journey.answerer();
  if (target === undefined || dialect.encodeTokenCount === undefined) return undefined;
  journey.estimated = true;
  journey.warnings = ["The token count is an estimate of four bytes a token: the target cannot count."];
  return { kind: "estimated", target, body: dialect.encodeTokenCount(estimateTokens(call.body.length)) };
}
