import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import type { AnswerEvent, FinishReason } from "#domain/answer";
import { emptyUsage, type Usage } from "#domain/usage";
import type { EncodeOptions } from "#dialects/dialect";
import { openaiResponses } from "./index.ts";
import { answerLosses } from "./losses.ts";

const options: EncodeOptions = {
  fallbackId: "req_0123456789abcdef01234567",
  model: "claude-sonnet-5",
  createdAtS: 1_700_000_000,
  includeUsage: true,
  issuer: "anthropic",
};
const base = "0123456789abcdef01234567";

const usage: Usage = { ...emptyUsage, inputUncached: 3, cacheRead: 4, output: 5, reasoning: 6 };
const start: AnswerEvent = { kind: "start", id: "msg_up", model: "up", createdAtS: 1_699_999_999 };
const end: AnswerEvent = { kind: "end" };

function finish(reason: FinishReason): AnswerEvent {
  return { kind: "finish", finish: { reason } };
}

const rich: readonly AnswerEvent[] = [
  start,
  { kind: "reasoning-start", block: 0 },
  { kind: "reasoning-delta", block: 0, text: "hm" },
  { kind: "reasoning-delta", block: 0, text: "m" },
  { kind: "reasoning-signature", block: 0, signature: "c2lnbmVk" },
  { kind: "reasoning-end", block: 0 },
  { kind: "text-start", block: 1 },
  { kind: "text-delta", block: 1, text: "h" },
  { kind: "text-delta", block: 1, text: "i" },
  { kind: "text-end", block: 1 },
  { kind: "tool-start", block: 2, id: "a", name: "f" },
  { kind: "tool-start", block: 3, id: "b", name: "g" },
  { kind: "tool-delta", block: 2, json: '{"x"' },
  { kind: "tool-end", block: 3 },
  { kind: "tool-delta", block: 2, json: ":1.0}" },
  { kind: "tool-end", block: 2 },
  finish("tools"),
  { kind: "usage", usage },
  end,
];

type Wire = Readonly<Record<string, unknown>> & { readonly type: string; readonly sequence_number: number };

function streamed(events: readonly AnswerEvent[], more: Partial<EncodeOptions> = {}): string {
  const encoder = openaiResponses.streamEncoder({ ...options, ...more });
  return events.map((event) => encoder.encode(event)).join("");
}

function wireOf(stream: string): readonly Wire[] {
  return stream
    .split("\n\n")
    .filter((frame) => frame.startsWith("event: "))
    .map((frame) => JSON.parse(frame.slice(frame.indexOf("\ndata: ") + 7)) as Wire);
}

function whole(events: readonly AnswerEvent[], more: Partial<EncodeOptions> = {}): Record<string, unknown> {
  const body = openaiResponses.encodeAnswer(events, { ...options, ...more });
  return JSON.parse(Buffer.from(body ?? new Uint8Array(0)).toString()) as Record<string, unknown>;
}

function sdk(body: string): OpenAI {
  const headers = { "content-type": "text/event-stream" };
  return new OpenAI({ apiKey: "k", maxRetries: 0, fetch: () => Promise.resolve(new Response(body, { headers })) });
}

const ask = { model: "m", input: "hi" };

/** An item without what the package's parser adds. */
function bare(item: OpenAI.Responses.ResponseOutputItem): unknown {
  const { parsed: _parsed, parsed_arguments: _arguments, ...rest } = item as unknown as Record<string, unknown>;
  const content = rest["content"];
  if (!Array.isArray(content)) return rest;
  const parts = content.map((part: Record<string, unknown>) => {
    return Object.fromEntries(Object.entries(part).filter(([name]) => name !== "parsed"));
  });
  return { ...rest, content: parts };
}

describe("a response object", () => {
  it("repeats what was asked for exactly, and OpenAI's defaults elsewhere", () => {
    const requestJson = {
      model: "m",
      input: "hi",
      instructions: "be brief",
      temperature: 0.2,
      top_p: null,
      tools: [{ type: "function", name: "f", parameters: {}, strict: true }],
      tool_choice: { type: "function", name: "f" },
      parallel_tool_calls: false,
      metadata: { a: "b" },
      text: { verbosity: "low", format: null },
      reasoning: { effort: "low" },
      max_output_tokens: 99,
      store: false,
      prompt_cache_key: "k",
      conversation: "conv_1",
      hedgerow: { metadata: true },
    };
    const response = whole([start, finish("stop"), end], { requestJson });
    expect(response).toMatchObject({
      instructions: "be brief",
      temperature: 0.2,
      top_p: 1,
      tools: requestJson.tools,
      tool_choice: requestJson.tool_choice,
      parallel_tool_calls: false,
      metadata: { a: "b" },
      text: { verbosity: "low", format: { type: "text" } },
      reasoning: { effort: "low", summary: null },
      max_output_tokens: 99,
      store: false,
      prompt_cache_key: "k",
      conversation: { id: "conv_1" },
    });
    expect(response).not.toHaveProperty("hedgerow");
    expect(response).not.toHaveProperty("input");
  });

  it("has every field the schema requires though nothing was asked for", () => {
    const response = whole([start, finish("stop"), end]);
    const required = (
      "id object created_at status error incomplete_details instructions model tools output parallel_tool_calls " +
      "metadata tool_choice temperature top_p usage text reasoning store truncation service_tier background"
    ).split(" ");
    expect(Object.keys(response)).toEqual(expect.arrayContaining(required));
    expect(response).toMatchObject({ tools: [], tool_choice: "auto", parallel_tool_calls: true, metadata: {} });
  });

  const endings: Readonly<Record<FinishReason, object>> = {
    stop: { status: "completed", incomplete_details: null, error: null },
    "stop-sequence": { status: "completed" },
    tools: { status: "completed" },
    length: { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } },
    context: { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } },
    policy: { status: "incomplete", incomplete_details: { reason: "content_filter" } },
    paused: { status: "completed" },
    malformed: { status: "failed", error: { code: "server_error" } },
  };

  it.each(Object.entries(endings))("ends as it should where the answer ended by %s", (reason, expected) => {
    const events = [start, finish(reason as FinishReason), end];
    const response = whole(events);
    expect(response).toMatchObject(expected);
    const last = wireOf(streamed(events)).at(-1);
    expect(last?.type).toBe(`response.${String(response["status"])}`);
    expect(streamed(events).includes("[DONE]")).toBe(response["status"] !== "failed");
  });

  it("calls the item incomplete in which the answer was cut off, and no earlier one", () => {
    const cut = rich.map((event) => (event.kind === "finish" ? finish("length") : event));
    const { output } = whole(cut) as { output: readonly { status?: string }[] };
    expect(output.map(({ status }) => status)).toEqual([undefined, "completed", "incomplete", "completed"]);
    const argued = [start, { kind: "tool-start", block: 0, id: "a", name: "f" } as const, finish("length"), end];
    expect(whole(argued)["output"]).toMatchObject([{ arguments: "", status: "incomplete" }]);
  });

  it("gives a refusal a part of its own kind, streamed and whole", async () => {
    const events: AnswerEvent[] = [
      start,
      { kind: "refusal-delta", text: "I " },
      { kind: "refusal-delta", text: "won't." },
      finish("stop"),
      end,
    ];
    const response = await sdk(streamed(events)).responses.stream(ask).finalResponse();
    expect(response.output).toMatchObject([{ type: "message", content: [{ type: "refusal", refusal: "I won't." }] }]);
    expect(response.output.map(bare)).toEqual(whole(events)["output"]);
  });

  it("marks every foreign thought, sealed or not, and leaves OpenAI's seals and ids bare", () => {
    const thought = (more: readonly AnswerEvent[], head: object = {}): readonly AnswerEvent[] => [
      start,
      { kind: "reasoning-start", block: 0, ...head },
      ...more,
      { kind: "reasoning-end", block: 0 },
      finish("stop"),
      end,
    ];
    const delta: AnswerEvent = { kind: "reasoning-delta", block: 0, text: "t" };
    const signed: AnswerEvent = { kind: "reasoning-signature", block: 0, signature: "gAAAAA" };
    const item = (events: readonly AnswerEvent[], issuer: string): unknown =>
      (whole(events, { issuer })["output"] as readonly unknown[])[0];
    expect(item(thought([delta]), "deepseek")).toMatchObject({ encrypted_content: "hedgerow:deepseek:signature:" });
    expect(item(thought([], { redacted: "x" }), "anthropic")).toMatchObject({
      summary: [],
      encrypted_content: "hedgerow:anthropic:redacted:x",
    });
    expect(item(thought([signed], { id: "rs_1" }), "openai")).toEqual({
      id: "rs_1",
      type: "reasoning",
      summary: [],
      encrypted_content: "gAAAAA",
    });
  });

  it("gives a namespace's function its own name back", () => {
    const requestJson = {
      tools: [
        { type: "namespace", name: "agents", tools: [{ type: "function", name: "spawn" }] },
        { type: "function", name: "agents__plain" },
      ],
    };
    const call = (name: string): AnswerEvent => ({ kind: "tool-start", block: 0, id: "a", name });
    const output = (name: string): unknown =>
      whole([start, call(name), finish("tools"), end], { requestJson })["output"];
    expect(output("agents__spawn")).toMatchObject([{ name: "spawn", namespace: "agents" }]);
    expect(output("agents__plain")).toMatchObject([{ name: "agents__plain" }]);
    expect((output("agents__plain") as object[])[0]).not.toHaveProperty("namespace");
  });

  it("carries log-probabilities, and an id for a call that came without one", async () => {
    const token = { token: "h", logprob: -0.1, bytes: [104], top_logprobs: [] };
    const events: AnswerEvent[] = [
      start,
      { kind: "text-start", block: 0 },
      { kind: "text-delta", block: 0, text: "h", logprobs: { content: [token], refusal: null } },
      { kind: "text-end", block: 0 },
      { kind: "tool-start", block: 1, id: "", name: "f" },
      { kind: "tool-end", block: 1 },
      finish("tools"),
      end,
    ];
    const response = await sdk(streamed(events)).responses.stream(ask).finalResponse();
    expect(response.output).toMatchObject([
      { content: [{ logprobs: [token] }] },
      { call_id: `call_${base}_1`, arguments: "{}" },
    ]);
  });

  it("is none where the answer is none", () => {
    expect(openaiResponses.encodeAnswer(rich.slice(0, -1), options)).toBeUndefined();
  });

  it("names what is lost, streamed and whole", () => {
    const cases: Readonly<Record<keyof typeof answerLosses, readonly AnswerEvent[]>> = {
      "foreign-event": [{ kind: "foreign", what: "w", payload: {} }, finish("stop")],
      "stop-sequence": [{ kind: "finish", finish: { reason: "stop-sequence", stopSequence: "END" } }],
      "answer-paused": [finish("paused")],
      "answer-malformed": [finish("malformed")],
    };
    for (const [name, events] of Object.entries(cases)) {
      const lost: string[] = [];
      const all = [start, ...events, end];
      openaiResponses.encodeAnswer(all, { ...options, onLoss: (warning) => lost.push(warning) });
      const encoder = openaiResponses.streamEncoder(options);
      for (const event of all) encoder.encode(event);
      const { words } = answerLosses[name as keyof typeof answerLosses];
      expect(lost).toEqual([expect.stringContaining(`${name}: ${words}`)]);
      expect(encoder.warnings).toEqual(lost);
    }
  });
});
