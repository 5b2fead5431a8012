import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openaiChat } from "#dialects/openai-chat/index";
import type { EncodeTarget } from "#dialects/dialect";
import type { AnswerEvent } from "#domain/answer";
import type { ModelTraits } from "#domain/model";
import { plainChatQuirks, type ChatQuirks } from "#domain/quirks";
import type { GenerateRequest, Part, Turn } from "#domain/request";
import { losses, type answerLosses } from "./losses.ts";
import { toolCallId } from "./tool-call-ids.ts";

const plainRequest: GenerateRequest = {
  model: "m",
  streamed: false,
  usageInStream: false,
  turns: [{ role: "user", parts: [{ kind: "text", text: "hi" }] }],
  tools: [],
  sampling: {},
  stop: [],
  choices: 1,
  rest: {},
};

interface Case extends Partial<GenerateRequest> {
  readonly quirks?: Partial<ChatQuirks>;
  readonly capabilities?: ModelTraits["capabilities"];
  readonly to?: Partial<EncodeTarget>;
}

function encode({ quirks, capabilities, to, ...request }: Case): ReturnType<typeof openaiChat.encodeRequest> {
  const traits = {
    name: "openai/gpt-5-mini",
    capabilities: capabilities ?? {},
    from: { source: "test", date: "2026-11-21" },
  };
  const target = {
    model: "gpt-5-mini",
    issuer: "openai",
    quirks: { ...plainChatQuirks, ...quirks },
    streamed: false,
    ...(capabilities === undefined ? {} : { traits }),
    ...to,
  };
  return openaiChat.encodeRequest({ ...plainRequest, ...request }, target);
}

function body(of: Case): Record<string, unknown> {
  const result = encode(of);
  if (result.kind === "refused") throw new Error(result.failure.message);
  return JSON.parse(Buffer.from(result.body).toString()) as Record<string, unknown>;
}

function messages(turns: readonly Turn[], more: Case = {}): unknown {
  return body({ ...more, turns })["messages"];
}

const user = (...parts: Part[]): Turn => ({ role: "user", parts });
const assistant = (...parts: Part[]): Turn => ({ role: "assistant", parts });
const text = (of: string): Part => ({ kind: "text", text: of });
const call = (id: string, argumentsJson = "{}"): Part => ({ kind: "tool-call", id, name: "f", argumentsJson });
const f = { kind: "function", name: "f", schema: { type: "object" } } as const;
const png = { kind: "image", source: { kind: "base64", mediaType: "image/png", data: "AAAA" } } as const;
const pdf = { kind: "document", source: { kind: "base64", mediaType: "application/pdf", data: "JVBE" } } as const;
const result = (parts: Extract<Part, { kind: "tool-result" }>["parts"], failed = false): Part => ({
  kind: "tool-result",
  callId: "a",
  parts,
  failed,
});
const goOn = user(text("go on"));
const sealed = { kind: "reasoning", text: "t", seal: { issuer: "anthropic", form: "signature", value: "s" } } as const;

const messageFields = {
  system: ["role", "content"],
  user: ["role", "content"],
  assistant: ["role", "content", "tool_calls", "prefix"],
  tool: ["role", "content", "tool_call_id"],
};

const smallTraits: ModelTraits = {
  name: "openai/gpt-4.1",
  maxOutputTokens: 32_768,
  capabilities: {},
  from: { source: "test", date: "2026-11-21" },
};

/** For each row of the table a request that meets it. */
const cases: Record<keyof typeof losses, Case> = {
  "top-k": { sampling: { topK: 5 } },
  sampling: { sampling: { temperature: 1, topP: 1 }, capabilities: { sampling: false } },
  "stop-sequences": { stop: ["a", "b", "c", "d", "e"] },
  "stop-unsupported": { stop: ["a"] },
  "max-tokens-lowered": { maxOutputTokens: 128_000, to: { traits: smallTraits } },
  "service-tier": { serviceTier: "lunar" },
  "user-id": { user: "u".repeat(65) },
  "unknown-field": { rest: { context_management: {} } },
  "needed-field": { rest: { inference_geo: "us" }, needed: ["inference_geo"] },
  "refused-hint": { sampling: { seed: 1 }, quirks: { refusedFields: ["seed"] } },
  "refused-meaning": { stop: ["a"], quirks: { refusedFields: ["stop"] }, to: { model: "m" } },
  "json-schema": { output: { kind: "json-schema", schema: {} }, quirks: { jsonSchema: false } },
  "json-schema-loose": { output: { kind: "json-schema", schema: { type: "object" } } },
  "cache-markers": { cache: {} },
  citations: { turns: [assistant({ kind: "text", text: "a", citations: [{}] }), goOn] },
  "document-context": { turns: [user({ ...pdf, context: "c" })] },
  video: { turns: [user({ kind: "video", source: { kind: "url", url: "https://a" } })] },
  "document-url": { turns: [user({ kind: "document", source: { kind: "url", url: "https://a" } })] },
  "image-address": {
    turns: [user({ kind: "image", source: { kind: "url", url: "https://a" } })],
    quirks: { imagesAsData: true },
  },
  "message-field": { turns: [{ ...goOn, name: "Ann" }], quirks: { messageFields } },
  "tool-answer": { turns: [assistant(call("a")), user(result([]), text("and?"))], quirks: { answersTools: true } },
  "tool-choice-ignored": { tools: [f], toolChoice: { kind: "required" }, quirks: { ignoresToolChoice: true } },
  "provider-file": { turns: [user({ kind: "image", source: { kind: "file", id: "x" } })] },
  "foreign-user-part": { turns: [user({ kind: "foreign", what: "video", payload: {} })] },
  prefill: { turns: [user(text("x")), assistant(text("The answer is"))] },
  "foreign-assistant-part": { turns: [assistant({ kind: "foreign", what: "server_tool_use", payload: {} }), goOn] },
  "tool-error": { turns: [assistant(call("a")), user(result([], true))] },
  "tool-result-media": { turns: [assistant(call("a")), user(result([png]))] },
  "tool-name": { tools: [{ ...f, name: "x".repeat(65) }] },
  "foreign-tool": { tools: [{ kind: "foreign", what: "web_search", payload: {} }] },
  "caller-tool": { tools: [{ kind: "foreign", what: "bash", payload: {}, callerRuns: true }] },
  "foreign-tool-choice": { tools: [f], toolChoice: { kind: "named", name: "web_search" } },
  "reasoning-history": { turns: [assistant({ kind: "reasoning", text: "t" }), goOn] },
  "reasoning-seal": { turns: [assistant(sealed), goOn], quirks: { reasoningEcho: "reasoning_content" } },
  "reasoning-effort": { reasoning: { mode: "on", effort: "high" }, capabilities: { reasoning: false } },
  "reasoning-budget": { reasoning: { mode: "on", budgetTokens: 6000 } },
  "effort-fixed": { reasoning: { mode: "on", effort: "low" }, capabilities: { reasoningControl: {} } },
  "effort-moved": {
    reasoning: { mode: "on", effort: "minimal" },
    capabilities: { reasoningControl: { efforts: ["none", "low", "high"] } },
  },
  "reasoning-with-tools": { tools: [f], to: { model: "gpt-5.4" } },
  "signatures-elsewhere": { tools: [f], quirks: { toolSignatures: "google" }, to: { hasOtherLane: true } },
  "reasoning-elsewhere": { tools: [f], to: { model: "gpt-5.4", hasOtherLane: true } },
};

const answerCases: Record<keyof typeof answerLosses, readonly AnswerEvent[]> = {
  "answer-paused": [{ kind: "finish", finish: { reason: "paused" } }],
  "answer-malformed": [{ kind: "finish", finish: { reason: "malformed" } }],
  "foreign-event": [{ kind: "foreign", what: "web_search_tool_result", payload: {} }],
  "further-call": [0, 1].map((block) => ({ kind: "tool-start", block, id: `${block}`, name: "f" })),
};

describe("the loss table", () => {
  it.each(Object.entries(cases))("has a row for %s, met by a request, with the treatment it names", (loss, of) => {
    const encoded = encode(of);
    expect(encoded.kind).toBe(losses[loss as keyof typeof losses].treatment === "refused" ? "refused" : "encoded");
    const told = encoded.kind === "refused" ? [encoded.failure.message] : encoded.warnings;
    expect(told).toHaveLength(1);
    expect(told[0]?.startsWith(`${loss}: `)).toBe(true);
    if (encoded.kind === "refused") expect(encoded.failure.kind).toBe("not_translatable");
  });

  it.each(Object.entries(answerCases))("has a row for %s, met by an answer, streamed and whole", (loss, events) => {
    const told: string[] = [];
    const options = {
      fallbackId: "x",
      model: "m",
      createdAtS: 1,
      includeUsage: false,
      issuer: "anthropic",
      ...(loss === "further-call" ? { legacyFunctions: true as const } : {}),
      onLoss: (warning: string) => told.push(warning),
    };
    const encoder = openaiChat.streamEncoder(options);
    for (const event of events) encoder.encode(event);
    expect(encoder.warnings.map((warning) => warning.split(":")[0])).toEqual([loss]);
    openaiChat.encodeAnswer([...events, { kind: "end" }], options);
    expect(told).toEqual(encoder.warnings);
  });

  it("tells a loss once, however often it occurs", () => {
    const marked: Part = { kind: "text", text: "a", cache: {} };
    const encoded = encode({ turns: [user(marked, marked), user(marked)], tools: [{ ...f, cache: {} }], cache: {} });
    expect(encoded.kind === "encoded" && encoded.warnings).toHaveLength(1);
  });
});

describe("encodeRequest", () => {
  it("writes the same bytes for the same request, model first, without fields nobody set", () => {
    const encoded = encode({});
    const expected = '{"model":"gpt-5-mini","messages":[{"role":"user","content":"hi"}]}';
    expect(encoded.kind === "encoded" && Buffer.from(encoded.body).toString()).toBe(expected);
  });

  it("never forwards unknown fields", () => {
    expect(body({ rest: { store: true } })).not.toHaveProperty("store");
  });

  it("puts tool results directly behind the assistant turn and their images into a user message", () => {
    const turns = [
      assistant(text("on it"), call("a", "")),
      user(result([{ kind: "text", text: "1" }, png]), text("and?")),
    ];
    expect(messages(turns)).toEqual([
      {
        role: "assistant",
        content: "on it",
        tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: "a", content: "1" },
      {
        role: "user",
        content: [
          { type: "text", text: "From the result of tool call a:" },
          { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
          { type: "text", text: "and?" },
        ],
      },
    ]);
  });

  it("asks for no longer answer than the model can give, and for shorter ones as they are", () => {
    const limit = (maxOutputTokens: number) => body({ maxOutputTokens, to: { traits: smallTraits } });
    expect(limit(128_000)).toMatchObject({ max_completion_tokens: 32_768 });
    expect(limit(500)).toMatchObject({ max_completion_tokens: 500 });
    expect(body({ maxOutputTokens: 128_000 })).toMatchObject({ max_completion_tokens: 128_000 });
  });

  it.each([
    ["o3", true],
    ["openai/o4-mini", true],
    ["gpt-5", true],
    ["gpt-5-mini-2025-08-07", true],
    ["gpt-5-chat-latest", false],
    ["gpt-5.4", false],
    ["gpt-4o", false],
    ["gpt-oss-120b", false],
  ])("asks %s with stop sequences: refused %s", (model, isRefused) => {
    expect(encode({ stop: ["END"], to: { model } }).kind).toBe(isRefused ? "refused" : "encoded");
  });

  it("says in words that a tool failed", () => {
    const turns = [assistant(call("a")), user(result([{ kind: "text", text: "no disk" }], true))];
    expect(messages(turns)).toMatchObject([{ content: null }, { content: "[the tool failed]\n\nno disk" }]);
  });

  it("sends documents as files or as text, audio and refusals as such", () => {
    const doc = { kind: "document", source: { kind: "text", text: "body" }, title: "T" } as const;
    const audio = { kind: "audio", format: "wav", data: "AAAA" } as const;
    expect(messages([user(pdf, doc, audio)])).toEqual([
      {
        role: "user",
        content: [
          { type: "file", file: { filename: "document.pdf", file_data: "data:application/pdf;base64,JVBE" } },
          { type: "text", text: "T\n\nbody" },
          { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } },
        ],
      },
    ]);
    expect(messages([assistant({ kind: "refusal", text: "no" })])).toEqual([
      { role: "assistant", content: "", refusal: "no" },
    ]);
  });

  it("maps tool-call ids the target refuses, calls and results alike, and leaves conforming ones", () => {
    const turns = [
      assistant(call("call_1"), call("abcDEF123")),
      user(result([]), { ...result([]), callId: "abcDEF123" } as Part),
    ];
    turns[1] = user(
      { kind: "tool-result", callId: "call_1", parts: [], failed: false },
      {
        kind: "tool-result",
        callId: "abcDEF123",
        parts: [],
        failed: false,
      },
    );
    const sent = messages(turns, { quirks: { toolCallIds: "nine-alphanumeric" } }) as {
      tool_calls?: { id: string }[];
      tool_call_id?: string;
    }[];
    const ids = sent[0]?.tool_calls?.map((each) => each.id) ?? [];
    expect(ids[0]).toMatch(/^[A-Za-z0-9]{9}$/u);
    expect(ids[1]).toBe("abcDEF123");
    expect(sent.slice(1).map((message) => message.tool_call_id)).toEqual(ids);
  });

  it("gives different ids to different calls", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ maxLength: 60 }), { minLength: 2, maxLength: 20 }), (ids) => {
        for (const shape of ["any", "nine-alphanumeric"] as const) {
          const mapped = ids.map((id) => toolCallId(id, shape));
          expect(new Set(mapped).size).toBe(ids.length);
          expect(mapped.map((id) => toolCallId(id, shape))).toEqual(mapped);
        }
      }),
    );
  });

  it("echoes thoughts where the upstream wants them, and sends no seal to another issuer", () => {
    const turns = [assistant({ kind: "reasoning", text: "own" }, sealed, call("a"))];
    const echo = { quirks: { reasoningEcho: "reasoning_content" } } as const;
    expect(messages(turns, echo)).toMatchObject([{ reasoning_content: "own" }]);
    expect(messages(turns, { ...echo, to: { issuer: "anthropic" } })).toMatchObject([{ reasoning_content: "ownt" }]);
    expect(messages([assistant(call("a"))], echo)).toMatchObject([{ reasoning_content: "" }]);
    expect(JSON.stringify(messages(turns))).not.toContain("reasoning");
  });

  it("marks prompts for the cache where the model takes marks, and says where it does not", () => {
    const marked = (of: string, ttl?: "1h"): Part => ({
      kind: "text",
      text: of,
      cache: ttl === undefined ? {} : { ttl },
    });
    const turns: Turn[] = [
      { role: "system", parts: [marked("rules", "1h")] },
      user(text("a"), { ...pdf, cache: {} }),
      goOn,
    ];
    const newest = { quirks: { cacheBreakpoints: true }, to: { model: "gpt-5.6" } } as const;
    expect(messages(turns, newest)).toEqual([
      {
        role: "system",
        content: [{ type: "text", text: "rules", prompt_cache_breakpoint: { mode: "explicit", ttl: "12h" } }],
      },
      {
        role: "user",
        content: [
          { type: "text", text: "a" },
          {
            type: "file",
            file: { filename: "document.pdf", file_data: "data:application/pdf;base64,JVBE" },
            prompt_cache_breakpoint: { mode: "explicit" },
          },
        ],
      },
      { role: "user", content: "go on" },
    ]);
    const warnings = (turn: Turn, more: Case): number => {
      const encoded = encode({ ...more, turns: [turn, goOn] });
      return encoded.kind === "encoded" ? encoded.warnings.length : -1;
    };
    expect(warnings(user(marked("a")), newest)).toBe(0);
    expect(warnings(user({ ...png, cache: {} }), newest)).toBe(1);
    expect(warnings(assistant(marked("a")), newest)).toBe(1);
    expect(warnings(user(marked("a")), { ...newest, to: { model: "gpt-5.5" } })).toBe(1);
    expect(warnings(user(marked("a")), { to: { model: "gpt-5.6" } })).toBe(1);
  });

  it("asks for usage in streams only where it must", () => {
    expect(body({ to: { streamed: true } })).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    expect(body({ to: { streamed: true }, quirks: { streamUsage: "always" } })).not.toHaveProperty("stream_options");
    expect(body({})).not.toHaveProperty("stream");
  });

  it("uses the target's words for limits, seeds and forced tools", () => {
    const quirks = { maxOutputField: "max_tokens", seedField: "random_seed", requiredToolChoice: "any" } as const;
    const sent = body({
      quirks,
      maxOutputTokens: 9,
      sampling: { seed: 1 },
      tools: [f],
      toolChoice: { kind: "required" },
    });
    expect(sent).toMatchObject({ max_tokens: 9, random_seed: 1, tool_choice: "any" });
    expect(body({ maxOutputTokens: 9 })).toMatchObject({ max_completion_tokens: 9 });
  });

  it("names a schema that came without a name", () => {
    expect(body({ output: { kind: "json-schema", schema: { type: "object" }, strict: true } })).toMatchObject({
      response_format: { json_schema: { name: "response", strict: true, schema: { type: "object" } } },
    });
  });

  it("leaves tool choice and parallel calls out where no tool is left", () => {
    const sent = body({ tools: [], toolChoice: { kind: "auto" }, parallelTools: false });
    expect(Object.keys(sent)).toEqual(["model", "messages"]);
  });

  it.each([
    [{ mode: "on", effort: "max" }, "max"],
    [{ mode: "adaptive" }, "high"],
    [{ mode: "on" }, "medium"],
    [{ mode: "on", budgetTokens: 10_000 }, "high"],
    [{ mode: "on", budgetTokens: 5000 }, "medium"],
    [{ mode: "on", budgetTokens: 2000 }, "low"],
    [{ mode: "on", budgetTokens: 1024 }, "minimal"],
    [{ mode: "off" }, undefined],
    [{ mode: "off", effort: "none" }, "none"],
  ] as const)("says the reasoning wish %j as %s", (reasoning, effort) => {
    expect(body({ reasoning })["reasoning_effort"]).toBe(effort);
  });

  it.each([
    ["gpt-5.4", "none"],
    ["gpt-5.10-mini", "none"],
    ["openai/gpt-6", "none"],
    ["gpt-5.3", undefined],
    ["gpt-5", undefined],
    ["gpt-4.1", undefined],
    ["gpt-oss-120b", undefined],
  ])("with function tools sends %s the effort %s", (model, effort) => {
    expect(body({ tools: [f], to: { model } })["reasoning_effort"]).toBe(effort);
  });
});
