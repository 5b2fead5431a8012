import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainChatQuirks } from "#domain/quirks";
import type { RerankAnswer, RerankRequest } from "#domain/rerank";
import { emptyUsage } from "#domain/usage";
import { rerankClient } from "./rerank-client.ts";
import { rerankUpstream } from "./rerank-upstream.ts";

const options = { fallbackId: "req_1", model: "rank-1", createdAtS: 0, includeUsage: true, issuer: "x" };
const target = { model: "rank-1", issuer: "x", quirks: plainChatQuirks, streamed: false };

function decoded(body: object): RerankRequest {
  const request = rerankClient.decodeRequest(body);
  if (!("documents" in request)) throw new Error(request.message);
  return request;
}

function written(answer: RerankAnswer, request: RerankRequest): unknown {
  return JSON.parse(Buffer.from(rerankClient.encodeAnswer(answer, request, options)).toString());
}

describe("a caller's request for a ranking", () => {
  it("says all that the hub has a word for", () => {
    const body = {
      model: "m",
      query: "q",
      documents: ["a", "b"],
      top_n: 1,
      return_documents: true,
      max_tokens_per_doc: 9,
    };
    expect(decoded(body)).toEqual({
      model: "m",
      query: "q",
      documents: ["a", "b"],
      topN: 1,
      returnDocuments: true,
      maxTokensPerDocument: 9,
      rest: {},
    });
  });

  it("takes the text of documents that are objects, all of an object without one, or the fields to rank by", () => {
    const documents = [
      { text: "t", id: 7 },
      { title: "a", body: "b" },
    ];
    expect(decoded({ query: "q", documents }).documents).toEqual(["t", '{"title":"a","body":"b"}']);
    const byTitle = decoded({ query: "q", documents, rank_fields: ["title", "text"] });
    expect(byTitle.documents).toEqual(['{"text":"t"}', '{"title":"a"}']);
  });

  it.each([
    [{ documents: ["a"] }, "query"],
    [{ query: "", documents: ["a"] }, "query"],
    [{ query: "q" }, "documents"],
    [{ query: "q", documents: [] }, "documents"],
    [{ query: "q", documents: [7] }, "documents[0]"],
    [{ query: "q", documents: ["a"], top_n: 0 }, "top_n"],
    [{ query: "q", documents: ["a"], rank_fields: "title" }, "rank_fields"],
    [{ query: "q", documents: ["a"], return_documents: "yes" }, "return_documents"],
  ])("is refused by name where its shape is wrong: %j", (body, param) => {
    expect(rerankClient.decodeRequest(body)).toMatchObject({ kind: "invalid_request", param });
  });

  it("is read without a throw, whatever JSON comes", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        const request = rerankClient.decodeRequest(json);
        expect("documents" in request || request.kind === "invalid_request").toBe(true);
      }),
    );
  });
});

describe("a ranking at a server beside OpenAI's language", () => {
  it("is asked for without the documents back, and says what it leaves out", () => {
    const request = decoded({
      query: "q",
      documents: ["a"],
      top_n: 1,
      return_documents: true,
      max_tokens_per_doc: 5,
      x: 1,
    });
    const encoded = rerankUpstream.encodeRequest(request, target);
    expect(encoded.kind === "encoded" && JSON.parse(Buffer.from(encoded.body).toString())).toEqual({
      model: "rank-1",
      query: "q",
      documents: ["a"],
      top_n: 1,
    });
    const warnings = encoded.kind === "encoded" ? encoded.warnings : [];
    expect(warnings.map((warning) => warning.split(":")[0])).toEqual(["rerank-length", "unknown-field"]);
  });

  it.each(["results", "data"])("is read from %s, best first", (name) => {
    const list = [
      { index: 0, relevance_score: 0.1 },
      { index: 2, relevance_score: 0.9 },
    ];
    expect(rerankUpstream.decodeAnswer({ id: "r", [name]: list, usage: { total_tokens: 8 } })).toEqual({
      id: "r",
      results: [
        { index: 2, score: 0.9 },
        { index: 0, score: 0.1 },
      ],
      usage: { ...emptyUsage, inputUncached: 8 },
    });
  });

  it.each([
    [undefined],
    [{}],
    [{ results: {} }],
    [{ results: [{ index: -1, relevance_score: 1 }] }],
    [{ results: [{ index: 0 }] }],
    [{ results: ["a"] }],
  ])("is not read from %j", (body) => {
    expect(rerankUpstream.decodeAnswer(body)).toMatchObject({ kind: "bad_upstream_response" });
  });
});

describe("a ranking as a caller gets it", () => {
  const answer: RerankAnswer = { results: [{ index: 1, score: 0.75 }] };

  it("has what Cohere's and Jina's clients look for", () => {
    const full = { ...answer, id: "r", searchUnits: 1, usage: { ...emptyUsage, inputUncached: 3 } };
    expect(written(full, decoded({ query: "q", documents: ["a", "b"] }))).toEqual({
      id: "r",
      model: "rank-1",
      results: [{ index: 1, relevance_score: 0.75 }],
      usage: { prompt_tokens: 3, total_tokens: 3 },
      meta: { billed_units: { search_units: 1 } },
    });
  });

  it("has the documents where they were asked for, and no counts that nobody made", () => {
    const request = decoded({ query: "q", documents: ["a", { text: "b" }], return_documents: true });
    expect(written(answer, request)).toEqual({
      id: "req_1",
      model: "rank-1",
      results: [{ index: 1, relevance_score: 0.75, document: { text: "b" } }],
    });
  });
});
