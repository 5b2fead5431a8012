import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { packedVector, vectorOf } from "#simulation/judgements";
import { fails, ok } from "../upstream/start-upstream.ts";
import { openRow, type ProviderRow } from "./provider-row.ts";
import { failureOf } from "./upstream-languages.ts";

function openai({ url }: ProviderRow): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: "any", maxRetries: 0 });
}

function google({ url }: ProviderRow): GoogleGenAI {
  return new GoogleGenAI({ apiKey: "any", httpOptions: { baseUrl: url } });
}

const embedders = ["sim", "openai-compatible", "sim-cohere", "cohere", "sim-gemini", "gemini"] as const;

describe.each(embedders)("embeddings by %s", (kind) => {
  it("reach the official package as vectors, though it asks for packed ones without being told to", async () => {
    await using world = await openRow([kind]);
    const texts = ["a hedge", "a row of trees", "ünïcode 🌿"];
    const { data: answer, response } = await openai(world)
      .embeddings.create({ model: "main", input: texts })
      .withResponse();
    expect(answer.object).toBe("list");
    expect(answer.data.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(answer.data.map(({ embedding }) => embedding)).toEqual(texts.map((text) => vectorOf(text)));
    // Google's batches count nothing: the estimate of four bytes a token says that it is one.
    expect(answer.usage.prompt_tokens).toBeGreaterThan(8);
    expect(answer.usage.total_tokens).toBe(answer.usage.prompt_tokens);
    const isEstimated = response.headers.get("x-hedgerow-warning")?.includes("usage-estimated") === true;
    expect(isEstimated).toBe(kind === "sim-gemini");
  });

  it("are numbers, in the dimensions asked for, where the caller wants numbers", async () => {
    await using world = await openRow([kind]);
    const { json } = await world.post("/v1/embeddings", { input: "a hedge", encoding_format: "float", dimensions: 5 });
    expect(json).toMatchObject({ data: [{ index: 0, object: "embedding", embedding: vectorOf("a hedge", 5) }] });
  });

  it("are packed where the caller wants them packed", async () => {
    await using world = await openRow([kind]);
    const { json } = await world.post("/v1/embeddings", { input: ["a hedge"], encoding_format: "base64" });
    expect(json).toMatchObject({ data: [{ embedding: packedVector(vectorOf("a hedge")) }] });
  });

  it("reach Google's package as vectors", async () => {
    await using world = await openRow([kind]);
    const { embeddings } = await google(world).models.embedContent({
      model: "main",
      contents: ["a hedge", "a row of trees"],
      config: { outputDimensionality: 8, taskType: "RETRIEVAL_QUERY" },
    });
    expect(embeddings?.map(({ values }) => values)).toEqual([vectorOf("a hedge", 8), vectorOf("a row of trees", 8)]);
    expect((await world.gateway.recorded(1))[0]).toMatchObject({ operation: "embed", dialect: "gemini" });
  });

  it("are recorded with what they used and cost", async () => {
    await using world = await openRow([kind]);
    const { response, json } = await world.post("/v1/embeddings", { input: "four tokens of text" });
    const { usage } = json as { usage: { prompt_tokens: number } };
    const cost = usage.prompt_tokens * 20;
    expect(response.headers.get("x-hedgerow-provider")).toBe(`${kind}-0`);
    expect(response.headers.get("x-hedgerow-cost-usd")).toBe((cost / 1e9).toFixed(9).replace(/0+$/, ""));
    const [record] = await world.gateway.recorded(1);
    expect(record).toMatchObject({
      operation: "embed",
      dialect: "openai-chat",
      decision: "answered",
      streamed: false,
      status: 200,
      // Google's batches count nothing.
      usage: { inputUncached: usage.prompt_tokens, output: 0, estimated: kind === "sim-gemini" },
      costNanoUsd: cost,
    });
  });
});

describe("embeddings", () => {
  it.each([[[[1, 2, 3]]], [[1, 2, 3]]])("of token numbers go to who can read them: %j", async (input) => {
    await using world = await openRow(["cohere", "sim"]);
    const answer = await openai(world).embeddings.create({ model: "main", input });
    expect(answer.data).toHaveLength(1);
    expect(answer.data[0]?.embedding).toEqual(vectorOf([1, 2, 3]));
    expect(world.upstreams[0]?.log.entries).toEqual([]);
    expect(world.sent(1)["input"]).toEqual(input);
    expect((await world.gateway.recorded(1))[0]).toMatchObject({ decision: "recovered" });
  });

  it("of token numbers are refused by name where nobody can read them", async () => {
    await using world = await openRow(["cohere"]);
    const error = await failureOf(openai(world).embeddings.create({ model: "main", input: [1, 2, 3] }));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ param: "input", message: expect.stringContaining("token numbers") });
  });

  it("come from the next provider where the first fails, whatever the languages", async () => {
    await using world = await openRow(["sim", "cohere"], [fails(500)]);
    const answer = await openai(world).embeddings.create({ model: "main", input: "a hedge" });
    expect(answer.data[0]?.embedding).toEqual(vectorOf("a hedge"));
    expect((await world.gateway.recorded(1))[0]).toMatchObject({
      decision: "recovered",
      attempts: [{ outcome: "failed", failure: "upstream_failed" }, { outcome: "answered" }],
    });
  });

  it("that keep failing park no answers of the same model", async () => {
    const script = {
      rules: [{ match: { operation: "embed" as const }, behaviour: fails(503) }, { behaviour: ok("still here") }],
    };
    await using world = await openRow(["sim", "sim"], [script, ok("the second")]);
    const embed = async (): Promise<string | null> => {
      const { response } = await world.post("/v1/embeddings", { input: "a hedge" });
      return response.headers.get("x-hedgerow-attempts");
    };
    // Parked for embeddings after a while: then the second is asked at once.
    for (let round = 0; (await embed()) !== "1"; round += 1) expect(round).toBeLessThan(20);
    const chat = await openai(world).chat.completions.create({
      model: "main",
      messages: [{ role: "user", content: "Are you there?" }],
    });
    expect(chat.choices[0]?.message.content).toBe("still here");
  });

  it("come as asked for from servers that ignore how they should be packed", async () => {
    const list = { object: "list", model: "m", data: [{ object: "embedding", index: 0, embedding: [0.5, -0.25] }] };
    await using world = await openRow(["sim"], [{ status: 200, body: list }]);
    const answer = await openai(world).embeddings.create({ model: "main", input: "a hedge" });
    expect(answer.data[0]?.embedding).toEqual([0.5, -0.25]);
    // Nobody counted, so that what is recorded is our estimate and says so.
    expect((await world.gateway.recorded(1))[0]).toMatchObject({ usage: { estimated: true } });
  });

  it.each([
    [{ input: [] }, "input"],
    [{ input: [1, "two"] }, "input"],
    [{ input: { text: "x" } }, "input"],
    [{ input: "x", encoding_format: "hex" }, "encoding_format"],
    [{ input: "x", dimensions: 0 }, "dimensions"],
  ])("of a wrong shape are refused by name: %j", async (body, param) => {
    await using world = await openRow(["cohere"]);
    const { response, json } = await world.post("/v1/embeddings", body);
    expect(response.status).toBe(400);
    expect(json).toMatchObject({ error: { type: "invalid_request_error", param } });
    expect(world.upstreams[0]?.log.entries).toEqual([]);
  });

  it("are not taken from an answer that has another number of them", async () => {
    const short = { embeddings: { float: [[0.5]] } };
    await using world = await openRow(["cohere", "sim"], [{ status: 200, body: short }]);
    const answer = await openai(world).embeddings.create({ model: "main", input: ["one", "two"] });
    expect(answer.data.map(({ embedding }) => embedding)).toEqual([vectorOf("one"), vectorOf("two")]);
    expect((await world.gateway.recorded(1))[0]?.attempts[0]).toMatchObject({ failure: "bad_upstream_response" });
  });

  it("say what the provider has no word for", async () => {
    await using world = await openRow(["cohere"]);
    const { response } = await world.post("/v1/embeddings", { input: "a hedge", input_type: "query", truncate: "END" });
    expect(response.headers.get("x-hedgerow-warning")).toMatch(/^unknown-field: .*truncate/);
    expect(world.sent()).toMatchObject({ input_type: "search_query" });
  });

  it.each(embedders)("by %s reach Google's older clients one by one", async (kind) => {
    await using world = await openRow([kind]);
    const { json } = await world.post("/v1beta/models/main:embedContent", {
      content: { parts: [{ text: "a hedge" }] },
    });
    expect(json).toMatchObject({ embedding: { values: vectorOf("a hedge") } });
    expect((await world.gateway.recorded(1))[0]).toMatchObject({ operation: "embed", dialect: "gemini" });
  });

  it("carry the gateway's facts where the caller asks for them", async () => {
    await using world = await openRow(["cohere"]);
    const { json } = await world.post("/v1/embeddings", { input: "a hedge", hedgerow: { metadata: true } });
    expect(json).toMatchObject({ hedgerow: { provider: "cohere-0", model: "m" } });
    expect(world.sent()).not.toHaveProperty("hedgerow");
  });
});

describe("moderation", () => {
  it("is relayed to a target that has it, for the official package", async () => {
    await using world = await openRow(["sim"]);
    const { results } = await openai(world).moderations.create({ model: "main", input: ["murder", "a hedge"] });
    expect(results.map(({ flagged }) => flagged)).toEqual([true, false]);
    expect(world.sent()).toEqual({ model: "m", input: ["murder", "a hedge"] });
    const [record] = await world.gateway.recorded(1);
    expect(record).toMatchObject({ operation: "moderate", decision: "answered", attempts: [{ outcome: "answered" }] });
  });

  it("goes past those that have none", async () => {
    await using world = await openRow(["anthropic", "openai-compatible", "sim"]);
    const { data, response } = await openai(world)
      .moderations.create({ model: "main", input: "murder" })
      .withResponse();
    expect(data.results[0]?.flagged).toBe(true);
    expect(world.upstreams.map(({ log }) => log.entries.length)).toEqual([0, 0, 1]);
    // They were never a choice, so that nothing was recovered from.
    expect(response.headers.get("x-hedgerow-attempts")).toBe("1");
    expect((await world.gateway.recorded(1))[0]).toMatchObject({ decision: "answered" });
  });

  it("is refused with the reason where no target has it", async () => {
    await using world = await openRow(["anthropic"]);
    const error = await failureOf(openai(world).moderations.create({ model: "main", input: "murder" }));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ message: expect.stringContaining("anthropic-0/m has no moderation") });
  });
});

const question = { query: "the green hedge", documents: ["a red wall", "a green hedge", "the sea"] };

describe.each(["sim", "openai-compatible", "sim-cohere", "cohere"])("ranking by %s", (kind) => {
  it.each(["/v1/rerank", "/v2/rerank", "/rerank"])("answers at %s, best first", async (path) => {
    await using world = await openRow([kind]);
    const { response, json } = await world.post(path, { ...question, top_n: 2 });
    expect(response.status).toBe(200);
    expect(json).toMatchObject({
      results: [
        { index: 1, relevance_score: expect.closeTo(2 / 3, 5) },
        { index: 2, relevance_score: expect.closeTo(1 / 3, 5) },
      ],
    });
    expect((json as { results: unknown[] }).results).toHaveLength(2);
    expect((await world.gateway.recorded(1))[0]).toMatchObject({ operation: "rerank", decision: "answered" });
  });

  it("gives the documents back where the caller wants them", async () => {
    await using world = await openRow([kind]);
    const { json } = await world.post("/v1/rerank", { ...question, top_n: 1, return_documents: true });
    expect(json).toMatchObject({ results: [{ index: 1, document: { text: "a green hedge" } }] });
  });
});

describe("ranking", () => {
  it("says what Cohere bills by", async () => {
    await using world = await openRow(["cohere"]);
    const { json } = await world.post("/v2/rerank", question);
    expect(json).toMatchObject({ meta: { billed_units: { search_units: 1 } } });
  });

  it("takes documents that are objects, as Cohere's first version did", async () => {
    await using world = await openRow(["cohere"]);
    const documents = [{ text: "a green hedge" }, { title: "green", body: "x" }];
    await world.post("/v1/rerank", { query: "green", documents });
    expect(world.sent()["documents"]).toEqual(["a green hedge", '{"title":"green","body":"x"}']);
    await world.post("/v1/rerank", { query: "green", documents, rank_fields: ["title"] });
    expect(world.sent()["documents"]).toEqual(["{}", '{"title":"green"}']);
  });

  it("is not taken from an answer that ranks what nobody sent", async () => {
    const strange = { results: [{ index: 7, relevance_score: 1 }] };
    await using world = await openRow(["cohere"], [{ status: 200, body: strange }]);
    const { response, json } = await world.post("/v2/rerank", question);
    expect(response.status).toBe(502);
    expect(json).toMatchObject({ error: { metadata: { code: "upstream_error" } } });
  });
});

const messages = [{ role: "user" as const, content: "How many tokens are in this?" }];

describe("a count of tokens", () => {
  function anthropic({ url }: ProviderRow): Anthropic {
    return new Anthropic({ baseURL: url, apiKey: "any", maxRetries: 0 });
  }
  const asked = {
    model: "main",
    system: "Be brief.",
    messages,
    tools: [{ name: "f", description: "d", input_schema: { type: "object" as const } }],
  };

  it.each(["anthropic", "sim-anthropic", "sim-responses", "sim-gemini"])(
    "is %s's own for Anthropic's package",
    async (kind) => {
      await using world = await openRow([kind]);
      const { data, response } = await anthropic(world).messages.countTokens(asked).withResponse();
      expect(data).toEqual({ input_tokens: expect.any(Number) });
      expect(data.input_tokens).toBeGreaterThan(0);
      expect(response.headers.get("x-hedgerow-warning")).toBeNull();
      expect(world.sent()).not.toHaveProperty("max_tokens");
      expect((await world.gateway.recorded(1))[0]).toMatchObject({ operation: "count-tokens", decision: "answered" });
    },
  );

  it.each(["sim-responses", "anthropic", "sim-gemini"])("is %s's own for OpenAI's package", async (kind) => {
    await using world = await openRow([kind]);
    const { data, response } = await openai(world)
      .responses.inputTokens.count({ model: "main", instructions: "Be brief.", input: "How many?" })
      .withResponse();
    expect(data).toEqual({ object: "response.input_tokens", input_tokens: expect.any(Number) });
    expect(response.headers.get("x-hedgerow-warning")).toBeNull();
    expect(world.upstreams[0]?.log.last?.operation).toBe("count-tokens");
  });

  it.each(["sim-responses", "anthropic"])("by %s takes the answers before into account", async (kind) => {
    await using world = await openRow([kind], [ok("A long answer, in so many words. ".repeat(20))]);
    const { responses } = openai(world);
    const first = await responses.create({ model: "main", input: "Say much." });
    const asked = { model: "main", input: "And now?" };
    const alone = await responses.inputTokens.count(asked);
    const after = await responses.inputTokens.count({ ...asked, previous_response_id: first.id });
    expect(after.input_tokens).toBeGreaterThan(alone.input_tokens + 100);
  });

  it.each(["sim-gemini", "anthropic", "sim-responses"])("is %s's own for Google's package", async (kind) => {
    await using world = await openRow([kind]);
    const counted = await google(world).models.countTokens({ model: "main", contents: "How many?" });
    expect(counted.totalTokens).toBeGreaterThan(0);
    expect(world.upstreams[0]?.log.last?.operation).toBe("count-tokens");
  });

  it("is our estimate, which says so, where the target has no such thing", async () => {
    await using world = await openRow(["openai-compatible"]);
    const { data, response } = await anthropic(world).messages.countTokens(asked).withResponse();
    expect(data.input_tokens).toBeGreaterThan(5);
    expect(response.headers.get("x-hedgerow-warning")).toContain("estimate");
    expect(world.upstreams[0]?.log.entries).toEqual([]);
    expect((await world.gateway.recorded(1))[0]).toMatchObject({ decision: "answered", attempts: [] });
  });

  it("is our estimate where a server of the language has no such path", async () => {
    await using world = await openRow(["anthropic"], [fails(404)]);
    const { data, response } = await anthropic(world).messages.countTokens(asked).withResponse();
    expect(data.input_tokens).toBeGreaterThan(5);
    expect(response.headers.get("x-hedgerow-warning")).toContain("estimate");
    // However often: what a path lacks is no reason to refuse.
    for (let round = 0; round < 20; round += 1) {
      expect((await anthropic(world).messages.countTokens(asked)).input_tokens).toBe(data.input_tokens);
    }
  });

  it("is told as the failure it is where the provider refuses the prompt", async () => {
    await using world = await openRow(["anthropic"], [fails(400)]);
    expect(await failureOf(anthropic(world).messages.countTokens(asked))).toBeInstanceOf(Anthropic.BadRequestError);
  });
});
