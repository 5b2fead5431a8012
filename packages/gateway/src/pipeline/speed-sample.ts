import type { FailureKind } from "#domain/failure";
import type { Attempt } from "#domain/plan";
import type { SpeedSample } from "#policy/speeds";

const tooLate: ReadonlySet<FailureKind> = new Set(["first_byte_timeout", "first_content_timeout"]);
/** Shorter answers come in one piece, and say nothing of a rate. */
const shortestMs = 200;

/** What an attempt at a streamed answer shows of its target's speed; undefined: nothing. */
export function speedSample({ outcome, ...at }: Attempt): SpeedSample | undefined {
  const { startedAtMs, endedAtMs, firstContentAtMs } = at;
  if (firstContentAtMs === undefined) {
    const waited = outcome.kind === "outrun" || (outcome.kind === "failed" && tooLate.has(outcome.failure.kind));
    return waited ? { firstContentMs: endedAtMs - startedAtMs } : undefined;
  }
  const firstContentMs = firstContentAtMs - startedAtMs;
  const spentMs = endedAtMs - firstContentAtMs;
  const { usage } = outcome;
  if (outcome.kind !== "answered" || usage === undefined || usage.estimated || spentMs < shortestMs) {
    return { firstContentMs };
  }
  return { firstContentMs, tokensPerS: ((usage.output + usage.reasoning) / spentMs) * 1000 };
}
