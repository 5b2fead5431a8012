import { describe, expect, it } from "vitest";
import { plainChatQuirks } from "#domain/quirks";
import type { GenerateRequest, Part, Turn } from "#domain/request";
import type { EncodeTarget } from "#dialects/dialect";
import { encodeRequest } from "./encode-request.ts";
import { losses } from "./losses.ts";

const target: EncodeTarget = {
  model: "claude-sonnet-4-5",
  issuer: "anthropic",
  quirks: plainChatQuirks,
  streamed: false,
};

const plain: GenerateRequest = {
  model: "asked",
  streamed: false,
  usageInStream: false,
  turns: [{ role: "user", parts: [{ kind: "text", text: "hi" }] }],
  tools: [],
  sampling: {},
  maxOutputTokens: 100,
  stop: [],
  choices: 1,
  rest: {},
};

// Assertions read deep into JSON: its own loose type serves them.
type Json = ReturnType<typeof JSON.parse>;

function encoded(
  more: Partial<GenerateRequest>,
  at: EncodeTarget = target,
): { body: Json; warnings: readonly string[]; text: string } {
  const result = encodeRequest({ ...plain, ...more }, at);
  if (result.kind === "refused") throw new Error(result.failure.message);
  const text = Buffer.from(result.body).toString("utf8");
  return { body: JSON.parse(text), warnings: result.warnings, text };
}

function user(...parts: readonly Part[]): Turn {
  return { role: "user", parts };
}

function assistant(...parts: readonly Part[]): Turn {
  return { role: "assistant", parts };
}

function text(words: string): Part {
  return { kind: "text", text: words };
}

function call(id: string, argumentsJson = "{}"): Part {
  return { kind: "tool-call", id, name: "f", argumentsJson };
}

function result(callId: string): Part {
  return { kind: "tool-result", callId, parts: [{ kind: "text", text: callId }], failed: false };
}

const tool = { kind: "function", name: "f", schema: { type: "object" } } as const;

describe("encodeRequest to Messages", () => {
  it("writes the smallest body without a warning, at the version that has sampling", () => {
    expect(encodeRequest(plain, target)).toMatchObject({
      headers: { "anthropic-version": "2023-06-01" },
      warnings: [],
    });
    expect(encoded({}).text).toBe(
      '{"model":"claude-sonnet-4-5","max_tokens":100,"messages":[{"role":"user","content":"hi"}]}',
    );
  });

  it("gives the same bytes for the same request", () => {
    const request = { turns: [assistant(call("a")), user(result("a"))], tools: [tool], rest: { b: 1, a: 2 } };
    expect(encoded(request).text).toBe(encoded(request).text);
  });

  it("writes one plain system text as a string, several or marked ones as blocks", () => {
    const system = (...parts: readonly Part[]): Turn => ({ role: "system", parts });
    expect(encoded({ turns: [system(text("a")), ...plain.turns] }).body.system).toBe("a");
    expect(encoded({ turns: [system(text("a")), system(text("b")), ...plain.turns] }).body.system).toEqual([
      { type: "text", text: "a" },
      { type: "text", text: "b" },
    ]);
    expect(
      encoded({ turns: [system({ kind: "text", text: "a", cache: { ttl: "1h" } }), ...plain.turns] }).body.system,
    ).toEqual([{ type: "text", text: "a", cache_control: { type: "ephemeral", ttl: "1h" } }]);
  });

  it("folds a system turn in mid-conversation into the user's turn, behind the tool results", () => {
    const { body, warnings } = encoded({
      tools: [tool],
      turns: [user(text("q")), assistant(call("a")), { role: "system", parts: [text("be brief")] }, user(result("a"))],
    });
    expect(body.messages[2]).toEqual({
      role: "user",
      content: [
        { type: "tool_result", tool_use_id: "a", content: "a" },
        { type: "text", text: "<system>\nbe brief\n</system>" },
      ],
    });
    expect(warnings).toEqual([`system-inside: ${losses["system-inside"].words}`]);
  });

  it("merges turns of one role and puts all results of parallel calls first in the next user turn", () => {
    const { body } = encoded({
      tools: [tool],
      turns: [
        user(text("q")),
        assistant(text("let me see")),
        assistant(call("a"), call("b")),
        user(result("b")),
        user(text("also")),
        user(result("a")),
      ],
    });
    expect(body.messages.map((message: { role: string }) => message.role)).toEqual(["user", "assistant", "user"]);
    expect(body.messages[1].content).toHaveLength(3);
    expect(
      body.messages[2].content.map((block: { type: string; tool_use_id?: string }) => block.tool_use_id ?? block.type),
    ).toEqual(["b", "a", "text"]);
  });

  it("leaves out blank text, cuts the white space a last assistant turn ends with, and says neither", () => {
    const { body, warnings } = encoded({
      turns: [user(text("  "), text("q")), assistant(text("")), user(text("r")), assistant(text("  Once upon \n"))],
    });
    expect(body.messages).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "q" },
          { type: "text", text: "r" },
        ],
      },
      { role: "assistant", content: "  Once upon" },
    ]);
    expect(warnings).toEqual([]);
  });

  it("keeps the digits of tool arguments and makes no arguments the empty object", () => {
    const { text: written } = encoded({
      tools: [tool],
      turns: [
        user(text("q")),
        assistant(call("a", '{"id": 12345678901234567890, "x": 1.0}'), call("b", ""), call("c", "null")),
      ],
    });
    expect(written).toContain('"input":{"id": 12345678901234567890, "x": 1.0}');
    expect(written.match(/"input":\{\}/gu)).toHaveLength(2);
  });

  it("maps tool ids that do not fit in call and result alike, and leaves the others", () => {
    const { body } = encoded({
      tools: [tool],
      turns: [user(text("q")), assistant(call("a|b"), call("ok")), user(result("a|b"), result("ok"))],
    });
    expect(body.messages[1].content.map((block: { id: string }) => block.id)).toEqual(["hedgerow_a_7c_b", "ok"]);
    expect(body.messages[2].content.map((block: { tool_use_id: string }) => block.tool_use_id)).toEqual([
      "hedgerow_a_7c_b",
      "ok",
    ]);
  });

  it("declares the tools of an earlier turn, uncallable, where the request brings none", () => {
    const { body, warnings } = encoded({ turns: [user(text("q")), assistant(call("a")), user(result("a"))] });
    expect(body.tools).toEqual([{ name: "f", input_schema: { type: "object" } }]);
    expect(body.tool_choice).toEqual({ type: "none" });
    expect(warnings).toEqual([]);
  });

  it("writes tools with an object schema and without an empty description", () => {
    const { body } = encoded({
      tools: [
        { kind: "function", name: "f", description: "", schema: undefined },
        { kind: "function", name: "g", schema: { properties: {} } },
      ],
    });
    expect(body.tools).toEqual([
      { name: "f", input_schema: { type: "object", properties: {} } },
      { name: "g", input_schema: { type: "object", properties: {} } },
    ]);
  });

  it.each([
    [{ kind: "auto" }, undefined, { type: "auto" }],
    [{ kind: "none" }, false, { type: "none" }],
    [{ kind: "required" }, undefined, { type: "any" }],
    [{ kind: "named", name: "f" }, false, { type: "tool", name: "f", disable_parallel_tool_use: true }],
    [undefined, false, { type: "auto", disable_parallel_tool_use: true }],
    [undefined, true, undefined],
  ] as const)("writes tool choice %j with parallel %j", (toolChoice, parallelTools, expected) => {
    const { body } = encoded({
      tools: [tool],
      ...(toolChoice === undefined ? {} : { toolChoice }),
      ...(parallelTools === undefined ? {} : { parallelTools }),
    });
    expect(body.tool_choice).toEqual(expected);
  });

  it("sends thoughts back to the vendor that sealed them, byte for byte, and to no other", () => {
    const sealed: Part = {
      kind: "reasoning",
      text: "t",
      seal: { issuer: "anthropic", form: "signature", value: "sïg==" },
    };
    const redacted: Part = {
      kind: "reasoning",
      text: "",
      seal: { issuer: "anthropic", form: "redacted", value: "r==" },
    };
    const turns = [user(text("q")), assistant(sealed, redacted, text("a")), user(text("q"))];
    expect(encoded({ turns }).body.messages[1].content).toEqual([
      { type: "thinking", thinking: "t", signature: "sïg==" },
      { type: "redacted_thinking", data: "r==" },
      { type: "text", text: "a" },
    ]);
    const elsewhere = encoded({ turns }, { ...target, issuer: "deepseek" });
    expect(elsewhere.text).not.toContain("sïg");
    expect(elsewhere.warnings).toEqual([`foreign-reasoning: ${losses["foreign-reasoning"].words}`]);
  });

  it("carries at most four cache breakpoints, in the order of the cache", () => {
    const cache = {};
    const { body, warnings } = encoded({
      tools: [{ ...tool, cache }],
      turns: [
        { role: "system", parts: [{ kind: "text", text: "s", cache }] },
        user(...["1", "2", "3"].map((words): Part => ({ kind: "text", text: words, cache }))),
      ],
    });
    const marks = [...body.tools, ...body.system, ...body.messages[0].content].map((block) => "cache_control" in block);
    expect(marks).toEqual([true, true, true, true, false]);
    expect(warnings).toEqual([`cache-markers: ${losses["cache-markers"].words}`]);
  });

  it("takes max_tokens from the model's limit in silence", () => {
    const traits = {
      name: "a/b",
      maxOutputTokens: 64_000,
      capabilities: {},
      from: { source: "s", date: "2026-11-21" },
    };
    const { maxOutputTokens: _, ...unsaid } = plain;
    const result = encodeRequest(unsaid, { ...target, traits });
    expect(result.kind === "encoded" && JSON.parse(Buffer.from(result.body).toString())).toMatchObject({
      max_tokens: 64_000,
    });
    expect(result).toMatchObject({ warnings: [] });
  });

  it("closes a JSON schema and moves what is not enforced to descriptions, but no property of that name", () => {
    const schema = {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      properties: {
        minimum: { type: "integer", minimum: 1, description: "least" },
        list: { type: "array", items: { oneOf: [{ type: "string", format: "ssn" }] } },
      },
    };
    const { body, warnings } = encoded({ output: { kind: "json-schema", schema, name: "n", description: "d" } });
    expect(body.output_config.format).toEqual({
      type: "json_schema",
      schema: {
        type: "object",
        properties: {
          minimum: { type: "integer", description: "least\nMust hold: minimum: 1." },
          list: { type: "array", items: { anyOf: [{ type: "string", description: 'Must hold: format: "ssn".' }] } },
        },
        additionalProperties: false,
        description: "d",
      },
    });
    expect(warnings).toEqual([
      `schema-keywords: ${losses["schema-keywords"].words} (minimum)`,
      `schema-keywords: ${losses["schema-keywords"].words} (format)`,
    ]);
  });

  it.each([
    [
      "claude-opus-5-5",
      { mode: "adaptive", effort: "xhigh" },
      { thinking: { type: "adaptive" }, output_config: { effort: "xhigh" } },
    ],
    [
      "claude-opus-5-5",
      { mode: "on", budgetTokens: 6000 },
      { thinking: { type: "adaptive" }, output_config: { effort: "medium" } },
    ],
    ["claude-opus-5-5", { mode: "off" }, { thinking: { type: "disabled" } }],
    [
      "us.anthropic.claude-opus-4-6-v1:0",
      { mode: "on", budgetTokens: 2000 },
      { thinking: { type: "enabled", budget_tokens: 2000 } },
    ],
    [
      "claude-sonnet-4-20250514",
      { mode: "on", effort: "high" },
      { thinking: { type: "enabled", budget_tokens: 4096 } },
    ],
    [
      "claude-sonnet-4-20250514",
      { mode: "on", budgetTokens: 2000, display: "omitted" },
      { thinking: { type: "enabled", budget_tokens: 2000, display: "omitted" } },
    ],
    ["claude-3-5-sonnet-20241022", { mode: "off" }, {}],
    ["glm-4.6", { mode: "on", budgetTokens: 2000 }, { thinking: { type: "enabled", budget_tokens: 2000 } }],
  ] as const)("writes for %s the wish %j", (model, reasoning, expected) => {
    const { body } = encoded({ reasoning, maxOutputTokens: 8192 }, { ...target, model });
    expect({ thinking: body.thinking, output_config: body.output_config }).toEqual({
      thinking: undefined,
      output_config: undefined,
      ...expected,
    });
  });

  it("writes sampling within this language's range, and stop sequences, user and tier under its names", () => {
    const { body } = encoded({
      sampling: { temperature: 1.7, topK: 5 },
      stop: ["END"],
      user: "u",
      serviceTier: "default",
      cache: { ttl: "5m" },
    });
    expect(body).toMatchObject({
      temperature: 1,
      top_k: 5,
      stop_sequences: ["END"],
      metadata: { user_id: "u" },
      service_tier: "standard_only",
      cache_control: { type: "ephemeral", ttl: "5m" },
    });
    expect(encoded({ sampling: { temperature: 0.3, topP: 0.9 } }, { ...target, model: "glm-4.6" }).body).toMatchObject({
      temperature: 0.3,
      top_p: 0.9,
    });
  });

  it("settles the type of an image by its bytes where the word does not do", () => {
    const image = (mediaType: string, data: string): Turn =>
      user({ kind: "image", source: { kind: "base64", mediaType, data } });
    const { body } = encoded({
      turns: [image("image/*", "R0lGODlh"), image("image/jpg", "xx"), image("IMAGE/PNG;x=1", "xx")],
    });
    expect(
      body.messages[0].content.map((block: { source: { media_type: string } }) => block.source.media_type),
    ).toEqual(["image/gif", "image/jpeg", "image/png"]);
  });

  it("gives a text file to read as text", () => {
    const data = Buffer.from("Grüße").toString("base64");
    const file: Part = { kind: "document", source: { kind: "base64", mediaType: "text/markdown", data } };
    expect(encoded({ turns: [user(file)] }).body.messages[0].content).toEqual([
      { type: "document", source: { type: "text", media_type: "text/plain", data: "Grüße" } },
    ]);
  });

  it("gives back server tools and blocks of this language as they came", () => {
    const search = { type: "web_search_20250305", name: "web_search" };
    const block = { type: "server_tool_use", id: "s", name: "web_search", input: {} };
    const { body, warnings } = encoded({
      tools: [{ kind: "foreign", what: "anthropic:web_search_20250305", payload: search }],
      turns: [
        user(text("q")),
        assistant({ kind: "foreign", what: "anthropic:server_tool_use", payload: block }),
        user(text("q")),
      ],
    });
    expect(body.tools).toEqual([search]);
    expect(body.messages[1].content).toEqual([block]);
    expect(warnings).toEqual([]);
  });
});
