import { describe, expect, it } from "vitest";
import { jsonOf, openDoor, type Written } from "../world/exchange.ts";

type Kind = Written & { readonly model: string };

/** What is asked for, as callers of each language ask it. */
const requests = {
  embed: ["/v1/embeddings", { input: ["one", "two"] }],
  moderate: ["/v1/moderations", { input: "one" }],
  complete: ["/v1/completions", { prompt: "one", max_tokens: 5 }],
  rerank: ["/v1/rerank", { query: "one", documents: ["two", "three"] }],
  count: ["/v1/messages/count_tokens", { messages: [{ role: "user", content: "one" }] }],
} as const;

async function asked({ model, ...written }: Kind, operation: keyof typeof requests) {
  await using door = await openDoor({ key: "the-key", ...written }, model);
  const [path, body] = requests[operation];
  const reply = await fetch(door.url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "main", ...body }),
  });
  const json = (await reply.json()) as Readonly<Record<string, unknown>>;
  const last = door.provider.log.last;
  return { status: reply.status, json, path: last?.path, body: jsonOf(last) };
}

const openai: Kind = { kind: "openai", path: "/v1", model: "gpt-5.4" };
const mistral: Kind = { kind: "mistral", path: "/v1", model: "mistral-embed" };
const together: Kind = { kind: "together", path: "/v1", model: "m" };
const groq: Kind = { kind: "groq", path: "/openai/v1", model: "m" };
const gemini: Kind = { kind: "gemini", path: "/v1beta", model: "gemini-embedding-001" };
const cohere: Kind = { kind: "cohere", path: "/v2", model: "embed-v4.0" };
const bedrockKey = "AKIDEXAMPLE:secret";
const bedrock: Kind = { kind: "bedrock", region: "eu-central-1", key: bedrockKey, model: "cohere.rerank-v3-5:0" };
const vertexClaude: Kind = { kind: "vertex", path: "/v1", project: "p", key: "ya29.token", model: "claude-opus-5" };
const vertexGemini: Kind = { ...vertexClaude, region: "europe-west4", model: "gemini-3.5-flash" };
const azure: Kind = { kind: "azure-openai", apiVersion: "2024-10-21", model: "my-embeddings" };
const foundry: Kind = { kind: "azure-foundry", model: "claude-opus-5" };
const anthropic: Kind = { kind: "anthropic", path: "/v1", model: "claude-opus-5" };

describe("what a provider has", () => {
  it.each<readonly [Kind, keyof typeof requests, string]>([
    [openai, "embed", "/v1/embeddings"],
    [openai, "moderate", "/v1/moderations"],
    [openai, "count", "/v1/responses/input_tokens"],
    [{ ...openai, model: "gpt-3.5-turbo-instruct" }, "complete", "/v1/completions"],
    [mistral, "embed", "/v1/embeddings"],
    [mistral, "moderate", "/v1/moderations"],
    [together, "complete", "/v1/completions"],
    [together, "rerank", "/v1/rerank"],
    [gemini, "embed", "/v1beta/openai/embeddings"],
    [{ ...gemini, dialects: ["gemini"] }, "embed", "/v1beta/models/gemini-embedding-001:batchEmbedContents"],
    [{ ...gemini, model: "gemini-3.5-flash" }, "count", "/v1beta/models/gemini-3.5-flash:countTokens"],
    [cohere, "embed", "/v2/embed"],
    [{ ...cohere, model: "rerank-v3.5" }, "rerank", "/v2/rerank"],
    [bedrock, "rerank", "/model/cohere.rerank-v3-5%3A0/invoke"],
    [vertexClaude, "count", "/v1/projects/p/locations/global/publishers/anthropic/models/count-tokens:rawPredict"],
    [
      vertexGemini,
      "count",
      "/v1/projects/p/locations/europe-west4/publishers/google/models/gemini-3.5-flash:countTokens",
    ],
    [azure, "embed", "/openai/deployments/my-embeddings/embeddings?api-version=2024-10-21"],
    [foundry, "count", "/anthropic/v1/messages/count_tokens"],
    [anthropic, "count", "/v1/messages/count_tokens"],
  ])("%o is asked to %s at %s", async (kind, operation, path) => {
    expect(await asked(kind, operation)).toMatchObject({ status: 200, path });
  });

  it("names the model in the body where the path names the counting", async () => {
    expect((await asked(vertexClaude, "count")).body).toMatchObject({
      model: "claude-opus-5",
      anthropic_version: "vertex-2023-10-16",
    });
  });

  it("says Cohere's version in the body where Bedrock wants it", async () => {
    const { body } = await asked(bedrock, "rerank");
    expect(body).toMatchObject({ api_version: 2, query: "one" });
    expect(body).not.toHaveProperty("model");
  });
});

describe("what a provider lacks", () => {
  it.each<readonly [Kind, keyof typeof requests]>([
    [groq, "embed"],
    [groq, "moderate"],
    [together, "moderate"],
    [openai, "rerank"],
    [{ ...bedrock, model: "amazon.nova-pro-v1:0" }, "embed"],
    [vertexGemini, "embed"],
    [anthropic, "embed"],
  ])("%o is not asked to %s, and the caller hears why", async (kind, operation) => {
    const { status, json, path } = await asked(kind, operation);
    expect(path).toBeUndefined();
    expect(status).toBeGreaterThanOrEqual(400);
    expect(JSON.stringify(json)).toMatch(/embeddings|moderation|ranking/);
  });

  it("is a chat where completions are lacking", async () => {
    const { status, path, json } = await asked(openai, "complete");
    expect(path).toBe("/v1/chat/completions");
    expect(status).toBe(200);
    expect(json).toMatchObject({ object: "text_completion", choices: [{ text: "hello" }] });
  });

  it("is an estimate where nobody counts", async () => {
    const { status, path, json } = await asked(groq, "count");
    expect(path).toBeUndefined();
    expect(status).toBe(200);
    expect(json).toMatchObject({ input_tokens: expect.any(Number) as number });
  });
});
