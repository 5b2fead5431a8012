import type Anthropic from "@anthropic-ai/sdk";
import { ofType, type KeysOf, type Place, type Row } from "./field-fates.ts";

type Messages = Anthropic.Beta.MessageCreateParams;

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
const text = { type: "text", media_type: "text/plain", data: "hello" } as const;
const pdf = { type: "base64", media_type: "application/pdf", data: "JVBE" } as const;

const messagesImage = {
  type: ["image", "own"],
  source: [url, "carried"],
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

const question = { role: "user", content: "q" };
const goOn = { role: "user", content: "go on" };
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

/** What the official SDK (@anthropic-ai/sdk 1.12) documents of a Messages request; its types say what is missing here. */
export const messagesPlaces: readonly Place[] = [
  { name: "body", rows: messagesTop, body: (fields) => ({ ...messagesBody(question), ...fields }) },
  { name: "messages[]", rows: messagesMessage, body: (fields) => messagesBody({ ...question, ...fields }) },
  { name: "content[text]", rows: messagesText, body: (fields) => inBlock({ type: "text", text: "t", ...fields }) },
  { name: "content[image]", rows: messagesImage, body: (fields) => inBlock({ type: "image", source: png, ...fields }) },
  {
    name: "content[image].source.type",
    rows: messagesImageSource,
    body: ofType((source) => inBlock({ type: "image", source }), url),
  },
  {
    name: "content[document]",
    rows: messagesDocument,
    body: (fields) => inBlock({ type: "document", source: text, ...fields }),
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
  { name: "content[…].type, user", rows: messagesBlocks, body: ofType((block) => inBlock(block)) },
  {
    name: "content[…].type, assistant",
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
    body: ofType(
      (tool_choice) => ({ ...messagesBody(question), ...("type" in tool_choice ? { tool_choice } : {}) }),
      {},
    ),
  },
];
