import { describe, expect, it } from "vitest";
import type { EmbedPurpose, EmbedRequest } from "#domain/embedding";
import { plainChatQuirks } from "#domain/quirks";
import { decodeEmbed, encodeEmbed } from "./embed-contents.ts";

const target = { model: "gemini-embedding-001", issuer: "google", quirks: plainChatQuirks, streamed: false };
const request: EmbedRequest = { model: "asked", inputs: ["a"], single: true, encoding: "float", rest: {} };

function made(more: Partial<EmbedRequest>): unknown {
  const encoded = encodeEmbed({ ...request, ...more }, target);
  if (encoded.kind === "refused") return encoded.failure;
  return { json: JSON.parse(Buffer.from(encoded.body).toString()) as unknown, warnings: encoded.warnings };
}

const model = "models/gemini-embedding-001";

describe("embedding", () => {
  it("asks for all texts in one batch, each with its model and its wishes", () => {
    expect(made({ inputs: ["a", "b"], single: false, dimensions: 256, purpose: "query", encoding: "base64" })).toEqual({
      json: {
        requests: ["a", "b"].map((text) => ({
          model,
          content: { parts: [{ text }] },
          taskType: "RETRIEVAL_QUERY",
          outputDimensionality: 256,
        })),
      },
      warnings: [],
    });
    expect(made({})).toEqual({ json: { requests: [{ model, content: { parts: [{ text: "a" }] } }] }, warnings: [] });
  });

  it.each<readonly [EmbedPurpose, string]>([
    ["document", "RETRIEVAL_DOCUMENT"],
    ["similarity", "SEMANTIC_SIMILARITY"],
    ["classification", "CLASSIFICATION"],
    ["clustering", "CLUSTERING"],
    ["question-answering", "QUESTION_ANSWERING"],
    ["fact-verification", "FACT_VERIFICATION"],
    ["code-query", "CODE_RETRIEVAL_QUERY"],
  ])("for %s is the task %s", (purpose, taskType) => {
    expect(made({ purpose })).toMatchObject({ json: { requests: [{ taskType }] } });
  });

  it("has a title for documents alone", () => {
    expect(made({ title: "T" })).toMatchObject({
      json: { requests: [{ taskType: "RETRIEVAL_DOCUMENT", title: "T" }] },
      warnings: [],
    });
    expect(JSON.stringify(made({ title: "T", purpose: "query" }))).not.toContain('"title"');
  });

  it("says what it leaves out", () => {
    expect(made({ user: "u", rest: { b: 1, a: 2 } })).toMatchObject({
      warnings: [expect.stringMatching(/^user: /), expect.stringMatching(/^unknown-field: .*\(a, b\)$/)],
    });
  });

  it("reads vectors in order, one or many, with usage where there is some", () => {
    expect(decodeEmbed({ embeddings: [{ values: [0.5, -1] }, { values: [0, 1] }] })).toEqual({
      vectors: [
        [0.5, -1],
        [0, 1],
      ],
    });
    expect(decodeEmbed({ embedding: { values: [1] }, usageMetadata: { promptTokenCount: 3 } })).toMatchObject({
      vectors: [[1]],
      usage: { inputUncached: 3, output: 0 },
    });
  });

  it.each([[{}], [{ embeddings: [{}] }], [{ embeddings: [{ values: ["1"] }] }], ["x"], [undefined]])(
    "finds no vectors in %o",
    (body) => {
      expect(decodeEmbed(body)).toMatchObject({ kind: "bad_upstream_response" });
    },
  );
});
