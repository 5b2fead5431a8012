import type { Finish, FinishReason } from "#domain/answer";

/** `FinishReason` of the official SDK (3.3, 2026-11) but STOP, whose meaning depends on the answer. */
const reasonOf: ReadonlyMap<string, FinishReason> = new Map([
  ["MAX_TOKENS", "length"],
  ...policyWords().map((word) => [word, "policy"] as const),
  ["CONTINUATION", "paused"],
  ["MALFORMED_FUNCTION_CALL", "malformed"],
  ["UNEXPECTED_TOOL_CALL", "malformed"],
  ["TOO_MANY_TOOL_CALLS", "malformed"],
  ["MISSING_THOUGHT_SIGNATURE", "malformed"],
  ["MALFORMED_RESPONSE", "malformed"],
  ["NO_IMAGE", "malformed"],
  ["OTHER", "malformed"],
]);

function policyWords(): readonly string[] {
  return [
    "SAFETY",
    "RECITATION",
    "LANGUAGE",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "IMAGE_OTHER",
    "MODEL_ARMOR",
    "ESCALATION",
    "PUP_LIMITED_DISABLED",
  ];
}

const wordOf: Readonly<Record<FinishReason, string>> = {
  stop: "STOP",
  "stop-sequence": "STOP",
  length: "MAX_TOKENS",
  context: "MAX_TOKENS",
  tools: "STOP",
  policy: "SAFETY",
  paused: "CONTINUATION",
  malformed: "MALFORMED_RESPONSE",
};

/**
 * Gemini says STOP for answers that call tools too, perhaps chunks after the call (318 of 321 recorded). A word this
 * table does not know is taken as a natural end and kept in `raw`.
 */
export function finishOf(word: string, callsTools: boolean): Finish {
  const reason = reasonOf.get(word) ?? (callsTools ? "tools" : "stop");
  return { reason, raw: word };
}

/** An answer in the model's own words of refusal is one that policy ended, whatever its language says. */
export function finishWord(finish: Finish | undefined, refused: boolean): string {
  const reason = finish?.reason ?? "stop";
  return refused && reason === "stop" ? wordOf.policy : wordOf[reason];
}
