import type { Finish, FinishReason } from "#domain/answer";

/** Messages API `StopReason` (official SDK 1.12, 2026-11). `pause_turn`: the caller resends to continue. */
const reasonOf: ReadonlyMap<string, FinishReason> = new Map([
  ["end_turn", "stop"],
  ["stop_sequence", "stop-sequence"],
  ["max_tokens", "length"],
  ["model_context_window_exceeded", "context"],
  ["tool_use", "tools"],
  ["refusal", "policy"],
  ["pause_turn", "paused"],
]);

/** `malformed` has no word here: the nearest true one is that the turn is over, and the encoder warns. */
const wordOf: Readonly<Record<FinishReason, string>> = {
  stop: "end_turn",
  "stop-sequence": "stop_sequence",
  length: "max_tokens",
  context: "model_context_window_exceeded",
  tools: "tool_use",
  policy: "refusal",
  paused: "pause_turn",
  malformed: "end_turn",
};

/** A word this table does not know is taken as a natural end and kept in `raw`. */
export function finishOf(stopReason: string, stopSequence: unknown): Finish {
  return {
    reason: reasonOf.get(stopReason) ?? "stop",
    raw: stopReason,
    ...(typeof stopSequence === "string" ? { stopSequence } : {}),
  };
}

/** What an answer held when it ended: some languages say `stop` where this one has a word of its own. */
export interface AnswerContent {
  readonly tools: boolean;
  readonly refused: boolean;
}

export function stopReasonOf(finish: Finish | undefined, content: AnswerContent): string {
  const reason = finish?.reason ?? "stop";
  if (reason === "stop" && content.refused) return "refusal";
  if (reason === "stop" && content.tools) return "tool_use";
  return wordOf[reason];
}
