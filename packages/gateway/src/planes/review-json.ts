import { callerOf } from "#domain/gateway-key";
import type { ReviewBrief } from "#control/reviews/review-rows";
import type { ReviewState } from "#domain/review";

/** Without the words of caller, models and reviewers' answers. */
export function writtenBrief(brief: ReviewBrief): object {
  const { id, callId, owner, route, status, scores } = brief;
  return {
    id,
    object: "hedgerow.review",
    status,
    request_id: callId,
    caller: callerOf(owner),
    route,
    ...times(brief),
    scores: scores.map(({ target, score, threshold, why }) => ({ target, score, threshold, why })),
    ...(brief.decision === undefined ? {} : { decision: writtenDecision(brief.decision) }),
  };
}

/** All of it, for reviewers. */
export function writtenReview(review: ReviewState): object {
  const { id, callId, owner, route, dialect, status, request, candidates, onTimeout, decision } = review;
  return {
    id,
    object: "hedgerow.review",
    status,
    request_id: callId,
    caller: callerOf(owner),
    route,
    dialect,
    ...times(review),
    on_timeout: onTimeout,
    request,
    candidates: candidates.map(({ target, text, answer, judgement }) => ({
      target,
      score: judgement?.score ?? null,
      threshold: judgement?.threshold,
      why: judgement?.why,
      text,
      answer,
    })),
    ...(decision === undefined ? {} : { decision: writtenDecision(decision) }),
  };
}

function times(
  of: Pick<ReviewBrief, "createdAtMs" | "deadlineAtMs" | "claimedBy" | "leaseUntilMs">,
): Readonly<Record<string, string>> {
  return {
    created_at: dateOf(of.createdAtMs),
    deadline_at: dateOf(of.deadlineAtMs),
    ...(of.claimedBy === undefined ? {} : { claimed_by: of.claimedBy }),
    ...(of.leaseUntilMs === undefined ? {} : { claimed_until: dateOf(of.leaseUntilMs) }),
  };
}

function writtenDecision(
  decision: NonNullable<ReviewBrief["decision"]> & { readonly text?: string },
): Readonly<Record<string, string>> {
  const { kind, target, text, reviewer, reason, atMs } = decision;
  return {
    kind,
    reviewer,
    ...(target === undefined ? {} : { target }),
    ...(text === undefined ? {} : { text }),
    ...(reason === undefined ? {} : { reason }),
    at: dateOf(atMs),
  };
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString();
}
