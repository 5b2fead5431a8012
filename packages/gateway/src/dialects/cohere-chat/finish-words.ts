import type { Finish, FinishReason } from "#domain/answer";

const reasons: ReadonlyMap<string, FinishReason> = new Map([
  ["COMPLETE", "stop"],
  ["STOP_SEQUENCE", "stop-sequence"],
  ["MAX_TOKENS", "length"],
  ["TOOL_CALL", "tools"],
  // Of the first version, which some hosts still say.
  ["ERROR_LIMIT", "context"],
  ["ERROR_TOXIC", "policy"],
]);

/** Words with which Cohere says, inside a 200, that it broke the answer off. */
const broken: ReadonlySet<string> = new Set(["ERROR", "TIMEOUT", "USER_CANCEL"]);

export function isBrokenOff(raw: string): boolean {
  return broken.has(raw);
}

/** What a `finish_reason` means. The calls that were seen decide where it says nothing of them. */
export function readFinish(raw: string, hasCalls: boolean): Finish {
  const reason = reasons.get(raw) ?? "stop";
  return { reason: reason === "stop" && hasCalls ? "tools" : reason, raw };
}
