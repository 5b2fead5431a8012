import type OpenAI from "openai";
import { ofType, type KeysOf, type Place, type Row } from "./field-fates.ts";

type Asked = OpenAI.Responses.ResponseCreateParams;
type Item = NonNullable<OpenAI.Responses.ResponseInputItem["type"]>;

const top = {
  model: ["m", "own"],
  input: [[{ role: "user", content: "hello" }], "own"],
  stream: [true, "own"],
  // What the gateway itself keeps and fetches.
  store: [true, "own"],
  previous_response_id: ["resp_1", "own"],
  conversation: ["conv_1", "own"],
  metadata: [{ a: "b" }, "own"],
  include: [["reasoning.encrypted_content"], "own"],
  // Refused whoever would be asked: nothing runs here in the background.
  background: [true, "own"],
  // The gateway pads no stream.
  stream_options: [{ include_obfuscation: false }, "own"],
  access_programs: [{ a: true }],
  context_management: [[{ type: "compaction" }]],
  image: [{ a: "b" }],
  instructions: ["Be terse."],
  max_output_tokens: [99],
  max_tool_calls: [3],
  moderation: [{ model: "omni-moderation-latest" }],
  parallel_tool_calls: [false],
  prompt: [{ id: "pmpt_1" }],
  prompt_cache_key: ["k"],
  prompt_cache_options: [{ mode: "explicit" }],
  prompt_cache_retention: ["24h"],
  reasoning: [{ effort: "high" }],
  safety_identifier: ["u"],
  service_tier: ["flex"],
  temperature: [0.5],
  text: [{ format: { type: "json_schema", name: "n", schema: { type: "object" } } }],
  tool_choice: ["required"],
  tools: [[{ type: "function", name: "g", parameters: { type: "object" }, strict: false }]],
  top_logprobs: [2],
  top_p: [0.5],
  truncation: ["auto"],
  user: ["u"],
} as const satisfies Record<KeysOf<Asked>, Row>;

const inputText = {
  type: ["input_text", "own"],
  text: ["hello"],
  prompt_cache_breakpoint: [{ mode: "explicit" }],
} as const satisfies Record<keyof OpenAI.Responses.ResponseInputText, Row>;

const inputImage = {
  type: ["input_image", "own"],
  detail: ["high"],
  file_id: ["file_1"],
  image_url: ["data:image/png;base64,AAAA"],
  prompt_cache_breakpoint: [{ mode: "explicit" }],
} as const satisfies Record<keyof OpenAI.Responses.ResponseInputImage, Row>;

const inputFile = {
  type: ["input_file", "own"],
  detail: ["high"],
  file_data: ["data:application/pdf;base64,JVBE"],
  file_id: ["file_1"],
  file_url: ["https://example.test/a.pdf"],
  filename: ["b.txt"],
  prompt_cache_breakpoint: [{ mode: "explicit" }],
} as const satisfies Record<keyof OpenAI.Responses.ResponseInputFile, Row>;

const functionTool = {
  type: ["function", "own"],
  name: ["g"],
  parameters: [{ type: "object", properties: { a: { type: "string" } } }],
  strict: [true],
  allowed_callers: [["programmatic"]],
  async: [true],
  defer_loading: [true],
  description: ["d"],
  output_schema: [{ type: "object" }],
} as const satisfies Record<keyof OpenAI.Responses.FunctionTool, Row>;

const functionCall = {
  type: ["function_call", "own"],
  id: ["fc_1", "own"],
  // Says nothing of what was meant.
  status: ["completed", "own"],
  arguments: ['{"a":1}'],
  call_id: ["b", "own"],
  name: ["g"],
  async: [true],
  caller: [{ type: "program", caller_id: "p" }],
  namespace: ["n"],
} as const satisfies Record<keyof OpenAI.Responses.ResponseFunctionToolCall, Row>;

const functionOutput = {
  type: ["function_call_output", "own"],
  id: ["fco_1", "own"],
  status: ["completed", "own"],
  call_id: ["a", "own"],
  output: ["hello"],
  caller: [{ type: "program", caller_id: "p" }],
  // Both repeat what the call says.
  name: ["f", "own"],
  namespace: ["n", "own"],
} as const satisfies Record<keyof OpenAI.Responses.ResponseInputItem.FunctionCallOutput, Row>;

const items = {
  message: [{ role: "user", content: "hello" }],
  function_call: [{ call_id: "b", name: "f", arguments: '{"a":1}' }],
  function_call_output: [{ call_id: "a", output: "hello" }],
  reasoning: [{ id: "rs_1", summary: [{ type: "summary_text", text: "hm" }], encrypted_content: "gAAA" }],
  custom_tool_call: [{ call_id: "c", name: "x", input: "y" }],
  custom_tool_call_output: [{ call_id: "c", output: "z" }],
  item_reference: [{ id: "msg_1" }, "own"],
  additional_tools: [{ tools: [] }],
  apply_patch_call: [{ call_id: "c", operation: { type: "delete_file", path: "a" }, status: "completed" }],
  apply_patch_call_output: [{ call_id: "c", status: "completed" }],
  code_interpreter_call: [{ id: "ci_1", code: "1", container_id: "c", outputs: null, status: "completed" }],
  compaction: [{ encrypted_content: "gAAA" }],
  compaction_trigger: [{}],
  computer_call: [{ id: "cu_1", call_id: "c", pending_safety_checks: [], status: "completed" }],
  computer_call_output: [
    { call_id: "c", output: { type: "computer_screenshot", image_url: "data:image/png;base64,AAAA" } },
  ],
  configuration_update: [{}],
  file_search_call: [{ id: "fs_1", queries: ["q"], status: "completed" }],
  image_generation_call: [{ id: "ig_1", result: "AAAA", status: "completed" }],
  local_shell_call: [
    { id: "ls_1", call_id: "c", action: { type: "exec", command: ["ls"], env: {} }, status: "completed" },
  ],
  local_shell_call_output: [{ id: "c", output: "x" }],
  mcp_approval_request: [{ id: "mr_1", arguments: "{}", name: "n", server_label: "s" }],
  mcp_approval_response: [{ approval_request_id: "mr_1", approve: true }],
  mcp_call: [{ id: "mc_1", arguments: "{}", name: "n", server_label: "s" }],
  mcp_list_tools: [{ id: "ml_1", server_label: "s", tools: [] }],
  program: [{ id: "pr_1", call_id: "c", code: "x" }],
  program_output: [{ id: "po_1", call_id: "c", result: "x", status: "completed" }],
  shell_call: [{ call_id: "c", action: { commands: ["ls"] } }],
  shell_call_output: [{ call_id: "c", output: [] }],
  tool_search_call: [{ arguments: {} }],
  tool_search_output: [{ tools: [] }],
  web_search_call: [{ id: "ws_1", status: "completed", action: { type: "search", query: "q" } }],
} as const satisfies Record<Item, Row>;

const tools = {
  function: [{ name: "g", parameters: { type: "object" }, strict: false }],
  custom: [{ name: "c" }],
  namespace: [
    { name: "n", description: "d", tools: [{ type: "function", name: "g", parameters: { type: "object" } }] },
  ],
  apply_patch: [{}],
  code_interpreter: [{ container: { type: "auto" } }],
  computer: [{}],
  computer_use_preview: [{ display_height: 1, display_width: 1, environment: "linux" }],
  file_search: [{ vector_store_ids: ["v"] }],
  image_generation: [{}],
  local_shell: [{}],
  mcp: [{ server_label: "s", server_url: "https://example.test" }],
  programmatic_tool_calling: [{}],
  shell: [{}],
  tool_search: [{}],
  web_search: [{}],
  web_search_2025_08_26: [{}],
  web_search_preview: [{}],
  web_search_preview_2025_03_11: [{}],
} as const satisfies Record<OpenAI.Responses.Tool["type"], Row>;

const reasoning = {
  effort: ["high"],
  summary: ["auto"],
  generate_summary: ["auto"],
  context: ["all_turns"],
  mode: ["pro"],
} as const satisfies Record<keyof OpenAI.Reasoning, Row>;

const text = {
  format: [{ type: "json_schema", name: "n", schema: { type: "object" } }],
  verbosity: ["low"],
} as const satisfies Record<keyof OpenAI.Responses.ResponseTextConfig, Row>;

const formats = {
  text: [{}, "own"],
  json_object: [{}],
  json_schema: [{ name: "n", schema: { type: "object" } }],
} as const satisfies Record<OpenAI.Responses.ResponseFormatTextConfig["type"], Row>;

const f = { type: "function", name: "f", parameters: { type: "object" }, strict: false } as const;
const question = { role: "user", content: "q" };
const callOfF = { type: "function_call", call_id: "a", name: "f", arguments: "{}" };
const answer = { type: "function_call_output", call_id: "a", output: "1" };

const none = {};

function asked(more: object = {}): object {
  return { model: "m", max_output_tokens: 9000, tools: [f], input: [question], ...more };
}

function inPart(part: object): object {
  return asked({ input: [{ role: "user", content: [{ type: "input_text", text: "q" }, part] }] });
}

/** Without an item, only what stands around it. */
function inItem(item: object): object {
  const isCall = "call_id" in item && item.call_id === "b";
  const rest = isCall ? [{ ...answer, call_id: "b" }] : [];
  const isAnswer = "call_id" in item && item.call_id === "a";
  return asked({
    input: [question, callOfF, ...(isAnswer ? [] : [answer]), ...(item === none ? [] : [item]), ...rest, question],
  });
}

/** What the official SDK (openai 7.57) documents of a Responses request; its types say where a field is missing here. */
export const responsesPlaces: readonly Place[] = [
  { name: "body", rows: top, body: asked },
  { name: "input_text", rows: inputText, body: (fields) => inPart({ type: "input_text", text: "t", ...fields }) },
  {
    name: "input_image",
    rows: inputImage,
    body: (fields) => inPart({ type: "input_image", image_url: "data:image/png;base64,iVBORw0KGgo", ...fields }),
  },
  {
    name: "input_file",
    rows: inputFile,
    body: (fields) => inPart({ type: "input_file", file_data: "data:text/plain;base64,aGVsbG8=", ...fields }),
  },
  { name: "input[].type", rows: items, body: ofType(inItem, none) },
  {
    name: "function_call",
    rows: functionCall,
    body: (fields) => inItem({ type: "function_call", call_id: "b", name: "f", arguments: "{}", ...fields }),
  },
  { name: "function_call_output", rows: functionOutput, body: (fields) => inItem({ ...answer, ...fields }) },
  {
    name: "tools[function]",
    rows: functionTool,
    body: (fields) => asked({ tools: [f, { ...f, name: "h", ...fields }] }),
  },
  { name: "tools[].type", rows: tools, body: ofType((tool) => asked({ tools: [f, tool] }), f) },
  { name: "reasoning", rows: reasoning, body: (fields) => asked({ reasoning: fields }) },
  { name: "text", rows: text, body: (fields) => asked({ text: fields }) },
  { name: "text.format.type", rows: formats, body: ofType((format) => asked({ text: { format } }), { type: "text" }) },
];
