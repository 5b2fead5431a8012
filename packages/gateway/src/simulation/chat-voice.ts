import type { CallAddress } from "#domain/call";
import { errorMessages } from "./error-kind.ts";
import type { ErrorKind } from "./behaviour.ts";
import { checkChat } from "./check-chat.ts";
import {
  lastUserText,
  countOf,
  modelOf,
  object,
  objects,
  present,
  strings,
  textsOf,
  toolChoiceOf,
  type JsonObject,
  type ReceivedRequest,
  type RequestContent,
} from "./received-request.ts";
import { chatStream, renderChat, type ChatStreamWishes } from "./render-chat.ts";
import type { Voice } from "./voice.ts";

/** Status, type and code. Source: https://platform.openai.com/docs/guides/error-codes */
const errors: Readonly<Record<ErrorKind, readonly [status: number, type: string, code: string | null]>> = {
  "invalid-request": [400, "invalid_request_error", null],
  authentication: [401, "invalid_request_error", "invalid_api_key"],
  permission: [403, "invalid_request_error", "unsupported_country_region_territory"],
  "not-found": [404, "invalid_request_error", "model_not_found"],
  "too-large": [413, "invalid_request_error", "request_too_large"],
  "rate-limit": [429, "requests", "rate_limit_exceeded"],
  quota: [429, "insufficient_quota", "insufficient_quota"],
  server: [500, "server_error", null],
  timeout: [504, "server_error", "timeout"],
  overloaded: [503, "service_unavailable_error", "overloaded"],
};

const createdS = Date.UTC(2026, 0, 1) / 1000;

/** OpenAI Chat: https://platform.openai.com/docs/api-reference/chat */
export const chatVoice: Voice = {
  dialect: "openai-chat",
  requestIdHeader: "x-request-id",
  idPrefixes: { answer: "chatcmpl-sim", toolCall: "call_sim" },
  read: readChat,
  check: ({ json }, rules) => checkChat(json, rules),
  errorStatus: (kind) => errors[kind][0],
  errorBody({ kind, message = errorMessages[kind], param = null, code = errors[kind][2] }) {
    return { error: { message, type: errors[kind][1], param, code } };
  },
  renderWhole: (answer, wording, { habits }) => renderChat(answer, wording, habits),
  stream: (answer, wording, { request, habits }) =>
    chatStream(answer, wording, { ...streamWishes(request), ...habits }),
  modelCard: chatModelCard,
  modelList: (names) => ({ object: "list", data: names.map(chatModelCard) }),
};

function chatModelCard(name: string): object {
  return { id: name, object: "model", created: createdS, owned_by: "sim" };
}

export function streamWishes({ json, usageAsked }: ReceivedRequest): ChatStreamWishes {
  const obfuscation = object(json["stream_options"])?.["include_obfuscation"] !== false;
  return { usage: usageAsked, obfuscation };
}

/** Azure's paths name the deployment; its body then needs no model. */
function readChat(json: JsonObject, address: CallAddress): RequestContent {
  const messages = objects(json["messages"]);
  const maxOutputTokens = json["max_completion_tokens"] ?? json["max_tokens"];
  return present<RequestContent>({
    model: modelOf(json, address),
    streamed: json["stream"] === true,
    promptText: messages.flatMap((message) => textsOf(message["content"])).join("\n"),
    lastUserText: lastUserText(messages),
    toolResults: lastResults(messages),
    tools: objects(json["tools"]).flatMap((tool) => {
      const described = object(tool["function"]);
      const name = described?.["name"];
      return typeof name === "string" ? [{ name, schema: described?.["parameters"] }] : [];
    }),
    toolChoice: toolChoiceOf(json["tool_choice"]),
    outputSchema: outputSchema(object(json["response_format"])),
    maxOutputTokens: typeof maxOutputTokens === "number" ? maxOutputTokens : undefined,
    stop: typeof json["stop"] === "string" ? [json["stop"]] : strings(json["stop"]),
    thinking: undefined,
    logprobs: json["logprobs"] === true ? countOf(json["top_logprobs"]) : undefined,
    usageAsked: object(json["stream_options"])?.["include_usage"] === true,
  });
}

function lastResults(messages: readonly JsonObject[]): readonly string[] {
  const results: string[] = [];
  for (const message of messages.toReversed()) {
    if (message["role"] !== "tool") break;
    results.unshift(textsOf(message["content"]).join("\n"));
  }
  return results;
}

function outputSchema(format: JsonObject | undefined): unknown {
  if (format?.["type"] === "json_object") return true;
  return format?.["type"] === "json_schema" ? (object(format["json_schema"])?.["schema"] ?? true) : undefined;
}
