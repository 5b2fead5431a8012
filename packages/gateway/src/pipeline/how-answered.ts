import type { Attempt, SkippedTarget, Target } from "#domain/plan";
import { isLastRung, type LadderView } from "#policy/ladder";

interface Travelled {
  readonly chosen: readonly SkippedTarget[];
  readonly attempts: readonly Attempt[];
  readonly view: LadderView;
}

/** In a word, for callers and records: whether the first who was asked answered. `answer` is absent until it is over. */
export function howAnswered(
  { chosen, attempts, view }: Travelled,
  target: Target,
  answer?: Attempt,
): "answered" | "recovered" | "escalated" | "degraded" {
  if (isLastRung(target, view) || target.whenSpent === true) return "degraded";
  if (attempts.some((each) => each !== answer && each.outcome.kind === "doubted")) return "escalated";
  const again = attempts.some((each) => each.target.id === target.id && each !== answer);
  return chosen[0]?.target === target.id && !again ? "answered" : "recovered";
}
