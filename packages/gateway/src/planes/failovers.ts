import type { AttemptRecord } from "#domain/record";

/** Why another target was asked. */
type FailoverCause = "availability" | "confidence";

/**
 * Each step of a call from one target to another, by its cause: the one before had no answer, or one that was doubted. A
 * second try at the same target is none, nor is a hedge beside one that was only slow.
 */
export function failoversOf(attempts: readonly AttemptRecord[]): readonly FailoverCause[] {
  const forCaller = attempts.filter(({ role }) => role === undefined);
  return forCaller.flatMap((attempt, at) => {
    const next = forCaller[at + 1];
    if (next === undefined || next.target === attempt.target) return [];
    // An answer that was doubted and given in the end, as the best there was, has `answered`.
    if (attempt.outcome === "doubted" || attempt.judgement?.verdict === "doubted") return ["confidence"];
    return attempt.outcome === "failed" || attempt.outcome === "blocked" ? ["availability"] : [];
  });
}
