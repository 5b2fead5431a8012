import { describe, expect, it } from "vitest";
import { Secret } from "#domain/secret";
import { findKind } from "./kinds.ts";
import type { Sending } from "./provider.ts";

const sending: Sending = {
  dialect: "openai-chat",
  operation: "generate",
  model: "m",
  streamed: false,
  basePath: "/v1",
  path: "/chat/completions",
  headers: {},
};

function placed(kind: string, more: Partial<Sending>) {
  return findKind(kind)?.place?.({ ...sending, ...more });
}

const leaving = { method: "POST", origin: "https://a", headers: {}, body: [], wallMs: 0 } as const;

describe("Vertex", () => {
  const project = { project: "my-project", region: "europe-west4" };
  const root = "/v1/projects/my-project/locations/europe-west4";

  it.each([
    ["mistral-medium-3", "mistralai"],
    ["codestral-2501@001", "mistralai"],
    ["jamba-1.5-large@001", "ai21"],
  ])("is asked for %s at its publisher's own method", (model, publisher) => {
    const at = `${root}/publishers/${publisher}/models/${model}`;
    expect(placed("vertex", { ...project, model })).toEqual({ path: `${at}:rawPredict` });
    expect(placed("vertex", { ...project, model, streamed: true })?.path).toBe(`${at}:streamRawPredict`);
  });

  it("keeps a publisher that is part of the model's name", () => {
    const path = "/publishers/google/models/gemini-3.5-flash:generateContent";
    expect(placed("vertex", { ...project, dialect: "gemini", path })?.path).toBe(root + path);
  });

  it("keeps a project that is part of the address", () => {
    const basePath = "/v1/projects/other/locations/us";
    const path = "/models/gemini-3.5-flash:generateContent";
    expect(placed("vertex", { ...project, dialect: "gemini", basePath, path })?.path).toBe(
      `${basePath}/publishers/google${path}`,
    );
  });

  it.each([
    ["claude-opus-5", ["anthropic-messages"]],
    ["anthropic/claude-opus-5", ["anthropic-messages"]],
    ["gemini-3.5-flash", ["gemini", "openai-chat"]],
    ["google/gemini-3.5-flash", ["gemini", "openai-chat"]],
    ["meta/llama-4-maverick-17b-128e-instruct-maas", ["openai-chat"]],
    ["mistral-medium-3", ["openai-chat"]],
  ])("is asked for %s in %j", (model, lanes) => expect(findKind("vertex")?.lanes?.(model)).toEqual(lanes));
});

describe("Bedrock", () => {
  it.each([
    ["anthropic.claude-opus-5", ["anthropic-messages", "bedrock-converse"]],
    ["eu.anthropic.claude-opus-5", ["anthropic-messages", "bedrock-converse"]],
    ["amazon.nova-pro-v1:0", ["bedrock-converse"]],
    ["arn:aws:bedrock:us-east-1:1:application-inference-profile/abc", ["bedrock-converse"]],
  ])("is asked for %s in %j", (model, lanes) => expect(findKind("bedrock")?.lanes?.(model)).toEqual(lanes));

  it("signs for the host that is asked, its port included", () => {
    const authorize = (origin: string) =>
      findKind("bedrock")?.authorize(new Secret("AKIDEXAMPLE:secret"), {
        ...leaving,
        origin,
        path: "/model/m/converse",
        region: "eu-central-1",
      });
    expect(authorize("https://a.example")).toEqual(authorize("https://a.example:443"));
    expect(authorize("https://a.example:8443")).not.toEqual(authorize("https://a.example"));
  });

  it("cannot sign without a region, which is a failure and not a throw", () => {
    expect(findKind("bedrock")?.authorize(new Secret("AKIDEXAMPLE:secret"), { ...leaving, path: "/" })).toMatchObject({
      kind: "credential_rejected",
    });
  });

  it.each(["ABSKQmVkcm9jaw==", "bedrock-api-key-YmVkcm9jaw==", "bedrock-api-key-a:b"])(
    "sends the API key %s as it is",
    (key) => {
      expect(findKind("bedrock")?.authorize(new Secret(key), { ...leaving, path: "/" })).toEqual({
        authorization: `Bearer ${key}`,
      });
    },
  );
});

describe("DeepSeek", () => {
  it.each([
    ["", "/anthropic/v1/messages"],
    ["/v1", "/anthropic/v1/messages"],
    ["/anthropic", "/anthropic/v1/messages"],
    ["/proxy/deepseek", "/proxy/deepseek/anthropic/v1/messages"],
  ])("is asked in Messages behind %j at %s", (basePath, path) => {
    expect(placed("deepseek", { dialect: "anthropic-messages", basePath, path: "/messages" })).toEqual({ path });
  });

  it.each([
    ["", "/chat/completions"],
    ["/beta", "/beta/chat/completions"],
    ["/anthropic", "/chat/completions"],
  ])("is asked in Chat behind %j at %s", (basePath, path) => {
    expect(placed("deepseek", { basePath })).toEqual({ path });
  });
});

describe("a project in Azure AI Foundry", () => {
  it.each([
    ["/api/projects/p/openai/v1", undefined, "/api/projects/p/openai/v1/chat/completions"],
    ["/api/projects/p", "q", "/api/projects/q/openai/v1/chat/completions"],
    ["", "my project", "/api/projects/my%20project/openai/v1/chat/completions"],
  ])("behind %j with %j is asked at %s", (basePath, project, path) => {
    const more = project === undefined ? {} : { project };
    expect(placed("azure-foundry", { basePath, ...more })).toEqual({ path });
  });
});
