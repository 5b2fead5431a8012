import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { exchange, fourWays } from "../world/exchange.ts";
import { serviceAccount, startTokenServer } from "../world/token-server.ts";

afterEach(() => vi.unstubAllEnvs());

const project = "/v1/projects/my-project/locations";
const vertex = { kind: "vertex", path: "/v1", project: "my-project" };

describe("Gemini", () => {
  it.each(fourWays)("is asked in its own language for a caller of %s (streamed: %s)", async (dialect, streamed) => {
    const written = { kind: "gemini", path: "/v1beta", key: "AIza-key" };
    // A caller of OpenAI's language is relayed to Google's compatible address; others are translated.
    const { reply, asked } = await exchange(
      { ...written, dialects: ["gemini"] },
      { dialect, streamed, model: "gemini-3.5-flash" },
    );
    const verb = streamed ? "streamGenerateContent?alt=sse" : "generateContent";
    expect(asked).toMatchObject({
      path: `/v1beta/models/gemini-3.5-flash:${verb}`,
      headers: { "x-goog-api-key": "AIza-key" },
    });
    expect(asked?.headers).not.toHaveProperty("authorization");
    expect(reply).toMatchObject({ status: 200, text: "hello", ending: "complete" });
  });

  it("keeps a caller's bytes at the compatible address, also where that is what the file names", async () => {
    const question = { dialect: "openai-chat", streamed: false, model: "gemini-3.5-flash" } as const;
    for (const path of ["/v1beta", "/v1beta/openai"]) {
      const { asked, reply } = await exchange({ kind: "gemini", path, key: "AIza-key" }, question);
      expect(asked).toMatchObject({ path: "/v1beta/openai/chat/completions" });
      expect(asked?.headers).toMatchObject({ authorization: "Bearer AIza-key" });
      expect(reply.text).toBe("hello");
    }
  });
});

describe("Vertex", () => {
  it.each(fourWays)(
    "is asked for Gemini under its publisher, for a caller of %s (streamed: %s)",
    async (dialect, streamed) => {
      const written = { ...vertex, region: "europe-west4", key: "ya29.token", dialects: ["gemini" as const] };
      const { reply, asked } = await exchange(
        written,
        { dialect, streamed, model: "gemini-3.5-flash" },
        { upstream: { keys: ["ya29.token"] } },
      );
      const verb = streamed ? "streamGenerateContent?alt=sse" : "generateContent";
      expect(asked).toMatchObject({
        path: `${project}/europe-west4/publishers/google/models/gemini-3.5-flash:${verb}`,
        headers: { authorization: "Bearer ya29.token" },
      });
      expect(reply).toMatchObject({ status: 200, text: "hello", ending: "complete" });
    },
  );

  it.each(fourWays)(
    "is asked for Claude in Anthropic's language, for a caller of %s (streamed: %s)",
    async (dialect, streamed) => {
      const { reply, asked, json } = await exchange(
        { ...vertex, region: "us-east5", key: "ya29.token" },
        { dialect, streamed, model: "claude-opus-4-6@20260205" },
      );
      const verb = streamed ? "streamRawPredict" : "rawPredict";
      expect(asked).toMatchObject({
        path: `${project}/us-east5/publishers/anthropic/models/claude-opus-4-6@20260205:${verb}`,
        headers: { authorization: "Bearer ya29.token" },
      });
      expect(asked?.headers).not.toHaveProperty("anthropic-version");
      expect(json).toMatchObject({ anthropic_version: "vertex-2023-10-16" });
      expect(json).not.toHaveProperty("model");
      expect(json["stream"]).toBe(streamed ? true : undefined);
      expect(reply).toMatchObject({ status: 200, text: "hello", ending: "complete" });
    },
  );

  it("carries the version and of the betas that a caller of Messages asks for those that Vertex takes", async () => {
    const betas = "context-management-2025-06-27, claude-code-20250219,prompt-caching-scope-2026-01-05";
    const headers = { "anthropic-version": "2026-10-21", "anthropic-beta": `${betas},advanced-tool-use-2025-11-20` };
    const question = { dialect: "anthropic-messages", streamed: false, headers } as const;
    const newer = await exchange({ ...vertex, key: "ya29.t" }, { ...question, model: "claude-opus-5" });
    expect(newer.json).toMatchObject({ anthropic_version: "2026-10-21" });
    expect(newer.asked?.headers).toMatchObject({
      "anthropic-beta": "context-management-2025-06-27,tool-search-tool-2025-10-19",
    });
    expect(newer.reply.headers.get("x-hedgerow-warning")).toBe(
      "anthropic-beta: the provider does not take prompt-caching-scope-2026-01-05",
    );
    expect(newer.asked?.path).toContain(`${project}/global/`);
    const older = await exchange({ ...vertex, key: "ya29.t" }, { ...question, model: "claude-opus-4-5" });
    expect(older.json).toMatchObject({ anthropic_version: "vertex-2023-10-16" });
  });

  it("is asked for others' models in OpenAI's language", async () => {
    const question = { dialect: "anthropic-messages", streamed: true } as const;
    const written = { ...vertex, region: "us-central1", key: "ya29.t" };
    const { asked, json, reply } = await exchange(written, { ...question, model: "meta/llama-4-maverick-maas" });
    expect(asked?.path).toBe(`${project}/us-central1/endpoints/openapi/chat/completions`);
    expect(json).toMatchObject({ model: "meta/llama-4-maverick-maas", stream: true });
    expect(reply).toMatchObject({ text: "hello", ending: "complete" });
    const chat = { dialect: "openai-chat", streamed: false, model: "gemini-3.5-flash" } as const;
    expect((await exchange(written, chat)).json).toMatchObject({ model: "google/gemini-3.5-flash" });
  });

  it("takes an API key without a project", async () => {
    const question = { dialect: "anthropic-messages", streamed: false, model: "gemini-3.5-flash" } as const;
    const { asked } = await exchange({ kind: "vertex", path: "/v1", key: "AQ.express" }, question);
    expect(asked).toMatchObject({
      path: "/v1/publishers/google/models/gemini-3.5-flash:generateContent",
      headers: { "x-goog-api-key": "AQ.express" },
    });
  });

  it("is asked with a service account's token", async () => {
    await using server = await startTokenServer();
    const { asked, reply } = await exchange(
      { ...vertex, key: serviceAccount(server.host) },
      { dialect: "anthropic-messages", streamed: true, model: "claude-opus-5" },
      { upstream: { keys: ["ya29.1"] } },
    );
    expect(asked?.headers).toMatchObject({ authorization: "Bearer ya29.1" });
    expect(reply).toMatchObject({ status: 200, text: "hello" });
  });

  it("is asked with the machine's own login where no key is written", async () => {
    await using server = await startTokenServer();
    vi.stubEnv("GCE_METADATA_HOST", server.host);
    vi.stubEnv("METADATA_SERVER_DETECTION", "assume-present");
    vi.stubEnv("HOME", mkdtempSync(join(tmpdir(), "hedgerow-home-")));
    const question = { dialect: "openai-chat", streamed: true, model: "gemini-3.5-flash" } as const;
    const { asked, reply } = await exchange(vertex, question, { upstream: { keys: ["ya29.1"] } });
    expect(asked?.headers).toMatchObject({ authorization: "Bearer ya29.1" });
    expect(reply).toMatchObject({ text: "hello", ending: "complete" });
  });

  it("is not asked where there is no token to be had, which is a failure like any other", async () => {
    await using server = await startTokenServer();
    server.answer(400, { error: "invalid_grant" });
    const question = { dialect: "openai-chat", streamed: false, model: "gemini-3.5-flash" } as const;
    const { asked, reply, record } = await exchange({ ...vertex, key: serviceAccount(server.host) }, question);
    expect(asked).toBeUndefined();
    expect(reply).toMatchObject({ status: 502, code: "upstream_error" });
    expect(record?.attempts[0]).toMatchObject({ outcome: "failed", failure: "credential_rejected" });
  });
});
