import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { openaiChat } from "#dialects/openai-chat/index";
import type { EncodeOptions } from "#dialects/dialect";
import type { AnswerEvent } from "#domain/answer";
import { isObject } from "#dialects/shape";
import { failure } from "#domain/failure";
import { emptyUsage } from "#domain/usage";

const options: EncodeOptions = {
  fallbackId: "chatcmpl-fallback",
  model: "claude-sonnet-5",
  createdAtS: 1_700_000_000,
  includeUsage: true,
  issuer: "anthropic",
};

const start: AnswerEvent = { kind: "start", id: "msg_1", model: "claude" };
const usage: AnswerEvent = {
  kind: "usage",
  usage: { ...emptyUsage, inputUncached: 3, cacheRead: 4, output: 5, reasoning: 6 },
};
const end: AnswerEvent = { kind: "end" };
const finish = (reason: "stop" | "tools" | "length" | "policy"): AnswerEvent => ({
  kind: "finish",
  finish: { reason },
});
const text = (of: string): AnswerEvent[] => [
  { kind: "text-start", block: 0 },
  { kind: "text-delta", block: 0, text: of },
  { kind: "text-end", block: 0 },
];
const rich: readonly AnswerEvent[] = [
  start,
  { kind: "reasoning-start", block: 0 },
  { kind: "reasoning-delta", block: 0, text: "hm" },
  { kind: "reasoning-signature", block: 0, signature: "sig" },
  { kind: "reasoning-end", block: 0 },
  { kind: "reasoning-start", block: 1, redacted: "blob" },
  { kind: "reasoning-end", block: 1 },
  { kind: "text-start", block: 2 },
  { kind: "text-delta", block: 2, text: "hi" },
  { kind: "text-end", block: 2 },
  { kind: "tool-start", block: 3, id: "a", name: "f" },
  { kind: "tool-start", block: 4, id: "b", name: "g" },
  { kind: "tool-delta", block: 3, json: '{"x"' },
  { kind: "tool-delta", block: 3, json: ":1}" },
  { kind: "tool-end", block: 3 },
  { kind: "tool-end", block: 4 },
  usage,
  finish("tools"),
  end,
];

function streamed(events: readonly AnswerEvent[], more: Partial<EncodeOptions> = {}): string {
  const encoder = openaiChat.streamEncoder({ ...options, ...more });
  return events.map((event) => encoder.encode(event)).join("");
}

function chunksOf(stream: string): Record<string, unknown>[] {
  const frames = stream.split("\n\n").filter((frame) => frame.startsWith("data: {"));
  return frames.map((frame) => JSON.parse(frame.slice(6)) as Record<string, unknown>);
}

function sdk(body: string): OpenAI {
  const headers = { "content-type": "text/event-stream" };
  return new OpenAI({ apiKey: "k", maxRetries: 0, fetch: () => Promise.resolve(new Response(body, { headers })) });
}

const ask = { model: "m", messages: [{ role: "user" as const, content: "hi" }] };

describe("streamEncoder", () => {
  it("is read by the official SDK's stream helper as the answer it was", async () => {
    const completion = await sdk(streamed(rich)).chat.completions.stream(ask).finalChatCompletion();
    expect(completion).toMatchObject({
      id: "msg_1",
      model: "claude-sonnet-5",
      created: 1_700_000_000,
      usage: { prompt_tokens: 7, completion_tokens: 11, total_tokens: 18, prompt_tokens_details: { cached_tokens: 4 } },
    });
    expect(completion.choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: {
        role: "assistant",
        content: "hi",
        tool_calls: [
          { id: "a", type: "function", function: { name: "f", arguments: '{"x":1}' } },
          { id: "b", type: "function", function: { name: "g", arguments: "{}" } },
        ],
      },
    });
  });

  it("puts the role first, sends id, type and name of a call once, and ends in usage and [DONE]", () => {
    const stream = streamed(rich);
    const chunks = chunksOf(stream);
    expect(chunks[0]).toMatchObject({ choices: [{ delta: { role: "assistant", content: "" } }] });
    const calls = chunks.flatMap(
      (chunk) => (chunk["choices"] as { delta: { tool_calls?: object[] } }[])[0]?.delta.tool_calls ?? [],
    );
    expect(calls).toEqual([
      { index: 0, id: "a", type: "function", function: { name: "f", arguments: "" } },
      { index: 1, id: "b", type: "function", function: { name: "g", arguments: "" } },
      { index: 0, function: { arguments: '{"x"' } },
      { index: 0, function: { arguments: ":1}" } },
      { index: 1, function: { arguments: "{}" } },
    ]);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 18 } });
    expect(stream.endsWith("\n\ndata: [DONE]\n\n")).toBe(true);
  });

  it("sends no usage to a caller that did not ask", () => {
    expect(streamed(rich, { includeUsage: false })).not.toContain("usage");
  });

  it("adds late facts to the last chunk before [DONE], asked for at the end", () => {
    let asked = 0;
    const facts = (): object => ({ attempts: (asked += 1) });
    for (const includeUsage of [true, false]) {
      asked = 0;
      const chunks = chunksOf(streamed(rich, { includeUsage, facts }));
      expect(chunks.at(-1)).toMatchObject({ choices: [], hedgerow: { attempts: 1 } });
      expect(chunks.filter((chunk) => "hedgerow" in chunk)).toHaveLength(1);
    }
  });

  it("tags sealed thoughts with their issuer beside the plain text", () => {
    const deltas = chunksOf(streamed(rich)).flatMap(
      (chunk) => (chunk["choices"] as { delta: object }[])[0]?.delta ?? [],
    );
    expect(deltas.filter((delta) => "reasoning_details" in delta)).toEqual([
      {
        reasoning_content: "hm",
        reasoning_details: [{ type: "reasoning.text", text: "hm", format: "anthropic", index: 0 }],
      },
      { reasoning_details: [{ type: "reasoning.text", signature: "sig", format: "anthropic", index: 0 }] },
      { reasoning_details: [{ type: "reasoning.encrypted", data: "blob", format: "anthropic", index: 1 }] },
    ]);
  });

  it("ends a failed stream with an error the SDK raises, and never with [DONE]", async () => {
    const failed: AnswerEvent = { kind: "failed", failure: failure("upstream_transient", "It broke off.") };
    const stream = streamed([start, ...text("half"), failed, end]);
    expect(stream).not.toContain("[DONE]");
    const read = async (): Promise<void> => {
      for await (const chunk of await sdk(stream).chat.completions.create({ ...ask, stream: true })) void chunk;
    };
    await expect(read()).rejects.toThrow("It broke off.");
    await expect(sdk(stream).chat.completions.stream(ask).finalChatCompletion()).rejects.toThrow("It broke off.");
  });

  it("says refusals, log probabilities, stop sequences and pings", () => {
    const logprobs = { content: [{ token: "a" }] };
    const stream = streamed([
      start,
      { kind: "ping" },
      { kind: "refusal-delta", text: "no" },
      { kind: "text-start", block: 0 },
      { kind: "text-delta", block: 0, text: "a", logprobs },
      { kind: "text-end", block: 0 },
      { kind: "finish", finish: { reason: "stop-sequence", stopSequence: "END" } },
      end,
    ]);
    expect(stream).toContain(": keep-alive\n\n");
    const choices = chunksOf(stream).map((chunk) => (chunk["choices"] as object[])[0]);
    expect(choices[1]).toEqual({ index: 0, delta: { refusal: "no" }, finish_reason: null });
    expect(choices[2]).toEqual({ index: 0, delta: { content: "a" }, logprobs, finish_reason: null });
    expect(choices[3]).toEqual({ index: 0, delta: {}, finish_reason: "stop", stop_reason: "END" });
  });
});

describe("an answer to a caller of functions", () => {
  const one = rich.filter((event) => !("block" in event) || event.block === 3);

  it("holds its call where such callers look for it", () => {
    const body = JSON.parse(
      Buffer.from(openaiChat.encodeAnswer(one, { ...options, legacyFunctions: true }) ?? []).toString(),
    ) as { choices: { message: object }[] };
    const call = { name: "f", arguments: '{"x":1}' };
    expect(body.choices[0]).toMatchObject({ message: { function_call: call }, finish_reason: "function_call" });
    expect(body.choices[0]?.message).not.toHaveProperty("tool_calls");
  });

  it("streams it there, the name once and first", () => {
    const chunks = chunksOf(streamed(one, { legacyFunctions: true })) as { choices: { delta: object }[] }[];
    const calls = chunks.flatMap(({ choices }) =>
      choices.flatMap(({ delta }) => Object.values(delta).filter(isObject)),
    );
    expect(calls).toEqual([{ name: "f", arguments: "" }, { arguments: '{"x"' }, { arguments: ":1}" }]);
    expect(chunks.at(-2)?.choices).toMatchObject([{ finish_reason: "function_call" }]);
  });
});

describe("encodeAnswer", () => {
  const whole = (
    events: readonly AnswerEvent[],
    more: Partial<EncodeOptions> = {},
  ): Record<string, unknown> | undefined => {
    const body = openaiChat.encodeAnswer(events, { ...options, ...more });
    return body === undefined ? undefined : (JSON.parse(Buffer.from(body).toString()) as Record<string, unknown>);
  };

  it("writes a whole completion", () => {
    expect(whole(rich, { facts: () => ({ a: 1 }) })).toEqual({
      id: "msg_1",
      object: "chat.completion",
      created: 1_700_000_000,
      model: "claude-sonnet-5",
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: "hi",
            refusal: null,
            reasoning_content: "hm",
            reasoning_details: [
              { type: "reasoning.text", text: "hm", signature: "sig", format: "anthropic", index: 0 },
              { type: "reasoning.encrypted", data: "blob", format: "anthropic", index: 1 },
            ],
            tool_calls: [
              { id: "a", type: "function", function: { name: "f", arguments: '{"x":1}' } },
              { id: "b", type: "function", function: { name: "g", arguments: "{}" } },
            ],
          },
          logprobs: null,
          finish_reason: "tool_calls",
        },
      ],
      usage: {
        prompt_tokens: 7,
        completion_tokens: 11,
        total_tokens: 18,
        prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 6 },
      },
      hedgerow: { a: 1 },
    });
  });

  it.each([
    ["stop", "stop"],
    ["length", "length"],
    ["policy", "content_filter"],
    ["tools", "tool_calls"],
  ] as const)("says finish %s as %s", (reason, word) => {
    expect(whole([start, ...text("a"), finish(reason), end])).toMatchObject({ choices: [{ finish_reason: word }] });
  });

  it("gives nothing for an answer that did not end", () => {
    expect(whole([start, ...text("a"), finish("stop")])).toBeUndefined();
    expect(whole([start, { kind: "failed", failure: failure("unreachable", "x") }])).toBeUndefined();
  });

  it("uses the fallback id where the answer brings none", () => {
    expect(whole([{ kind: "start", id: "", model: "" }, finish("stop"), end])).toMatchObject({
      id: "chatcmpl-fallback",
    });
  });
});

describe("attachFacts", () => {
  it("puts the facts into a chunk before [DONE] that the SDK accepts", async () => {
    const stream = streamed([start, ...text("a"), finish("stop")]);
    const last = Buffer.from(
      openaiChat.attachFacts(Buffer.from("data: [DONE]\n\n"), { hedgerow: { cost: 1 } }),
    ).toString();
    expect(chunksOf(last)).toEqual([{ object: "chat.completion.chunk", choices: [], hedgerow: { cost: 1 } }]);
    const completion = await sdk(stream + last)
      .chat.completions.stream(ask)
      .finalChatCompletion();
    expect(completion.choices[0]?.message.content).toBe("a");
    expect(completion.id).toBe("msg_1");
  });
});

describe("encodeModels", () => {
  it("is listed by the official SDK, with what the catalogue knows", async () => {
    const traits = {
      name: "v/m",
      contextTokens: 1000,
      capabilities: {},
      from: { source: "test", date: "2026-11-21" },
    };
    const models = [
      { id: "r", ownedBy: "hedgerow", createdAtS: 0 },
      { id: "p/m", ownedBy: "v", createdAtS: 5, traits },
    ];
    const body = Buffer.from(openaiChat.encodeModels(models, new URLSearchParams())).toString();
    expect(JSON.parse(body)).toEqual({
      object: "list",
      data: [
        { id: "r", object: "model", created: 0, owned_by: "hedgerow" },
        { id: "p/m", object: "model", created: 5, owned_by: "v", context_length: 1000 },
      ],
    });
    const headers = { "content-type": "application/json" };
    const client = new OpenAI({ apiKey: "k", fetch: () => Promise.resolve(new Response(body, { headers })) });
    const ids: string[] = [];
    for await (const model of client.models.list()) ids.push(model.id);
    expect(ids).toEqual(["r", "p/m"]);
    expect(JSON.parse(Buffer.from(openaiChat.encodeModel(models[0]!)).toString())).toMatchObject({ id: "r" });
  });
});
