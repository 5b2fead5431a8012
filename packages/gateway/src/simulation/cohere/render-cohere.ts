import { logprobsOfAll, type SimulatedAnswer, type SimulatedUsage, type Wording } from "#simulation/answer";
import type { TokenEntry } from "#simulation/token-logprobs";

const finishWords: Readonly<Record<string, string>> = {
  stop: "COMPLETE",
  "stop-sequence": "STOP_SEQUENCE",
  length: "MAX_TOKENS",
  context: "MAX_TOKENS",
  tools: "TOOL_CALL",
  policy: "ERROR",
  paused: "COMPLETE",
  malformed: "ERROR",
};

/** A whole answer: https://docs.cohere.com/reference/chat#response */
export function renderCohere(answer: SimulatedAnswer, wording: Wording): object {
  const text = [...answer.pieces()].join("") + (answer.refusal ?? "");
  const thinking = answer.reasoning?.text ?? "";
  const content = [
    ...(thinking === "" ? [] : [{ type: "thinking", thinking }]),
    ...(text === "" ? [] : [{ type: "text", text }]),
  ];
  return {
    id: answer.id,
    message: {
      role: "assistant",
      ...(content.length === 0 ? {} : { content }),
      ...(answer.toolCalls.length === 0 ? {} : { tool_calls: answer.toolCalls.map(callOf) }),
    },
    ...finishOf(answer, wording),
    ...cohereLogprobs(logprobsOfAll(answer)),
    ...(wording.omitUsage === true ? {} : { usage: cohereUsage(answer.usage) }),
  };
}

/** Of each piece its tokens, of which here it has one. */
function cohereLogprobs(tokens: readonly TokenEntry[] | undefined): object {
  if (tokens === undefined || tokens.length === 0) return {};
  return { logprobs: tokens.map((token) => cohereToken(token)) };
}

export function cohereToken({ token, logprob, bytes }: TokenEntry): object {
  return { token_ids: [bytes.length], text: token, logprobs: [logprob] };
}

function callOf({ id, name, argumentsJson }: SimulatedAnswer["toolCalls"][number]): object {
  return { id, type: "function", function: { name, arguments: argumentsJson } };
}

export function finishOf(answer: SimulatedAnswer, wording: Wording): object {
  return wording.omitFinish === true ? {} : { finish_reason: finishWords[answer.finish] ?? answer.finish };
}

/** What is billed is without what the provider adds to prompts; `tokens` is with it. */
export function cohereUsage({ input, cacheRead, cacheWrite, output, reasoning }: SimulatedUsage): object {
  const prompt = input + cacheRead + cacheWrite;
  return {
    billed_units: { input_tokens: Math.max(0, prompt - 1), output_tokens: output },
    tokens: { input_tokens: prompt, output_tokens: output + reasoning },
    ...(cacheRead > 0 ? { cached_tokens: cacheRead } : {}),
  };
}
