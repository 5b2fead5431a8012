import { describe, expect, it } from "vitest";
import { plainChatQuirks } from "#domain/quirks";
import type { EmbedRequest } from "#domain/embedding";
import type { GenerateRequest, Part, Source, Turn } from "#domain/request";
import type { EncodeTarget } from "#dialects/dialect";
import { encodeEmbed } from "./embed-contents.ts";
import { encodeRequest } from "./encode-request.ts";
import { losses, type LossName } from "./losses.ts";

const target: EncodeTarget = { model: "gemini-2.5-pro", issuer: "google", quirks: plainChatQuirks, streamed: false };
const third: EncodeTarget = { ...target, model: "gemini-3-pro-preview" };
const old: EncodeTarget = { ...target, model: "gemini-2.0-flash" };
const traits = { name: "a/b", capabilities: {}, from: { source: "s", date: "2026-11-21" } };

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
const embedding: EmbedRequest = { model: "asked", inputs: ["a"], single: true, encoding: "float", rest: {} };

const text = (words: string): Part => ({ kind: "text", text: words });
const user = (...parts: readonly Part[]): Turn => ({ role: "user", parts });
const assistant = (...parts: readonly Part[]): Turn => ({ role: "assistant", parts });
const call = (id: string, argumentsJson = "{}"): Part => ({ kind: "tool-call", id, name: "f", argumentsJson });
const answered = (...parts: Extract<Part, { kind: "tool-result" }>["parts"]): Turn =>
  user({ kind: "tool-result", callId: "a", parts, failed: false });
const image = (source: Source, detail?: string): Part => ({
  kind: "image",
  source,
  ...(detail === undefined ? {} : { detail }),
});
const bytes = (mediaType: string): Source => ({ kind: "base64", mediaType, data: "AAAA" });
const url = (address: string): Source => ({ kind: "url", url: address });

const tool = { kind: "function", name: "f", schema: { type: "object" } } as const;
const foreign = { kind: "foreign", what: "openai:video", payload: {} } as const;
const deep = Array.from({ length: 70 }).reduce<unknown>((inner) => ({ type: "array", items: inner }), {});

const cases: Readonly<
  Record<
    Exclude<LossName, "token-input" | "many-inputs" | "embed-title">,
    readonly [Partial<GenerateRequest>, EncodeTarget?]
  >
> = {
  choices: [{ choices: 2 }],
  logprobs: [{ logprobs: { top: 21 } }],
  "logit-bias": [{ sampling: { logitBias: { "5": -100 } } }],
  "stop-count": [{ stop: ["a", "b", "c", "d", "e", "f"] }],
  "blank-stop": [{ stop: [""] }],
  "image-type": [{ turns: [user(image(bytes("image/tiff")))] }],
  "media-address": [{ turns: [user(image(url("ftp://example.test/a.png")))] }],
  "document-type": [{ turns: [user({ kind: "document", source: bytes("application/zip") })] }],
  "audio-type": [{ turns: [user({ kind: "audio", format: "midi", data: "" })] }],
  "foreign-file": [{ turns: [user(image({ kind: "file", id: "file-1" }))] }],
  "foreign-part": [{ turns: [user(foreign)] }],
  "system-part": [{ turns: [{ role: "system", parts: [foreign] }, ...plain.turns] }],
  "tool-name": [{ tools: [{ ...tool, name: "1a" }] }],
  "dropped-tool": [{ tools: [foreign], toolChoice: { kind: "required" } }],
  "caller-tool": [{ tools: [{ ...foreign, callerRuns: true }] }],
  "orphan-result": [{ turns: [user(text("q")), answered()] }],
  "json-with-tools": [{ tools: [tool], output: { kind: "json" } }],
  "json-schema-unsupported": [
    { output: { kind: "json-schema", schema: {} } },
    { ...target, traits: { ...traits, capabilities: { structuredOutput: false } } },
  ],
  "needed-field": [{ rest: { audio: {} }, needed: ["audio"] }],
  "schema-depth": [{ output: { kind: "json-schema", schema: deep } }],
  "nothing-to-ask": [{ turns: [user(text(""))] }],
  seed: [{ sampling: { seed: 2 ** 31 } }],
  verbosity: [{ verbosity: "low" }],
  user: [{ user: "u" }],
  "service-tier": [{ serviceTier: "scale" }],
  "participant-name": [{ turns: [{ ...user(text("q")), name: "Ada" }] }],
  "image-detail": [{ turns: [user(image(bytes("image/png"), "high"))] }],
  "document-title": [{ turns: [user({ kind: "document", source: { kind: "text", text: "t" }, title: "T" })] }],
  citations: [{ turns: [user(text("q")), assistant({ kind: "text", text: "a", citations: [{}] }), user(text("b"))] }],
  "foreign-tool": [{ tools: [foreign] }],
  "foreign-history": [{ turns: [user(text("q")), assistant(text("a"), foreign)] }],
  "foreign-reasoning": [{ turns: [user(text("q")), assistant(text("a"), { kind: "reasoning", text: "t" })] }],
  "cache-markers": [{ turns: [user(text("q"), { kind: "text", text: "", cache: {} })] }],
  "strict-tool": [{ tools: [{ ...tool, strict: true }] }],
  "parallel-tools": [{ tools: [tool], parallelTools: false }],
  "unknown-field": [{ rest: { prediction: {} } }],
  "thinking-unsupported": [{ reasoning: { mode: "on" } }, old],
  temperature: [{ sampling: { temperature: 2.5 } }],
  "max-tokens-lowered": [{}, { ...target, traits: { ...traits, maxOutputTokens: 50 } }],
  "system-inside": [{ turns: [user(text("q")), { role: "system", parts: [text("s")] }] }],
  "system-only": [{ turns: [{ role: "system", parts: [text("s")] }] }],
  "system-folded": [
    { turns: [{ role: "system", parts: [text("s")] }, ...plain.turns] },
    { ...target, model: "gemma-3-27b-it" },
  ],
  "assistant-first": [{ turns: [assistant(text("a"))] }],
  "unanswered-call": [{ turns: [user(text("q")), assistant(call("a"))] }],
  "invalid-arguments": [{ turns: [user(text("q")), assistant(call("a", '{"x": ')), answered()] }],
  "unsigned-call": [{ turns: [user(text("q")), assistant(call("a")), answered()] }, third],
  "result-media": [
    { turns: [user(text("q")), assistant(call("a")), answered({ kind: "image", source: bytes("image/png") })] },
  ],
  "schema-keywords": [{ tools: [{ ...tool, schema: { properties: { a: { pattern: "x" } } } }] }],
  "effort-moved": [{ reasoning: { mode: "on", effort: "xhigh" } }, third],
  "effort-as-budget": [{ reasoning: { mode: "on", effort: "high" } }],
  "budget-as-effort": [{ reasoning: { mode: "on", budgetTokens: 9000 } }, third],
  "budget-fitted": [{ reasoning: { mode: "on", budgetTokens: 64_000 } }],
  "thinking-not-off": [{ reasoning: { mode: "off" } }],
};

const embedCases: Readonly<Record<"token-input" | "many-inputs" | "embed-title", Partial<EmbedRequest>>> = {
  "token-input": { inputs: [[1, 2]] },
  "many-inputs": { inputs: Array.from({ length: 101 }, () => "a") },
  "embed-title": { title: "T", purpose: "query" },
};

function expectTreatment(name: LossName, made: ReturnType<typeof encodeRequest>): void {
  const loss = losses[name];
  if (loss.treatment === "refused") {
    expect(made).toMatchObject({ kind: "refused", failure: { kind: "not_translatable" } });
    expect(made.kind === "refused" && made.failure.message).toContain(loss.words);
    return;
  }
  expect(
    made.kind === "encoded" && made.warnings.filter((warning) => warning.startsWith(`${name}: ${loss.words}`)),
  ).toHaveLength(1);
}

describe("the loss table", () => {
  it.each(Object.entries(cases))("does with %s what it says", (name, [more, at]) => {
    expectTreatment(name as LossName, encodeRequest({ ...plain, ...more }, at ?? target));
  });

  it.each(Object.entries(embedCases))("does with %s what it says", (name, more) => {
    expectTreatment(name as LossName, encodeEmbed({ ...embedding, ...more }, target));
  });

  it.each<readonly [string, Partial<GenerateRequest>, EncodeTarget]>([
    ["an address of the web for an old model", { turns: [user(image(url("https://example.test/a.png")))] }, old],
    ["a video of the web", { turns: [user({ kind: "video", source: url("https://example.test/a.mp4") })] }, target],
  ])("refuses %s", (_name, more, at) => {
    expectTreatment("media-address", encodeRequest({ ...plain, ...more }, at));
  });
});
