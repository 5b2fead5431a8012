import { describe, expect, it } from "vitest";
import { plainChatQuirks } from "#domain/quirks";
import type { GenerateRequest, Part, ReasoningPart, Turn } from "#domain/request";
import type { EncodeTarget } from "#dialects/dialect";
import { cohereChat } from "./index.ts";
import { losses, type Loss } from "./losses.ts";

const target: EncodeTarget = { model: "command-a", issuer: "cohere", quirks: plainChatQuirks, streamed: false };
const traits = { name: "cohere/command-a", capabilities: {}, from: { source: "s", date: "2026-11-21" } };
const thinker: EncodeTarget = { ...target, traits: { ...traits, capabilities: { reasoning: true } } };

const plain: GenerateRequest = {
  model: "asked",
  streamed: false,
  usageInStream: false,
  turns: [{ role: "user", parts: [{ kind: "text", text: "hi" }] }],
  tools: [],
  sampling: {},
  stop: [],
  choices: 1,
  rest: {},
};

function made(more: Partial<GenerateRequest>, at = target) {
  const encoded = cohereChat.encodeRequest({ ...plain, ...more }, at);
  if (encoded.kind === "refused") return { refused: encoded.failure.message };
  return {
    body: JSON.parse(Buffer.from(encoded.body).toString()) as Record<string, unknown>,
    losses: encoded.warnings.map((warning) => warning.split(":")[0]),
  };
}

function body(more: Partial<GenerateRequest>, at = target): Record<string, unknown> {
  const { body: json, refused } = made(more, at);
  expect(refused).toBeUndefined();
  return json ?? {};
}

const user = (...parts: readonly Part[]): Turn => ({ role: "user", parts });
const assistant = (...parts: readonly Part[]): Turn => ({ role: "assistant", parts });
const system = (words: string): Turn => ({ role: "system", parts: [text(words)] });
const text = (words: string): Part => ({ kind: "text", text: words });
const call = (id: string, argumentsJson = "{}"): Part => ({ kind: "tool-call", id, name: "f", argumentsJson });
const thought: ReasoningPart = { kind: "reasoning", text: "hm" };
const result = (callId: string, words = "ok", failed = false): Part => ({
  kind: "tool-result",
  callId,
  parts: [{ kind: "text", text: words }],
  failed,
});
const tool = { kind: "function", name: "f", schema: { type: "object" } } as const;
const schema = { type: "object", properties: { a: { type: "string" } }, required: ["a"] };
const foreign = { kind: "foreign", what: "openai:thing", payload: {} } as const;
const note = { kind: "text", text: "The hedge is green." } as const;
const url = { kind: "url", url: "https://example.test/a.png" } as const;

describe("encodeRequest", () => {
  it("writes every field Cohere has, model first, and the same bytes for the same request", () => {
    const request: GenerateRequest = {
      ...plain,
      turns: [system("Be brief."), user(text("hi"))],
      maxOutputTokens: 100,
      stop: ["x", "y"],
      sampling: { temperature: 0.5, topP: 0.9, topK: 20, seed: 7, frequencyPenalty: 0.5 },
      logprobs: {},
      reasoning: { mode: "on", budgetTokens: 500 },
      rest: { documents: ["a hedge"], citation_options: { mode: "fast" }, safety_mode: "STRICT" },
    };
    const at = { ...target, streamed: true };
    const encoded = cohereChat.encodeRequest(request, at);
    expect(encoded).toMatchObject({ kind: "encoded", headers: {}, warnings: [] });
    expect(JSON.parse(Buffer.from(encoded.kind === "encoded" ? encoded.body : "").toString())).toEqual({
      model: "command-a",
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "hi" },
      ],
      documents: ["a hedge"],
      citation_options: { mode: "fast" },
      safety_mode: "STRICT",
      max_tokens: 100,
      stop_sequences: ["x", "y"],
      temperature: 0.5,
      p: 0.9,
      k: 20,
      seed: 7,
      frequency_penalty: 0.5,
      logprobs: true,
      thinking: { type: "enabled", token_budget: 500 },
      stream: true,
    });
    expect(cohereChat.encodeRequest(request, at)).toEqual(encoded);
  });

  it("is asked under the base path of the second version", () => {
    const asked = { model: "m", streamed: false };
    expect(
      ["generate", "embed", "rerank", "count-tokens"].map((each) => cohereChat.upstreamPath(each as "embed", asked)),
    ).toEqual(["/chat", "/embed", "/rerank", undefined]);
  });

  it("writes tools without `strict`, and forces them with the words Cohere has", () => {
    const strict = { ...tool, description: "d", strict: true } as const;
    const encoded = body({ tools: [strict], toolChoice: { kind: "required" } });
    expect(encoded).toMatchObject({
      tools: [{ type: "function", function: { name: "f", description: "d", parameters: { type: "object" } } }],
      strict_tools: true,
      tool_choice: "REQUIRED",
    });
    expect(JSON.stringify(encoded["tools"])).not.toContain("strict");
    expect(body({ tools: [tool], toolChoice: { kind: "none" } })).toMatchObject({ tool_choice: "NONE" });
    expect(body({ tools: [tool], toolChoice: { kind: "auto" } })).not.toHaveProperty("tool_choice");
    expect(body({ toolChoice: { kind: "auto" } })).not.toHaveProperty("tools");
  });

  it("sends the named tool alone and forces it", () => {
    const named = made({ tools: [tool, { ...tool, name: "g" }], toolChoice: { kind: "named", name: "g" } });
    expect(named.body).toMatchObject({ tools: [{ function: { name: "g" } }], tool_choice: "REQUIRED" });
    expect(named.losses).toEqual(["tool-choice-named"]);
  });

  it("pairs calls with results, says failures, and moves images behind the results", () => {
    const picture: Part = {
      kind: "tool-result",
      callId: "b",
      parts: [{ kind: "image", source: { kind: "base64", mediaType: "image/png", data: "AA==" } }],
      failed: false,
    };
    const encoded = made({
      tools: [tool],
      turns: [
        user(text("q")),
        assistant(text("a"), thought, call("a", '{"x":12345678901234567890}'), call("b", "")),
        user(text("and?"), result("a", "no", true), picture),
      ],
    });
    expect(encoded.body?.["messages"]).toEqual([
      { role: "user", content: "q" },
      {
        role: "assistant",
        tool_plan: "hm",
        content: "a",
        tool_calls: [
          { id: "a", type: "function", function: { name: "f", arguments: '{"x":12345678901234567890}' } },
          { id: "b", type: "function", function: { name: "f", arguments: "{}" } },
        ],
      },
      { role: "tool", tool_call_id: "a", content: "[the tool failed]\n\nno" },
      { role: "tool", tool_call_id: "b", content: "[the tool gave no output]" },
      {
        role: "user",
        content: [
          { type: "text", text: "From the result of tool call b:" },
          { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } },
          { type: "text", text: "and?" },
        ],
      },
    ]);
  });

  it("gives a reasoning model its thoughts back as content, and another vendor's to nobody", () => {
    const sealed: Part = { ...thought, text: "secret", seal: { issuer: "anthropic", form: "signature", value: "s" } };
    const turns = [user(text("q")), assistant(sealed, thought, text("a"), call("c")), user(result("c"))];
    const encoded = made({ tools: [tool], turns }, thinker);
    expect((encoded.body!["messages"] as unknown[])[1]).toMatchObject({
      content: [
        { type: "thinking", thinking: "hm" },
        { type: "text", text: "a" },
      ],
    });
    expect(JSON.stringify(encoded.body)).not.toContain("secret");
    expect(encoded.losses).toEqual(["reasoning-seal"]);
  });

  it("tells that what another vendor sealed onto texts and calls stays behind", () => {
    const seal = { issuer: "google", form: "signature", value: "s" } as const;
    for (const part of [
      { ...text("a"), seal },
      { ...call("c"), seal },
    ] as readonly Part[]) {
      const encoded = made({ tools: [tool], turns: [user(text("q")), assistant(part, call("c")), user(result("c"))] });
      expect(encoded.losses).toEqual(["reasoning-seal"]);
    }
  });

  it("has one system message, the first; later ones are marked text", () => {
    const { messages } = body({ turns: [system("a"), system("b"), user(text("q")), system("c")] });
    expect(messages).toEqual([
      { role: "system", content: "a\n\nb" },
      { role: "user", content: "q" },
      { role: "user", content: "<system>\nc\n</system>" },
    ]);
  });

  it("sends documents as text where they stand, or beside the messages where they are to be cited", () => {
    const document = (more: object): Part => ({ kind: "document", source: note, title: "Hedges", ...more });
    expect(body({ turns: [user(document({ context: "A note" }), text("q"))] })["messages"]).toEqual([
      { role: "user", content: "Hedges\n\nA note\n\nThe hedge is green.\n\nq" },
    ]);
    const cited = body({ turns: [user(document({ citations: true }), text("q"))], rest: { documents: ["x"] } });
    expect(cited["documents"]).toEqual(["x", { id: "doc_0", data: { title: "Hedges", text: "The hedge is green." } }]);
  });

  it("holds answers to a schema, in the keywords Cohere has", () => {
    const encoded = made({
      output: {
        kind: "json-schema",
        schema: {
          $schema: "x",
          type: "object",
          properties: { a: { type: "integer", minimum: 1, description: "Count." }, b: { oneOf: [{ type: "null" }] } },
          required: ["a"],
          additionalProperties: false,
        },
      },
    });
    expect(encoded.body?.["response_format"]).toEqual({
      type: "json_object",
      schema: {
        type: "object",
        properties: {
          a: { type: "integer", description: "Count.\nMust hold: minimum: 1." },
          b: { anyOf: [{ type: "null" }] },
        },
        required: ["a"],
        additionalProperties: false,
      },
    });
    expect(encoded.losses).toEqual(["schema-keywords"]);
    expect(body({ output: { kind: "json" } })["response_format"]).toEqual({ type: "json_object" });
  });

  it.each([
    [{ mode: "off" }, { type: "disabled" }],
    [{ mode: "on", effort: "none" }, { type: "disabled" }],
    [
      { mode: "on", effort: "low" },
      { type: "enabled", token_budget: 1024 },
    ],
    [{ mode: "on", effort: "high" }, { type: "enabled" }],
    [{ mode: "adaptive" }, { type: "enabled" }],
  ] as const)("wishes for thoughts: %j", (reasoning, thinking) => {
    expect(body({ reasoning }, thinker)["thinking"]).toEqual(thinking);
  });

  it("leaves out penalties of nothing, and switches nothing off that a model does not have", () => {
    const encoded = body({ sampling: { frequencyPenalty: 0, presencePenalty: 0.5 }, reasoning: { mode: "off" } });
    expect(encoded).toMatchObject({ presence_penalty: 0.5 });
    expect(encoded).not.toHaveProperty("frequency_penalty");
    expect(encoded).not.toHaveProperty("thinking");
  });
});

describe("the loss table", () => {
  const deep = Array.from({ length: 70 }).reduce<unknown>((items) => ({ type: "array", items }), {});
  const history = (...parts: readonly Part[]): Partial<GenerateRequest> => ({
    tools: [tool],
    turns: [user(text("q")), assistant(call("c"), ...parts), user(result("c"))],
  });
  const file: Part = { kind: "image", source: { kind: "file", id: "f" } };
  const image = { kind: "image", source: url } as const;
  const withResult = (part: Part): Partial<GenerateRequest> => ({
    tools: [tool],
    turns: [user(text("q")), assistant(call("c")), user(part)],
  });
  const cases: Readonly<Record<Loss, readonly [Partial<GenerateRequest>, EncodeTarget?]>> = {
    sampling: [{ sampling: { temperature: 2 } }],
    "presence-penalty": [{ sampling: { frequencyPenalty: 1, presencePenalty: 1 } }],
    seed: [{ sampling: { seed: -1 } }],
    "logit-bias": [{ sampling: { logitBias: { "5": 1 } } }],
    choices: [{ choices: 2 }],
    "top-logprobs": [{ logprobs: { top: 3 } }],
    "stop-sequences": [{ stop: ["a", "b", "c", "d", "e", "f"] }],
    "max-tokens-lowered": [{ maxOutputTokens: 100 }, { ...target, traits: { ...traits, maxOutputTokens: 50 } }],
    user: [{ user: "u" }],
    "service-tier": [{ serviceTier: "flex" }],
    verbosity: [{ verbosity: "low" }],
    "unknown-field": [{ rest: { prediction: {} } }],
    "needed-field": [{ rest: { audio: {} }, needed: ["audio"] }],
    "json-with-tools": [{ output: { kind: "json" }, tools: [tool] }],
    "json-schema-shape": [{ output: { kind: "json-schema", schema: { type: "array" } } }],
    "schema-depth": [{ output: { kind: "json-schema", schema: { ...schema, properties: { a: deep } } } }],
    "schema-keywords": [{ output: { kind: "json-schema", schema: { ...schema, minProperties: 1 } } }],
    "nothing-to-ask": [{ turns: [user(text(""))] }],
    "cache-markers": [{ turns: [user({ kind: "text", text: "q", cache: {} })] }],
    citations: [{ turns: [user({ kind: "text", text: "q", citations: [] })] }],
    "participant-name": [{ turns: [{ ...user(text("q")), name: "Ada" }] }],
    "system-inside": [{ turns: [user(text("q")), system("s")] }],
    "cited-document": [{ turns: [user(text("q"), { kind: "document", source: note, citations: true })] }],
    "document-type": [
      { turns: [user({ kind: "document", source: { kind: "base64", mediaType: "application/pdf", data: "" } })] },
    ],
    "provider-file": [{ turns: [user(file)] }],
    audio: [{ turns: [user({ kind: "audio", format: "wav", data: "" })] }],
    video: [{ turns: [user({ kind: "video", source: url })] }],
    "foreign-part": [{ turns: [user(foreign)] }],
    "foreign-history": [history(foreign)],
    "tool-choice-named": [{ tools: [tool, { ...tool, name: "g" }], toolChoice: { kind: "named", name: "f" } }],
    "parallel-tools": [{ tools: [tool], parallelTools: false }],
    "strict-tool": [
      {
        tools: [
          { ...tool, strict: true },
          { ...tool, name: "g" },
        ],
      },
    ],
    "tool-error": [withResult(result("c", "no", true))],
    "tool-result-media": [withResult({ kind: "tool-result", callId: "c", parts: [image], failed: false })],
    "empty-result": [withResult(result("c", ""))],
    "invalid-arguments": [{ ...history(), turns: [user(text("q")), assistant(call("c", '{"x"')), user(result("c"))] }],
    "foreign-tool": [{ tools: [foreign] }],
    "caller-tool": [{ tools: [{ ...foreign, callerRuns: true }] }],
    "foreign-tool-choice": [{ tools: [foreign], toolChoice: { kind: "required" } }],
    "reasoning-history": [{ turns: [user(text("q")), assistant(thought, text("a")), user(text("r"))] }],
    "reasoning-seal": [history({ ...thought, seal: { issuer: "openai", form: "encrypted", value: "v" } })],
    "reasoning-unsupported": [
      { reasoning: { mode: "on", effort: "high" } },
      { ...target, traits: { ...traits, capabilities: { reasoning: false } } },
    ],
    "effort-as-budget": [{ reasoning: { mode: "on", effort: "low" } }],
  };

  it.each(Object.entries(cases))("does with %s what it says", (name, [more, at]) => {
    const loss = losses[name as Loss];
    const encoded = made(more, at ?? target);
    if (loss.treatment === "refused") expect(encoded.refused).toContain(`${name}: ${loss.why}`);
    else expect(encoded.losses?.filter((each) => each === name)).toHaveLength(1);
  });
});
