import { describe, expect, it } from "vitest";
import type { EmbedRequest } from "#domain/embedding";
import { plainChatQuirks } from "#domain/quirks";
import type { RerankRequest } from "#domain/rerank";
import type { EncodeTarget } from "#dialects/dialect";
import { cohereChat } from "./index.ts";

const target: EncodeTarget = { model: "embed-v4.0", issuer: "cohere", quirks: plainChatQuirks, streamed: false };
const embed: EmbedRequest = { model: "e", inputs: ["a", "b"], single: false, encoding: "float", rest: {} };
const rerank: RerankRequest = { model: "r", query: "q", documents: ["a", "b"], returnDocuments: false, rest: {} };

function embedBody(more: Partial<EmbedRequest>) {
  const encoded = cohereChat.unary!.embed!.encodeRequest({ ...embed, ...more }, target);
  if (encoded.kind === "refused") return { refused: encoded.failure };
  return { body: JSON.parse(Buffer.from(encoded.body).toString()) as unknown, warnings: encoded.warnings };
}

describe("embed", () => {
  it("says what the texts are for, which Cohere demands, and asks for floats", () => {
    expect(embedBody({ purpose: "query", dimensions: 256 })).toEqual({
      body: {
        model: "embed-v4.0",
        texts: ["a", "b"],
        input_type: "search_query",
        embedding_types: ["float"],
        output_dimension: 256,
      },
      warnings: [],
    });
    const { body, warnings } = embedBody({});
    expect(body).toMatchObject({ input_type: "search_document" });
    expect(warnings).toEqual([expect.stringMatching(/^input-type: /)]);
  });

  it("refuses token numbers and more than 96 texts, and names what it leaves out", () => {
    expect(embedBody({ inputs: [[1, 2]] }).refused).toMatchObject({ kind: "not_translatable", param: "input" });
    expect(embedBody({ inputs: Array.from({ length: 97 }, () => "a") }).refused?.message).toMatch(/96/);
    const { warnings } = embedBody({ purpose: "clustering", user: "u", title: "t", rest: { odd: 1 } });
    expect(warnings?.map((each) => each.split(":")[0])).toEqual(["user", "title", "unknown-field"]);
  });

  it("reads vectors in both shapes, with what is billed", () => {
    const read = (answer: unknown) => cohereChat.unary!.embed!.decodeAnswer(answer);
    expect(read({ embeddings: { float: [[1, 2]] }, meta: { billed_units: { input_tokens: 5 } } })).toMatchObject({
      vectors: [[1, 2]],
      usage: { inputUncached: 5, output: 0 },
    });
    expect(read({ embeddings: [[1]] })).toEqual({ vectors: [[1]] });
    for (const broken of [{}, { embeddings: { float: ["x"] } }, { embeddings: { int8: [[1]] } }, null]) {
      expect(read(broken)).toMatchObject({ kind: "bad_upstream_response" });
    }
  });
});

describe("rerank", () => {
  it("asks for an order of texts", () => {
    const encoded = cohereChat.unary!.rerank!.encodeRequest({ ...rerank, topN: 1, maxTokensPerDocument: 9 }, target);
    expect(encoded).toMatchObject({ kind: "encoded", warnings: [] });
    expect(JSON.parse(Buffer.from(encoded.kind === "encoded" ? encoded.body : "").toString())).toEqual({
      model: "embed-v4.0",
      query: "q",
      documents: ["a", "b"],
      top_n: 1,
      max_tokens_per_doc: 9,
    });
  });

  it("reads the order and what is billed", () => {
    const read = (answer: unknown) => cohereChat.unary!.rerank!.decodeAnswer(answer);
    const results = [{ index: 1, relevance_score: 0.9 }];
    expect(read({ id: "x", results, meta: { billed_units: { search_units: 1 } } })).toEqual({
      id: "x",
      results: [{ index: 1, score: 0.9 }],
      searchUnits: 1,
    });
    for (const broken of [{}, { results: [{ index: 1 }] }, "x"]) {
      expect(read(broken)).toMatchObject({ kind: "bad_upstream_response" });
    }
  });
});
