import { findKind } from "#providers/kinds";
import { isPlan } from "#policy/make-plan";
import { answerHeaders } from "./answer-headers.ts";
import type { Journey } from "./journey.ts";
import { languagesOf } from "./find-lane.ts";
import { estimateTokens } from "./observation.ts";

/**
 * Answers a token count by our own estimate where the target's language has no such operation; true when it did.
 * Nothing is sent anywhere and nothing is used, so there is no record of it either.
 */
export function answerTokenCount(journey: Journey): boolean {
  const { exchange, call, dialect, snapshot } = journey.input;
  const plan = journey.plan();
  if (!isPlan(plan)) return false;
  const able = plan.targets.some(({ target }) => {
    const spec = snapshot.providers.get(target.provider);
    const kind = spec === undefined ? undefined : findKind(spec.kind);
    return spec !== undefined && kind !== undefined && languagesOf({ call, target, spec, kind }).length > 0;
  });
  const [first] = plan.targets;
  if (able || first === undefined || dialect.encodeTokenCount === undefined) return false;
  journey.warnings = ["The token count is an estimate of four bytes a token: the target cannot count."];
  exchange.respond(200, { ...answerHeaders(journey.facts(first.target)), "content-type": "application/json" });
  exchange.end(dialect.encodeTokenCount(estimateTokens(call.body.length)));
  return true;
}
