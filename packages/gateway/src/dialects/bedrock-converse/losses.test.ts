import { describe, expect, it } from "vitest";
import type { EncodeTarget } from "#dialects/dialect";
import { plainChatQuirks } from "#domain/quirks";
import type { GenerateRequest, Part, Source, Turn } from "#domain/request";
import { encodeRequest } from "./encode-request.ts";
import { losses, type LossName } from "./losses.ts";

const target = named("anthropic.claude-sonnet-4-5-20250929-v1:0");
const newer = named("global.anthropic.claude-opus-4-7");
const nova = named("amazon.nova-2-lite-v1:0");
const mistral = named("mistral.mistral-large-2407-v1:0");
const llama = named("meta.llama3-70b-instruct-v1:0");

function named(model: string): EncodeTarget {
  return { model, issuer: "anthropic", quirks: plainChatQuirks, streamed: false };
}

const plain: GenerateRequest = {
  model: "asked",
  streamed: false,
  usageInStream: false,
  turns: [user(text("hi"))],
  tools: [],
  sampling: {},
  maxOutputTokens: 100,
  stop: [],
  choices: 1,
  rest: {},
};

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

function result(callId: string, more: Partial<Extract<Part, { kind: "tool-result" }>> = {}): Part {
  return { kind: "tool-result", callId, parts: [{ kind: "text", text: callId }], failed: false, ...more };
}

function base64(mediaType: string): Source {
  return { kind: "base64", mediaType, data: "AAAA" };
}

const tool = { kind: "function", name: "f", schema: { type: "object" } } as const;
const otherTool = { ...tool, name: "g" } as const;
const foreign = { kind: "foreign", what: "openai:thing", payload: {} } as const;
const on = { mode: "on", effort: "high" } as const;
const url: Source = { kind: "url", url: "https://example.test/a.png" };
const traits = { name: "a/b", capabilities: {}, from: { source: "s", date: "2026-11-21" } };
const deep = Array.from({ length: 70 }).reduce<unknown>((inner) => ({ type: "array", items: inner }), {});
const schema = { kind: "json-schema", schema: { type: "object" } } as const;

const cases: Readonly<Record<LossName, readonly [Partial<GenerateRequest>, EncodeTarget?]>> = {
  choices: [{ choices: 2 }],
  logprobs: [{ logprobs: {} }],
  "logit-bias": [{ sampling: { logitBias: { "5": -100 } } }],
  "blank-stop": [{ stop: ["\n"] }],
  "audio-type": [{ turns: [user({ kind: "audio", format: "amr", data: "AAAA" })] }],
  "video-type": [{ turns: [user({ kind: "video", source: base64("video/x-msvideo") })] }],
  "image-type": [{ turns: [user({ kind: "image", source: base64("image/tiff") })] }],
  "document-type": [{ turns: [user({ kind: "document", source: base64("application/zip") })] }],
  "media-address": [{ turns: [user({ kind: "image", source: url })] }],
  "foreign-file": [{ turns: [user({ kind: "image", source: { kind: "file", id: "file-1" } })] }],
  "foreign-part": [{ turns: [user(foreign)] }],
  "assistant-media": [{ turns: [user(text("q")), assistant({ kind: "image", source: base64("image/png") })] }],
  "system-part": [{ turns: [{ role: "system", parts: [foreign] }, ...plain.turns] }],
  "tool-name": [{ tools: [{ ...tool, name: "a.b" }] }],
  "tool-result-media": [
    {
      tools: [tool],
      turns: [
        user(text("q")),
        assistant(call("a")),
        user(result("a", { parts: [{ kind: "image", source: base64("image/png") }] })),
      ],
    },
    llama,
  ],
  "named-tool": [{ tools: [tool, otherTool], toolChoice: { kind: "named", name: "f" } }, mistral],
  "dropped-tool": [{ tools: [foreign], toolChoice: { kind: "required" } }],
  "json-schema-unsupported": [{ output: schema }, { ...nova, traits: { ...traits, capabilities: { tools: false } } }],
  "needed-field": [{ rest: { audio: {} }, needed: ["audio"] }],
  "caller-tool": [{ tools: [{ ...foreign, callerRuns: true }] }],
  "schema-depth": [{ output: { kind: "json-schema", schema: deep } }],
  "schema-reference": [{ tools: [{ ...tool, schema: { type: "object", properties: { a: { $ref: "#" } } } }] }, nova],
  "nothing-to-ask": [{ turns: [user(text(" "))] }],
  seed: [{ sampling: { seed: 1 } }],
  penalties: [{ sampling: { presencePenalty: 1 } }],
  "top-k": [{ sampling: { topK: 5 } }, llama],
  verbosity: [{ verbosity: "low" }],
  "service-tier": [{ serviceTier: "scale" }],
  "user-id": [{ user: "<ada>" }],
  "participant-name": [{ turns: [{ ...user(text("q")), name: "Ada" }] }],
  "image-detail": [{ turns: [user({ kind: "image", source: base64("image/png"), detail: "high" })] }],
  citations: [{ turns: [user(text("q")), assistant({ kind: "text", text: "a", citations: [{ type: "url" }] })] }],
  "foreign-tool": [{ tools: [foreign] }],
  "foreign-history": [{ turns: [user(text("q")), assistant(text("a"), foreign)] }],
  "foreign-reasoning": [{ turns: [user(text("q")), assistant(text("a"), { kind: "reasoning", text: "t" })] }],
  "cache-markers": [{ turns: [user({ kind: "text", text: "q", cache: {} })] }, llama],
  "strict-tool": [{ tools: [{ ...tool, strict: true }] }],
  "parallel-tools": [{ tools: [tool], parallelTools: false }, nova],
  "unknown-field": [{ rest: { prediction: {} } }],
  sampling: [{ sampling: { temperature: 1 } }, newer],
  "sampling-while-thinking": [{ sampling: { temperature: 1 }, reasoning: on, maxOutputTokens: 9000 }],
  "top-p-beside-temperature": [{ sampling: { temperature: 1, topP: 0.5 } }],
  "thinking-unsupported": [{ reasoning: on }, llama],
  "thinking-with-forced-tool": [{ reasoning: on, tools: [tool], toolChoice: { kind: "required" } }],
  "thinking-without-history": [
    { reasoning: on, tools: [tool], turns: [user(text("q")), assistant(call("a")), user(result("a"))] },
  ],
  "thinking-without-room": [{ reasoning: on, maxOutputTokens: 1024 }],
  temperature: [{ sampling: { temperature: 2 } }],
  "max-tokens-invented": [{ reasoning: on }],
  "max-tokens-lowered": [{}, { ...target, traits: { ...traits, maxOutputTokens: 50 } }],
  "cache-life": [
    { turns: [user({ kind: "text", text: "a", cache: {} }, { kind: "text", text: "b", cache: { ttl: "1h" } })] },
  ],
  "system-inside": [{ turns: [user(text("q")), { role: "system", parts: [text("s")] }] }],
  "system-only": [{ turns: [{ role: "system", parts: [text("s")] }] }],
  "assistant-first": [{ turns: [assistant(text("a"))] }],
  "document-text": [{ turns: [user({ kind: "document", source: base64("application/pdf") })] }],
  "tool-error": [
    { tools: [tool], turns: [user(text("q")), assistant(call("a")), user(result("a", { failed: true }))] },
    llama,
  ],
  "invalid-arguments": [{ tools: [tool], turns: [user(text("q")), assistant(call("a", '{"x": ')), user(result("a"))] }],
  "json-mode": [{ output: { kind: "json" } }],
  "json-schema-as-tool": [{ output: schema }, nova],
  "schema-keywords": [{ output: { kind: "json-schema", schema: { type: "string", pattern: "x" } } }],
  "schema-top": [{ tools: [{ ...tool, schema: { type: "object", anyOf: [] } }] }, nova],
  "effort-lowered": [{ reasoning: { mode: "on", effort: "minimal" } }, newer],
  "effort-as-budget": [{ reasoning: on, maxOutputTokens: 9000 }],
  "budget-as-effort": [{ reasoning: { mode: "on", budgetTokens: 2000 } }, newer],
  "budget-fitted": [{ reasoning: { mode: "on", budgetTokens: 9000 }, maxOutputTokens: 2000 }],
};

describe("the loss table", () => {
  it.each(Object.entries(cases))("does with %s what it says", (name, [more, at]) => {
    const loss = losses[name as LossName];
    const { maxOutputTokens: _, ...unlimited } = plain;
    const base = name === "max-tokens-invented" ? unlimited : plain;
    const made = encodeRequest({ ...base, ...more }, at ?? target);
    if (loss.treatment === "refused") {
      expect(made).toMatchObject({ kind: "refused", failure: { kind: "not_translatable" } });
      expect(made.kind === "refused" && made.failure.message).toContain(loss.words);
    } else {
      expect(
        made.kind === "encoded" && made.warnings.filter((warning) => warning.startsWith(`${name}: ${loss.words}`)),
      ).toHaveLength(1);
    }
  });
});
