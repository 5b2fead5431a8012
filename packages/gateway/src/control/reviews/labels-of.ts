import { callerOf } from "#domain/gateway-key";
import type { Label } from "#domain/confidence";
import type { ReviewState } from "#domain/review";

/**
 * What a person's decision says of the answers that were under review. Accepting one says nothing of the others: they may
 * say the same in other words. Nobody labels by letting a deadline pass.
 */
export function labelsOf(review: ReviewState): readonly Label[] {
  const { decision, candidates, callId, owner } = review;
  if (decision === undefined) return [];
  const label = (target: string, correct: number): Label => ({
    callId,
    target,
    correct,
    source: "review",
    weight: 1,
    // Every answer of a call that nobody was sure of comes to a person.
    propensity: 1,
    caller: callerOf(owner),
    atMs: decision.atMs,
    ...(decision.reason === undefined ? {} : { note: decision.reason }),
  });
  switch (decision.kind) {
    case "accepted":
      return decision.target === undefined ? [] : [label(decision.target, 1)];
    case "edited":
      return decision.target === undefined ? [] : [label(decision.target, 0)];
    case "written":
    case "rejected":
      return candidates.map(({ target }) => label(target, 0));
    case "expired":
      return [];
  }
}
