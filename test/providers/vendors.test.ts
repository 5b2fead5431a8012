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
