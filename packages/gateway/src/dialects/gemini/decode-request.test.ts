import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { GenerateRequest } from "#domain/request";
import { decodeCount, decodeRequest } from "./decode-request.ts";

const contents = [{ role: "user", parts: [{ text: "hi" }] }];
const said = [{ role: "user", parts: [{ kind: "text", text: "hi" }] }];

function read(body: object, given: "whole" | "count" = "whole"): GenerateRequest {
  const text = JSON.stringify(body);
  const decoded = (given === "count" ? decodeCount : decodeRequest)(JSON.parse(text), {}, text);
  if (decoded.kind === "refused") throw new Error(decoded.failure.message);
  return decoded.request;
}

function refusal(body: unknown): string {
  const decoded = decodeRequest(body);
  return decoded.kind === "refused" ? decoded.failure.message : "";
}

function configured(generationConfig: object): GenerateRequest {
  return read({ contents, generationConfig });
}

describe("a request in Gemini's language", () => {
  it("is read with every field that the hub has a word for", () => {
    expect(
      read({
        model: "models/gemini-3-flash",
        contents,
        systemInstruction: { role: "user", parts: [{ text: "Be brief." }, { text: "" }, { text: "Be kind." }] },
        serviceTier: "priority",
        generationConfig: {
          temperature: 0,
          topP: 0.5,
          topK: 40,
          candidateCount: 1,
          maxOutputTokens: 100,
          stopSequences: ["END", "STOP"],
          presencePenalty: 0.1,
          frequencyPenalty: -0.1,
          seed: 7,
          responseLogprobs: true,
          logprobs: 3,
          responseModalities: ["TEXT"],
        },
      }),
    ).toEqual({
      model: "models/gemini-3-flash",
      streamed: false,
      usageInStream: true,
      turns: [
        {
          role: "system",
          parts: [
            { kind: "text", text: "Be brief." },
            { kind: "text", text: "Be kind." },
          ],
        },
        ...said,
      ],
      tools: [],
      sampling: { temperature: 0, topP: 0.5, topK: 40, frequencyPenalty: -0.1, presencePenalty: 0.1, seed: 7 },
      maxOutputTokens: 100,
      stop: ["END", "STOP"],
      choices: 1,
      logprobs: { top: 3 },
      serviceTier: "priority",
      rest: {},
    });
  });

  it("is read the same in snake_case, with numbers as text and single values for lists", () => {
    const camel = read({
      contents,
      systemInstruction: { parts: [{ text: "s" }] },
      tools: [{ functionDeclarations: [{ name: "f", parametersJsonSchema: { type: "object" } }] }],
      toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["f"] } },
      generationConfig: {
        maxOutputTokens: 5,
        topP: 0.5,
        stopSequences: ["x"],
        responseMimeType: "application/json",
        thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 },
      },
    });
    const snake = read({
      contents: contents[0],
      system_instruction: { parts: { text: "s" } },
      tools: { function_declarations: { name: "f", parameters_json_schema: { type: "object" } } },
      tool_config: { function_calling_config: { mode: "any", allowed_function_names: "f" } },
      generation_config: {
        max_output_tokens: "5",
        top_p: "0.5",
        stop_sequences: "x",
        response_mime_type: "application/json",
        thinking_config: { include_thoughts: true, thinking_budget: "1024" },
      },
    });
    expect(snake).toEqual(camel);
    expect(snake).toMatchObject({ maxOutputTokens: 5, toolChoice: { kind: "named", name: "f" } });
  });

  it("may be as short as a text", () => {
    expect(read({ contents: "hi" }).turns).toEqual(said);
    expect(read({ contents: ["hi"] }).turns).toEqual(said);
    expect(read({ contents: [{ parts: [{ text: "hi" }] }], systemInstruction: "s" }).turns).toEqual([
      { role: "system", parts: [{ kind: "text", text: "s" }] },
      ...said,
    ]);
    expect(read({ contents, systemInstruction: null, tools: null, generationConfig: null })).toMatchObject({
      turns: said,
      tools: [],
      choices: 1,
    });
  });

  it.each([
    ["standard", "default"],
    ["flex", "flex"],
    ["SERVICE_TIER_PRIORITY", "priority"],
    ["unspecified", undefined],
  ])("takes the service tier %s for %s", (serviceTier, tier) => {
    expect(read({ contents, serviceTier }).serviceTier).toBe(tier);
  });

  it.each<[object, object | undefined]>([
    [{}, undefined],
    [{ includeThoughts: false }, undefined],
    [{ includeThoughts: true }, { mode: "adaptive", display: "summarized" }],
    [{ thinkingBudget: 0 }, { mode: "off" }],
    [{ thinkingBudget: -1 }, { mode: "adaptive", display: "omitted" }],
    [{ thinkingBudget: 2048 }, { mode: "on", budgetTokens: 2048, display: "omitted" }],
    [
      { thinkingLevel: "LOW", includeThoughts: true },
      { mode: "on", effort: "low", display: "summarized" },
    ],
    [{ thinkingLevel: "minimal" }, { mode: "on", effort: "minimal", display: "omitted" }],
    [{ thinkingLevel: "THINKING_LEVEL_UNSPECIFIED" }, undefined],
  ])("asks to think with %j", (thinkingConfig, wish) => {
    expect(configured({ thinkingConfig }).reasoning).toEqual(wish);
  });

  it.each<[object, object | undefined]>([
    [{}, undefined],
    [{ responseMimeType: "text/plain" }, { kind: "text" }],
    [{ responseMimeType: "application/json" }, { kind: "json" }],
    [
      {
        responseMimeType: "application/json",
        responseSchema: { type: "OBJECT", properties: { a: { type: "STRING" } } },
      },
      { kind: "json-schema", schema: { type: "object", properties: { a: { type: "string" } } } },
    ],
    [
      { responseMimeType: "application/json", responseJsonSchema: { type: "OBJECT", properties: { some_name: {} } } },
      { kind: "json-schema", schema: { type: "object", properties: { some_name: {} } } },
    ],
    [
      { responseFormat: [{ text: { mimeType: "APPLICATION_JSON", schema: { type: "object" } } }] },
      { kind: "json-schema", schema: { type: "object" } },
    ],
    [{ response_format: { text: { mime_type: "application/json" } } }, { kind: "json" }],
    [{ _responseJsonSchema: { type: "array" } }, { kind: "json-schema", schema: { type: "array" } }],
  ])("asks for the answer's form with %j", (config, output) => {
    expect(configured(config).output).toEqual(output);
  });

  it("keeps what the hub has no word for, and says what of it cannot be missed", () => {
    const request = read({
      contents: [{ role: "user", parts: [{ text: "hi", videoMetadata: { fps: 1 } }] }],
      cachedContent: "cachedContents/x",
      safetySettings: [{ category: "HARM_CATEGORY_HARASSMENT", threshold: "BLOCK_NONE" }],
      labels: { team: "a" },
      toolConfig: { retrievalConfig: { languageCode: "de" } },
      generationConfig: { mediaResolution: "MEDIA_RESOLUTION_LOW", responseModalities: ["TEXT", "IMAGE"] },
      surprise: 1,
    });
    expect(request.needed).toEqual(["cachedContent", "generationConfig.responseModalities"]);
    expect(Object.keys(request.rest).toSorted()).toEqual([
      "cachedContent",
      "contents[].parts[].videoMetadata",
      "generationConfig.mediaResolution",
      "generationConfig.responseModalities",
      "labels",
      "safetySettings",
      "surprise",
      "toolConfig.retrievalConfig",
    ]);
    expect(configured({ responseFormat: [{ image: { mimeType: "image/png" } }] }).needed).toEqual([
      "generationConfig.responseFormat",
    ]);
    expect(
      configured({ responseMimeType: "text/x.enum", responseSchema: { type: "STRING", enum: ["a"] } }).needed,
    ).toEqual(["generationConfig.responseMimeType"]);
  });

  it("says nothing of the gateway's own fields, in either spelling of theirs", () => {
    expect(read({ contents, hedgerow: { metadata: true }, session_id: "s", fallbacks: ["m"] }).rest).toEqual({});
  });

  it.each<[string, unknown]>([
    ["The body must be a JSON object", []],
    ["contents must hold at least one content", {}],
    ["contents[0] must be an object", { contents: [5] }],
    ["contents[0].role must be user or model", { contents: [{ role: "assistant", parts: [] }] }],
    ["contents[0].parts[0].text must be a string", { contents: [{ parts: [{ text: 1 }] }] }],
    ["contents[0].parts[0] must hold text", { contents: [{ parts: [{}] }] }],
    [
      "systemInstruction.parts[0].text must be a string",
      { contents, systemInstruction: { parts: [{ inlineData: {} }] } },
    ],
    ["systemInstruction is given in two spellings", { contents, systemInstruction: "a", system_instruction: "b" }],
    ["generationConfig.temperature must be a number", { contents, generationConfig: { temperature: "hot" } }],
    ["generationConfig.maxOutputTokens must be a whole number", { contents, generationConfig: { maxOutputTokens: 0 } }],
    ["generationConfig.candidateCount must be", { contents, generationConfig: { candidateCount: 1.5 } }],
    ["generationConfig.stopSequences[0] must be", { contents, generationConfig: { stopSequences: [1] } }],
    [
      "generationConfig.thinkingConfig.thinkingLevel",
      { contents, generationConfig: { thinkingConfig: { thinkingLevel: "x" } } },
    ],
    [
      "generationConfig.thinkingConfig.thinkingBudget",
      { contents, generationConfig: { thinkingConfig: { thinkingBudget: -5 } } },
    ],
    [
      "generationConfig.responseSchema and responseJsonSchema exclude each other",
      { contents, generationConfig: { responseSchema: {}, responseJsonSchema: {} } },
    ],
    ["tools[0].functionDeclarations[0].name must be", { contents, tools: [{ functionDeclarations: [{}] }] }],
    [
      "toolConfig.functionCallingConfig.mode must be",
      { contents, toolConfig: { functionCallingConfig: { mode: "MUST" } } },
    ],
  ])("is refused by the name of what is wrong: %s", (words, body) => {
    expect(refusal(body)).toContain(words);
  });
});

describe("anything at all in place of a request", () => {
  const names = fc.constantFrom(
    ..."contents role parts text thought thoughtSignature functionCall functionResponse name args response id".split(
      " ",
    ),
    ..."inlineData fileData mimeType data fileUri systemInstruction tools functionDeclarations parameters".split(" "),
    ..."tool_config functionCallingConfig mode generationConfig thinkingConfig responseSchema __proto__ x_y".split(" "),
  );
  const { tree } = fc.letrec<{ tree: unknown; leaf: unknown; object: unknown; list: unknown }>((tie) => ({
    tree: fc.oneof({ depthSize: "medium" }, tie("leaf"), tie("object"), tie("list")),
    leaf: fc.oneof(
      fc.constantFrom("user", "model", "f", "image/png", "ANY", "OBJECT", "c2ln"),
      fc.double(),
      fc.constant(null),
    ),
    object: fc.dictionary(names, tie("tree"), { maxKeys: 4 }),
    list: fc.array(tie("tree"), { maxLength: 3 }),
  }));

  it("is read or refused by name, never thrown at", () => {
    fc.assert(
      fc.property(fc.dictionary(names, tree, { maxKeys: 5 }), fc.boolean(), (body, isWhole) => {
        const text = JSON.stringify(isWhole ? body : { contents: [{ role: "model", parts: [body] }] });
        for (const decode of [decodeRequest, decodeCount]) {
          const decoded = decode(JSON.parse(text), {}, text);
          if (decoded.kind === "refused") expect(decoded.failure).toMatchObject({ kind: "invalid_request" });
          else expect(Array.isArray(decoded.request.turns)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("tools in Gemini's language", () => {
  const declared = (...names: readonly string[]): object[] => [
    { functionDeclarations: names.map((name) => ({ name, description: `does ${name}` })) },
  ];

  it("are functions with either kind of schema, and Google's own under its names", () => {
    const { tools, rest } = read({
      contents,
      tools: [
        {
          functionDeclarations: [
            { name: "a", description: "A", parameters: { type: "OBJECT", properties: { x: { type: "INTEGER" } } } },
            { name: "b", parametersJsonSchema: { type: "object", $schema: "http://json-schema.org/draft-07/schema#" } },
            { name: "c", behavior: "NON_BLOCKING" },
          ],
          google_search: {},
        },
        { codeExecution: {} },
        { computerUse: { environment: "ENVIRONMENT_BROWSER" } },
      ],
    });
    expect(tools).toEqual([
      {
        kind: "function",
        name: "a",
        description: "A",
        schema: { type: "object", properties: { x: { type: "integer" } } },
      },
      { kind: "function", name: "b", schema: { type: "object", $schema: "http://json-schema.org/draft-07/schema#" } },
      { kind: "function", name: "c", schema: { type: "object", properties: {} } },
      { kind: "foreign", what: "gemini:google_search", payload: { googleSearch: {} } },
      { kind: "foreign", what: "gemini:codeExecution", payload: { codeExecution: {} } },
      {
        kind: "foreign",
        what: "gemini:computerUse",
        payload: { computerUse: { environment: "ENVIRONMENT_BROWSER" } },
        callerRuns: true,
      },
    ]);
    expect(Object.keys(rest)).toEqual(["tools[].functionDeclarations[].behavior"]);
  });

  it.each<[object, object | undefined, readonly string[]]>([
    [{}, undefined, ["a", "b", "c"]],
    [{ mode: "MODE_UNSPECIFIED" }, undefined, ["a", "b", "c"]],
    [{ mode: "AUTO" }, { kind: "auto" }, ["a", "b", "c"]],
    [{ mode: "NONE" }, { kind: "none" }, ["a", "b", "c"]],
    [{ mode: "ANY" }, { kind: "required" }, ["a", "b", "c"]],
    [{ mode: "ANY", allowedFunctionNames: ["b"] }, { kind: "named", name: "b" }, ["a", "b", "c"]],
    [{ mode: "ANY", allowedFunctionNames: ["b", "c"] }, { kind: "required" }, ["b", "c"]],
    [{ mode: "VALIDATED" }, { kind: "auto" }, ["a", "b", "c"]],
    [{ mode: "VALIDATED", allowedFunctionNames: ["a"] }, { kind: "auto" }, ["a"]],
  ])("are chosen by %j", (functionCallingConfig, choice, names) => {
    const request = read({ contents, tools: declared("a", "b", "c"), toolConfig: { functionCallingConfig } });
    expect(request.toolChoice).toEqual(choice);
    expect(request.tools.map((tool) => (tool.kind === "function" ? tool.name : ""))).toEqual(names);
  });
});

describe("a token count in Gemini's language", () => {
  it("is about contents, or about a whole request", () => {
    expect(read({ contents }, "count").turns).toEqual(said);
    const inner = { model: "models/x", contents, systemInstruction: "s", tools: [{ googleSearch: {} }] };
    expect(read({ generateContentRequest: inner }, "count")).toEqual(read(inner));
    expect(read({ generate_content_request: inner }, "count")).toEqual(read(inner));
  });
});
