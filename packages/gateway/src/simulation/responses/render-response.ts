import { logprobsOfAll, type SimulatedAnswer, type SimulatedUsage, type Wording } from "#simulation/answer";
import { object, strings } from "#simulation/received-request";
import type { JsonObject } from "#simulation/received-request";
import type { Saying } from "#simulation/voice";

export type OutputItem = Readonly<Record<string, unknown>> & { readonly id: string; readonly type: string };

/** A whole answer: https://platform.openai.com/docs/api-reference/responses/object */
export function renderResponse(answer: SimulatedAnswer, wording: Wording, saying: Saying): object {
  return finishedResponse(answer, wording, saying);
}

export function finishedResponse(answer: SimulatedAnswer, wording: Wording, saying: Saying): JsonObject {
  const status = wording.omitFinish === true ? { status: "in_progress" } : finishOf(answer);
  return {
    ...openResponse(answer, saying),
    ...status,
    completed_at: answer.createdAtS,
    output: outputItems(answer, saying),
    usage: wording.omitUsage === true ? null : responseUsage(answer.usage),
  };
}

/** A response as lifecycle events show it before anything was said: every field the schema requires. */
export function openResponse(answer: SimulatedAnswer, { request: { json } }: Saying): JsonObject {
  const text = object(json["text"]);
  return {
    id: answer.id,
    object: "response",
    created_at: answer.createdAtS,
    status: "in_progress",
    background: json["background"] ?? false,
    error: null,
    incomplete_details: null,
    instructions: json["instructions"] ?? null,
    max_output_tokens: json["max_output_tokens"] ?? null,
    max_tool_calls: json["max_tool_calls"] ?? null,
    model: answer.model,
    output: [],
    parallel_tool_calls: json["parallel_tool_calls"] ?? true,
    previous_response_id: json["previous_response_id"] ?? null,
    prompt_cache_key: json["prompt_cache_key"] ?? null,
    reasoning: { effort: null, summary: null, ...object(json["reasoning"]) },
    safety_identifier: json["safety_identifier"] ?? null,
    service_tier: "default",
    store: json["store"] ?? true,
    temperature: json["temperature"] ?? 1,
    text: { format: { type: "text" }, verbosity: "medium", ...text },
    tool_choice: json["tool_choice"] ?? "auto",
    tools: json["tools"] ?? [],
    top_logprobs: json["top_logprobs"] ?? 0,
    top_p: json["top_p"] ?? 1,
    truncation: json["truncation"] ?? "disabled",
    usage: null,
    user: json["user"] ?? null,
    metadata: json["metadata"] ?? {},
  };
}

function outputItems(answer: SimulatedAnswer, saying: Saying): readonly OutputItem[] {
  const items: OutputItem[] = [];
  const { reasoning, refusal } = answer;
  if (reasoning !== undefined) items.push(reasoningItem(answer, reasoning, saying));
  const text = [...answer.pieces()].join("");
  if (text !== "") items.push(messageItem(answer, [{ ...textPart, logprobs: logprobsOfAll(answer) ?? [], text }]));
  if (refusal !== undefined) items.push(refusalItem(answer, refusal));
  for (const [index, call] of answer.toolCalls.entries()) items.push(callItem(answer, call, index));
  return items;
}

export const textPart = { type: "output_text", annotations: [], logprobs: [], text: "" } as const;

/** Only who asks for the sealed content gets it, and only the issuer takes it back, under the same id. */
export function reasoningItem(
  answer: SimulatedAnswer,
  { text, seal }: NonNullable<SimulatedAnswer["reasoning"]>,
  { issuer, request: { json } }: Saying,
): OutputItem {
  const id = `rs_${answer.id}`;
  const asked = strings(json["include"]).includes("reasoning.encrypted_content") && seal !== "none";
  const sealed = asked ? { encrypted_content: issuer.seal(`${id}\0${text}`, "encrypted-reasoning") } : {};
  return { id, type: "reasoning", summary: seal === "redacted" ? [] : summaryOf(text), ...sealed };
}

function summaryOf(text: string): readonly object[] {
  return text === "" ? [] : [{ type: "summary_text", text }];
}

export function messageItem(answer: SimulatedAnswer, content: readonly object[], status = "completed"): OutputItem {
  return { id: `msg_${answer.id}`, type: "message", status, role: "assistant", content };
}

export function refusalItem(answer: SimulatedAnswer, refusal: string): OutputItem {
  return { ...messageItem(answer, [{ type: "refusal", refusal }]), id: `msg_${answer.id}_refusal` };
}

export function callItem(
  answer: SimulatedAnswer,
  { id: callId, name, argumentsJson }: SimulatedAnswer["toolCalls"][number],
  index: number,
): OutputItem {
  const id = `fc_${answer.id}_${index}`;
  return { id, type: "function_call", status: "completed", call_id: callId, name, arguments: argumentsJson };
}

/** A raw finish word becomes the status as it is. */
function finishOf({ finish }: SimulatedAnswer): {
  readonly status: string;
  readonly incomplete_details?: object;
  readonly error?: object;
} {
  switch (finish) {
    case "stop":
    case "stop-sequence":
    case "tools":
    case "paused":
      return { status: "completed" };
    case "length":
    case "context":
      return { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } };
    case "policy":
      return { status: "incomplete", incomplete_details: { reason: "content_filter" } };
    case "malformed":
    case "error":
      return { status: "failed", error: { code: "server_error", message: "The model produced invalid content." } };
    default:
      return { status: finish };
  }
}

/** Responses counts inclusively, like Chat, under other names. */
function responseUsage(usage: SimulatedUsage): object {
  const input = usage.input + usage.cacheRead + usage.cacheWrite;
  const output = usage.output + usage.reasoning;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: usage.cacheRead, cache_write_tokens: usage.cacheWrite },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: usage.reasoning },
    total_tokens: input + output,
  };
}
