import { unbilledOperations } from "#domain/call";
import type { AttemptRecord, CallRecord, Decision } from "#domain/record";

/**
 * What an attempt's money went to. `answered`: the answer that the caller was given. `abandoned`: an answer that the client
 * did not wait for. `failed`: nothing that could be given, an empty answer that was asked for again among it. `aside`: a
 * second opinion or a judge. `none`: calls for which nobody was asked.
 */
export type SpendPart =
  | "answered"
  | "failed"
  | "broken"
  | "abandoned"
  | "outrun"
  | "doubted"
  | "aside"
  | "shadow"
  | "none";

const answering: ReadonlySet<Decision> = new Set([
  "answered",
  "recovered",
  "escalated",
  "degraded",
  "doubted",
  "deadline",
]);

/** The caller was given a whole answer, sure or not. */
export function isAnswered({ decision, committed }: CallRecord): boolean {
  return committed && answering.has(decision);
}

/** Whose answer decides how the call counts: the one that was given, else the last that was asked. From 0; -1 for nobody. */
export function decidingAttempt(record: CallRecord): number {
  const { attempts } = record;
  const given = isAnswered(record) ? attempts.findLastIndex((each) => isOwn(each) && each.outcome === "answered") : -1;
  return given >= 0 ? given : attempts.findLastIndex(isOwn);
}

export function partOf(record: CallRecord, index: number, deciding: number): SpendPart {
  const attempt = record.attempts[index];
  if (attempt === undefined) return "none";
  if (record.decision === "shadow") return "shadow";
  if (!isOwn(attempt)) return "aside";
  const { outcome, failure } = attempt;
  if (outcome === "answered") {
    if (!isAnswered(record)) return "abandoned";
    return index === deciding ? "answered" : "failed";
  }
  if (failure === "client_gone") return "abandoned";
  return outcome === "blocked" ? "failed" : outcome;
}

/** Something was used, and nobody knows what it cost. */
export function isUnpriced({ operation }: CallRecord, { usage, costNanoUsd, outcome }: AttemptRecord): boolean {
  if (costNanoUsd !== undefined || unbilledOperations.has(operation)) return false;
  // Who failed without a word of tokens used none; an answer always used some.
  return usage !== undefined || outcome === "answered" || outcome === "doubted" || outcome === "broken";
}

/** A confidence gate looked at one of a caller's answers. */
export function isGated({ decision, attempts }: CallRecord): boolean {
  return decision !== "shadow" && attempts.some(({ judgement }) => judgement !== undefined);
}

function isOwn({ role }: AttemptRecord): boolean {
  return role === undefined;
}
