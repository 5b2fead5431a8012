import { describe, expect, it } from "vitest";
import { exchange, fourWays, type Written } from "../world/exchange.ts";

/** Where each vendor's API is, and how it knows a caller: vendors' references, read November 2026. */
const vendors: readonly (readonly [
  written: Written & { readonly model: string },
  seen: { readonly path: string; readonly header: string; readonly value: string },
])[] = [
  [
    { kind: "openai", path: "/v1", model: "gpt-4.1" },
    { path: "/v1/chat/completions", header: "authorization", value: "Bearer the-key" },
  ],
  [
    { kind: "openai", path: "/v1", model: "gpt-5.3-codex" },
    { path: "/v1/responses", header: "authorization", value: "Bearer the-key" },
  ],
  [
    { kind: "anthropic", path: "/v1", model: "claude-opus-5" },
    { path: "/v1/messages", header: "x-api-key", value: "the-key" },
  ],
  [
    { kind: "deepseek", model: "deepseek-v4-pro", dialects: ["openai-chat"] },
    { path: "/chat/completions", header: "authorization", value: "Bearer the-key" },
  ],
  [
    { kind: "deepseek", model: "deepseek-v4-pro", dialects: ["anthropic-messages"] },
    { path: "/anthropic/v1/messages", header: "authorization", value: "Bearer the-key" },
  ],
  [
    { kind: "openrouter", path: "/api/v1", model: "x-ai/grok-4.6", dialects: ["openai-chat"] },
    { path: "/api/v1/chat/completions", header: "authorization", value: "Bearer the-key" },
  ],
  [
    { kind: "mistral", path: "/v1", model: "mistral-medium-2604" },
    { path: "/v1/chat/completions", header: "authorization", value: "Bearer the-key" },
  ],
  [
    { kind: "groq", path: "/openai/v1", model: "openai/gpt-oss-120b" },
    { path: "/openai/v1/chat/completions", header: "authorization", value: "Bearer the-key" },
  ],
  [
    { kind: "cohere", path: "/v2", model: "command-a-03-2025" },
    { path: "/v2/chat", header: "authorization", value: "Bearer the-key" },
  ],
  [
    { kind: "gemini", path: "/v1beta", model: "gemini-3.5-flash", dialects: ["openai-chat"] },
    { path: "/v1beta/openai/chat/completions", header: "authorization", value: "Bearer the-key" },
  ],
];

describe.each(vendors)("%o", ({ model, ...written }, { path, header, value }) => {
  it.each(fourWays)(
    "is asked at its own address with its own key, for a caller of %s (streamed: %s)",
    async (dialect, streamed) => {
      const { reply, asked, json, record } = await exchange(
        { ...written, key: "the-key" },
        { dialect, streamed, model },
      );
      expect(asked).toMatchObject({ path, streamed, headers: { [header]: value, "content-type": "application/json" } });
      expect(json).toMatchObject({ model });
      expect(reply).toMatchObject({ status: 200, text: "hello", ending: "complete" });
      expect(record?.attempts).toMatchObject([{ outcome: "answered" }]);
    },
  );
});

const tools = [
  {
    type: "function",
    function: { name: "look", description: "Looks.", parameters: { type: "object", properties: {} } },
  },
];

describe("OpenAI", () => {
  it.each([
    ["gpt-4.1", {}, "/v1/chat/completions"],
    ["gpt-5.6", {}, "/v1/chat/completions"],
    ["gpt-4.1", { tools }, "/v1/chat/completions"],
    // From GPT-5.4 on Chat refuses tools beside reasoning, asked for or not.
    ["gpt-5.6", { tools }, "/v1/responses"],
    ["gpt-5.4", { tools, reasoning_effort: "high" }, "/v1/responses"],
    ["gpt-5.4-pro", {}, "/v1/responses"],
  ])("serves %s to a caller of Chat with %j at %s", async (model, body, path) => {
    const { asked, reply } = await exchange(
      { kind: "openai", path: "/v1", key: "k" },
      { dialect: "openai-chat", streamed: true, model, body },
    );
    expect(asked?.path).toBe(path);
    expect(reply).toMatchObject({ text: "hello", ending: "complete" });
  });

  it("serves models that reason to callers of Messages through Responses, where their thoughts come back", async () => {
    const question = { dialect: "anthropic-messages", streamed: false } as const;
    const written = { kind: "openai", path: "/v1", key: "k" };
    expect((await exchange(written, { ...question, model: "gpt-5.4" })).asked?.path).toBe("/v1/responses");
    expect((await exchange(written, { ...question, model: "gpt-4.1" })).asked?.path).toBe("/v1/chat/completions");
  });
});

describe("xAI", () => {
  it.each([
    ["openai-chat", "/v1/chat/completions"],
    ["anthropic-messages", "/v1/responses"],
  ] as const)("is asked for a caller of %s at %s", async (dialect, path) => {
    const question = { dialect, streamed: true, model: "grok-4.6" };
    const { asked, reply } = await exchange({ kind: "xai", path: "/v1", key: "xai-key" }, question);
    expect(asked).toMatchObject({ path, headers: { authorization: "Bearer xai-key" } });
    expect(reply).toMatchObject({ text: "hello", ending: "complete" });
  });
});

describe("OpenRouter", () => {
  it("reports what a call cost, and its models' thoughts are kept apart from what they say", async () => {
    const usage = { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12, cost: 0.00125 };
    const message = { role: "assistant", content: "hello", reasoning: "hm" };
    const completion = { id: "gen-1", object: "chat.completion", created: 1, model: "m", usage };
    const { reply, record } = await exchange(
      { kind: "openrouter", path: "/api/v1", key: "k", dialects: ["openai-chat"] },
      { dialect: "anthropic-messages", streamed: false, model: "x-ai/grok-4.6" },
      { behaviour: { status: 200, body: { ...completion, choices: [{ index: 0, message, finish_reason: "stop" }] } } },
    );
    expect(record?.attempts[0]).toMatchObject({ outcome: "answered", usage: { reportedCostNanoUsd: 1_250_000 } });
    expect(JSON.parse(reply.body)).toMatchObject({
      content: [
        { type: "thinking", thinking: "hm" },
        { type: "text", text: "hello" },
      ],
    });
  });
});
