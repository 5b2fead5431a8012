import { describe, expect, it } from "vitest";
import { openaiChat } from "#dialects/openai-chat/index";
import type { Failure } from "#domain/failure";
import type { GenerateRequest, Part } from "#domain/request";

function decoded(json: object): GenerateRequest {
  const result = openaiChat.decodeRequest({ model: "m", messages: [{ role: "user", content: "hi" }], ...json }, {});
  if (result.kind === "refused") throw new Error(result.failure.message);
  return result.request;
}

function refused(json: unknown): Failure {
  const result = openaiChat.decodeRequest(json, {});
  if (result.kind !== "refused") throw new Error("was expected to be refused");
  return result.failure;
}

function partsOf(content: unknown, more: object = {}): readonly Part[] {
  return decoded({ messages: [{ role: "user", content, ...more }] }).turns[0]?.parts ?? [];
}

describe("decodeRequest", () => {
  it("reads every top-level field that has a meaning in the hub", () => {
    const request = decoded({
      stream: true,
      stream_options: { include_usage: true, include_obfuscation: false },
      parallel_tool_calls: false,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      frequency_penalty: 1,
      presence_penalty: -1,
      seed: 7,
      logit_bias: { "50256": -100 },
      max_tokens: 5,
      max_completion_tokens: 6,
      stop: "END",
      n: 2,
      logprobs: true,
      top_logprobs: 3,
      reasoning_effort: "low",
      verbosity: "high",
      user: "u",
      service_tier: "flex",
      store: true,
      metadata: { a: "b" },
      prediction: null,
      hedgerow: { metadata: true },
    });
    expect(request).toEqual({
      model: "m",
      streamed: true,
      usageInStream: true,
      turns: [{ role: "user", parts: [{ kind: "text", text: "hi" }] }],
      tools: [],
      parallelTools: false,
      sampling: {
        temperature: 0.5,
        topP: 0.9,
        topK: 40,
        frequencyPenalty: 1,
        presencePenalty: -1,
        seed: 7,
        logitBias: { "50256": -100 },
      },
      maxOutputTokens: 6,
      stop: ["END"],
      reasoning: { mode: "on", effort: "low" },
      user: "u",
      choices: 2,
      logprobs: { top: 3 },
      serviceTier: "flex",
      verbosity: "high",
      rest: { store: true, metadata: { a: "b" }, "stream_options.include_obfuscation": false },
    });
  });

  it("gathers consecutive tool messages into one user turn", () => {
    const call = (id: string): object => ({ id, type: "function", function: { name: "f", arguments: '{"n":1.0}' } });
    const { turns } = decoded({
      messages: [
        { role: "system", content: "s" },
        { role: "developer", content: [{ type: "text", text: "d" }] },
        { role: "assistant", content: null, tool_calls: [call("a"), call("b")] },
        { role: "tool", tool_call_id: "a", content: "1" },
        { role: "tool", tool_call_id: "b", content: [{ type: "text", text: "2" }] },
        { role: "user", content: "go on", name: "ann" },
      ],
    });
    expect(turns.map((turn) => turn.role)).toEqual(["system", "system", "assistant", "user", "user"]);
    expect(turns[2]?.parts[0]).toEqual({ kind: "tool-call", id: "a", name: "f", argumentsJson: '{"n":1.0}' });
    expect(turns[3]?.parts).toEqual([
      { kind: "tool-result", callId: "a", parts: [{ kind: "text", text: "1" }], failed: false },
      { kind: "tool-result", callId: "b", parts: [{ kind: "text", text: "2" }], failed: false },
    ]);
    expect(turns[4]?.name).toBe("ann");
  });

  it("reads images, files and audio, with data: URIs that have parameters", () => {
    const parts = partsOf([
      { type: "image_url", image_url: { url: "data:image/PNG;name=a.png;base64,AAAA", detail: "low" } },
      { type: "image_url", image_url: "https://example.com/a.png" },
      { type: "file", file: { file_data: "data:application/pdf;base64,JVBERg==", filename: "a.pdf" } },
      { type: "file", file: { file_data: "data:text/plain;charset=utf-8,gr%C3%BCn", filename: "a.txt" } },
      { type: "file", file: { file_id: "file-1" } },
      { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } },
      { type: "video_url", video_url: { url: "x" } },
    ]);
    expect(parts).toEqual([
      { kind: "image", source: { kind: "base64", mediaType: "image/png", data: "AAAA" }, detail: "low" },
      { kind: "image", source: { kind: "url", url: "https://example.com/a.png" } },
      { kind: "document", source: { kind: "base64", mediaType: "application/pdf", data: "JVBERg==" }, title: "a.pdf" },
      { kind: "document", source: { kind: "text", text: "grün" }, title: "a.txt" },
      { kind: "document", source: { kind: "file", id: "file-1" } },
      { kind: "audio", format: "wav", data: "AAAA" },
      { kind: "foreign", what: 'content part "video_url"', payload: { type: "video_url", video_url: { url: "x" } } },
    ]);
  });

  it("keeps cache markers, on parts and on whole messages", () => {
    const text = { type: "text", text: "a" };
    expect(partsOf([{ ...text, cache_control: { type: "ephemeral", ttl: "1h" } }])).toMatchObject([
      { cache: { ttl: "1h" } },
    ]);
    expect(partsOf([{ ...text, prompt_cache_breakpoint: { mode: "explicit" } }])).toMatchObject([{ cache: {} }]);
    const lasting = { mode: "explicit", ttl: "12h" };
    expect(partsOf([{ ...text, prompt_cache_breakpoint: lasting }])).toMatchObject([{ cache: { ttl: "1h" } }]);
    expect(partsOf("a", { cache_control: { type: "ephemeral" } })).toMatchObject([{ cache: {} }]);
  });

  it("joins reasoning details by index, keeps seals with their issuer, and does not repeat the plain text", () => {
    const { turns } = decoded({
      messages: [
        {
          role: "assistant",
          content: "a",
          reasoning_content: "think more",
          reasoning_details: [
            { type: "reasoning.text", text: "think ", format: "anthropic", index: 0 },
            { type: "reasoning.text", text: "more", format: "anthropic", index: 0 },
            { type: "reasoning.text", signature: "sig==", format: "anthropic", index: 0 },
            { type: "reasoning.encrypted", data: "blob", format: "anthropic", index: 1 },
          ],
        },
        { role: "assistant", content: "b", reasoning: "plain" },
      ],
    });
    expect(turns[0]?.parts).toEqual([
      { kind: "reasoning", text: "think more", seal: { issuer: "anthropic", form: "signature", value: "sig==" } },
      { kind: "reasoning", text: "", seal: { issuer: "anthropic", form: "redacted", value: "blob" } },
      { kind: "text", text: "a" },
    ]);
    expect(turns[1]?.parts[0]).toEqual({ kind: "reasoning", text: "plain" });
  });

  it("reads the deprecated functions and pairs their results with the call before", () => {
    const { tools, toolChoice, turns } = decoded({
      functions: [{ name: "f", parameters: { type: "object" } }],
      function_call: { name: "f" },
      messages: [
        { role: "assistant", content: null, function_call: { name: "f", arguments: "{}" } },
        { role: "function", name: "f", content: "r" },
      ],
    });
    expect(tools).toEqual([{ kind: "function", name: "f", schema: { type: "object" } }]);
    expect(toolChoice).toEqual({ kind: "named", name: "f" });
    const [call, result] = [turns[0]?.parts[0], turns[1]?.parts[0]];
    expect(call).toMatchObject({ kind: "tool-call", id: (result as { callId: string }).callId });
    const functions = [{ name: "f" }];
    expect(decoded({ functions })).toMatchObject({ legacyFunctions: true, parallelTools: false });
    expect(decoded({ tools: [{ type: "function", function: { name: "f" } }] })).not.toHaveProperty("legacyFunctions");
  });

  it("reads tools and every form of tool choice", () => {
    const f = { type: "function", function: { name: "f", description: "d", strict: true } };
    const g = { type: "function", function: { name: "g", parameters: { type: "object" } } };
    const tools = [f, g, { type: "custom", custom: { name: "c" } }];
    const choice = (value: unknown): unknown => decoded({ tools, tool_choice: value }).toolChoice;
    expect(decoded({ tools }).tools).toEqual([
      { kind: "function", name: "f", description: "d", strict: true, schema: { type: "object", properties: {} } },
      { kind: "function", name: "g", schema: { type: "object" } },
      { kind: "foreign", what: 'tool "custom"', payload: tools[2], callerRuns: true },
    ]);
    expect(["auto", "none", "required", "any"].map(choice)).toEqual([
      { kind: "auto" },
      { kind: "none" },
      { kind: "required" },
      { kind: "required" },
    ]);
    expect(choice({ type: "function", function: { name: "f" } })).toEqual({ kind: "named", name: "f" });
    const allowed = {
      type: "allowed_tools",
      allowed_tools: { mode: "required", tools: [{ type: "function", function: { name: "g" } }] },
    };
    expect(decoded({ tools, tool_choice: allowed })).toMatchObject({
      tools: [{ name: "g" }],
      toolChoice: { kind: "required" },
    });
    const custom = { type: "custom", custom: { name: "c" } };
    expect(decoded({ tools, tool_choice: custom })).toMatchObject({
      rest: { tool_choice: custom },
      needed: ["tool_choice"],
    });
  });

  it("reads answer formats and OpenRouter's reasoning", () => {
    const json_schema = { name: "n", schema: { type: "object" }, strict: true };
    expect(decoded({ response_format: { type: "json_schema", json_schema } }).output).toEqual({
      kind: "json-schema",
      name: "n",
      schema: { type: "object" },
      strict: true,
    });
    expect(decoded({ response_format: { type: "json_object" } }).output).toEqual({ kind: "json" });
    expect(decoded({ response_format: { type: "grammar", grammar: "x" } }).rest).toHaveProperty("response_format");
    expect(decoded({ reasoning: { max_tokens: 99, exclude: true } }).reasoning).toEqual({
      mode: "on",
      budgetTokens: 99,
      display: "omitted",
    });
    expect(decoded({ reasoning_effort: "none" }).reasoning).toEqual({ mode: "off", effort: "none" });
  });

  const image = (url: unknown): object => ({ role: "user", content: [{ type: "image_url", image_url: { url } }] });
  it.each([
    [[], "The body"],
    [{ messages: "x" }, "messages"],
    [{ messages: [] }, "messages"],
    [{ messages: [3] }, "messages[0]"],
    [{ messages: [{ role: "robot", content: "x" }] }, "messages[0].role"],
    [{ messages: [{ role: "user" }] }, "messages[0].content"],
    [{ messages: [{ role: "user", content: 3 }] }, "messages[0].content"],
    [{ messages: [image("https://a"), image(3)] }, "messages[1].content[0].image_url.url"],
    [{ messages: [image("data:broken")] }, "messages[0].content[0].image_url.url"],
    [{ messages: [image("data:text/plain,%zz")] }, "messages[0].content[0].image_url.url"],
    [{ messages: [{ role: "tool", content: "x" }] }, "messages[0].tool_call_id"],
    [{ messages: [{ role: "assistant", tool_calls: [{ id: "a" }] }] }, "messages[0].tool_calls[0].function"],
    [{ messages: [{ role: "assistant", tool_calls: {} }] }, "messages[0].tool_calls"],
    [{ temperature: "hot" }, "temperature"],
    [{ max_tokens: 0 }, "max_tokens"],
    [{ n: 1.5 }, "n"],
    [{ stop: [1] }, "stop[0]"],
    [{ reasoning_effort: "huge" }, "reasoning_effort"],
    [{ tools: [{ type: "function", function: {} }] }, "tools[0].function.name"],
    [{ tool_choice: "perhaps" }, "tool_choice"],
    [{ response_format: "json" }, "response_format"],
    [{ logit_bias: { a: "x" } }, "logit_bias.a"],
  ])("refuses %j and names the path", (json, path) => {
    const messages = [{ role: "user", content: "hi" }];
    const failure = refused(Array.isArray(json) ? json : { model: "m", messages, ...json });
    expect(failure).toMatchObject({ kind: "invalid_request", param: path });
    expect(failure.message.startsWith(path)).toBe(true);
  });
});
