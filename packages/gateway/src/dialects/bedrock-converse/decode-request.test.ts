import {
  BedrockRuntimeClient,
  ConverseCommand,
  CountTokensCommand,
  type ConverseCommandInput,
} from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it } from "vitest";
import type { GenerateRequest, Part } from "#domain/request";
import { decodeCount, decodeRequest } from "./decode-request.ts";

type Asked = Omit<ConverseCommandInput, "modelId">;

/** What Amazon's own client writes. */
async function written(command: ConverseCommand | CountTokensCommand): Promise<string> {
  let body = "";
  const client = new BedrockRuntimeClient({
    region: "eu-central-1",
    token: { token: "k" },
    authSchemePreference: ["httpBearerAuth"],
    maxAttempts: 1,
    requestHandler: {
      handle: ({ body: bytes }: { readonly body: Uint8Array }) => {
        body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
        return Promise.reject(new Error("enough"));
      },
    } as never,
  });
  await client.send(command as ConverseCommand).catch(() => undefined);
  return body;
}

async function asked(input: Asked): Promise<GenerateRequest> {
  const text = await written(new ConverseCommand({ modelId: "m", ...input }));
  return request(JSON.parse(text), text);
}

function request(json: unknown, text?: string): GenerateRequest {
  const decoded = decodeRequest(json, {}, text);
  if (decoded.kind === "refused") throw new Error(decoded.failure.message);
  return decoded.request;
}

/** What a user's turn of one block becomes. */
function parts(...content: readonly object[]): readonly Part[] {
  return request({ messages: [{ role: "user", content }] }).turns[0]?.parts ?? [];
}

const bytes = new Uint8Array([1, 2, 3]);
const data = "AQID";
const hi = [{ role: "user" as const, content: [{ text: "hi" }] }];

describe("decodeRequest", () => {
  it("reads everything Amazon's own client can write that the hub has a word for, and leaves nothing over", async () => {
    const made = await asked({
      system: [{ text: "Be brief." }, { cachePoint: { type: "default", ttl: "1h" } }],
      messages: [
        {
          role: "user",
          content: [
            { text: "q" },
            { cachePoint: { type: "default" } },
            { image: { format: "jpeg", source: { bytes } } },
            { image: { format: "png", source: { s3Location: { uri: "s3://b/k.png" } } } },
            {
              document: { format: "pdf", name: "paper", source: { bytes }, context: "c", citations: { enabled: true } },
            },
            { document: { format: "txt", name: "words", source: { text: "words" } } },
            { video: { format: "three_gp", source: { bytes } } },
            { audio: { format: "mp3", source: { bytes } } },
          ],
        },
        {
          role: "assistant",
          content: [
            { reasoningContent: { reasoningText: { text: "hm", signature: "c2ln" } } },
            { reasoningContent: { redactedContent: Buffer.from("sealed") } },
            { text: "a" },
            { toolUse: { toolUseId: "t1", name: "f", input: { a: 1 } } },
          ],
        },
        {
          role: "user",
          content: [
            { toolResult: { toolUseId: "t1", content: [{ text: "x" }, { json: { b: 2 } }], status: "error" } },
            { toolResult: { toolUseId: "t2", content: [{ image: { format: "png", source: { bytes } } }] } },
          ],
        },
      ],
      inferenceConfig: { maxTokens: 100, temperature: 0.5, topP: 0.9, stopSequences: ["END"] },
      toolConfig: {
        tools: [
          { toolSpec: { name: "f", description: "d", inputSchema: { json: { type: "object" } }, strict: true } },
          { cachePoint: { type: "default" } },
        ],
        toolChoice: { tool: { name: "f" } },
      },
      additionalModelRequestFields: {
        top_k: 5,
        thinking: { type: "enabled", budget_tokens: 2000 },
        tool_choice: { type: "auto", disable_parallel_tool_use: true },
      },
      additionalModelResponseFieldPaths: ["/delta/stop_sequence"],
      outputConfig: {
        textFormat: {
          type: "json_schema",
          structure: { jsonSchema: { name: "person", description: "d", schema: '{"type":"object"}' } },
        },
      },
      requestMetadata: { user_id: "ada" },
      serviceTier: { type: "flex" },
    });
    const png = { kind: "base64", mediaType: "image/png", data } as const;
    expect(made).toEqual({
      model: "",
      streamed: false,
      usageInStream: true,
      turns: [
        { role: "system", parts: [{ kind: "text", text: "Be brief.", cache: { ttl: "1h" } }] },
        {
          role: "user",
          parts: [
            { kind: "text", text: "q", cache: {} },
            { kind: "image", source: { kind: "base64", mediaType: "image/jpeg", data } },
            { kind: "image", source: { kind: "url", url: "s3://b/k.png" } },
            {
              kind: "document",
              source: { kind: "base64", mediaType: "application/pdf", data },
              title: "paper",
              context: "c",
              citations: true,
            },
            { kind: "document", source: { kind: "text", text: "words" }, title: "words" },
            { kind: "video", source: { kind: "base64", mediaType: "video/3gpp", data } },
            { kind: "audio", format: "mp3", data },
          ],
        },
        {
          role: "assistant",
          parts: [
            { kind: "reasoning", text: "hm", seal: { issuer: "anthropic", form: "signature", value: "c2ln" } },
            { kind: "reasoning", text: "", seal: { issuer: "anthropic", form: "redacted", value: "sealed" } },
            { kind: "text", text: "a" },
            { kind: "tool-call", id: "t1", name: "f", argumentsJson: '{"a":1}' },
          ],
        },
        {
          role: "user",
          parts: [
            {
              kind: "tool-result",
              callId: "t1",
              parts: [
                { kind: "text", text: "x" },
                { kind: "text", text: '{"b":2}' },
              ],
              failed: true,
            },
            { kind: "tool-result", callId: "t2", parts: [{ kind: "image", source: png }], failed: false },
          ],
        },
      ],
      tools: [{ kind: "function", name: "f", description: "d", schema: { type: "object" }, strict: true, cache: {} }],
      toolChoice: { kind: "named", name: "f" },
      parallelTools: false,
      output: { kind: "json-schema", schema: { type: "object" }, name: "person", description: "d" },
      sampling: { temperature: 0.5, topP: 0.9, topK: 5 },
      maxOutputTokens: 100,
      stop: ["END"],
      reasoning: { mode: "on", budgetTokens: 2000 },
      user: "ada",
      serviceTier: "flex",
      choices: 1,
      rest: {},
    });
  });

  it("keeps by name what the hub has no word for, and knows what the answer depends on", async () => {
    const made = await asked({
      messages: hi,
      guardrailConfig: { guardrailIdentifier: "g", guardrailVersion: "1" },
      promptVariables: { name: { text: "Ada" } },
      performanceConfig: { latency: "optimized" },
      requestMetadata: { team: "hedges" },
      additionalModelRequestFields: { anthropic_beta: ["b"] },
      additionalModelResponseFieldPaths: ["/usage"],
    });
    expect(Object.keys(made.rest).toSorted()).toEqual([
      "additionalModelRequestFields.anthropic_beta",
      "additionalModelResponseFieldPaths",
      "guardrailConfig",
      "performanceConfig",
      "promptVariables",
      "requestMetadata",
    ]);
    expect(made.needed).toEqual(["guardrailConfig", "promptVariables"]);
  });

  it("keeps as foreign each block and tool that only this language has", async () => {
    const made = await asked({
      messages: [
        {
          role: "user",
          content: [
            { guardContent: { text: { text: "x" } } },
            { searchResult: { source: "s", title: "t", content: [{ text: "c" }] } },
            { document: { name: "d", source: { content: [{ text: "one" }, { text: "two" }] } } },
          ],
        },
        {
          role: "assistant",
          content: [
            { toolUse: { toolUseId: "s1", name: "web", input: {}, type: "server_tool_use" } },
            { toolResult: { toolUseId: "s1", content: [], type: "web_result" } },
            { citationsContent: { content: [{ text: "as " }, { text: "said" }], citations: [{ title: "t" }] } },
          ],
        },
      ],
      toolConfig: { tools: [{ systemTool: { name: "nova_grounding" } }] },
    });
    expect(made.turns.map((turn) => turn.parts.map((part) => ("what" in part ? part.what : part.kind)))).toEqual([
      ["bedrock:guardContent", "bedrock:searchResult", "document"],
      ["bedrock:server_tool_use", "bedrock:server_tool_result", "text"],
    ]);
    expect(made.turns[0]?.parts[0]).toMatchObject({ needed: true });
    expect(made.turns[0]?.parts[2]).toMatchObject({ source: { kind: "text", text: "one\n\ntwo" } });
    expect(made.turns[1]?.parts[2]).toMatchObject({ text: "as said", citations: [{ title: "t" }] });
    expect(made.tools).toEqual([
      { kind: "foreign", what: "bedrock:systemTool", payload: { systemTool: { name: "nova_grounding" } } },
    ]);
  });

  it.each([
    [{ thinking: { type: "adaptive", display: "omitted" } }, { mode: "adaptive", display: "omitted" }],
    [{ thinking: { type: "disabled" } }, { mode: "off" }],
    [{ reasoning_config: { type: "enabled", budget_tokens: 1024 } }, { mode: "on", budgetTokens: 1024 }],
    [{ reasoningConfig: { type: "enabled", maxReasoningEffort: "low" } }, { mode: "on", effort: "low" }],
    [{ reasoningConfig: { type: "disabled" } }, { mode: "off" }],
    [{ output_config: { effort: "high" } }, { mode: "adaptive", effort: "high" }],
    [{ reasoning_effort: "low" }, { mode: "adaptive", effort: "low" }],
    [{ reasoning_effort: "none" }, { mode: "off", effort: "none" }],
  ])("reads how much to think from %j", (additionalModelRequestFields, reasoning) => {
    const made = request({ messages: hi, additionalModelRequestFields });
    expect(made.reasoning).toEqual(reasoning);
    expect(made.rest).toEqual({});
  });

  it("takes the effort of outputConfig before that of the additional fields", () => {
    const additionalModelRequestFields = { output_config: { effort: "low" } };
    const made = request({ messages: hi, outputConfig: { effort: "high" }, additionalModelRequestFields });
    expect(made.reasoning).toEqual({ mode: "adaptive", effort: "high" });
  });

  it("has a cache point mark the part before it that can carry it", () => {
    const point = { cachePoint: { type: "default" } };
    expect(parts({ text: "a" }, { video: { format: "mp4", source: { bytes: data } } }, point)[0]).toMatchObject({
      cache: {},
    });
    const made = request({ messages: [{ role: "user", content: [point, { text: "a" }] }] });
    expect(Object.keys(made.rest)).toEqual(["cachePoint"]);
  });

  it("keeps the digits of numbers in arguments and results", () => {
    const text =
      '{"messages":[{"role":"assistant","content":[{"toolUse":{"toolUseId":"t","name":"f","input":{"n":1.0}}}]},' +
      '{"role":"user","content":[{"toolResult":{"toolUseId":"t","content":[{"json":{"n":12345678901234567890}}]}}]}]}';
    const made = request(JSON.parse(text), text);
    expect(made.turns[0]?.parts).toMatchObject([{ argumentsJson: '{"n":1.0}' }]);
    expect(made.turns[1]?.parts).toMatchObject([{ parts: [{ text: '{"n":12345678901234567890}' }] }]);
  });

  it("takes null for absent, as Amazon's protocols do, and a thought without text for a hidden one", () => {
    expect(request({ messages: hi, system: null, toolConfig: null, inferenceConfig: { maxTokens: null } })).toEqual(
      request({ messages: hi }),
    );
    expect(parts({ reasoningContent: { reasoningText: { signature: "c2ln" } } })).toEqual([
      { kind: "reasoning", text: "", seal: { issuer: "anthropic", form: "signature", value: "c2ln" } },
    ]);
  });

  it.each([
    ["the body", 7, undefined],
    ["messages", {}, "messages"],
    ["no messages", { messages: [] }, "messages"],
    ["a role", { messages: [{ role: "tool", content: [] }] }, "messages[0].role"],
    ["no role", { messages: [{ content: [] }] }, "messages[0].role"],
    ["content", { messages: [{ role: "user", content: "hi" }] }, "messages[0].content"],
    ["an empty block", { messages: [{ role: "user", content: [{}] }] }, "messages[0].content[0]"],
    ["two members", { messages: [{ role: "user", content: [{ text: "a", image: {} }] }] }, "messages[0].content[0]"],
    ["a text", { messages: [{ role: "user", content: [{ text: 7 }] }] }, "messages[0].content[0].text"],
    ["a limit", { messages: hi, inferenceConfig: { maxTokens: 0 } }, "inferenceConfig.maxTokens"],
    ["a choice", { messages: hi, toolConfig: { tools: [], toolChoice: { some: {} } } }, "toolConfig.toolChoice"],
    [
      "a schema that is no JSON",
      {
        messages: hi,
        outputConfig: { textFormat: { type: "json_schema", structure: { jsonSchema: { schema: "{" } } } },
      },
      "outputConfig.textFormat.structure.jsonSchema.schema",
    ],
    [
      "thinking",
      { messages: hi, additionalModelRequestFields: { thinking: { type: "hard" } } },
      "additionalModelRequestFields.thinking.type",
    ],
  ])("names what is wrong with %s", (_what, json, param) => {
    const decoded = decodeRequest(json);
    expect(decoded).toMatchObject({ kind: "refused", failure: { kind: "invalid_request" } });
    expect(decoded.kind === "refused" && decoded.failure.param).toBe(param);
  });
});

describe("decodeCount", () => {
  it("reads the request that a count is about", async () => {
    const text = await written(new CountTokensCommand({ modelId: "m", input: { converse: { messages: hi } } }));
    expect(decodeCount(JSON.parse(text), {}, text)).toEqual(decodeRequest({ messages: hi }));
  });

  it.each([{}, { input: {} }, { input: { invokeModel: { body: "e30=" } } }, { messages: hi }, null])(
    "refuses %j: only the tokens of a Converse request can be counted",
    (json) => {
      const decoded = decodeCount(json);
      expect(decoded).toMatchObject({ kind: "refused", failure: { param: "input.converse" } });
    },
  );
});
