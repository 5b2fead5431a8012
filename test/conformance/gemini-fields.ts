import type {
  FunctionCallingConfig,
  FunctionDeclaration,
  GenerateContentConfig,
  GenerationConfig,
  Part,
  ThinkingConfig,
  Tool,
  ToolConfig,
} from "@google/genai";
import type { Place, Row } from "./field-fates.ts";

/** Of the SDK's one bag of settings those that stand at the top of a request, without what the SDK does itself. */
type Top = Exclude<
  keyof GenerateContentConfig,
  keyof GenerationConfig | "httpOptions" | "abortSignal" | "automaticFunctionCalling" | "automaticContinuation"
>;

const top = {
  contents: [[{ role: "user", parts: [{ text: "hello" }] }], "own"],
  generationConfig: [{ maxOutputTokens: 9000 }, "own"],
  systemInstruction: [{ parts: [{ text: "Be terse." }] }],
  tools: [[{ functionDeclarations: [{ name: "g" }] }]],
  toolConfig: [{ functionCallingConfig: { mode: "ANY" } }],
  safetySettings: [[{ category: "HARM_CATEGORY_HARASSMENT", threshold: "BLOCK_NONE" }]],
  cachedContent: ["cachedContents/1"],
  labels: [{ a: "b" }],
  serviceTier: ["flex"],
  store: [true],
  imageConfig: [{ aspectRatio: "1:1" }],
  modelArmorConfig: [{ promptTemplateName: "t" }],
  continuationToken: ["t"],
  generationOutputConfig: [{ a: "b" }],
} as const satisfies Record<Top | "contents" | "generationConfig", Row>;

const generation = {
  maxOutputTokens: [99],
  temperature: [0.5],
  topP: [0.5],
  topK: [5],
  candidateCount: [2],
  stopSequences: [["END"]],
  responseLogprobs: [true],
  logprobs: [2],
  presencePenalty: [0.5],
  frequencyPenalty: [0.5],
  seed: [1],
  responseMimeType: ["application/json"],
  responseSchema: [{ type: "OBJECT" }],
  responseJsonSchema: [{ type: "object" }],
  responseFormat: [[{ type: "text", mimeType: "application/json" }]],
  responseModalities: [["AUDIO"]],
  mediaResolution: ["MEDIA_RESOLUTION_HIGH"],
  speechConfig: [{ languageCode: "de" }],
  audioTimestamp: [true],
  audioTranscriptionConfig: [{ a: "b" }],
  enableAffectiveDialog: [true],
  enableEnhancedCivicAnswers: [true],
  modelSelectionConfig: [{ featureSelectionPreference: "BALANCED" }],
  routingConfig: [{ autoMode: {} }],
  thinkingConfig: [{ thinkingBudget: 2048 }],
  translationConfig: [{ a: "b" }],
} as const satisfies Record<keyof GenerationConfig, Row>;

const parts = {
  text: ["hello"],
  inlineData: [{ mimeType: "image/png", data: "iVBORw0KGgo" }],
  fileData: [{ mimeType: "application/pdf", fileUri: "https://generativelanguage.googleapis.com/v1beta/files/1" }],
  functionCall: [{ name: "f", args: { a: 1 } }],
  functionResponse: [{ name: "f", response: { output: "hello" } }],
  thought: [true],
  thoughtSignature: ["c2ln"],
  executableCode: [{ language: "PYTHON", code: "1" }],
  codeExecutionResult: [{ outcome: "OUTCOME_OK", output: "1" }],
  toolCall: [{ id: "t", toolType: "GOOGLE_SEARCH" }],
  toolResponse: [{ id: "t", toolType: "GOOGLE_SEARCH" }],
  audioTranscription: [{ text: "t" }],
  videoMetadata: [{ fps: 2 }],
  mediaResolution: [{ level: "MEDIA_RESOLUTION_HIGH" }],
  mediaProcessing: [{ a: "b" }],
  partMetadata: [{ a: "b" }],
  speechMetadata: [{ a: "b" }],
} as const satisfies Record<keyof Part, Row>;

const tools = {
  functionDeclarations: [[{ name: "h" }]],
  codeExecution: [{}],
  computerUse: [{ environment: "ENVIRONMENT_BROWSER" }],
  enterpriseWebSearch: [{}],
  exaAiSearch: [{}],
  fileSearch: [{ fileSearchStoreNames: ["s"] }],
  googleMaps: [{}],
  googleSearch: [{}],
  googleSearchRetrieval: [{}],
  mcpServers: [[{ name: "s" }]],
  parallelAiSearch: [{}],
  retrieval: [{ vertexAiSearch: {} }],
  urlContext: [{}],
} as const satisfies Record<keyof Tool, Row>;

const declaration = {
  name: ["g"],
  description: ["d"],
  parameters: [{ type: "OBJECT", properties: { a: { type: "STRING" } } }],
  parametersJsonSchema: [{ type: "object", properties: { a: { type: "string" } } }],
  behavior: ["NON_BLOCKING"],
  response: [{ type: "OBJECT" }],
  responseJsonSchema: [{ type: "object" }],
} as const satisfies Record<keyof FunctionDeclaration, Row>;

const toolConfig = {
  functionCallingConfig: [{ mode: "ANY" }],
  retrievalConfig: [{ languageCode: "de" }],
  includeServerSideToolInvocations: [true],
} as const satisfies Record<keyof ToolConfig, Row>;

const calling = {
  mode: ["NONE"],
  allowedFunctionNames: [["f"]],
  streamFunctionCallArguments: [true],
} as const satisfies Record<keyof FunctionCallingConfig, Row>;

const thinking = {
  includeThoughts: [true],
  thinkingBudget: [2048],
  thinkingLevel: ["HIGH"],
} as const satisfies Record<keyof ThinkingConfig, Row>;

const f = { name: "f" };
const question = { role: "user", parts: [{ text: "q" }] };
const call = { functionCall: f };
const results = { role: "user", parts: [{ functionResponse: { name: "f", response: { output: "1" } } }] };
const png = { inlineData: { mimeType: "image/png", data: "AAAA" } };

function asked(more: object = {}): object {
  return {
    contents: [question],
    tools: [{ functionDeclarations: [f] }],
    generationConfig: { maxOutputTokens: 9000 },
    ...more,
  };
}

/** Where a part's field belongs: in the model's turn, beside something, or alone. Without it, only what stands around. */
function inPart(fields: object, name: string): object {
  const isThere = Object.keys(fields).length > 0;
  const model = (...parts: readonly object[]): object => ({ role: "model", parts: [{ text: "s" }, ...parts] });
  if (name === "functionCall") {
    return asked({ contents: isThere ? [question, model(fields), results] : [question, model(), question] });
  }
  if (name === "functionResponse") {
    const answer = isThere ? { role: "user", parts: [fields] } : question;
    return asked({ contents: [question, model(call), answer] });
  }
  if (name === "thought" || name === "thoughtSignature") {
    const text = { text: "t", ...(name === "thought" && !isThere ? { text: "" } : {}), ...fields };
    return asked({ contents: [question, { role: "model", parts: [text] }, question] });
  }
  const alone = isThere ? [fields] : [];
  if (/^(?:executable|codeExec|tool)/.test(name)) return asked({ contents: [question, model(...alone), question] });
  const parts = /^(?:text|inlineData|fileData)$/.test(name) ? alone : [{ ...png, ...fields }];
  return asked({ contents: [{ role: "user", parts: [{ text: "q" }, ...parts] }] });
}

/** What the official SDK (@google/genai 3.3) documents of a Gemini request; its types say where a field is missing here. */
export const geminiPlaces: readonly Place[] = [
  { name: "body", rows: top, body: asked },
  {
    name: "generationConfig",
    rows: generation,
    body: (fields) => asked({ generationConfig: { maxOutputTokens: 9000, ...beside(fields), ...fields } }),
  },
  { name: "parts[]", rows: parts, body: inPart },
  { name: "tools[]", rows: tools, body: (fields) => asked({ tools: [{ functionDeclarations: [f] }, fields] }) },
  {
    name: "functionDeclarations[]",
    rows: declaration,
    body: (fields) => asked({ tools: [{ functionDeclarations: [f, { name: "h", ...fields }] }] }),
  },
  { name: "toolConfig", rows: toolConfig, body: (fields) => asked({ toolConfig: fields }) },
  {
    name: "functionCallingConfig",
    rows: calling,
    body: (fields) =>
      asked({
        tools: [{ functionDeclarations: [f, { name: "g" }] }],
        toolConfig: { functionCallingConfig: { mode: "ANY", ...fields } },
      }),
  },
  {
    name: "thinkingConfig",
    rows: thinking,
    body: (fields) => asked({ generationConfig: { maxOutputTokens: 9000, thinkingConfig: fields } }),
  },
];

/** Without which a field is not taken. */
function beside(fields: object): object {
  if ("responseSchema" in fields || "responseJsonSchema" in fields) return { responseMimeType: "application/json" };
  return "logprobs" in fields ? { responseLogprobs: true } : {};
}
