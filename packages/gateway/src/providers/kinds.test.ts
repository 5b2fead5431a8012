import { describe, expect, it } from "vitest";
import { Secret } from "#domain/secret";
import { findKind, providerKinds } from "./kinds.ts";

const kinds = [...providerKinds.values()];

/** What a request looks like when its credential is asked for. */
const leaving = { method: "POST", origin: "https://a", path: "/", headers: {}, body: [], wallMs: 0 } as const;

describe("providerKinds", () => {
  it("knows every kind under its own word", () => {
    expect([...providerKinds.keys()]).toEqual(kinds.map(({ id }) => id));
    expect([...providerKinds.keys()]).toEqual(
      expect.arrayContaining(
        (
          "openai anthropic xai cohere groq mistral deepseek together fireworks openrouter cerebras nvidia perplexity gemini " +
          "moonshot zai huggingface ollama vllm llama-cpp lm-studio openai-compatible anthropic-compatible bedrock vertex " +
          "azure-openai azure-foundry sim sim-anthropic " +
          "sim-responses sim-gemini sim-bedrock sim-cohere"
        ).split(" "),
      ),
    );
  });

  it.each(kinds.map((kind) => [kind.id, kind] as const))(
    "gives %s an address that a path can be appended to",
    (_id, kind) => {
      const address = kind.url ?? kind.urlFor?.({ region: "eu-west-1", project: "p", resource: "r" });
      if (address === undefined) {
        expect(kind.environmentKeys).toEqual([]);
        return;
      }
      const url = new URL(address);
      expect(address.endsWith("/")).toBe(false);
      expect(url.search + url.hash + url.username).toBe("");
      if (kind.id === "vertex") return;
      // Only a local server is spoken to without TLS, and only such a one needs no key.
      expect(url.protocol === "http:").toBe(url.hostname === "127.0.0.1");
      expect(kind.keyless).toBe(url.protocol === "http:");
      expect(kind.environmentKeys.length > 0).toBe(!kind.keyless);
    },
  );

  it("puts a credential into headers, whole, and nowhere else", () => {
    const secret = new Secret("the-key-itself");
    expect(findKind("openai")?.authorize(secret, leaving)).toEqual({ authorization: "Bearer the-key-itself" });
    expect(findKind("anthropic")?.authorize(secret, leaving)).toEqual({ "x-api-key": "the-key-itself" });
    expect(findKind("anthropic")?.authorize(new Secret("sk-ant-oat01-x"), leaving)).toEqual({
      authorization: "Bearer sk-ant-oat01-x",
    });
    expect(findKind("anthropic-compatible")?.authorize(secret, leaving)).toEqual({
      "x-api-key": "the-key-itself",
      authorization: "Bearer the-key-itself",
    });
    expect(findKind("sim")?.authorize(secret, leaving)).toEqual({});
  });

  it("sends no empty credential where there is none", () => {
    // Vertex has the machine's own login then.
    for (const kind of kinds) if (kind.id !== "vertex") expect(kind.authorize(undefined, leaving)).toEqual({});
  });

  it("finds no two kinds under one environment key", () => {
    const keys = kinds.flatMap(({ environmentKeys }) => environmentKeys);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("knows how each vendor differs where it was recorded to", () => {
    expect(findKind("xai")?.quirks.completionIncludesReasoning).toBe(false);
    expect(findKind("mistral")?.quirks).toMatchObject({
      toolCallIds: "nine-alphanumeric",
      requiredToolChoice: "any",
      streamUsage: "always",
    });
    expect(findKind("deepseek")?.quirks.reasoningEcho).toBe("reasoning_content");
    expect(findKind("groq")?.quirks.refusedFields).toContain("logprobs");
    expect(findKind("openai")?.quirks.maxOutputField).toBe("max_completion_tokens");
  });
});

describe("findKind", () => {
  it("takes the names users bring along, in any case", () => {
    expect(findKind("Kimi")?.id).toBe("moonshot");
    expect(findKind(" google ")?.id).toBe("gemini");
    expect(findKind("x-ai")?.id).toBe("xai");
    expect(findKind("together_ai")?.id).toBe("together");
  });

  it("knows nothing under other words, inherited ones included", () => {
    for (const word of ["", "openaai", "constructor", "__proto__", "toString"]) expect(findKind(word)).toBeUndefined();
  });
});

describe("requestId", () => {
  it("is the provider's, from whichever header it uses", () => {
    expect(findKind("openai")?.requestId({ "x-request-id": "req_1" })).toBe("req_1");
    expect(findKind("cohere")?.requestId({ "x-debug-trace-id": "9af1", "x-request-id": "edge" })).toBe("9af1");
    expect(findKind("anthropic")?.requestId({ "request-id": "req_011CZ", "cf-ray": "9-FRA" })).toBe("req_011CZ");
  });

  it("is undefined where there is none or one that is no id", () => {
    expect(findKind("openai")?.requestId({})).toBeUndefined();
    expect(findKind("openai")?.requestId({ "x-request-id": "a b\n" })).toBeUndefined();
    expect(findKind("openai")?.requestId({ "x-request-id": "x".repeat(200) })).toBeUndefined();
  });
});
