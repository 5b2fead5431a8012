import type { Finish, FinishReason } from "#domain/answer";
import { isObject } from "#dialects/shape";

/** Converse's `StopReason` (Amazon's SDK 3.1164, 2026-11). */
const reasonOf: ReadonlyMap<string, FinishReason> = new Map([
  ["end_turn", "stop"],
  ["stop_sequence", "stop-sequence"],
  ["max_tokens", "length"],
  ["model_context_window_exceeded", "context"],
  ["tool_use", "tools"],
  ["content_filtered", "policy"],
  ["guardrail_intervened", "policy"],
  ["malformed_tool_use", "malformed"],
  ["malformed_model_output", "malformed"],
]);

/** `paused` has no word here: the nearest true one is that the turn is over, and the encoder warns. */
const wordOf: Readonly<Record<FinishReason, string>> = {
  stop: "end_turn",
  "stop-sequence": "stop_sequence",
  length: "max_tokens",
  context: "model_context_window_exceeded",
  tools: "tool_use",
  policy: "content_filtered",
  paused: "end_turn",
  malformed: "malformed_model_output",
};

/** A word this table does not know is taken as a natural end and kept in `raw`. */
export function finishOf(stopReason: string, additionalFields: unknown): Finish {
  const stopSequence = metSequence(additionalFields);
  return {
    reason: reasonOf.get(stopReason) ?? "stop",
    raw: stopReason,
    ...(stopSequence === undefined ? {} : { stopSequence }),
  };
}

/** Of a whole answer at `/stop_sequence`, of a streamed one at `/delta/stop_sequence` (recorded). */
function metSequence(fields: unknown): string | undefined {
  if (!isObject(fields)) return undefined;
  const delta = isObject(fields["delta"]) ? fields["delta"] : {};
  const sequence = fields["stop_sequence"] ?? delta["stop_sequence"];
  return typeof sequence === "string" ? sequence : undefined;
}

/** What an answer held when it ended: some languages say `stop` where this one has a word of its own. */
export interface AnswerContent {
  readonly tools: boolean;
  readonly refused: boolean;
}

export function stopReasonOf(finish: Finish | undefined, content: AnswerContent): string {
  const reason = finish?.reason ?? "stop";
  if (reason === "stop" && content.refused) return wordOf.policy;
  if (reason === "stop" && content.tools) return wordOf.tools;
  return wordOf[reason];
}

/** The additional fields a caller asked for by path; of a model's own, only the stop sequence is known to the hub. */
export function additionalFields(requestJson: unknown, finish: Finish | undefined): object | undefined {
  const paths: unknown = isObject(requestJson) ? requestJson["additionalModelResponseFieldPaths"] : undefined;
  if (!Array.isArray(paths)) return undefined;
  const sequence = { stop_sequence: finish?.stopSequence ?? null };
  const fields = {
    ...(paths.includes("/stop_sequence") ? sequence : {}),
    ...(paths.includes("/delta/stop_sequence") ? { delta: sequence } : {}),
  };
  return Object.keys(fields).length === 0 ? undefined : fields;
}
