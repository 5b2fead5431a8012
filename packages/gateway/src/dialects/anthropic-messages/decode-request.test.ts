import { describe, expect, it } from "vitest";
import type { GenerateRequest } from "#domain/request";
import { decodeRequest } from "./decode-request.ts";

const least = { model: "claude-sonnet-5", max_tokens: 64, messages: [{ role: "user", content: "hi" }] };

function decoded(body: object): GenerateRequest {
  const result = decodeRequest(JSON.parse(JSON.stringify(body)));
  if (result.kind === "refused") throw new Error(result.failure.message);
  return result.request;
}

function refusal(body: unknown): { param: string | undefined; message: string } {
  const result = decodeRequest(body);
  if (result.kind === "decoded") throw new Error("was not refused");
  expect(result.failure.kind).toBe("invalid_request");
  return { param: result.failure.param, message: result.failure.message };
}

describe("decodeRequest of Messages", () => {
  it("reads the smallest request and says nothing the caller did not", () => {
    expect(decoded(least)).toEqual({
      model: "claude-sonnet-5",
      streamed: false,
      usageInStream: true,
      turns: [{ role: "user", parts: [{ kind: "text", text: "hi" }] }],
      tools: [],
      sampling: {},
      maxOutputTokens: 64,
      stop: [],
      choices: 1,
      rest: {},
    });
  });

  it("keeps system blocks with their cache markers as a leading system turn, and system turns in their place", () => {
    const request = decoded({
      ...least,
      system: [
        { type: "text", text: "a" },
        { type: "text", text: "b", cache_control: { type: "ephemeral", ttl: "1h" } },
      ],
      messages: [
        { role: "user", content: "hi" },
        { role: "system", content: [{ type: "text", text: "now be brief" }], output_config: { effort: "low" } },
      ],
    });
    expect(request.turns).toEqual([
      {
        role: "system",
        parts: [
          { kind: "text", text: "a" },
          { kind: "text", text: "b", cache: { ttl: "1h" } },
        ],
      },
      { role: "user", parts: [{ kind: "text", text: "hi" }] },
      { role: "system", parts: [{ kind: "text", text: "now be brief" }] },
    ]);
    expect(request.rest).toEqual({ "messages[].output_config": { effort: "low" } });
  });

  it("reads images and documents from every source", () => {
    const pdf = { type: "base64", media_type: "application/pdf", data: "JVBERi0=" };
    const content = [
      {
        type: "image",
        source: { type: "base64", media_type: "image/png", data: "iVBO" },
        cache_control: { type: "ephemeral" },
      },
      { type: "image", source: { type: "url", url: "https://example.test/a.png" } },
      { type: "image", source: { type: "file", file_id: "file_1" } },
      { type: "document", source: pdf, title: "t", context: "c", citations: { enabled: true } },
      { type: "document", source: { type: "text", media_type: "text/plain", data: "words" } },
      { type: "document", source: { type: "url", url: "https://example.test/a.pdf" } },
      {
        type: "document",
        source: {
          type: "content",
          content: [
            { type: "text", text: "x" },
            { type: "text", text: "y" },
          ],
        },
      },
    ];
    expect(decoded({ ...least, messages: [{ role: "user", content }] }).turns[0]?.parts).toEqual([
      { kind: "image", source: { kind: "base64", mediaType: "image/png", data: "iVBO" }, cache: {} },
      { kind: "image", source: { kind: "url", url: "https://example.test/a.png" } },
      { kind: "image", source: { kind: "file", id: "file_1" } },
      {
        kind: "document",
        source: { kind: "base64", mediaType: "application/pdf", data: "JVBERi0=" },
        title: "t",
        context: "c",
        citations: true,
      },
      { kind: "document", source: { kind: "text", text: "words" } },
      { kind: "document", source: { kind: "url", url: "https://example.test/a.pdf" } },
      { kind: "document", source: { kind: "text", text: "x\n\ny" } },
    ]);
  });

  it("seals thoughts for Anthropic, and those we tagged for the vendor that wrote them", () => {
    const content = [
      { type: "thinking", thinking: "t", signature: "c2ln" },
      { type: "redacted_thinking", data: "ZGF0YQ==" },
      { type: "thinking", thinking: "u", signature: "hedgerow:google:c2ln" },
      { type: "thinking", thinking: "v", signature: "hedgerow:deepseek:" },
      { type: "thinking", thinking: "w", signature: "" },
    ];
    expect(decoded({ ...least, messages: [{ role: "assistant", content }] }).turns[0]?.parts).toEqual([
      { kind: "reasoning", text: "t", seal: { issuer: "anthropic", form: "signature", value: "c2ln" } },
      { kind: "reasoning", text: "", seal: { issuer: "anthropic", form: "redacted", value: "ZGF0YQ==" } },
      { kind: "reasoning", text: "u", seal: { issuer: "google", form: "signature", value: "c2ln" } },
      { kind: "reasoning", text: "v" },
      { kind: "reasoning", text: "w" },
    ]);
  });

  it("reads tool calls and their results, whatever the results hold", () => {
    const request = decoded({
      ...least,
      messages: [
        {
          role: "assistant",
          content: [{ type: "tool_use", id: "toolu_1", name: "f", input: { a: 1.5 }, caller: { type: "direct" } }],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "toolu_1", content: "sunny", is_error: true },
            { type: "tool_result", tool_use_id: "toolu_2" },
            { type: "tool_result", tool_use_id: "toolu_3", content: [{ type: "search_result", title: "s" }] },
          ],
        },
      ],
    });
    expect(request.turns[0]?.parts).toEqual([
      { kind: "tool-call", id: "toolu_1", name: "f", argumentsJson: '{"a":1.5}' },
    ]);
    expect(request.turns[1]?.parts).toEqual([
      { kind: "tool-result", callId: "toolu_1", parts: [{ kind: "text", text: "sunny" }], failed: true },
      { kind: "tool-result", callId: "toolu_2", parts: [], failed: false },
      {
        kind: "tool-result",
        callId: "toolu_3",
        parts: [{ kind: "foreign", what: "anthropic:search_result", payload: { type: "search_result", title: "s" } }],
        failed: false,
      },
    ]);
    expect(request.rest).toEqual({});
  });

  it("tells function tools from tools the provider runs, and names what a tool asks for beside", () => {
    const search = { type: "web_search_20250305", name: "web_search", max_uses: 3 };
    const request = decoded({
      ...least,
      tools: [
        {
          name: "f",
          description: "d",
          input_schema: { type: "object" },
          strict: true,
          cache_control: { type: "ephemeral" },
        },
        {
          type: "custom",
          name: "g",
          input_schema: { type: "object" },
          defer_loading: true,
          eager_input_streaming: true,
        },
        { name: "h", input_schema: { type: "object" }, eager_input_streaming: true },
        search,
      ],
      tool_choice: { type: "any", disable_parallel_tool_use: true },
    });
    expect(request.tools).toEqual([
      { kind: "function", name: "f", description: "d", schema: { type: "object" }, strict: true, cache: {} },
      { kind: "function", name: "g", schema: { type: "object" } },
      { kind: "function", name: "h", schema: { type: "object" } },
      { kind: "foreign", what: "anthropic:web_search_20250305", payload: search },
    ]);
    expect(request.toolChoice).toEqual({ kind: "required" });
    expect(request.parallelTools).toBe(false);
    expect(Object.keys(request.rest)).toEqual(["tools[].defer_loading", "tools[].eager_input_streaming"]);
  });

  it.each([
    [{ type: "auto" }, { kind: "auto" }],
    [{ type: "none" }, { kind: "none" }],
    [
      { type: "tool", name: "f" },
      { kind: "named", name: "f" },
    ],
  ])("reads tool_choice %j", (toolChoice, expected) => {
    expect(decoded({ ...least, tool_choice: toolChoice }).toolChoice).toEqual(expected);
  });

  it.each([
    [{ thinking: { type: "disabled" } }, { mode: "off" }],
    [{ thinking: { type: "enabled", budget_tokens: 2048 } }, { mode: "on", budgetTokens: 2048 }],
    [
      { thinking: { type: "adaptive", display: "omitted" }, output_config: { effort: "max" } },
      { mode: "adaptive", effort: "max", display: "omitted" },
    ],
    [{ output_config: { effort: "low" } }, { mode: "adaptive", effort: "low" }],
    [{ output_config: { effort: null } }, undefined],
  ])("reads the reasoning wish %j", (wish, expected) => {
    expect(decoded({ ...least, ...wish }).reasoning).toEqual(expected);
  });

  it("reads the output format at its place and at the older one", () => {
    const format = { type: "json_schema", schema: { type: "object" } };
    const shape = { kind: "json-schema", schema: { type: "object" } };
    expect(decoded({ ...least, output_config: { format } }).output).toEqual(shape);
    expect(decoded({ ...least, output_format: format }).output).toEqual(shape);
  });

  it("keeps every field it has no word for by name, and the gateway's own fields not at all", () => {
    const request = decoded({
      ...least,
      context_management: { edits: [] },
      container: null,
      mcp_servers: [],
      speed: "fast",
      metadata: { user_id: "u", other: 1 },
      hedgerow: { metadata: true },
      fallbacks: ["b"],
      provider: { only: ["x"] },
      models: ["c"],
      temperature: 0.5,
      top_p: 0.9,
      top_k: 5,
      stop_sequences: ["END"],
      service_tier: "standard_only",
      cache_control: { type: "ephemeral" },
      stream: true,
    });
    expect(request.rest).toEqual({
      context_management: { edits: [] },
      speed: "fast",
      "metadata.other": 1,
    });
    expect(request).toMatchObject({
      user: "u",
      sampling: { temperature: 0.5, topP: 0.9, topK: 5 },
      stop: ["END"],
      serviceTier: "standard_only",
      cache: {},
      streamed: true,
    });
  });

  it("is not fooled by a field named __proto__", () => {
    const body: unknown = JSON.parse(
      '{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}],"__proto__":{"a":1}}',
    );
    const result = decodeRequest(body);
    expect(result.kind === "decoded" && Object.keys(result.request.rest)).toEqual(["__proto__"]);
  });

  it.each([
    [{ ...least, max_tokens: undefined }, "max_tokens"],
    [{ ...least, max_tokens: 0 }, "max_tokens"],
    [{ ...least, max_tokens: "64" }, "max_tokens"],
    [{ ...least, messages: undefined }, "messages"],
    [{ ...least, messages: [] }, "messages"],
    [{ ...least, messages: ["hi"] }, "messages[0]"],
    [{ ...least, messages: [{ role: "robot", content: "x" }] }, "messages[0].role"],
    [{ ...least, messages: [{ role: "user" }] }, "messages[0].content"],
    [{ ...least, messages: [{ role: "user", content: [{ type: "text" }] }] }, "messages[0].content[0].text"],
    [{ ...least, messages: [{ role: "user", content: [{}] }] }, "messages[0].content[0].type"],
    [
      { ...least, messages: [{ role: "user", content: [{ type: "image", source: { type: "base64", data: "" } }] }] },
      "messages[0].content[0].source.media_type",
    ],
    [
      { ...least, messages: [{ role: "assistant", content: [{ type: "tool_use", id: "1", name: "f", input: [] }] }] },
      "messages[0].content[0].input",
    ],
    [
      {
        ...least,
        messages: [
          {
            role: "user",
            content: [{ type: "tool_result", tool_use_id: "1", content: [{ type: "thinking", thinking: "" }] }],
          },
        ],
      },
      "messages[0].content[0].content[0].type",
    ],
    [{ ...least, system: [{ type: "image", source: { type: "url", url: "" } }] }, "system[0].type"],
    [{ ...least, tools: [{ name: "f" }] }, "tools[0].input_schema"],
    [{ ...least, tool_choice: { type: "some" } }, "tool_choice.type"],
    [{ ...least, thinking: { type: "enabled" } }, "thinking.budget_tokens"],
    [{ ...least, output_config: { effort: "huge" } }, "output_config.effort"],
    [{ ...least, output_config: { format: { type: "grammar" } } }, "output_config.format.type"],
    [{ ...least, temperature: "hot" }, "temperature"],
    [{ ...least, stop_sequences: [1] }, "stop_sequences[0]"],
    [{ ...least, cache_control: { type: "eternal" } }, "cache_control.type"],
  ])("refuses a wrong shape by its path (case %#)", (body, param) => {
    const { param: named, message } = refusal(body);
    expect(named).toBe(param);
    expect(message).toContain(param);
  });

  it.each([[null], [[]], ["text"], [1]])("refuses %j, which is no object", (body) => {
    expect(refusal(body).message).toContain("JSON object");
  });
});
