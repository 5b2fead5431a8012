import { readFileSync } from "node:fs";
import type Anthropic from "@anthropic-ai/sdk";
import type OpenAI from "openai";
import { describe, expect, it } from "vitest";
import type { Dialect, EncodeTarget } from "#dialects/dialect";
import { dialects } from "#dialects/registry";
import { isObject } from "#dialects/shape";
import { plainChatQuirks } from "#domain/quirks";

/**
 * What becomes of one documented field on its way into the other language. `carried`: said in full · `mapped`: said
 * in another form, with a warning · `dropped`: left out, with a warning · `refused`: the target is not asked ·
 * `own`: the gateway's, or the frame that everything else stands in.
 */
type Fate = "carried" | "mapped" | "dropped" | "refused" | "own";

/** A value that says something, beside what becomes of it. */
type Row = readonly [value: unknown, fate: Fate];

interface Place {
  /** As the document heads its table, and as the field's path begins. */
  readonly name: string;
  readonly rows: Readonly<Record<string, Row>>;
  /** A body with these fields at this place. */
  readonly body: (fields: object) => object;
}

type KeysOf<Union> = Union extends unknown ? keyof Union : never;

type Chat = OpenAI.Chat.ChatCompletionCreateParams;
type Messages = Anthropic.Beta.MessageCreateParams;

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
  url: ["data:image/png;base64,iVBORw0KGgo", "carried"],
  detail: ["high", "dropped"],
} as const satisfies Record<keyof OpenAI.Chat.ChatCompletionContentPartImage["image_url"], Row>;

const chatFile = {
  file_data: ["data:text/plain;base64,aGVsbG8=", "carried"],
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
const pngUrl = { url: "https://example.test/a.png" };
const pdfUri = "data:application/pdf;base64,JVBE";

function chatBody(...messages: readonly object[]): object {
  return { model: "m", max_completion_tokens: 9000, tools: [f], messages };
}

function inPart(part: object): object {
  return chatBody({ role: "user", content: [{ type: "text", text: "q" }, part] });
}

const chatPlaces: readonly Place[] = [
  { name: "", rows: chatTop, body: (fields) => ({ ...chatTopBase(fields), ...fields }) },
  { name: "messages[user]", rows: chatUser, body: (fields) => chatBody({ ...question, ...fields }) },
  {
    name: "messages[system, developer]",
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
    body: (fields) => inPart({ type: "file", file: { file_data: pdfUri, ...fields } }),
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

const messagesTop = {
  model: ["m", "own"],
  messages: [[{ role: "user", content: "hello" }], "own"],
  stream: [true, "own"],
  betas: [["some-beta-2026-01-01"], "own"],
  fallbacks: [[{ model: "other" }], "own"],
  max_tokens: [99, "carried"],
  billing_policy: [{ type: "a" }, "dropped"],
  cache_control: [{ type: "ephemeral" }, "dropped"],
  compaction: [{ type: "auto" }, "dropped"],
  container: [{ id: "c" }, "dropped"],
  context_management: [{ edits: [] }, "dropped"],
  diagnostics: [{ previous_message_id: "x" }, "dropped"],
  fallback_credit_token: ["t", "dropped"],
  inference_geo: ["us", "refused"],
  mcp_servers: [[{ type: "url", url: "https://example.test", name: "x" }], "dropped"],
  metadata: [{ user_id: "u" }, "carried"],
  output_config: [{ effort: "low" }, "carried"],
  output_format: [{ type: "json_schema", schema: { type: "object", additionalProperties: false } }, "carried"],
  service_tier: ["auto", "carried"],
  speed: ["fast", "dropped"],
  stop_sequences: [["END"], "carried"],
  system: ["s", "carried"],
  temperature: [0.5, "carried"],
  thinking: [{ type: "adaptive" }, "carried"],
  thread: [{ type: "create" }, "dropped"],
  tool_choice: [{ type: "any" }, "carried"],
  tools: [[{ name: "g", input_schema: { type: "object" } }], "carried"],
  top_k: [5, "dropped"],
  top_p: [0.5, "carried"],
  user_profile_id: ["p", "dropped"],
  workspace_id: ["w", "dropped"],
} as const satisfies Record<KeysOf<Messages> | "temperature" | "top_k" | "top_p", Row>;

const messagesMessage = {
  role: ["user", "own"],
  content: ["hello", "carried"],
} as const satisfies Record<KeysOf<Anthropic.MessageParam>, Row>;

const messagesText = {
  type: ["text", "own"],
  text: ["hello", "carried"],
  cache_control: [{ type: "ephemeral" }, "dropped"],
  citations: [[{ type: "char_location" }], "dropped"],
} as const satisfies Record<keyof Anthropic.TextBlockParam, Row>;

const url = { type: "url", url: "https://example.test/a.png" } as const;
const png = { type: "base64", media_type: "image/png", data: "iVBORw0KGgo" } as const;
const pdf = { type: "base64", media_type: "application/pdf", data: "JVBE" } as const;

const messagesImage = {
  type: ["image", "own"],
  source: [png, "carried"],
  cache_control: [{ type: "ephemeral" }, "dropped"],
  transformations: [[{ type: "resize" }], "dropped"],
} as const satisfies Record<keyof Anthropic.ImageBlockParam, Row>;

const messagesImageSource = {
  base64: [png, "carried"],
  url: [{ url: "https://example.test/b.png" }, "carried"],
  file: [{ file_id: "file_1" }, "refused"],
} as const satisfies Record<Anthropic.ImageBlockParam["source"]["type"], Row>;

const messagesDocument = {
  type: ["document", "own"],
  source: [{ ...pdf, data: "JVBERi0" }, "carried"],
  cache_control: [{ type: "ephemeral" }, "dropped"],
  citations: [{ enabled: true }, "dropped"],
  context: ["c", "dropped"],
  title: ["t", "carried"],
} as const satisfies Record<keyof Anthropic.DocumentBlockParam, Row>;

const messagesDocumentSource = {
  base64: [{ ...pdf, data: "JVBERi0" }, "carried"],
  text: [{ media_type: "text/plain", data: "hello" }, "carried"],
  content: [{ content: [{ type: "text", text: "hello" }] }, "carried"],
  url: [{ url: "https://example.test/a.pdf" }, "refused"],
  file: [{ file_id: "file_1" }, "refused"],
} as const satisfies Record<Anthropic.DocumentBlockParam["source"]["type"], Row>;

const messagesToolUse = {
  type: ["tool_use", "own"],
  id: ["a", "own"],
  name: ["g", "carried"],
  input: [{ a: 1 }, "carried"],
  cache_control: [{ type: "ephemeral" }, "dropped"],
  caller: [{ type: "code_execution_20260120", tool_id: "x" }, "dropped"],
  toolset_name: ["s", "dropped"],
} as const satisfies Record<keyof Anthropic.ToolUseBlockParam, Row>;

const messagesToolResult = {
  type: ["tool_result", "own"],
  tool_use_id: ["a", "own"],
  content: ["hello", "carried"],
  is_error: [true, "mapped"],
  cache_control: [{ type: "ephemeral" }, "dropped"],
  toolset_name: ["s", "dropped"],
} as const satisfies Record<keyof Anthropic.ToolResultBlockParam, Row>;

const messagesInResult = {
  text: [{ text: "hello" }, "carried"],
  image: [{ source: png }, "mapped"],
  document: [{ source: pdf }, "mapped"],
  search_result: [{ source: "s", title: "t", content: [] }, "refused"],
  tool_reference: [{ tool_name: "f" }, "refused"],
} as const;

const messagesBlocks = {
  text: [{ text: "hello" }, "carried"],
  image: [{ source: png }, "carried"],
  document: [{ source: pdf }, "carried"],
  search_result: [{ source: "s", title: "t", content: [] }, "refused"],
  container_upload: [{ file_id: "x" }, "refused"],
} as const;

const messagesAssistantBlocks = {
  text: [{ text: "hello" }, "carried"],
  thinking: [{ thinking: "t", signature: "s" }, "dropped"],
  redacted_thinking: [{ data: "d" }, "dropped"],
  server_tool_use: [{ id: "x", name: "web_search", input: {} }, "dropped"],
  web_search_tool_result: [{ tool_use_id: "x", content: [] }, "dropped"],
} as const;

const messagesTool = {
  type: ["custom", "own"],
  name: ["g", "carried"],
  input_schema: [{ type: "object", properties: { a: { type: "string" } } }, "carried"],
  description: ["d", "carried"],
  strict: [true, "carried"],
  cache_control: [{ type: "ephemeral" }, "dropped"],
  allowed_callers: [["direct"], "dropped"],
  defer_loading: [true, "dropped"],
  eager_input_streaming: [true, "dropped"],
  input_examples: [[{}], "dropped"],
} as const satisfies Record<keyof Anthropic.Tool, Row>;

type ToolTypes = Exclude<Extract<Anthropic.ToolUnion, { type: string }>["type"], "custom">;

const messagesTools = {
  bash_20250124: [{ name: "bash" }, "refused"],
  browser_toolset_20260801: [{ name: "browser" }, "refused"],
  code_execution_20250522: [{ name: "code_execution" }, "dropped"],
  code_execution_20250825: [{ name: "code_execution" }, "dropped"],
  code_execution_20260120: [{ name: "code_execution" }, "dropped"],
  code_execution_20260521: [{ name: "code_execution" }, "dropped"],
  computer_toolset_20260801: [{ name: "computer" }, "refused"],
  memory_20250818: [{ name: "memory" }, "refused"],
  text_editor_20250124: [{ name: "str_replace_editor" }, "refused"],
  text_editor_20250429: [{ name: "str_replace_based_edit_tool" }, "refused"],
  text_editor_20250728: [{ name: "str_replace_based_edit_tool" }, "refused"],
  tool_search_tool_bm25: [{ name: "tool_search_tool_bm25" }, "dropped"],
  tool_search_tool_bm25_20251119: [{ name: "tool_search_tool_bm25" }, "dropped"],
  tool_search_tool_regex: [{ name: "tool_search_tool_regex" }, "dropped"],
  tool_search_tool_regex_20251119: [{ name: "tool_search_tool_regex" }, "dropped"],
  web_fetch_20250910: [{ name: "web_fetch" }, "dropped"],
  web_fetch_20260209: [{ name: "web_fetch" }, "dropped"],
  web_fetch_20260309: [{ name: "web_fetch" }, "dropped"],
  web_fetch_20260318: [{ name: "web_fetch" }, "dropped"],
  web_search_20250305: [{ name: "web_search" }, "dropped"],
  web_search_20260209: [{ name: "web_search" }, "dropped"],
  web_search_20260318: [{ name: "web_search" }, "dropped"],
} as const satisfies Record<ToolTypes, Row>;

const messagesOutput = {
  effort: ["low", "carried"],
  format: [{ type: "json_schema", schema: { type: "object", additionalProperties: false } }, "carried"],
  task_budget: [{ type: "tokens", total: 9 }, "dropped"],
} as const satisfies Record<keyof Anthropic.Beta.BetaOutputConfig, Row>;

const messagesThinking = {
  adaptive: [{}, "carried"],
  enabled: [{ budget_tokens: 2000 }, "mapped"],
  between_tools: [{}, "mapped"],
  disabled: [{}, "carried"],
} as const satisfies Record<Anthropic.ThinkingConfigParam["type"], Row>;

const messagesChoices = {
  auto: [{}, "carried"],
  any: [{}, "carried"],
  tool: [{ name: "f" }, "carried"],
  none: [{}, "carried"],
} as const satisfies Record<Anthropic.ToolChoice["type"], Row>;

const toolOfF = { name: "f", input_schema: { type: "object" } };
const useOfF = { type: "tool_use", id: "a", name: "f", input: {} };
const resultOfF = { type: "tool_result", tool_use_id: "a" };

function messagesBody(...messages: readonly object[]): object {
  return { model: "m", max_tokens: 9000, tools: [toolOfF], messages };
}

function inBlock(block: object): object {
  return messagesBody({ role: "user", content: [{ type: "text", text: "q" }, block] });
}

function inUse(use: object, result: object): object {
  return messagesBody(question, { role: "assistant", content: [use] }, { role: "user", content: [result] });
}

const messagesPlaces: readonly Place[] = [
  { name: "", rows: messagesTop, body: (fields) => ({ ...messagesBody(question), ...fields }) },
  { name: "messages[]", rows: messagesMessage, body: (fields) => messagesBody({ ...question, ...fields }) },
  { name: "content[text]", rows: messagesText, body: (fields) => inBlock({ type: "text", text: "t", ...fields }) },
  { name: "content[image]", rows: messagesImage, body: (fields) => inBlock({ type: "image", source: url, ...fields }) },
  {
    name: "content[image].source.type",
    rows: messagesImageSource,
    body: ofType((source) => inBlock({ type: "image", source }), url),
  },
  {
    name: "content[document]",
    rows: messagesDocument,
    body: (fields) => inBlock({ type: "document", source: pdf, ...fields }),
  },
  {
    name: "content[document].source.type",
    rows: messagesDocumentSource,
    body: ofType((source) => inBlock({ type: "document", source }), pdf),
  },
  { name: "content[tool_use]", rows: messagesToolUse, body: (fields) => inUse({ ...useOfF, ...fields }, resultOfF) },
  {
    name: "content[tool_result]",
    rows: messagesToolResult,
    body: (fields) => inUse(useOfF, { ...resultOfF, ...fields }),
  },
  {
    name: "content[tool_result].content[…].type",
    rows: messagesInResult,
    body: ofType((block) => inUse(useOfF, { ...resultOfF, content: [block] })),
  },
  { name: "content[…].type of users", rows: messagesBlocks, body: ofType((block) => inBlock(block)) },
  {
    name: "content[…].type of assistants",
    rows: messagesAssistantBlocks,
    body: ofType((block) =>
      messagesBody(question, { role: "assistant", content: [block, { type: "text", text: "a" }] }, goOn),
    ),
  },
  {
    name: "tools[]",
    rows: messagesTool,
    body: (fields) => ({ ...messagesBody(question), tools: [toolOfF, { ...toolOfF, name: "h", ...fields }] }),
  },
  {
    name: "tools[].type",
    rows: messagesTools,
    body: ofType((tool) => ({ ...messagesBody(question), tools: [toolOfF, tool] })),
  },
  {
    name: "output_config",
    rows: messagesOutput,
    body: (fields) => ({ ...messagesBody(question), output_config: fields }),
  },
  {
    name: "thinking.type",
    rows: messagesThinking,
    body: ofType((thinking) => ({ ...messagesBody(question), ...("type" in thinking ? { thinking } : {}) }), {}),
  },
  {
    name: "tool_choice.type",
    rows: messagesChoices,
    body: ofType((tool_choice) => ({ ...messagesBody(question), ...("type" in tool_choice ? { tool_choice } : {}) }), {}),
  },
];

/** The rows of a place whose keys are words of one `type`: the value is what stands beside it. */
function ofType(body: (typed: object) => object, plain: object = { type: "text", text: "t" }): Place["body"] {
  return (fields) => {
    const [type] = Object.keys(fields);
    if (type === undefined) return body(plain);
    const [beside] = Object.values(fields) as readonly unknown[];
    return body({ type, ...(isObject(beside) ? beside : {}) });
  };
}

interface Outcome {
  readonly refused: boolean;
  readonly body: string;
  readonly warnings: readonly string[];
}

const from = { source: "test", date: "2026-11-21" };

const claude: EncodeTarget = {
  model: "claude-sonnet-4-5",
  issuer: "anthropic",
  quirks: plainChatQuirks,
  traits: { name: "anthropic/claude-sonnet-4-5", capabilities: { structuredOutput: true }, from },
  streamed: false,
};

const gpt: EncodeTarget = {
  model: "gpt-5-mini",
  issuer: "openai",
  quirks: plainChatQuirks,
  traits: { name: "openai/gpt-5-mini", capabilities: { reasoning: true }, from },
  streamed: false,
};

function translate(source: Dialect, into: Dialect, { body, to }: { readonly body: object; readonly to: EncodeTarget }) {
  const decoded = source.decodeRequest(body, {});
  if (decoded.kind === "refused") throw new Error(`${decoded.failure.message} ${JSON.stringify(body)}`);
  const made = into.encodeRequest(decoded.request, to);
  if (made.kind === "refused") {
    expect(made.failure.kind).toBe("not_translatable");
    return { refused: true, body: "", warnings: [] } satisfies Outcome;
  }
  return { refused: false, body: Buffer.from(made.body).toString(), warnings: made.warnings } satisfies Outcome;
}

/** What became of a field, from what came out with it and without it. */
function fateOf(without: Outcome, with_: Outcome): Fate | "lost in silence" {
  if (with_.refused) return "refused";
  const isTold = with_.warnings.some((warning) => !without.warnings.includes(warning));
  if (with_.body === without.body) return isTold ? "dropped" : "lost in silence";
  return isTold ? "mapped" : "carried";
}

const ways = [
  { title: "OpenAI Chat → Anthropic Messages", source: "openai-chat", places: chatPlaces, to: claude },
  { title: "Anthropic Messages → OpenAI Chat", source: "anthropic-messages", places: messagesPlaces, to: gpt },
] as const;

describe.each(ways)("$title: a field the official SDK documents", ({ source, places, to, title }) => {
  const into = source === "openai-chat" ? dialects["anthropic-messages"] : dialects["openai-chat"];
  const cases = places.flatMap(({ name, rows, body }) =>
    Object.entries(rows)
      .filter(([, [, fate]]) => fate !== "own")
      .map(([field, [value, fate]]) => ({ path: pathOf(name, field), fate, bare: body({}), full: body({ [field]: value }) })),
  );

  it.each(cases)("is never lost in silence: $path is $fate", ({ fate, bare, full }) => {
    const without = translate(dialects[source], into, { body: bare, to });
    const with_ = translate(dialects[source], into, { body: full, to });
    const found = fateOf(without, with_);
    // What is left out may take its frame along, an empty object for instance.
    expect(found === "mapped" && fate === "dropped" ? "dropped" : found, with_.warnings.join("\n")).toBe(fate);
    expect(translate(dialects[source], into, { body: full, to })).toEqual(with_);
  });

  it("is in docs/translation.md with what becomes of it, and no other is", () => {
    const wanted = places.flatMap(({ name, rows }) =>
      Object.entries(rows).map(([field, [, fate]]) => [pathOf(name, field), fate]),
    );
    expect(rowsUnder(`${title}: fields`).map((cells) => cells.slice(0, 2))).toEqual(wanted);
  });
});

function pathOf(place: string, field: string): string {
  if (place === "") return field;
  return place.includes(".type") ? `${place}: ${field}` : `${place}.${field}`;
}

const document = readFileSync(new URL("../../../../docs/translation.md", import.meta.url), "utf8");

/** The cells of every table row under a heading of the second level. */
function rowsUnder(heading: string): string[][] {
  const section = document.split(/^## /mu).find((part) => part.startsWith(`${heading}\n`)) ?? "";
  const lines = section.split("\n").filter((line) => line.startsWith("| `"));
  return lines.map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll("`", "")),
  );
}
