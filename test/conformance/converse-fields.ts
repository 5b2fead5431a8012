import type {
  CachePointBlock,
  ContentBlock,
  ConverseRequest,
  DocumentBlock,
  ImageBlock,
  InferenceConfiguration,
  OutputConfig,
  SystemContentBlock,
  Tool,
  ToolChoice,
  ToolResultBlock,
  ToolResultContentBlock,
  ToolSpecification,
  ToolUseBlock,
} from "@aws-sdk/client-bedrock-runtime";
import type { KeysOf, Place, Row } from "./field-fates.ts";

/** The names of a union's members, without the SDK's own word for those it does not know. */
type Members<Union> = Exclude<KeysOf<Union>, "$unknown">;

const top = {
  // Stands in the path.
  modelId: ["m", "own"],
  messages: [[{ role: "user", content: [{ text: "hello" }] }], "own"],
  system: [[{ text: "Be terse." }]],
  inferenceConfig: [{ temperature: 0.5 }],
  toolConfig: [{ tools: [{ toolSpec: { name: "g", inputSchema: { json: {} } } }] }],
  guardrailConfig: [{ guardrailIdentifier: "g", guardrailVersion: "1" }],
  additionalModelRequestFields: [{ top_k: 5 }],
  promptVariables: [{ a: { text: "b" } }],
  additionalModelResponseFieldPaths: [["/a"]],
  requestMetadata: [{ a: "b" }],
  performanceConfig: [{ latency: "optimized" }],
  serviceTier: [{ type: "flex" }],
  outputConfig: [{ effort: "high" }],
} as const satisfies Record<keyof ConverseRequest, Row>;

const inference = {
  maxTokens: [99],
  stopSequences: [["END"]],
  temperature: [0.5],
  topP: [0.5],
} as const satisfies Record<keyof InferenceConfiguration, Row>;

const output = {
  effort: ["high"],
  textFormat: [{ type: "json_schema", structure: { jsonSchema: { name: "n", schema: '{"type":"object"}' } } }],
} as const satisfies Record<keyof OutputConfig, Row>;

const document = { format: "txt", source: { bytes: "aGVsbG8=" } } as const;
const png = { format: "png", source: { bytes: "iVBORw0KGgo" } } as const;

const blocks = {
  text: ["hello"],
  image: [png],
  document: [{ ...document, name: "a" }],
  video: [{ format: "mp4", source: { bytes: "AAAA" } }],
  audio: [{ format: "mp3", source: { bytes: "AAAA" } }],
  cachePoint: [{ type: "default" }],
  guardContent: [{ text: { text: "t" } }],
  searchResult: [{ source: "s", title: "t", content: [{ text: "c" }] }],
  toolUse: [{ toolUseId: "b", name: "f", input: { a: 1 } }],
  toolResult: [{ toolUseId: "a", content: [{ text: "hello" }] }],
  reasoningContent: [{ reasoningText: { text: "hm", signature: "c2ln" } }],
  citationsContent: [{ content: [{ text: "c" }], citations: [{ title: "t" }] }],
  toolAddition: [{ a: "b" }],
  toolRemoval: [{ a: "b" }],
} as const satisfies Record<Members<ContentBlock>, Row>;

const system = {
  text: ["Be terse."],
  cachePoint: [{ type: "default" }],
  guardContent: [{ text: { text: "t" } }],
} as const satisfies Record<Members<SystemContentBlock>, Row>;

const documents = {
  format: ["pdf"],
  name: ["b"],
  source: [{ bytes: "AAAA" }],
  context: ["c"],
  citations: [{ enabled: true }],
} as const satisfies Record<keyof DocumentBlock, Row>;

const images = {
  format: ["jpeg"],
  source: [{ bytes: "AAAA" }],
  // Of answers.
  error: [{ message: "m" }, "own"],
} as const satisfies Record<keyof ImageBlock, Row>;

const uses = {
  toolUseId: ["b", "own"],
  name: ["g"],
  input: [{ a: 1 }],
  type: ["server_tool_use"],
} as const satisfies Record<keyof ToolUseBlock, Row>;

const results = {
  toolUseId: ["a", "own"],
  content: [[{ text: "hello" }]],
  status: ["error"],
  type: ["server_tool_result"],
} as const satisfies Record<keyof ToolResultBlock, Row>;

const resultParts = {
  text: ["hello"],
  json: [{ a: 1 }],
  image: [png],
  document: [{ ...document, name: "a" }],
  video: [{ format: "mp4", source: { bytes: "AAAA" } }],
  searchResult: [{ source: "s", title: "t", content: [{ text: "c" }] }],
} as const satisfies Record<Members<ToolResultContentBlock>, Row>;

const specification = {
  name: ["g"],
  description: ["d"],
  inputSchema: [{ json: { type: "object", properties: { a: { type: "string" } } } }],
  strict: [true],
} as const satisfies Record<keyof ToolSpecification, Row>;

const tools = {
  toolSpec: [{ name: "g", inputSchema: { json: { type: "object" } } }],
  cachePoint: [{ type: "default" }],
  systemTool: [{ name: "nova_grounding" }],
} as const satisfies Record<Members<Tool>, Row>;

const choices = {
  auto: [{}, "own"],
  any: [{}],
  tool: [{ name: "f" }],
} as const satisfies Record<Members<ToolChoice>, Row>;

const cachePoints = {
  type: ["default", "own"],
  ttl: ["1h"],
} as const satisfies Record<keyof CachePointBlock, Row>;

const f = { toolSpec: { name: "f", inputSchema: { json: { type: "object" } } } };
const question = { role: "user", content: [{ text: "q" }] };
const use = { toolUseId: "a", name: "f", input: {} };
const result = { toolUseId: "a", content: [{ text: "1" }] };

function asked(more: object = {}): object {
  return { messages: [question], inferenceConfig: { maxTokens: 9000 }, toolConfig: { tools: [f] }, ...more };
}

function inUser(block: object): object {
  return asked({ messages: [{ role: "user", content: [{ text: "q" }, block] }] });
}

function inTurn(used: object, answered: object): object {
  const call = { role: "assistant", content: [{ text: "s" }, { toolUse: used }] };
  return asked({ messages: [question, call, { role: "user", content: [{ toolResult: answered }] }] });
}

/** Where a block belongs. Without it, only what stands around. */
function inContent(fields: object, name: string): object {
  const [value] = Object.values(fields) as object[];
  if (name === "toolUse" && value !== undefined) return inTurn(value, { ...result, toolUseId: "b" });
  if (name === "toolResult" && value !== undefined) return inTurn(use, value);
  const isModels = /^(?:toolUse|toolResult|reasoningContent|citationsContent)$/.test(name);
  const alone = some(fields) ? [fields] : [];
  if (!isModels) return asked({ messages: [{ role: "user", content: [{ text: "q" }, ...alone] }] });
  return asked({ messages: [question, { role: "assistant", content: [...alone, { text: "s" }] }, question] });
}

/** What the official client (@aws-sdk/client-bedrock-runtime 3.1164) documents; its types say where a field is missing. */
export const conversePlaces: readonly Place[] = [
  { name: "body", rows: top, body: asked },
  {
    name: "inferenceConfig",
    rows: inference,
    body: (fields) => asked({ inferenceConfig: { maxTokens: 9000, ...fields } }),
  },
  { name: "outputConfig", rows: output, body: (fields) => asked({ outputConfig: fields }) },
  { name: "content[]", rows: blocks, body: inContent },
  {
    name: "system[]",
    rows: system,
    body: (fields) => asked({ system: [{ text: "s" }, ...(some(fields) ? [fields] : [])] }),
  },
  { name: "document", rows: documents, body: (fields) => inUser({ document: { ...document, ...fields } }) },
  { name: "image", rows: images, body: (fields) => inUser({ image: { ...png, ...fields } }) },
  { name: "toolUse", rows: uses, body: (fields) => inTurn({ ...use, ...fields }, result) },
  { name: "toolResult", rows: results, body: (fields) => inTurn(use, { ...result, ...fields }) },
  {
    name: "toolResult.content[]",
    rows: resultParts,
    body: (fields) => inTurn(use, { ...result, content: [{ text: "r" }, ...(some(fields) ? [fields] : [])] }),
  },
  {
    name: "toolSpec",
    rows: specification,
    body: (fields) => asked({ toolConfig: { tools: [f, { toolSpec: { ...f.toolSpec, name: "h", ...fields } }] } }),
  },
  {
    name: "tools[]",
    rows: tools,
    body: (fields) => asked({ toolConfig: { tools: some(fields) ? [f, fields] : [f] } }),
  },
  {
    name: "toolChoice",
    rows: choices,
    closed: true,
    body: (fields) => asked({ toolConfig: { tools: [f], toolChoice: some(fields) ? fields : { auto: {} } } }),
  },
  {
    name: "cachePoint",
    rows: cachePoints,
    body: (fields) => inUser(some(fields) ? { cachePoint: { type: "default", ...fields } } : { text: "t" }),
  },
];

function some(fields: object): boolean {
  return Object.keys(fields).length > 0;
}
