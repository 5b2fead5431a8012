import { describe, expect, it } from "vitest";
import type { EncodeTarget } from "#dialects/dialect";
import type { ModelTraits } from "#domain/model";
import { plainChatQuirks, type ChatQuirks } from "#domain/quirks";
import type { GenerateRequest, Part, Turn } from "#domain/request";
import { editFields, scanFields } from "#wire/json-splice";
import { openaiResponses } from "./index.ts";
import { losses, type LossName } from "./losses.ts";

const from = { source: "test", date: "2026-11-25" };

interface Case extends Partial<GenerateRequest> {
  readonly quirks?: Partial<ChatQuirks>;
  readonly traits?: Partial<ModelTraits>;
  readonly model?: string;
}

function targetOf({ quirks, traits, model = "gpt-4.1" }: Case): EncodeTarget {
  return {
    model,
    issuer: "openai",
    quirks: { ...plainChatQuirks, ...quirks },
    streamed: false,
    ...(traits === undefined ? {} : { traits: { name: `openai/${model}`, capabilities: {}, from, ...traits } }),
  };
}

const user = (...parts: Part[]): Turn => ({ role: "user", parts });
const assistant = (...parts: Part[]): Turn => ({ role: "assistant", parts });
const text = (of: string): Part => ({ kind: "text", text: of });

function encode({ quirks, traits, model, ...request }: Case): ReturnType<typeof openaiResponses.encodeRequest> {
  const plain: GenerateRequest = {
    model: "m",
    streamed: false,
    usageInStream: false,
    turns: [user(text("hi"))],
    tools: [],
    sampling: {},
    stop: [],
    choices: 1,
    rest: {},
  };
  const target = targetOf({
    ...(quirks === undefined ? {} : { quirks }),
    ...(traits === undefined ? {} : { traits }),
    ...(model === undefined ? {} : { model }),
  });
  return openaiResponses.encodeRequest({ ...plain, ...request }, target);
}

function body(of: Case): Record<string, unknown> {
  const made = encode(of);
  if (made.kind === "refused") throw new Error(made.failure.message);
  return JSON.parse(Buffer.from(made.body).toString()) as Record<string, unknown>;
}

const f = { kind: "function", name: "f", schema: { type: "object" } } as const;
const call: Part = { kind: "tool-call", id: "call_1", name: "f", argumentsJson: "" };
const png = { kind: "image", source: { kind: "base64", mediaType: "image/png", data: "AAAA" } } as const;
const pdf = { kind: "document", source: { kind: "base64", mediaType: "application/pdf", data: "JVBE" } } as const;
const result = (failed = false): Part => ({ kind: "tool-result", callId: "call_1", parts: [], failed });
const own = { issuer: "openai", form: "encrypted", value: "gAAAAA", id: "rs_1" } as const;
const goOn = user(text("go on"));
const schema = { type: "object", properties: {}, required: [], additionalProperties: false };

/** For each row of the table a request that meets it. */
const cases: Record<LossName, Case> = {
  choices: { choices: 2 },
  stop: { stop: ["a"] },
  "logit-bias": { sampling: { logitBias: { "1": 2 } } },
  audio: { turns: [user({ kind: "audio", format: "wav", data: "AAAA" })] },
  video: { turns: [user({ kind: "video", source: { kind: "url", url: "https://a" } })] },
  "foreign-file": { turns: [user({ kind: "image", source: { kind: "file", id: "x" } })] },
  "foreign-part": { turns: [user({ kind: "foreign", what: "search_result", payload: {} })] },
  "tool-name": { tools: [{ ...f, name: "a.b" }] },
  "schema-name": { output: { kind: "json-schema", schema, name: "a b", strict: true } },
  "caller-tool": { tools: [{ kind: "foreign", what: "bash", payload: {}, callerRuns: true }] },
  "dropped-tool": { tools: [f], toolChoice: { kind: "named", name: "g" } },
  "json-schema-unsupported": { output: { kind: "json-schema", schema }, quirks: { jsonSchema: false } },
  "needed-field": { rest: { inference_geo: "us" }, needed: ["inference_geo"] },
  "refused-meaning": { quirks: { refusedFields: ["tools"] }, tools: [f] },
  seed: { sampling: { seed: 1 } },
  penalties: { sampling: { presencePenalty: 1 } },
  "top-k": { sampling: { topK: 1 } },
  sampling: { sampling: { temperature: 0.2 }, traits: { capabilities: { sampling: false } } },
  "service-tier": { serviceTier: "lunar" },
  "participant-name": { turns: [{ ...goOn, name: "Ann" }] },
  citations: { turns: [assistant({ kind: "text", text: "a", citations: [{}] }), goOn] },
  "document-context": { turns: [user({ ...pdf, context: "c" })] },
  "cache-markers": { cache: {} },
  "foreign-tool": { tools: [{ kind: "foreign", what: "web_search_20250305", payload: {} }] },
  "foreign-history": { turns: [assistant({ kind: "foreign", what: "server_tool_use", payload: {} }), goOn] },
  "foreign-reasoning": {
    turns: [assistant({ kind: "reasoning", text: "t", seal: { ...own, issuer: "anthropic" } }, text("a")), goOn],
  },
  "reasoning-alone": { turns: [assistant({ kind: "reasoning", text: "t", seal: own }), goOn] },
  "reasoning-unsupported": {
    reasoning: { mode: "on", effort: "high" },
    traits: { capabilities: { reasoning: false } },
  },
  "effort-fixed": {
    reasoning: { mode: "on", effort: "low" },
    traits: { capabilities: { reasoning: true, reasoningControl: {} } },
  },
  "refused-hint": { serviceTier: "flex", quirks: { refusedFields: ["service_tier"] } },
  "unknown-field": { rest: { context_management: {} } },
  "max-tokens-lowered": { maxOutputTokens: 128_000, traits: { maxOutputTokens: 32_768 } },
  "max-tokens-raised": { maxOutputTokens: 5 },
  "user-id": { user: "u".repeat(65) },
  "effort-moved": {
    reasoning: { mode: "on", effort: "minimal" },
    traits: { capabilities: { reasoning: true, reasoningControl: { efforts: ["low", "high"] } } },
  },
  "reasoning-budget": { reasoning: { mode: "on", budgetTokens: 6000 } },
  "json-schema-loose": { output: { kind: "json-schema", schema: { type: "object" } } },
  "tool-error": { turns: [assistant(call), user(result(true))] },
  "system-media": { turns: [{ role: "system", parts: [png] }, goOn] },
  prefill: { turns: [user(text("x")), assistant(text("The answer is"))] },
};

describe("the loss table of Responses", () => {
  it.each(Object.entries(cases))("has a row for %s, met by a request, with the treatment it names", (name, of) => {
    const { treatment, words } = losses[name as LossName];
    const made = encode(of);
    expect(made.kind).toBe(treatment === "refused" ? "refused" : "encoded");
    if (made.kind === "refused") {
      expect(made.failure).toMatchObject({
        kind: "not_translatable",
        message: expect.stringContaining(words) as string,
      });
    } else {
      expect(made.warnings).toEqual([expect.stringContaining(`${name}: ${words}`)]);
    }
  });
});

describe("a request in Responses", () => {
  it("has the same bytes for the same request, model first, and nothing nobody set", () => {
    const made = encode({});
    const expected = '{"model":"gpt-4.1","input":[{"role":"user","content":"hi"}],"store":false}';
    expect(made.kind === "encoded" && Buffer.from(made.body).toString()).toBe(expected);
  });

  it("says turns as items: words, calls, results and thoughts, each in its place", () => {
    const turns: readonly Turn[] = [
      { role: "system", parts: [text("Be brief.")] },
      user(text("look"), png, pdf),
      assistant({ kind: "reasoning", text: "hm", seal: own }, text("I look."), call),
      user({ kind: "tool-result", callId: "call_1", parts: [{ kind: "text", text: "green" }, png], failed: false }),
      assistant({ kind: "refusal", text: "No more." }),
      goOn,
    ];
    expect(body({ turns, model: "gpt-5" })).toEqual({
      model: "gpt-5",
      input: [
        { role: "system", content: "Be brief." },
        {
          role: "user",
          content: [
            { type: "input_text", text: "look" },
            { type: "input_image", image_url: "data:image/png;base64,AAAA", detail: "auto" },
            { type: "input_file", filename: "document.pdf", file_data: "data:application/pdf;base64,JVBE" },
          ],
        },
        {
          type: "reasoning",
          id: "rs_1",
          summary: [{ type: "summary_text", text: "hm" }],
          encrypted_content: "gAAAAA",
        },
        { role: "assistant", content: [{ type: "output_text", text: "I look." }] },
        { type: "function_call", call_id: "call_1", name: "f", arguments: "{}" },
        {
          type: "function_call_output",
          call_id: "call_1",
          output: [
            { type: "input_text", text: "green" },
            { type: "input_image", image_url: "data:image/png;base64,AAAA", detail: "auto" },
          ],
        },
        { role: "assistant", content: [{ type: "refusal", refusal: "No more." }] },
        { role: "user", content: "go on" },
      ],
      include: ["reasoning.encrypted_content"],
      store: false,
    });
  });

  it("says tools flat and not strict unless told so, formats flat, limits and users by its own names", () => {
    const of: Case = {
      tools: [f, { ...f, name: "g", description: "", strict: true, schema: undefined }],
      toolChoice: { kind: "named", name: "g" },
      parallelTools: false,
      output: { kind: "json-schema", schema, strict: true },
      maxOutputTokens: 99,
      user: "ann",
      verbosity: "low",
      reasoning: { mode: "on", effort: "low", display: "summarized" },
      logprobs: { top: 2 },
    };
    expect(body(of)).toMatchObject({
      tools: [
        { type: "function", name: "f", parameters: { type: "object" }, strict: false },
        { type: "function", name: "g", parameters: { type: "object", properties: {} }, strict: true },
      ],
      tool_choice: { type: "function", name: "g" },
      parallel_tool_calls: false,
      text: { format: { type: "json_schema", name: "response", schema, strict: true }, verbosity: "low" },
      reasoning: { effort: "low", summary: "auto" },
      max_output_tokens: 99,
      safety_identifier: "ann",
      include: ["message.output_text.logprobs"],
      top_logprobs: 2,
    });
  });
});

describe("a relayed Responses body", () => {
  const refuses = { capabilities: { sampling: false, reasoningControl: { efforts: ["none", "low", "high"] } } };

  function relayed(json: object, model: string) {
    const raw = Buffer.from(JSON.stringify({ model, ...json }));
    const scan = scanFields(raw, { maxDepth: 64 });
    if ("problem" in scan) throw new Error(scan.problem);
    const { edits, warnings = [] } = openaiResponses.relayEdits(scan, raw, targetOf({ traits: refuses, model }));
    const { model: _, ...sent } = JSON.parse(Buffer.from(editFields(raw, scan, edits)).toString()) as { model: string };
    return { sent, losses: warnings.map((warning) => warning.split(":")[0]) };
  }

  it("loses what a reasoning model refuses, with a warning unless it says what is so anyway", () => {
    expect(relayed({ temperature: 0.2, top_p: 1 }, "gpt-5.6")).toEqual({ sent: {}, losses: ["sampling"] });
    expect(relayed({ temperature: 1 }, "gpt-5.6")).toEqual({ sent: {}, losses: [] });
    const rests = { temperature: 0.2, reasoning: { effort: "none" } };
    expect(relayed(rests, "gpt-5.6")).toEqual({ sent: rests, losses: [] });
    expect(relayed({ temperature: 0.2 }, "gpt-5.2")).toEqual({ sent: { temperature: 0.2 }, losses: [] });
  });

  it("asks for the nearest effort that the model takes, and keeps the rest of the wish", () => {
    expect(relayed({ reasoning: { effort: "minimal", summary: "auto" } }, "gpt-5.6")).toEqual({
      sent: { reasoning: { effort: "low", summary: "auto" } },
      losses: ["effort-moved"],
    });
  });
});
