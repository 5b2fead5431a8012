import { describe, expect, it } from "vitest";
import type { EncodeTarget } from "#dialects/dialect";
import { plainChatQuirks } from "#domain/quirks";
import type { GenerateRequest, Part, Tool, Turn } from "#domain/request";
import { encodeCountRequest, encodeRequest } from "./encode-request.ts";

const target = named("anthropic.claude-sonnet-4-5-20250929-v1:0");

function named(model: string, more: Partial<EncodeTarget> = {}): EncodeTarget {
  return { model, issuer: "anthropic", quirks: plainChatQuirks, streamed: false, ...more };
}

const plain: GenerateRequest = {
  model: "asked",
  streamed: false,
  usageInStream: false,
  turns: [user(text("hi"))],
  tools: [],
  sampling: {},
  stop: [],
  choices: 1,
  rest: {},
};

// Assertions read deep into JSON: its own loose type serves them.
type Json = ReturnType<typeof JSON.parse>;

function encoded(
  more: Partial<GenerateRequest>,
  at: EncodeTarget = target,
): { readonly body: Json; readonly warnings: readonly string[]; readonly text: string } {
  const result = encodeRequest({ ...plain, ...more }, at);
  if (result.kind === "refused") throw new Error(result.failure.message);
  const json = Buffer.from(result.body).toString("utf8");
  return { body: JSON.parse(json), warnings: result.warnings, text: json };
}

function user(...parts: readonly Part[]): Turn {
  return { role: "user", parts };
}

function assistant(...parts: readonly Part[]): Turn {
  return { role: "assistant", parts };
}

function text(words: string): Extract<Part, { kind: "text" }> {
  return { kind: "text", text: words };
}

function call(id: string, argumentsJson = "{}"): Part {
  return { kind: "tool-call", id, name: "f", argumentsJson };
}

function result(callId: string, more: Partial<Extract<Part, { kind: "tool-result" }>> = {}): Part {
  return { kind: "tool-result", callId, parts: [{ kind: "text", text: callId }], failed: false, ...more };
}

const tool: Tool = { kind: "function", name: "f", description: "d", schema: { type: "object", properties: {} } };

describe("encodeRequest", () => {
  it("says nothing that was not asked for", () => {
    expect(encoded({}).text).toBe('{"messages":[{"role":"user","content":[{"text":"hi"}]}]}');
  });

  it("merges turns of one role, with all results first in theirs", () => {
    const { body } = encoded({
      tools: [tool],
      turns: [
        user(text("q")),
        user(text("r")),
        assistant(call("a")),
        assistant(call("b")),
        user(result("a")),
        user(text("and"), result("b")),
      ],
    });
    expect(body.messages.map((message: Json) => message.content.flatMap(Object.keys).join())).toEqual([
      "text,text",
      "toolUse,toolUse",
      "toolResult,toolResult,text",
    ]);
  });

  it("folds a later system turn into the user's, and begins with the user", () => {
    const { body, warnings } = encoded({
      turns: [assistant(text("hello")), user(text("q")), { role: "system", parts: [text("mind")] }],
    });
    expect(body.messages.map(({ role }: Json) => role)).toEqual(["user", "assistant", "user"]);
    expect(body.messages[2].content).toEqual([{ text: "q" }, { text: "<system>\nmind\n</system>" }]);
    expect(warnings.map((warning) => warning.split(":")[0])).toEqual(["system-inside", "assistant-first"]);
  });

  it("leaves blank texts out, and the white space that a last assistant turn may not end with", () => {
    const { body, warnings } = encoded({ turns: [user(text(" "), text("q")), assistant(text(""), text("so \n"))] });
    expect(body.messages).toEqual([
      { role: "user", content: [{ text: "q" }] },
      { role: "assistant", content: [{ text: "so" }] },
    ]);
    expect(warnings).toEqual([]);
  });

  it("names documents so that Bedrock takes them, each once and the same in every turn", () => {
    const document = (title?: string): Part => ({
      kind: "document",
      source: { kind: "text", text: "x" },
      ...(title === undefined ? {} : { title }),
    });
    const titles = ["täx  re/port.pdf", "täx  re/port.pdf", undefined, undefined, "x".repeat(300), "document (2)"];
    const { body } = encoded({ turns: [user(text("q"), ...titles.map(document))] });
    const names = body.messages[0].content.slice(1).map((block: Json) => block.document.name);
    expect(names).toEqual([
      "t-x re-port-pdf",
      "t-x re-port-pdf (2)",
      "document",
      "document (2)",
      "x".repeat(180),
      "document (2) (2)",
    ]);
    for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9()[\] -]{1,200}$/);
  });

  it("keeps the digits of numbers in arguments, and gives a call without any an empty object", () => {
    const { text: json, body } = encoded({
      tools: [tool],
      turns: [user(text("q")), assistant(call("a", '{"n": 1.0, "big": 12345678901234567890}'), call("b", ""))],
    });
    expect(json).toContain('"input":{"n": 1.0, "big": 12345678901234567890}');
    expect(body.messages[1].content[1].toolUse.input).toEqual({});
  });

  it("maps an id that Bedrock does not take, the same way for a call and its result", () => {
    const id = "call:with/odd signs".repeat(5);
    const { body } = encoded({ tools: [tool], turns: [user(text("q")), assistant(call(id)), user(result(id))] });
    const { toolUseId } = body.messages[1].content[0].toolUse;
    expect(toolUseId).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(body.messages[2].content[0].toolResult.toolUseId).toBe(toolUseId);
  });

  it("gives Mistral's models ids of nine letters and digits", () => {
    const at = named("mistral.mistral-large-2407-v1:0", { issuer: "mistral" });
    const { body } = encoded({ tools: [tool], turns: [user(text("q")), assistant(call("toolu_1"))] }, at);
    expect(body.messages[1].content[0].toolUse.toolUseId).toMatch(/^[a-zA-Z0-9]{9}$/);
  });

  it("declares a tool that nothing may call where only the history has some: there is no choice “none”", () => {
    const turns = [user(text("q")), assistant(call("a")), user(result("a"))];
    for (const more of [{}, { tools: [tool], toolChoice: { kind: "none" } as const }]) {
      const { toolConfig } = encoded({ turns, ...more }).body;
      expect(toolConfig.tools.map((each: Json) => each.toolSpec.name)).toEqual(["hedgerow_no_tool"]);
      expect(toolConfig.toolChoice).toBeUndefined();
    }
    expect(encoded({ tools: [tool], toolChoice: { kind: "none" } }).body.toolConfig).toBeUndefined();
  });

  it.each([
    [{ kind: "auto" }, { auto: {} }],
    [{ kind: "required" }, { any: {} }],
    [{ kind: "named", name: "f" }, { tool: { name: "f" } }],
  ] as const)("says the choice %j", (toolChoice, said) => {
    expect(encoded({ tools: [tool], toolChoice }).body.toolConfig.toolChoice).toEqual(said);
  });

  it("gives every tool an object schema and no empty description", () => {
    const tools: readonly Tool[] = [
      { kind: "function", name: "a", description: "", schema: undefined },
      { kind: "function", name: "b", schema: { $schema: "x", type: ["object", "null"], properties: { x: {} } } },
    ];
    expect(encoded({ tools }).body.toolConfig.tools).toEqual([
      { toolSpec: { name: "a", inputSchema: { json: { type: "object", properties: {} } } } },
      { toolSpec: { name: "b", inputSchema: { json: { type: "object", properties: { x: {} } } } } },
    ]);
  });

  it("gives Nova schemas without references, and nothing else at their top", () => {
    const schema = {
      $schema: "x",
      type: "object",
      description: "d",
      properties: { city: { $ref: "#/$defs/City" } },
      required: ["city"],
      additionalProperties: false,
      $defs: { City: { type: "string", minLength: 1 } },
    };
    const tools: readonly Tool[] = [{ kind: "function", name: "f", schema }];
    const { body, warnings } = encoded({ tools }, named("amazon.nova-lite-v1:0", { issuer: "amazon" }));
    expect(body.toolConfig.tools[0].toolSpec.inputSchema.json).toEqual({
      type: "object",
      properties: { city: { type: "string", minLength: 1 } },
      required: ["city"],
    });
    expect(warnings).toEqual([]);
    expect(encoded({ tools }).body.toolConfig.tools[0].toolSpec.inputSchema.json).toMatchObject({
      $defs: schema.$defs,
    });
  });

  it("tells Claude in its own words that tools come one at a time", () => {
    const { body } = encoded({ tools: [tool], parallelTools: false, toolChoice: { kind: "required" } });
    expect(body.additionalModelRequestFields.tool_choice).toEqual({ type: "any", disable_parallel_tool_use: true });
  });

  it("writes a schema as a text, or as a tool to call where the model cannot be held to one", () => {
    const output = {
      kind: "json-schema",
      name: "a b",
      description: "d",
      schema: { type: "object", properties: {} },
    } as const;
    const jsonSchema = {
      name: "a_b",
      description: "d",
      schema: '{"type":"object","properties":{},"additionalProperties":false}',
    };
    const held = encoded({ output }).body;
    expect(held.outputConfig).toEqual({ textFormat: { type: "json_schema", structure: { jsonSchema } } });
    const nova = named("amazon.nova-lite-v1:0", { issuer: "amazon" });
    expect(encoded({ output }, nova).body.toolConfig).toMatchObject({
      tools: [{ toolSpec: { name: "hedgerow_json_answer", inputSchema: { json: output.schema } } }],
      toolChoice: { tool: { name: "hedgerow_json_answer" } },
    });
    expect(encoded({ output, tools: [tool] }, nova).body.toolConfig).toMatchObject({
      tools: [{ toolSpec: { name: "f" } }, { toolSpec: { name: "hedgerow_json_answer" } }],
      toolChoice: { any: {} },
    });
    expect(
      encoded({ output, tools: [tool], toolChoice: { kind: "required" } }, nova).body.toolConfig.tools,
    ).toHaveLength(1);
  });

  it.each([
    [
      "anthropic.claude-opus-4-7",
      { mode: "adaptive", effort: "high", display: "omitted" },
      { thinking: { type: "adaptive", display: "omitted" }, output_config: { effort: "high" } },
    ],
    [
      "arn:aws:bedrock:eu:1:application-inference-profile/x",
      { mode: "on", budgetTokens: 2000 },
      { thinking: { type: "enabled", budget_tokens: 2000 } },
    ],
    ["anthropic.claude-sonnet-4-5-v1:0", { mode: "off" }, { thinking: { type: "disabled" } }],
    [
      "amazon.nova-2-lite-v1:0",
      { mode: "on", effort: "low" },
      { reasoningConfig: { type: "enabled", maxReasoningEffort: "low" } },
    ],
    ["amazon.nova-2-lite-v1:0", { mode: "off" }, { reasoningConfig: { type: "disabled" } }],
    ["openai.gpt-oss-120b-1:0", { mode: "on", effort: "max" }, { reasoning_effort: "high" }],
    ["meta.llama3-70b-instruct-v1:0", { mode: "on", effort: "high" }, undefined],
  ] as const)("asks %s to think as its maker wants it: %j", (model, reasoning, fields) => {
    const traits = {
      name: "anthropic/claude-sonnet-4-5",
      capabilities: {},
      from: { source: "s", date: "2026-11-21" },
    };
    const at = named(model, model.startsWith("arn:") ? { traits } : {});
    expect(encoded({ reasoning, maxOutputTokens: 8000 }, at).body.additionalModelRequestFields).toEqual(fields);
  });

  it("leaves the answer's limit to Nova where it thinks its hardest: it takes none beside that", () => {
    const at = named("amazon.nova-2-lite-v1:0", { issuer: "amazon" });
    const high = { reasoning: { mode: "on", effort: "high" }, sampling: { temperature: 1 } } as const;
    const free = encoded(high, at).body;
    expect(free.additionalModelRequestFields.reasoningConfig.maxReasoningEffort).toBe("high");
    expect(free.inferenceConfig).toBeUndefined();
    const bounded = encoded({ ...high, maxOutputTokens: 100 }, at).body;
    expect(bounded.additionalModelRequestFields.reasoningConfig.maxReasoningEffort).toBe("medium");
    expect(bounded.inferenceConfig).toEqual({ maxTokens: 100, temperature: 1 });
  });

  it("places at most four cache points, and one at the very end for the whole prompt", () => {
    const marked = (words: string): Part => ({ ...text(words), cache: {} });
    const { body, warnings } = encoded({ turns: [user(...["a", "b", "c", "d", "e"].map(marked))] });
    const points = body.messages[0].content.filter((block: Json) => block.cachePoint !== undefined);
    expect(points).toHaveLength(4);
    expect(warnings).toEqual([expect.stringMatching(/^cache-markers: /)]);
    const { body: whole } = encoded({ cache: { ttl: "1h" } });
    expect(whole.messages[0].content.at(-1)).toEqual({ cachePoint: { type: "default", ttl: "1h" } });
  });

  it.each([false, true])("asks Claude which stop sequence was met (streamed: %s)", (streamed) => {
    const { body } = encoded({ stop: ["END"] }, { ...target, streamed });
    expect(body.additionalModelResponseFieldPaths).toEqual([streamed ? "/delta/stop_sequence" : "/stop_sequence"]);
  });

  it("sends no thought to anybody but who sealed it", () => {
    const thoughts: readonly Part[] = [
      { kind: "reasoning", text: "secret one", seal: { issuer: "openai", form: "encrypted", value: "e" } },
      { kind: "reasoning", text: "secret two", seal: { issuer: "google", form: "signature", value: "s" } },
      { kind: "reasoning", text: "secret three" },
    ];
    const { text: json, warnings } = encoded({ turns: [user(text("q")), assistant(...thoughts, text("a"))] });
    expect(json).not.toContain("secret");
    expect(warnings).toEqual([expect.stringMatching(/^foreign-reasoning: /)]);
  });

  it("gives what only this language has back as it came", () => {
    const guard = { guardContent: { text: { text: "x" } } };
    const { body, warnings } = encoded({
      turns: [user({ kind: "foreign", what: "bedrock:guardContent", payload: guard, needed: true })],
      tools: [{ kind: "foreign", what: "bedrock:systemTool", payload: { systemTool: { name: "nova_grounding" } } }],
      rest: { guardrailConfig: { guardrailIdentifier: "g" }, performanceConfig: { latency: "optimized" } },
      needed: ["guardrailConfig"],
    });
    expect(body).toEqual({
      messages: [{ role: "user", content: [guard] }],
      toolConfig: { tools: [{ systemTool: { name: "nova_grounding" } }] },
      guardrailConfig: { guardrailIdentifier: "g" },
      performanceConfig: { latency: "optimized" },
    });
    expect(warnings).toEqual([]);
  });
});

describe("encodeCountRequest", () => {
  it("asks about what belongs to the prompt, and nothing else", () => {
    const made = encodeCountRequest({ ...plain, tools: [tool], maxOutputTokens: 5, stop: ["x"], user: "ada" }, target);
    const body: Json = made.kind === "encoded" ? JSON.parse(Buffer.from(made.body).toString()) : undefined;
    expect(Object.keys(body.input.converse)).toEqual(["messages", "toolConfig"]);
  });
});
