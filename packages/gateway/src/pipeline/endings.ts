import { failure, traitsOf, type Failure, type FailureKind } from "#domain/failure";
import type { Attempt } from "#domain/plan";
import type { Candidate } from "#policy/next-candidate";
import type { AttemptResult } from "./attempt-input.ts";
import type { JourneyEnd } from "./journey.ts";

export function endedFromOutside(why: Failure): JourneyEnd {
  return why.kind === "client_gone" ? { kind: "aborted", failure: why } : { kind: "refused", failure: why };
}

export function brokenOrAborted(result: AttemptResult, why: Failure): JourneyEnd {
  if (why.kind === "client_gone") return { kind: "aborted", failure: why, result };
  return result.committed ? { kind: "broken", failure: why, result } : { kind: "refused", failure: why };
}

/**
 * Which of several failures the caller is told: the one it can do something about, then what waiting cures (with the
 * shortest wait), then the last.
 */
export function worstOf(attempts: readonly Attempt[]): Failure {
  const failures = attempts.flatMap(({ outcome }) => (outcome.kind === "failed" ? [outcome.failure] : []));
  const last = failures.at(-1);
  if (last === undefined) return failure("no_capacity", "No target could be asked.");
  const callers = failures.find((each) => traitsOf(each).blame === "caller" && !ofOneTarget.has(each.kind));
  if (callers !== undefined) return callers;
  const curable = failures.filter((each) => traitsOf(each).again);
  const limited = curable.filter((each) => each.kind === "rate_limited" || each.kind === "slow_down");
  const waits = limited.flatMap((each) => (each.retryAfterMs === undefined ? [] : [each.retryAfterMs]));
  const [first] = limited;
  if (first !== undefined && limited.length === curable.length && waits.length > 0) {
    return { ...first, retryAfterMs: Math.min(...waits) };
  }
  return curable.at(-1) ?? last;
}

/** Not the caller's doing where somebody else could be asked. */
const ofOneTarget: ReadonlySet<FailureKind> = new Set(["not_translatable", "not_affordable"]);

export function notSent(step: Candidate, why: Failure, nowMs: number): Attempt {
  return {
    target: step.target,
    credential: step.credential,
    startedAtMs: nowMs,
    endedAtMs: nowMs,
    outcome: { kind: "failed", failure: why },
  };
}

/** Of attempts that ran at once: the one that has the call, else one that came to an end of its own, else the last. */
export function bestOf<T extends { readonly result: AttemptResult }>(ends: readonly T[]): T | undefined {
  const isAnswered = ({ result }: T): boolean => result.attempt.outcome.kind === "answered";
  const hasTheCall = ({ result: { committed, attempt } }: T): boolean =>
    committed || (attempt.outcome.kind === "answered" && attempt.outcome.empty !== true);
  const isDoubted = ({ result }: T): boolean => result.attempt.outcome.kind === "doubted";
  return ends.find(hasTheCall) ?? ends.find(isDoubted) ?? ends.find(isAnswered) ?? ends.at(-1);
}
