import { describe, expect, it } from "vitest";
import { plainChatQuirks } from "#domain/quirks";
import type { GenerateRequest, Part, Turn } from "#domain/request";
import type { EncodeTarget } from "#dialects/dialect";
import { encodeRequest } from "./encode-request.ts";
import { losses, type LossName } from "./losses.ts";

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

const adaptiveTarget: EncodeTarget = { ...target, model: "claude-opus-5-5" };

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

describe("the loss table", () => {
  const traits = { name: "a/b", capabilities: {}, from: { source: "s", date: "2026-11-21" } };
  const foreign = { kind: "foreign", what: "openai:video", payload: {} } as const;
  const deep = Array.from({ length: 70 }).reduce<unknown>((inner) => ({ type: "array", items: inner }), {});
  const on = { mode: "on", effort: "high" } as const;
  const image = (source: Extract<Part, { kind: "image" }>["source"], detail?: string): Turn =>
    user({ kind: "image", source, ...(detail === undefined ? {} : { detail }) });
  const url = { kind: "url", url: "https://example.test/a.png" } as const;
  const cases: Readonly<Record<LossName, readonly [Partial<GenerateRequest>, EncodeTarget?]>> = {
    choices: [{ choices: 2 }],
    logprobs: [{ logprobs: {} }],
    "logit-bias": [{ sampling: { logitBias: { "5": -100 } } }],
    "blank-stop": [{ stop: ["\n"] }],
    audio: [{ turns: [user({ kind: "audio", format: "wav", data: "" })] }],
    video: [{ turns: [user({ kind: "video", source: { kind: "url", url: "https://example.com/a.mp4" } })] }],
    "image-type": [{ turns: [image({ kind: "base64", mediaType: "image/tiff", data: "" })] }],
    "image-address": [{ turns: [image({ kind: "url", url: "ftp://example.test" })] }],
    "document-type": [
      { turns: [user({ kind: "document", source: { kind: "base64", mediaType: "application/zip", data: "" } })] },
    ],
    "foreign-file": [{ turns: [image({ kind: "file", id: "file-1" })] }],
    "foreign-part": [{ turns: [user(foreign)] }],
    "system-part": [{ turns: [{ role: "system", parts: [foreign] }, ...plain.turns] }],
    "tool-name": [{ tools: [{ ...tool, name: "a.b" }] }],
    "dropped-tool": [{ tools: [foreign], toolChoice: { kind: "required" } }],
    "json-schema-unsupported": [
      { output: { kind: "json-schema", schema: {} } },
      { ...target, traits: { ...traits, capabilities: { structuredOutput: false } } },
    ],
    "needed-field": [{ rest: { audio: {} }, needed: ["audio"] }],
    "caller-tool": [{ tools: [{ ...foreign, callerRuns: true }] }],
    "schema-depth": [{ output: { kind: "json-schema", schema: deep } }],
    "nothing-to-ask": [{ turns: [user(text(" "))] }],
    seed: [{ sampling: { seed: 1 } }],
    penalties: [{ sampling: { presencePenalty: 1 } }],
    verbosity: [{ verbosity: "low" }],
    "service-tier": [{ serviceTier: "flex" }],
    "participant-name": [{ turns: [{ ...user(text("q")), name: "Ada" }] }],
    "image-detail": [{ turns: [image(url, "high")] }],
    citations: [
      { turns: [user(text("q")), assistant({ kind: "text", text: "a", citations: [{ type: "url_citation" }] })] },
    ],
    "foreign-tool": [{ tools: [foreign] }],
    "foreign-history": [{ turns: [user(text("q")), assistant(text("a"), foreign)] }],
    "foreign-reasoning": [{ turns: [user(text("q")), assistant(text("a"), { kind: "reasoning", text: "t" })] }],
    "cache-markers": [{ turns: [user(text("q"), { kind: "text", text: "", cache: {} })] }],
    "strict-tool": [{ tools: [{ ...tool, strict: true }] }],
    "unknown-field": [{ rest: { prediction: {} } }],
    sampling: [{ sampling: { temperature: 1 } }, adaptiveTarget],
    "sampling-while-thinking": [{ sampling: { temperature: 1 }, reasoning: on, maxOutputTokens: 9000 }],
    "top-p-beside-temperature": [{ sampling: { temperature: 1, topP: 0.5 } }],
    "thinking-unsupported": [{ reasoning: on }, { ...target, model: "claude-3-haiku-20240307" }],
    "thinking-with-forced-tool": [{ reasoning: on, tools: [tool], toolChoice: { kind: "required" } }],
    "thinking-without-history": [
      { reasoning: on, tools: [tool], turns: [user(text("q")), assistant(call("a")), user(result("a"))] },
    ],
    "thinking-without-room": [{ reasoning: on, maxOutputTokens: 1024 }],
    temperature: [{ sampling: { temperature: 2 } }],
    "max-tokens-invented": [{}],
    "max-tokens-lowered": [{}, { ...target, traits: { ...traits, maxOutputTokens: 50 } }],
    "cache-order": [
      { turns: [user({ kind: "text", text: "a", cache: {} }, { kind: "text", text: "b", cache: { ttl: "1h" } })] },
    ],
    "system-inside": [{ turns: [user(text("q")), { role: "system", parts: [text("s")] }] }],
    "system-only": [{ turns: [{ role: "system", parts: [text("s")] }] }],
    "assistant-first": [{ turns: [assistant(text("a"))] }],
    "invalid-arguments": [
      { tools: [tool], turns: [user(text("q")), assistant(call("a", '{"x": ')), user(result("a"))] },
    ],
    "json-mode": [{ output: { kind: "json" } }],
    "schema-keywords": [{ output: { kind: "json-schema", schema: { type: "string", pattern: "x" } } }],
    "effort-lowered": [{ reasoning: { mode: "on", effort: "minimal" } }, adaptiveTarget],
    "effort-as-budget": [{ reasoning: on, maxOutputTokens: 9000 }],
    "budget-as-effort": [{ reasoning: { mode: "on", budgetTokens: 2000 } }, adaptiveTarget],
    "budget-fitted": [{ reasoning: { mode: "on", budgetTokens: 9000 }, maxOutputTokens: 2000 }],
  };

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
