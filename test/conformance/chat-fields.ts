import type OpenAI from "openai";
import { ofType, type KeysOf, type Place, type Row } from "./field-fates.ts";

type Chat = OpenAI.Chat.ChatCompletionCreateParams;
const chatTop = {
  model: ["m", "own"],
  messages: [[{ role: "user", content: "hello" }], "own"],
  stream: [true, "own"],
  stream_options: [{ include_usage: true }, "own"],
  audio: [{ voice: "alloy", format: "wav" }, "refused"],
  frequency_penalty: [0.5, "dropped"],
  function_call: [{ name: "f" }, "carried"],
  functions: [[{ name: "g" }], "carried"],
  logit_bias: [{ "5": -100 }, "refused"],
  logprobs: [true, "refused"],
  max_completion_tokens: [99, "carried"],
  max_tokens: [99, "carried"],
  metadata: [{ a: "b" }, "dropped"],
  modalities: [["text", "audio"], "refused"],
  moderation: [{ model: "omni-moderation-latest" }, "refused"],
  n: [2, "refused"],
  parallel_tool_calls: [false, "carried"],
  prediction: [{ type: "content", content: "x" }, "dropped"],
  presence_penalty: [0.5, "dropped"],
  prompt_cache_key: ["k", "dropped"],
  prompt_cache_options: [{ mode: "explicit" }, "dropped"],
  prompt_cache_retention: ["24h", "dropped"],
  reasoning_effort: ["high", "mapped"],
  response_format: [{ type: "json_schema", json_schema: { name: "n", schema: { type: "object" } } }, "carried"],
  safety_identifier: ["u", "carried"],
  seed: [1, "dropped"],
  service_tier: ["flex", "dropped"],
  stop: [["END"], "carried"],
  store: [true, "dropped"],
  temperature: [0.5, "carried"],
  tool_choice: ["required", "carried"],
  tools: [[{ type: "function", function: { name: "g" } }], "carried"],
  top_logprobs: [2, "refused"],
  top_p: [0.5, "carried"],
  user: ["u", "carried"],
  verbosity: ["low", "dropped"],
  web_search_options: [{}, "dropped"],
} as const satisfies Record<KeysOf<Chat>, Row>;

const chatUser = {
  role: ["user", "own"],
  content: ["hello", "carried"],
  name: ["Ada", "dropped"],
} as const satisfies Record<keyof OpenAI.Chat.ChatCompletionUserMessageParam, Row>;

const chatDeveloper = {
  role: ["developer", "own"],
  content: ["hello", "carried"],
  name: ["Ada", "dropped"],
} as const satisfies Record<keyof OpenAI.Chat.ChatCompletionDeveloperMessageParam, Row>;

const chatAssistant = {
  role: ["assistant", "own"],
  content: ["hello", "carried"],
  name: ["Ada", "dropped"],
  audio: [{ id: "a" }, "dropped"],
  function_call: [{ name: "f", arguments: "{}" }, "carried"],
  refusal: ["no", "carried"],
  tool_calls: [[{ id: "b", type: "function", function: { name: "f", arguments: "{}" } }], "carried"],
} as const satisfies Record<keyof OpenAI.Chat.ChatCompletionAssistantMessageParam, Row>;

const chatTool = {
  role: ["tool", "own"],
  content: ["hello", "carried"],
  tool_call_id: ["b", "carried"],
} as const satisfies Record<keyof OpenAI.Chat.ChatCompletionToolMessageParam, Row>;

const chatText = {
  type: ["text", "own"],
  text: ["hello", "carried"],
  prompt_cache_breakpoint: [{ mode: "explicit" }, "carried"],
} as const satisfies Record<keyof OpenAI.Chat.ChatCompletionContentPartText, Row>;

const chatImage = {
  type: ["image_url", "own"],
  image_url: [{ url: "https://example.test/b.png" }, "carried"],
  prompt_cache_breakpoint: [{ mode: "explicit" }, "carried"],
} as const satisfies Record<keyof OpenAI.Chat.ChatCompletionContentPartImage, Row>;

const chatImageUrl = {
  url: ["https://example.test/a.png", "carried"],
  detail: ["high", "dropped"],
} as const satisfies Record<keyof OpenAI.Chat.ChatCompletionContentPartImage["image_url"], Row>;

const chatFile = {
  file_data: ["data:application/pdf;base64,JVBE", "carried"],
  file_id: ["file-1", "refused"],
  filename: ["a.pdf", "carried"],
} as const satisfies Record<keyof OpenAI.Chat.ChatCompletionContentPart.File["file"], Row>;

const chatParts = {
  text: [{ text: "hello" }, "carried"],
  image_url: [{ image_url: { url: "https://example.test/a.png" } }, "carried"],
  input_audio: [{ input_audio: { data: "AAAA", format: "wav" } }, "refused"],
  file: [{ file: { file_data: "data:application/pdf;base64,JVBE" } }, "carried"],
} as const satisfies Record<OpenAI.Chat.ChatCompletionContentPart["type"], Row>;

const chatFunction = {
  name: ["g", "carried"],
  description: ["d", "carried"],
  parameters: [{ type: "object", properties: { a: { type: "string" } } }, "carried"],
  strict: [true, "carried"],
} as const satisfies Record<keyof OpenAI.FunctionDefinition, Row>;

const chatTools = {
  function: [{ function: { name: "g" } }, "carried"],
  custom: [{ custom: { name: "c" } }, "refused"],
} as const satisfies Record<OpenAI.Chat.ChatCompletionTool["type"], Row>;

const chatToolCalls = {
  function: [{ id: "b", function: { name: "f", arguments: '{"a":1}' } }, "carried"],
  custom: [{ id: "b", custom: { name: "c", input: "x" } }, "refused"],
} as const satisfies Record<OpenAI.Chat.ChatCompletionMessageToolCall["type"], Row>;

const chatStream = {
  include_usage: [true, "own"],
  include_obfuscation: [false, "dropped"],
} as const satisfies Record<keyof OpenAI.Chat.ChatCompletionStreamOptions, Row>;

const chatFormats = {
  text: [{}, "own"],
  json_object: [{}, "mapped"],
  json_schema: [{ json_schema: { name: "n", schema: { type: "object" } } }, "carried"],
} as const satisfies Record<NonNullable<Chat["response_format"]>["type"], Row>;

const f = { type: "function", function: { name: "f" } } as const;
const callOfF = { role: "assistant", tool_calls: [{ id: "a", ...f, function: { name: "f", arguments: "{}" } }] };
const answered = [callOfF, { role: "tool", tool_call_id: "a", content: "1" }];
const question = { role: "user", content: "q" };
const goOn = { role: "user", content: "go on" };
const pngUrl = { url: "data:image/png;base64,iVBORw0KGgo" };
const textUri = "data:text/plain;base64,aGVsbG8=";

function chatBody(...messages: readonly object[]): object {
  return { model: "m", max_completion_tokens: 9000, tools: [f], messages };
}

function inPart(part: object): object {
  return chatBody({ role: "user", content: [{ type: "text", text: "q" }, part] });
}

/** What the official SDK (openai 7.57) documents of a chat request; its types say where a field is missing here. */
export const chatPlaces: readonly Place[] = [
  { name: "body", rows: chatTop, body: (fields) => ({ ...chatTopBase(fields), ...fields }) },
  { name: "messages[user]", rows: chatUser, body: (fields) => chatBody({ ...question, ...fields }) },
  {
    name: "messages[developer]",
    rows: chatDeveloper,
    body: (fields) => chatBody({ role: "developer", content: "s", ...fields }, question),
  },
  {
    name: "messages[assistant]",
    rows: chatAssistant,
    body: (fields) => chatBody(question, { role: "assistant", content: "a", ...fields }, goOn),
  },
  {
    name: "messages[tool]",
    rows: chatTool,
    body: (fields) => chatBody(question, callOfF, { ...answered[1], ...fields }),
  },
  { name: "content[text]", rows: chatText, body: (fields) => inPart({ type: "text", text: "t", ...fields }) },
  {
    name: "content[image_url]",
    rows: chatImage,
    body: (fields) => inPart({ type: "image_url", image_url: pngUrl, ...fields }),
  },
  {
    name: "content[image_url].image_url",
    rows: chatImageUrl,
    body: (fields) => inPart({ type: "image_url", image_url: { ...pngUrl, ...fields } }),
  },
  {
    name: "content[file].file",
    rows: chatFile,
    body: (fields) => inPart({ type: "file", file: { file_data: textUri, ...fields } }),
  },
  { name: "content[…].type", rows: chatParts, body: ofType((part) => inPart(part)) },
  {
    name: "tools[].function",
    rows: chatFunction,
    body: (fields) => ({ ...chatBody(question), tools: [f, { ...f, function: { name: "h", ...fields } }] }),
  },
  { name: "tools[].type", rows: chatTools, body: ofType((tool) => ({ ...chatBody(question), tools: [f, tool] })) },
  {
    name: "tool_calls[].type",
    rows: chatToolCalls,
    body: ofType((call) =>
      chatBody(question, { role: "assistant", tool_calls: [call] }, { role: "tool", tool_call_id: "b", content: "1" }),
    ),
  },
  {
    name: "stream_options",
    rows: chatStream,
    body: (fields) => ({ ...chatBody(question), stream: true, stream_options: fields }),
  },
  {
    name: "response_format.type",
    rows: chatFormats,
    body: ofType((format) => ({ ...chatBody(question), response_format: format })),
  },
];

/** Without the field that a deprecated one stands in for. */
function chatTopBase(fields: object): object {
  if ("max_tokens" in fields) return { model: "m", tools: [f], messages: [question] };
  if (!("functions" in fields) && !("function_call" in fields)) return chatBody(question);
  return { model: "m", max_completion_tokens: 9000, functions: [f.function], messages: [question] };
}
