import { describe, expect, it } from "vitest";
import { clientEndpoint, readEndpoint } from "./client-endpoint.ts";

const call = (dialect: string, operation = "generate", address: object = {}) => ({
  kind: "call",
  dialect,
  operation,
  address,
});

const sse = "alt=sse";

describe("where clients ask", () => {
  it.each<[string, object | undefined, string?]>([
    ["/v1/chat/completions", call("openai-chat")],
    ["/chat/completions", call("openai-chat")],
    ["/openai/v1/chat/completions", call("openai-chat")],
    [
      "/openai/deployments/my-gpt/chat/completions",
      call("openai-chat", "generate", { model: "my-gpt" }),
      "api-version=2024-10-21",
    ],
    ["/openai/deployments/my%20gpt/embeddings", call("openai-chat", "embed", { model: "my gpt" })],
    ["/v1/completions", call("openai-chat", "complete")],
    ["/v1/embeddings", call("openai-chat", "embed")],
    ["/v1/moderations", call("openai-chat", "moderate")],
    ["/v2/rerank", call("openai-chat", "rerank")],
    ["/v1/responses", call("openai-responses")],
    ["/openai/responses", call("openai-responses")],
    ["/v1/responses/input_tokens", call("openai-responses", "count-tokens")],
    ["/anthropic/v1/messages", call("anthropic-messages")],
    ["/v1/messages/count_tokens", call("anthropic-messages", "count-tokens")],
    [
      "/v1beta/models/gemini-3-pro:generateContent",
      call("gemini", "generate", { model: "gemini-3-pro", streamed: false }),
    ],
    [
      "/genai/v1/models/gemini-3-pro:streamGenerateContent",
      call("gemini", "generate", { model: "gemini-3-pro", streamed: true }),
      sse,
    ],
    [
      "/v1beta/models/google%2Fgemini:streamGenerateContent",
      call("gemini", "generate", { model: "google/gemini", streamed: true, framing: "json-array" }),
    ],
    ["/v1/models/xai/grok:countTokens", call("gemini", "count-tokens", { model: "xai/grok" })],
    [
      "/v1/tunedModels/mine:generateContent",
      call("gemini", "generate", { model: "tunedModels/mine", streamed: false }),
    ],
    [
      "/v1beta1/projects/p/locations/eu/publishers/google/models/g:embedContent",
      call("gemini", "embed", { model: "g" }),
    ],
    ["/v1/models/e:batchEmbedContents", call("gemini", "embed", { model: "e", variant: "batch" })],
    [
      "/model/anthropic.claude-v1%3A0/converse-stream",
      call("bedrock-converse", "generate", { model: "anthropic.claude-v1:0", streamed: true }),
    ],
    ["/model/nova/converse", call("bedrock-converse", "generate", { model: "nova", streamed: false })],
    [
      "/v1/responses/resp_1/input_items",
      { kind: "stored", dialect: "openai-responses", path: ["responses", "resp_1", "input_items"] },
    ],
    ["/v1/conversations", { kind: "stored", dialect: "openai-responses", path: ["conversations"] }],
    ["/v1/models", { kind: "models" }],
    ["/v1/models/vendor%2Fmodel", { kind: "models", model: "vendor/model" }],
    ["/v1/models/qwen3:8b", { kind: "models", model: "qwen3:8b" }],
    ["/v1/models/x:unheardOf", { kind: "models", model: "x:unheardOf" }],
    ["/v1/models/%E0%A4%A", undefined],
    ["/v1/responsesx", undefined],
    ["/v1/responses//x", undefined],
    ["/v1/toString", undefined],
    ["/openai/deployments/a/unheard", undefined],
    ["/openai/deployments/a/messages", undefined],
    ["/", undefined],
  ])("%s", (path, expected, query) => {
    expect(readEndpoint(path, new URLSearchParams(query))).toEqual(expected);
  });

  it.each([
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/messages",
    "/v1beta/models/x:generateContent",
    "/model/nova/converse",
  ])("are answered in every language there is: %s", (path) => {
    expect(clientEndpoint(path)).toEqual(readEndpoint(path));
  });
});
