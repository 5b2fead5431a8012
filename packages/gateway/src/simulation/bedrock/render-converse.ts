import type { SimulatedAnswer, SimulatedUsage, Wording } from "#simulation/answer";
import type { Issuer } from "#simulation/issuer";
import { strings } from "#simulation/received-request";
import { inputOf } from "#simulation/render-messages";
import type { Saying } from "#simulation/voice";

const stopWords: Readonly<Record<string, string>> = {
  stop: "end_turn",
  "stop-sequence": "stop_sequence",
  length: "max_tokens",
  context: "model_context_window_exceeded",
  tools: "tool_use",
  policy: "guardrail_intervened",
  malformed: "malformed_model_output",
};

export const converseMetrics = { latencyMs: 120 };

/** A whole answer: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html */
export function renderConverse(answer: SimulatedAnswer, wording: Wording, saying: Saying): object {
  const content: object[] = [];
  if (answer.reasoning !== undefined) content.push({ reasoningContent: thought(answer.reasoning, saying.issuer) });
  const text = [...answer.pieces()].join("") + (answer.refusal ?? "");
  if (text !== "") content.push({ text });
  for (const { id, name, argumentsJson } of answer.toolCalls) {
    content.push({ toolUse: { toolUseId: id, name, input: inputOf(argumentsJson) } });
  }
  return {
    metrics: converseMetrics,
    output: { message: { content, role: "assistant" } },
    ...finish(answer, wording, saying),
    ...(wording.omitUsage === true ? {} : { usage: converseUsage(answer.usage) }),
  };
}

/** `redactedContent` is bytes, so base64 in JSON. */
function thought({ text, seal }: NonNullable<SimulatedAnswer["reasoning"]>, issuer: Issuer): object {
  if (seal === "redacted") return { redactedContent: redacted(text, issuer) };
  return { reasoningText: { text, ...(seal === "signature" ? { signature: issuer.sign(text) } : {}) } };
}

export function redacted(text: string, issuer: Issuer): string {
  return Buffer.from(issuer.seal(text)).toString("base64");
}

/** The stop reason, and of the model's own fields those that were asked for. */
export function finish(answer: SimulatedAnswer, wording: Wording, { request: { json } }: Saying): object {
  if (wording.omitFinish === true) return {};
  const stopSequence = answer.stopSequence ?? null;
  const paths = strings(json["additionalModelResponseFieldPaths"]);
  const fields = {
    ...(paths.includes("/stop_sequence") ? { stop_sequence: stopSequence } : {}),
    ...(paths.includes("/delta/stop_sequence") ? { delta: { stop_sequence: stopSequence } } : {}),
  };
  return {
    stopReason: stopWords[answer.finish] ?? answer.finish,
    ...(Object.keys(fields).length === 0 ? {} : { additionalModelResponseFields: fields }),
  };
}

/** `inputTokens` is without the cache, `totalTokens` with it. */
export function converseUsage({ input, cacheRead, cacheWrite, output, reasoning }: SimulatedUsage): object {
  const said = output + reasoning;
  return {
    inputTokens: input,
    outputTokens: said,
    totalTokens: input + cacheRead + cacheWrite + said,
    cacheReadInputTokens: cacheRead,
    cacheWriteInputTokens: cacheWrite,
  };
}
