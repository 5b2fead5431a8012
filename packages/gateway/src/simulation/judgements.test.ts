import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packedVector, ranked, vectorOf } from "./judgements.ts";
import { startSimulator, type Simulator } from "./server.ts";

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator({ script: () => ({}) });
});
afterAll(() => simulator.close());

async function post(path: string, body: object): Promise<{ status: number; json: Readonly<Record<string, unknown>> }> {
  const answer = await fetch(simulator.url + path, { method: "POST", body: JSON.stringify(body) });
  return { status: answer.status, json: (await answer.json()) as Readonly<Record<string, unknown>> };
}

const vertex = "/v1/projects/p/locations/us-central1/publishers/google/models/text-embedding-005:predict";

describe("a simulated vector", () => {
  it("has length one, the dimensions asked for, and is the same for the same text", () => {
    expect(Math.hypot(...vectorOf("a", 100))).toBeCloseTo(1);
    expect(vectorOf("a", 100)).toHaveLength(100);
    expect(vectorOf("a")).toEqual(vectorOf("a"));
    expect(vectorOf("a")).not.toEqual(vectorOf("b"));
  });

  it("survives its packing bit for bit", () => {
    const bytes = Buffer.from(packedVector(vectorOf("a", 7)), "base64");
    expect(Array.from({ length: 7 }, (_, index) => bytes.readFloatLE(index * 4))).toEqual(vectorOf("a", 7));
  });

  it("is the same in every vendor's answer", async () => {
    const dimensions = 256;
    const vector = vectorOf("a hedge", dimensions);
    const bedrock = (model: string, body: object) => post(`/model/${encodeURIComponent(model)}/invoke`, body);
    const titan = await bedrock("amazon.titan-embed-text-v2:0", { inputText: "a hedge", dimensions });
    expect(titan.json).toMatchObject({ embedding: vector, inputTextTokenCount: 2 });
    const cohere = { texts: ["a hedge"], input_type: "search_query", output_dimension: dimensions };
    expect((await bedrock("cohere.embed-v4:0", cohere)).json).toMatchObject({ embeddings: [vector] });
    const typed = await bedrock("cohere.embed-v4:0", { ...cohere, embedding_types: ["float"] });
    expect(typed.json).toMatchObject({ embeddings: { float: [vector] } });
    const predicted = await post(vertex, {
      instances: [{ content: "a hedge" }],
      parameters: { outputDimensionality: dimensions },
    });
    expect(predicted.json).toEqual({
      predictions: [{ embeddings: { values: vector, statistics: { token_count: 2, truncated: false } } }],
    });
    const openai = await post("/v1/embeddings", { model: "m", input: "a hedge", dimensions });
    expect(openai.json).toMatchObject({ data: [{ embedding: vector }] });
    expect(simulator.log.entries.every(({ operation }) => operation === "embed")).toBe(true);
  });
});

describe("an embedding endpoint", () => {
  const titan = "/model/amazon.titan-embed-text-v2%3A0/invoke";
  const cohere = "/model/cohere.embed-v4%3A0/invoke";
  it.each<[string, string, object]>([
    ["several texts for Titan", titan, { inputText: ["a", "b"] }],
    ["odd dimensions for Titan", titan, { inputText: "a", dimensions: 100 }],
    ["a model in Bedrock's body", titan, { inputText: "a", model: "m" }],
    ["Cohere on Bedrock without a purpose", cohere, { texts: ["a"] }],
    ["nothing on Vertex", vertex, { instances: [] }],
    ["a title without a document on Vertex", vertex, { instances: [{ content: "a", title: "b" }] }],
    ["an unknown encoding", "/v1/embeddings", { model: "m", input: "a", encoding_format: "hex" }],
    ["an unknown field", "/v1/embeddings", { model: "m", input: "a", input_type: "query" }],
  ])("refuses %s", async (_what, path, body) => {
    expect((await post(path, body)).status).toBe(400);
  });
});

describe("a ranking", () => {
  it("puts documents first that say more of the query's words, and keeps the order of equals", () => {
    const order = ranked("Hedge, rose!", ["oak", "rose", "a rose in a hedge", "hedge"]);
    expect(order.map(({ index }) => index)).toEqual([2, 1, 3, 0]);
    expect(order.map(({ relevance_score: score }) => score)).toEqual([1, 0.5, 0.5, 0]);
  });

  it("comes with its documents where they are asked for, and through Bedrock with a version", async () => {
    const asked = { model: "m", query: "rose", documents: ["oak", "rose"], top_n: 1, return_documents: true };
    const { json } = await post("/v1/rerank", asked);
    expect(json["results"]).toEqual([{ index: 1, relevance_score: 1, document: { text: "rose" } }]);
    const bedrock = { query: "rose", documents: ["oak", "rose"], api_version: 2 };
    const path = "/model/cohere.rerank-v3-5%3A0/invoke";
    expect((await post(path, bedrock)).json["results"]).toHaveLength(2);
    expect((await post(path, { ...bedrock, api_version: 1 })).status).toBe(400);
    expect((await post("/v1/rerank", { ...asked, documents: [] })).status).toBe(400);
  });
});
