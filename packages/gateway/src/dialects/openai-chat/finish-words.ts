import type { Finish, FinishReason } from "#domain/answer";

const reasons: ReadonlyMap<string, FinishReason> = new Map([
  ["stop", "stop"],
  ["length", "length"],
  ["max_tokens", "length"],
  // Mistral: the context window is full.
  ["model_length", "context"],
  ["tool_calls", "tools"],
  ["function_call", "tools"],
  ["content_filter", "policy"],
]);

/** Words with which upstreams say, inside a 200, that they broke the answer off (OpenRouter, DeepSeek). */
const broken: ReadonlySet<string> = new Set(["error", "insufficient_system_resource"]);

export function isBrokenOff(raw: string): boolean {
  return broken.has(raw);
}

/**
 * What a `finish_reason` means. Some upstreams say `stop` when tools are wanted, so the calls that were seen decide.
 * No word at all counts as a natural end, which the caller must have found otherwise. Words nobody documented count as a natural end, with the word kept.
 */
export function readFinish(
  raw: string | undefined,
  seen: { readonly toolCalls: boolean; readonly stopSequence?: string },
): Finish {
  if (raw === undefined) return { reason: seen.toolCalls ? "tools" : "stop" };
  const reason = reasons.get(raw) ?? "stop";
  if (reason === "stop" && seen.toolCalls) return { reason: "tools", raw };
  if (reason !== "stop" || seen.stopSequence === undefined) return { reason, raw };
  return { reason: "stop-sequence", raw, stopSequence: seen.stopSequence };
}

/** OpenAI's closed set, from the common words: the SDKs accept no other. */
export const finishWords = {
  stop: "stop",
  "stop-sequence": "stop",
  length: "length",
  context: "length",
  tools: "tool_calls",
  policy: "content_filter",
  paused: "stop",
  malformed: "stop",
} as const satisfies Record<FinishReason, string>;
