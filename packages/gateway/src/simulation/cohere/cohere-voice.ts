import { errorMessages } from "#simulation/error-kind";
import type { ErrorKind } from "#simulation/behaviour";
import {
  lastUserText,
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
import { checkCohere } from "./check-cohere.ts";
import { cohereStream } from "./stream-cohere.ts";
import { renderCohere } from "./render-cohere.ts";

/** Source: https://docs.cohere.com/reference/errors */
const statuses: Readonly<Record<ErrorKind, number>> = {
  "invalid-request": 400,
  authentication: 401,
  permission: 403,
  "not-found": 404,
  "too-large": 400,
  "rate-limit": 429,
  quota: 402,
  server: 500,
  timeout: 504,
  overloaded: 503,
};

/** Cohere Chat, version 2: https://docs.cohere.com/reference/chat */
export const cohereVoice: Voice = {
  dialect: "cohere-chat",
  requestIdHeader: "x-debug-trace-id",
  idPrefixes: { answer: "cohere-sim", toolCall: "call_sim" },
  read: readCohere,
  check: checkCohere,
  errorStatus: (kind) => statuses[kind],
  errorBody: ({ kind, message = errorMessages[kind], requestId }) => ({ id: requestId, message }),
  /** A stream says what went wrong in its last message. */
  inBandError: ({ kind, message = errorMessages[kind] }) => ({
    type: "message-end",
    delta: { error: message, finish_reason: "ERROR" },
  }),
  renderWhole: renderCohere,
  stream: cohereStream,
  modelCard: (name) => ({ name, endpoints: ["chat"], finetuned: false, context_length: 128_000 }),
  modelList: (names) => ({ models: names.map((name) => ({ name, endpoints: ["chat"] })) }),
};

function readCohere(json: JsonObject, address: CallAddress): RequestContent {
  const messages = objects(json["messages"]);
  const choice = json["tool_choice"];
  const limit = json["max_tokens"];
  return present<RequestContent>({
    model: modelOf(json, address),
    streamed: json["stream"] === true,
    promptText: messages.flatMap(({ content }) => textsOf(content)).join("\n"),
    lastUserText: lastUserText(messages),
    toolResults: lastResults(messages),
    tools: objects(json["tools"]).flatMap((tool) => {
      const described = object(tool["function"]);
      const name = described?.["name"];
      return typeof name === "string" ? [{ name, schema: described?.["parameters"] }] : [];
    }),
    toolChoice: toolChoiceOf(typeof choice === "string" ? choice.toLowerCase() : undefined),
    outputSchema: outputSchema(object(json["response_format"])),
    maxOutputTokens: typeof limit === "number" ? limit : undefined,
    stop: strings(json["stop_sequences"]),
    thinking: object(json["thinking"])?.["type"] === "enabled" ? "shown" : undefined,
    logprobs: json["logprobs"] === true ? 0 : undefined,
    usageAsked: true,
  });
}

function lastResults(messages: readonly JsonObject[]): readonly string[] {
  const results: string[] = [];
  for (const message of messages.toReversed()) {
    if (message["role"] !== "tool") break;
    const documents = objects(message["content"]).map(({ document }) => object(document)?.["data"]);
    const texts = [
      ...textsOf(message["content"]),
      ...documents.flatMap((data) => (data === undefined ? [] : [dataText(data)])),
    ];
    results.unshift(texts.join("\n"));
  }
  return results;
}

function dataText(data: unknown): string {
  return typeof data === "string" ? data : JSON.stringify(data);
}

function outputSchema(format: JsonObject | undefined): unknown {
  return format?.["type"] === "json_object" ? (format["schema"] ?? format["json_schema"] ?? true) : undefined;
}
