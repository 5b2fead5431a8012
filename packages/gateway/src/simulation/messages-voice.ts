import type { CallAddress } from "#domain/call";
import { errorMessages } from "./error-kind.ts";
import type { ErrorKind } from "./behaviour.ts";
import { checkMessages } from "./check-messages.ts";
import {
  lastUserText,
  modelOf,
  object,
  objects,
  present,
  strings,
  textsOf,
  toolChoiceOf,
  type JsonObject,
  type RequestContent,
} from "./received-request.ts";
import { renderMessage } from "./render-messages.ts";
import { messagesStream } from "./stream-messages.ts";
import type { Voice } from "./voice.ts";

/** Status and type. Source: https://platform.claude.com/docs/en/api/errors */
const errors: Readonly<Record<ErrorKind, readonly [status: number, type: string]>> = {
  "invalid-request": [400, "invalid_request_error"],
  authentication: [401, "authentication_error"],
  permission: [403, "permission_error"],
  "not-found": [404, "not_found_error"],
  "too-large": [413, "request_too_large"],
  "rate-limit": [429, "rate_limit_error"],
  quota: [402, "billing_error"],
  server: [500, "api_error"],
  timeout: [504, "timeout_error"],
  overloaded: [529, "overloaded_error"],
};

const createdAt = new Date(Date.UTC(2026, 0, 1)).toISOString();

/** Anthropic Messages: https://platform.claude.com/docs/en/api/messages */
export const messagesVoice: Voice = {
  dialect: "anthropic-messages",
  requestIdHeader: "request-id",
  idPrefixes: { answer: "msg_sim", toolCall: "toolu_sim" },
  read: readMessages,
  check: ({ json, headers, operation }, rules) =>
    checkMessages(json, { ...rules, headers, counting: operation === "count-tokens" }),
  errorStatus: (kind) => errors[kind][0],
  errorBody: ({ kind, message = errorMessages[kind], requestId }) => ({
    type: "error",
    error: { type: errors[kind][1], message },
    request_id: requestId,
  }),
  renderWhole: (answer, wording, { issuer }) => renderMessage(answer, wording, issuer),
  stream: (answer, wording, { issuer }) => messagesStream(answer, wording, { issuer }),
  modelCard: messagesModelCard,
  modelList: (names) => ({
    data: names.map(messagesModelCard),
    first_id: names[0] ?? null,
    last_id: names.at(-1) ?? null,
    has_more: false,
  }),
};

function messagesModelCard(name: string): object {
  return { type: "model", id: name, display_name: `Simulated ${name}`, created_at: createdAt };
}

export function readMessages(json: JsonObject, address: CallAddress): RequestContent {
  const messages = objects(json["messages"]);
  const results = objects(messages.at(-1)?.["content"]).filter((block) => block["type"] === "tool_result");
  return present<RequestContent>({
    model: modelOf(json, address),
    streamed: address.streamed ?? json["stream"] === true,
    promptText: [json["system"], ...messages.map((message) => message["content"])].flatMap(textsOf).join("\n"),
    lastUserText: lastUserText(messages),
    toolResults: results.map((block) => textsOf(block["content"]).join("\n")),
    tools: objects(json["tools"]).flatMap(({ name, input_schema: schema }) =>
      typeof name === "string" ? [{ name, schema }] : [],
    ),
    toolChoice: toolChoiceOf(json["tool_choice"]),
    outputSchema: object(object(json["output_config"])?.["format"])?.["schema"],
    maxOutputTokens: typeof json["max_tokens"] === "number" ? json["max_tokens"] : undefined,
    stop: strings(json["stop_sequences"]),
    thinking: thinkingOf(object(json["thinking"])),
    usageAsked: true,
  });
}

function thinkingOf(thinking: JsonObject | undefined): RequestContent["thinking"] {
  if (thinking?.["type"] !== "enabled" && thinking?.["type"] !== "adaptive") return undefined;
  return thinking["display"] === "omitted" ? "omitted" : "shown";
}
