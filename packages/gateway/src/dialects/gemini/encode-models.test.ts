import { describe, expect, it } from "vitest";
import type { ListedModel } from "#dialects/dialect";
import { encodeModel, encodeModels } from "./encode-models.ts";

const from = { source: "s", date: "2026-11-21" };
const known: ListedModel = {
  id: "anthropic/claude-sonnet-5",
  ownedBy: "anthropic",
  createdAtS: 0,
  traits: {
    name: "anthropic/claude-sonnet-5",
    title: "Claude Sonnet 5",
    contextTokens: 200_000,
    maxInputTokens: 150_000,
    maxOutputTokens: 64_000,
    capabilities: { reasoning: true, outputs: ["text"] },
    lifecycle: "deprecated",
    from,
  },
};

interface Page {
  readonly models: readonly { readonly name: string }[];
  readonly nextPageToken?: string;
}

function page(models: readonly ListedModel[], query: string): Page {
  return JSON.parse(Buffer.from(encodeModels(models, new URLSearchParams(query))).toString()) as Page;
}

describe("models in Gemini's language", () => {
  it("have what Google's clients look for, as far as it is known", () => {
    expect(JSON.parse(Buffer.from(encodeModel(known)).toString())).toEqual({
      name: "models/anthropic/claude-sonnet-5",
      baseModelId: "anthropic/claude-sonnet-5",
      version: "anthropic/claude-sonnet-5",
      displayName: "Claude Sonnet 5",
      description: "This model is deprecated.",
      inputTokenLimit: 150_000,
      outputTokenLimit: 64_000,
      supportedGenerationMethods: ["generateContent", "streamGenerateContent", "countTokens"],
      thinking: true,
    });
    const bare = JSON.parse(Buffer.from(encodeModel({ id: "main", ownedBy: "x", createdAtS: 0 })).toString()) as object;
    expect(bare).toMatchObject({ name: "models/main", displayName: "main" });
    expect(bare).not.toHaveProperty("inputTokenLimit");
  });

  it("tell embedding models apart, by their names", () => {
    for (const id of ["openai/text-embedding-3-small", "cohere/embed-v4.0", "gemini-embedding-001"]) {
      const body = Buffer.from(encodeModel({ id, ownedBy: "x", createdAtS: 0 })).toString();
      expect(JSON.parse(body)).toMatchObject({ supportedGenerationMethods: ["embedContent", "batchEmbedContents"] });
    }
  });

  it("come in pages, each model once", () => {
    const models = Array.from({ length: 120 }, (_, index) => ({ id: `m/${index}`, ownedBy: "x", createdAtS: 0 }));
    for (const size of ["", "pageSize=7&", "page_size=7&", "pageSize=0&"]) {
      const seen: string[] = [];
      let token: string | undefined = "";
      while (token !== undefined) {
        const { models: shown, nextPageToken } = page(models, `${size}pageToken=${token}`);
        expect(shown.length).toBeLessThanOrEqual(size.endsWith("7&") ? 7 : 50);
        seen.push(...shown.map(({ name }) => name));
        token = nextPageToken;
      }
      expect(seen).toEqual(models.map(({ id }) => `models/${id}`));
    }
    expect(page(models, "pageSize=5000").models).toHaveLength(120);
    expect(page(models, `pageToken=${Buffer.from("gone").toString("base64url")}`)).toEqual({ models: [] });
    expect(page([], "")).toEqual({ models: [] });
  });
});
