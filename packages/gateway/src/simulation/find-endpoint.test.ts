import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findEndpoint } from "./find-endpoint.ts";
import { startSimulator, type Simulator } from "./server.ts";

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator({ script: { rules: [], models: ["m1", "m2"] } });
});
afterAll(() => simulator.close());

const vertex = "/v1beta1/projects/p/locations/global/publishers/google/models/m";

describe("findEndpoint", () => {
  it.each([
    ["/v1/chat/completions", "openai-chat", "generate", {}],
    ["/v1beta/openai/chat/completions", "openai-chat", "generate", {}],
    ["/api/v1/chat/completions", "openai-chat", "generate", {}],
    ["/v1/rerank", "openai-chat", "rerank", {}],
    ["/responses", "openai-responses", "generate", {}],
    ["/anthropic/v1/messages/count_tokens", "anthropic-messages", "count-tokens", {}],
    ["/openai/deployments/my%20one/embeddings?api-version=2024-10-21", "openai-chat", "embed", { model: "my one" }],
    ["/models/chat/completions?api-version=2024-05-01-preview", "openai-chat", "generate", {}],
    ["/api/projects/p/openai/v1/responses", "openai-responses", "generate", {}],
    ["/v1/models/m:generateContent", "gemini", "generate", { model: "m", streamed: false }],
    ["/v1beta/tunedModels/m:streamGenerateContent?alt=sse", "gemini", "generate", { model: "m", streamed: true }],
    [`${vertex}:streamGenerateContent`, "gemini", "generate", { model: "m", streamed: true, framing: "json-array" }],
    ["/v1beta1/publishers/google/models/m:countTokens", "gemini", "count-tokens", { model: "m" }],
    ["/v1beta/models/m:batchEmbedContents", "gemini", "embed", { model: "m", variant: "batch" }],
    ["/model/a%3A0/converse-stream", "bedrock-converse", "generate", { model: "a:0", streamed: true }],
    [
      "/model/arn%3Aaws%3Abedrock%2Fx/invoke",
      "anthropic-messages",
      "generate",
      { model: "arn:aws:bedrock/x", streamed: false },
    ],
    ["/v2/rerank", "cohere-chat", "rerank", {}],
  ])("knows %s", (...[path, dialect, operation, address]) => {
    const endpoint = findEndpoint({ method: "POST", path, headers: {} });
    expect(endpoint).toMatchObject({ method: "POST", operation, voice: { dialect } });
    expect(endpoint?.address).toEqual(address);
  });

  it.each([
    "/openai/deployments/d/chat/completions",
    "/openai/responses",
    "/v2/nothing",
    "/v1/models/m:nothing",
    "/model/m/nothing",
    `${vertex.replace("google", "mistralai")}:rawPredict`,
  ])("knows nothing behind %s", (path) => {
    const endpoint = findEndpoint({ method: "POST", path, headers: {} });
    expect(endpoint?.method === "POST").toBe(false);
  });
});

describe("the list of models", () => {
  it.each<[string, Record<string, string>, string, object]>([
    ["OpenAI's", {}, "/v1/models", { object: "list", data: [{ id: "m1", object: "model" }, { id: "m2" }] }],
    [
      "Anthropic's",
      { "anthropic-version": "2026-10-21" },
      "/v1/models",
      { data: [{ type: "model", id: "m1" }, {}], first_id: "m1", has_more: false },
    ],
    ["Gemini's by its key", { "x-goog-api-key": "k" }, "/v1/models", { models: [{ name: "models/m1" }, {}] }],
    ["Gemini's by its client", { "x-goog-api-client": "genai" }, "/v1/models", { models: [{}, {}] }],
    ["Gemini's by a key in the query", {}, "/v1/models?key=k", { models: [{}, {}] }],
    ["Gemini's by its version", {}, "/v1beta/models", { models: [{}, {}] }],
    [
      "one of Gemini's",
      {},
      "/v1beta/models/m2",
      { name: "models/m2", supportedGenerationMethods: ["generateContent", "countTokens"] },
    ],
  ])("is %s", async (...[, headers, path, body]) => {
    const answer = await fetch(simulator.url + path, { headers });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject(body);
  });

  it("lacks a model in the shape of who asks", async () => {
    const answer = await fetch(`${simulator.url}/v1beta/models/none`);
    expect(await answer.json()).toMatchObject({ error: { code: 404, status: "NOT_FOUND" } });
  });
});
