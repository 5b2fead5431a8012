import { errorMessages } from "#simulation/error-kind";
import type { ErrorKind } from "#simulation/behaviour";
import { chatVoice } from "#simulation/chat-voice";
import {
  countOf,
  modelOf,
  object,
  objects,
  present,
  strings,
  textsOf,
  toolChoiceOf,
} from "#simulation/received-request";
import type { JsonObject, RequestContent } from "#simulation/received-request";
import type { Voice } from "#simulation/voice";
import type { CallAddress } from "#domain/call";
import { checkResponses } from "./check-responses.ts";
import { renderResponse } from "./render-response.ts";
import { responseStream } from "./stream-response.ts";

/** Where Responses differs from Chat: an unknown model is a 400. */
const statuses: Partial<Readonly<Record<ErrorKind, number>>> = { "not-found": 400 };

/** In-band codes. Source: `ResponseErrorCode` and the `error` event (openai-node 7.57). */
const codes: Readonly<Record<ErrorKind, string>> = {
  "invalid-request": "invalid_prompt",
  authentication: "invalid_api_key",
  permission: "permission_denied",
  "not-found": "model_not_found",
  "too-large": "context_length_exceeded",
  "rate-limit": "rate_limit_exceeded",
  quota: "insufficient_quota",
  server: "server_error",
  timeout: "server_error",
  overloaded: "server_is_overloaded",
};

/** OpenAI Responses: https://platform.openai.com/docs/api-reference/responses */
export const responsesVoice: Voice = {
  ...chatVoice,
  dialect: "openai-responses",
  idPrefixes: { answer: "resp_sim", toolCall: "call_sim" },
  read: readResponses,
  check: ({ json, operation }, rules) => checkResponses(json, { ...rules, counting: operation === "count-tokens" }),
  errorStatus: (kind) => statuses[kind] ?? chatVoice.errorStatus(kind),
  inBandError: ({ kind, message = errorMessages[kind] }) => ({
    type: "error",
    code: codes[kind],
    message,
    param: null,
  }),
  renderWhole: renderResponse,
  stream: responseStream,
  countTokens: (tokens) => ({ object: "response.input_tokens", input_tokens: tokens }),
};

function readResponses(json: JsonObject, address: CallAddress): RequestContent {
  const items = objects(json["input"]);
  const said = typeof json["input"] === "string" ? [json["input"]] : items.flatMap(itemTexts);
  const user = items.findLast(({ role, content }) => role === "user" && textsOf(content).length > 0);
  return present<RequestContent>({
    model: modelOf(json, address),
    streamed: json["stream"] === true,
    promptText: [...textsOf(json["instructions"]), ...said].join("\n"),
    lastUserText: typeof json["input"] === "string" ? json["input"] : textsOf(user?.["content"]).join("\n"),
    toolResults: lastOutputs(items),
    tools: objects(json["tools"]).flatMap(({ name, parameters: schema, type }) =>
      type === "function" && typeof name === "string" ? [{ name, schema }] : [],
    ),
    toolChoice: toolChoiceOf(json["tool_choice"]),
    outputSchema: outputSchema(object(object(json["text"])?.["format"])),
    maxOutputTokens: typeof json["max_output_tokens"] === "number" ? json["max_output_tokens"] : undefined,
    stop: [],
    thinking: thinkingOf(object(json["reasoning"])),
    logprobs: asksLogprobs(json) ? countOf(json["top_logprobs"]) : undefined,
    usageAsked: true,
  });
}

function asksLogprobs(json: JsonObject): boolean {
  return strings(json["include"]).includes("message.output_text.logprobs") || countOf(json["top_logprobs"]) > 0;
}

function itemTexts(item: JsonObject): readonly string[] {
  return [...textsOf(item["content"]), ...textsOf(item["output"])];
}

function lastOutputs(items: readonly JsonObject[]): readonly string[] {
  const outputs: string[] = [];
  for (const item of items.toReversed()) {
    if (item["type"] !== "function_call_output") break;
    outputs.unshift(textsOf(item["output"]).join("\n"));
  }
  return outputs;
}

function outputSchema(format: JsonObject | undefined): unknown {
  if (format?.["type"] === "json_object") return true;
  return format?.["type"] === "json_schema" ? (format["schema"] ?? true) : undefined;
}

/** A thought's words are shown as a summary, and only to who asks for one. */
function thinkingOf(reasoning: JsonObject | undefined): RequestContent["thinking"] {
  const effort = reasoning?.["effort"];
  if (reasoning === undefined || effort === "none") return undefined;
  return typeof reasoning["summary"] === "string" ? "shown" : effort === undefined ? undefined : "omitted";
}
