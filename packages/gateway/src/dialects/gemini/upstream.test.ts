import { describe, expect, it } from "vitest";
import { geminiUpstream } from "./upstream.ts";

describe("the path", () => {
  it.each([
    ["gemini-3-pro-preview", "/models/gemini-3-pro-preview"],
    ["models/gemini-2.5-flash", "/models/gemini-2.5-flash"],
    ["google/gemini-2.5-flash", "/models/gemini-2.5-flash"],
    ["tunedModels/my tune", "/tunedModels/my%20tune"],
    ["publishers/google/models/gemini-2.0-flash@001", "/publishers/google/models/gemini-2.0-flash@001"],
    ["a?b:c", "/models/a%3Fb%3Ac"],
  ])("of %s begins with %s", (model, path) => {
    expect(geminiUpstream.upstreamPath("generate", { model, streamed: false })).toBe(`${path}:generateContent`);
  });

  it("says the operation, and how it is framed", () => {
    const asked = { model: "m", streamed: true } as const;
    expect(geminiUpstream.upstreamPath("generate", asked)).toBe("/models/m:streamGenerateContent?alt=sse");
    expect(geminiUpstream.upstreamPath("generate", { ...asked, framing: "json-array" })).toBe(
      "/models/m:streamGenerateContent",
    );
    expect(geminiUpstream.upstreamPath("count-tokens", asked)).toBe("/models/m:countTokens");
    expect(geminiUpstream.upstreamPath("embed", asked)).toBe("/models/m:embedContent");
    expect(geminiUpstream.upstreamPath("embed", { ...asked, variant: "batch" })).toBe("/models/m:batchEmbedContents");
    for (const none of ["complete", "moderate", "rerank"] as const) {
      expect(geminiUpstream.upstreamPath(none, asked)).toBeUndefined();
    }
  });
});

it("usage of relayed embeddings is read where there is some", () => {
  const read = (operation: "embed" | "count-tokens", body: unknown): unknown =>
    geminiUpstream.unary?.readUsage?.(operation, body);
  expect(read("embed", { embedding: { values: [1] }, usageMetadata: { promptTokenCount: 3 } })).toMatchObject({
    inputUncached: 3,
  });
  expect(read("embed", { embedding: { values: [1] } })).toBeUndefined();
  expect(read("count-tokens", { totalTokens: 3 })).toBeUndefined();
});
