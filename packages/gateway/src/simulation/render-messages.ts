import type { SimulatedAnswer, SimulatedUsage, Wording } from "./answer.ts";
import type { Issuer } from "./issuer.ts";

const stopWords: Readonly<Record<string, string>> = {
  stop: "end_turn",
  "stop-sequence": "stop_sequence",
  length: "max_tokens",
  context: "model_context_window_exceeded",
  tools: "tool_use",
  policy: "refusal",
  paused: "pause_turn",
};

/** A whole answer: https://platform.claude.com/docs/en/api/messages/create */
export function renderMessage(answer: SimulatedAnswer, wording: Wording, issuer: Issuer): object {
  const content: object[] = [];
  if (answer.reasoning !== undefined) content.push(thought(answer.reasoning, issuer));
  const text = [...answer.pieces()].join("") + (answer.refusal ?? "");
  if (text !== "") content.push({ type: "text", text, citations: null });
  for (const call of answer.toolCalls) content.push({ ...toolUse(call), input: inputOf(call.argumentsJson) });
  return {
    ...emptyMessage(answer),
    content,
    stop_reason: stopReason(answer, wording),
    stop_sequence: answer.stopSequence ?? null,
    ...(wording.omitUsage === true ? {} : { usage: messagesUsage(answer.usage) }),
  };
}

export function thought(reasoning: NonNullable<SimulatedAnswer["reasoning"]>, issuer: Issuer): object {
  const { text, seal } = reasoning;
  if (seal === "redacted") return { type: "redacted_thinking", data: issuer.seal(text) };
  return { type: "thinking", thinking: text, signature: seal === "signature" ? issuer.sign(text) : "" };
}

export function toolUse(call: SimulatedAnswer["toolCalls"][number]): object {
  return { type: "tool_use", id: call.id, name: call.name, caller: { type: "direct" } };
}

/** Arguments that are broken on purpose have no place in a whole answer's `input` object. */
export function inputOf(argumentsJson: string): unknown {
  try {
    return JSON.parse(argumentsJson === "" ? "{}" : argumentsJson);
  } catch {
    return { INVALID_JSON: argumentsJson };
  }
}

export function emptyMessage(answer: SimulatedAnswer): object {
  return {
    id: answer.id,
    type: "message",
    role: "assistant",
    model: answer.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
  };
}

export function stopReason(answer: SimulatedAnswer, wording: Wording): string | null {
  return wording.omitFinish === true ? null : (stopWords[answer.finish] ?? answer.finish);
}

/** Anthropic counts apart: `input_tokens` is without what was read from or written to the cache. */
export function messagesUsage(usage: SimulatedUsage): object {
  return {
    input_tokens: usage.input,
    cache_creation_input_tokens: usage.cacheWrite,
    cache_read_input_tokens: usage.cacheRead,
    cache_creation: { ephemeral_5m_input_tokens: usage.cacheWrite, ephemeral_1h_input_tokens: 0 },
    output_tokens: usage.output + usage.reasoning,
    output_tokens_details: { thinking_tokens: usage.reasoning },
    service_tier: "standard",
  };
}
