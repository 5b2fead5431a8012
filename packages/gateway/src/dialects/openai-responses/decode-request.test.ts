import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { GenerateRequest } from "#domain/request";
import { openaiResponses } from "./index.ts";

function decoded(body: object): GenerateRequest {
  const made = openaiResponses.decodeRequest({ model: "m", input: "hi", ...body }, {});
  if (made.kind === "refused") throw new Error(made.failure.message);
  return made.request;
}

function refusal(body: unknown): unknown {
  const made = openaiResponses.decodeRequest(body, {});
  return made.kind === "refused" ? made.failure.param : "nothing";
}

const user = { role: "user", content: "hi" };

describe("a Responses request", () => {
  it("is read with every field the hub has a word for", () => {
    const body = {
      instructions: "Be brief.",
      stream: true,
      temperature: 0.2,
      top_p: 0.9,
      max_output_tokens: 99,
      top_logprobs: 2,
      parallel_tool_calls: false,
      reasoning: { effort: "low", summary: "auto" },
      text: { verbosity: "low", format: { type: "json_schema", name: "n", schema: { type: "object" }, strict: true } },
      safety_identifier: "ann",
      service_tier: "flex",
      store: false,
      metadata: { a: "b" },
    };
    expect(decoded(body)).toEqual({
      model: "m",
      streamed: true,
      usageInStream: true,
      turns: [
        { role: "system", parts: [{ kind: "text", text: "Be brief." }] },
        { role: "user", parts: [{ kind: "text", text: "hi" }] },
      ],
      tools: [],
      parallelTools: false,
      output: { kind: "json-schema", name: "n", schema: { type: "object" }, strict: true },
      sampling: { temperature: 0.2, topP: 0.9 },
      maxOutputTokens: 99,
      stop: [],
      reasoning: { mode: "on", effort: "low", display: "summarized" },
      user: "ann",
      choices: 1,
      logprobs: { top: 2 },
      serviceTier: "flex",
      verbosity: "low",
      rest: {},
    });
  });

  it("joins what the model did in a row into one turn, and outputs in a row into another", () => {
    const input = [
      { type: "message", role: "developer", content: "Rules." },
      {
        role: "user",
        content: [
          { type: "input_text", text: "look" },
          { type: "input_image", image_url: "https://a/b.png", detail: "low" },
        ],
      },
      { type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text: "hm" }], encrypted_content: "gAAAAA" },
      { role: "assistant", content: [{ type: "output_text", text: "So.", annotations: [] }] },
      { type: "function_call", id: "fc_1", call_id: "c1", name: "f", arguments: '{"n":1.0}', status: "completed" },
      { type: "function_call", call_id: "c2", name: "g", arguments: "" },
      { type: "function_call_output", call_id: "c1", output: "one" },
      {
        type: "function_call_output",
        call_id: "c2",
        output: [{ type: "input_image", image_url: "data:image/png;base64,AAAA" }],
      },
      user,
    ];
    expect(decoded({ input }).turns).toEqual([
      { role: "system", parts: [{ kind: "text", text: "Rules." }] },
      {
        role: "user",
        parts: [
          { kind: "text", text: "look" },
          { kind: "image", source: { kind: "url", url: "https://a/b.png" }, detail: "low" },
        ],
      },
      {
        role: "assistant",
        parts: [
          { kind: "reasoning", text: "hm", seal: { issuer: "openai", form: "encrypted", value: "gAAAAA", id: "rs_1" } },
          { kind: "text", text: "So." },
          { kind: "tool-call", id: "c1", name: "f", argumentsJson: '{"n":1.0}' },
          { kind: "tool-call", id: "c2", name: "g", argumentsJson: "" },
        ],
      },
      {
        role: "user",
        parts: [
          { kind: "tool-result", callId: "c1", parts: [{ kind: "text", text: "one" }], failed: false },
          {
            kind: "tool-result",
            callId: "c2",
            parts: [{ kind: "image", source: { kind: "base64", mediaType: "image/png", data: "AAAA" } }],
            failed: false,
          },
        ],
      },
      { role: "user", parts: [{ kind: "text", text: "hi" }] },
    ]);
  });

  it("reads the marks on other vendors' thoughts, and takes a mark without a seal for no seal", () => {
    const thought = (encrypted: string): object => ({
      type: "reasoning",
      id: "rs_1",
      summary: [],
      encrypted_content: encrypted,
    });
    const partOf = (item: object): unknown =>
      decoded({ input: [item, { ...user, role: "assistant" }] }).turns[0]?.parts[0];
    expect(partOf(thought("hedgerow:anthropic:signature:c2ln"))).toEqual({
      kind: "reasoning",
      text: "",
      seal: { issuer: "anthropic", form: "signature", value: "c2ln", id: "rs_1" },
    });
    expect(partOf(thought("hedgerow:deepseek:signature:"))).toEqual({ kind: "reasoning", text: "" });
  });

  it("reads tools flat, those of a namespace under one name, and the choice among them", () => {
    const f = { type: "function", name: "f", description: "d", parameters: { type: "object" }, strict: true };
    const space = { type: "namespace", name: "agents", tools: [{ type: "function", name: "spawn" }] };
    const search = { type: "web_search" };
    const { tools, toolChoice } = decoded({
      tools: [f, space, search, { type: "custom", name: "patch" }],
      tool_choice: { type: "function", name: "spawn", namespace: "agents" },
    });
    expect(tools).toEqual([
      { kind: "function", name: "f", description: "d", schema: { type: "object" }, strict: true },
      { kind: "function", name: "agents__spawn", schema: { type: "object", properties: {} } },
      { kind: "foreign", what: "openai-responses:web_search", payload: search },
      {
        kind: "foreign",
        what: "openai-responses:custom",
        payload: { type: "custom", name: "patch" },
        callerRuns: true,
      },
    ]);
    expect(toolChoice).toEqual({ kind: "named", name: "agents__spawn" });
    const allowed = { type: "allowed_tools", mode: "required", tools: [{ type: "function", name: "f" }] };
    expect(decoded({ tools: [f, search], tool_choice: allowed })).toMatchObject({
      tools: [{ name: "f" }],
      toolChoice: { kind: "required" },
    });
  });

  it("keeps what no other language can look up as needed, and names what it does not know", () => {
    const request = decoded({ prompt: { id: "pmpt_1" }, context_management: {}, truncation: "auto" });
    expect(request.needed).toEqual(["prompt"]);
    expect(Object.keys(request.rest).toSorted()).toEqual(["context_management", "prompt", "truncation"]);
  });

  it.each([
    [[], "The body"],
    [{ input: 1 }, "input"],
    [{ input: [] }, "input"],
    [{ input: [1] }, "input[0]"],
    [{ input: [{ role: "tool", content: "a" }] }, "input[0].role"],
    [{ input: [{ type: "message", role: "user" }] }, "input[0].content"],
    [{ input: [{ type: "function_call", name: "f", arguments: "{}" }] }, "input[0].call_id"],
    [{ input: [{ type: "function_call_output", call_id: "c", output: 1 }] }, "input[0].output"],
    [{ input: "a", background: true }, "background"],
    [{ input: "a", reasoning: { effort: "lots" } }, "reasoning.effort"],
    [{ input: "a", tool_choice: "some" }, "tool_choice"],
    [{ input: "a", max_output_tokens: 1.5 }, "max_output_tokens"],
    [{ input: "a", stream: "yes" }, "stream"],
  ])("is refused in the wrong shape, with the path: %j", (body, param) => {
    expect(refusal(body)).toBe(param);
  });

  it("is read without a throw, whatever JSON comes", () => {
    const item = fc.dictionary(
      fc.constantFrom("type", "role", "content", "output", "summary", "call_id", "name", "arguments", "tools", "id"),
      fc.oneof(
        fc.constantFrom("message", "user", "assistant", "reasoning", "function_call", "namespace", "output_text"),
        fc.jsonValue({ maxDepth: 3 }),
      ),
    );
    const body = fc.record(
      { input: fc.array(item, { maxLength: 4 }), tools: fc.array(item, { maxLength: 3 }), text: item, reasoning: item },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(body, (json) => {
        expect(["decoded", "refused"]).toContain(openaiResponses.decodeRequest(json, {}).kind);
      }),
    );
  });
});
