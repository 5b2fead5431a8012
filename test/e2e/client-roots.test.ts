import { createHash } from "node:crypto";
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import OpenAI, { AzureOpenAI } from "openai";
import { describe, expect, it } from "vitest";
import { vectorOf } from "#simulation/judgements";
import { ok } from "../upstream/start-upstream.ts";
import { openRow, type ProviderRow } from "./provider-row.ts";
import { failureOf, gather } from "./upstream-languages.ts";

const key = "hr-0123456789abcdef";
const keys = [{ name: "team", sha256: createHash("sha256").update(key).digest("hex") }];
const usage = { input: 90, output: 7 };
const said = ok("Green and tall.", { answer: { usage } });
const messages = [{ role: "user" as const, content: "How are the hedges?" }];

/** Its relay, and a translation. */
const kinds = ["sim", "anthropic"] as const;

/** The key went to the gateway alone. */
function expectNoKey({ upstreams }: ProviderRow): void {
  const headers = upstreams.flatMap(({ log }) => log.entries.map((entry) => entry.headers));
  expect(headers.length).toBeGreaterThan(0);
  expect(JSON.stringify(headers)).not.toContain(key);
}

describe("OpenAI's client for Azure", () => {
  function azure({ url }: ProviderRow, more: object = {}): AzureOpenAI {
    return new AzureOpenAI({ endpoint: url, apiKey: key, apiVersion: "2025-04-01-preview", maxRetries: 0, ...more });
  }

  it.each(kinds)("chats with a deployment that is one of our names, streamed and not, over %s", async (kind) => {
    await using world = await openRow([kind], [said], { keys });
    const asked = { model: "main", messages };
    const answer = await azure(world).chat.completions.create(asked);
    expect(answer).toMatchObject({
      choices: [{ message: { content: "Green and tall." } }],
      usage: { prompt_tokens: 90, completion_tokens: 7 },
    });
    const chunks = await gather(await azure(world).chat.completions.create({ ...asked, stream: true }));
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe("Green and tall.");
    expect(world.sent()).toMatchObject({ model: "m" });
    expect(world.upstreams[0]?.log.last?.path).not.toContain("api-version");
    expectNoKey(world);
    const records = await world.gateway.recorded(2);
    expect(
      records.map(({ caller, requestedModel, route, operation }) => [caller, requestedModel, route, operation]),
    ).toEqual([0, 1].map(() => ["team", "main", "main", "generate"]));
  });

  it("means the deployment of its address, whatever model the body names", async () => {
    await using world = await openRow(["sim"], [said], { keys });
    const client = azure(world, { deployment: "main" });
    const answer = await client.chat.completions.create({ model: "gpt-35-turbo", messages });
    expect(answer.choices[0]?.message.content).toBe("Green and tall.");
    expect(world.sent()).toMatchObject({ model: "m" });
  });

  it("takes names with a slash in its address", async () => {
    await using world = await openRow(["sim"], [said], { keys });
    const answer = await azure(world).chat.completions.create({ model: "sim-0/m", messages });
    expect(answer.choices[0]?.message.content).toBe("Green and tall.");
    expect((await world.gateway.recorded(1))[0]).toMatchObject({ requestedModel: "sim-0/m" });
  });

  it("embeds, completes and responds, and lists our names", async () => {
    await using world = await openRow(["sim"], [said], { keys });
    const client = azure(world);
    const { data } = await client.embeddings.create({ model: "main", input: "a hedge" });
    expect(data[0]?.embedding).toEqual(vectorOf("a hedge"));
    expect((await client.completions.create({ model: "main", prompt: "Once" })).choices[0]?.text).toBe(
      "Green and tall.",
    );
    expect((await client.responses.create({ model: "main", input: "Hi" })).output_text).toBe("Green and tall.");
    expect((await client.models.list()).data.map(({ id }) => id)).toContain("main");
    expectNoKey(world);
  });

  it("is told in its own words that there is no such deployment, and that its key is wrong", async () => {
    await using world = await openRow(["sim"], [said], { keys });
    const lost = await failureOf(azure(world).chat.completions.create({ model: "nowhere", messages }));
    expect(lost).toBeInstanceOf(OpenAI.NotFoundError);
    expect(lost).toMatchObject({ code: "model_not_found" });
    const stranger = azure(world, { apiKey: "hr-wrong" });
    expect(await failureOf(stranger.chat.completions.create({ model: "main", messages }))).toBeInstanceOf(
      OpenAI.AuthenticationError,
    );
  });

  it("may speak Azure's newer API without a date, as OpenAI's own client does", async () => {
    await using world = await openRow(["sim"], [said], { keys });
    const client = new OpenAI({
      baseURL: `${world.url}/openai/v1/`,
      apiKey: "none",
      defaultHeaders: { authorization: null, "api-key": key },
      defaultQuery: { "api-version": "preview" },
      maxRetries: 0,
    });
    expect((await client.chat.completions.create({ model: "main", messages })).choices[0]?.message.content).toBe(
      "Green and tall.",
    );
    expect((await client.responses.create({ model: "main", input: "Hi" })).output_text).toBe("Green and tall.");
    expect((await client.embeddings.create({ model: "main", input: "a hedge" })).data).toHaveLength(1);
    expect((await client.models.retrieve("main")).id).toBe("main");
    expectNoKey(world);
  });
});

describe.each(kinds)("a root named after a vendor, over %s", (kind) => {
  it.each(["/openai", "/openai/v1", "/v1", ""])("serves OpenAI's package at “%s”", async (root) => {
    await using world = await openRow([kind], [said], { keys });
    const client = new OpenAI({ baseURL: world.url + root, apiKey: key, maxRetries: 0 });
    expect((await client.chat.completions.create({ model: "main", messages })).choices[0]?.message.content).toBe(
      "Green and tall.",
    );
    expect((await client.responses.create({ model: "main", input: "Hi" })).output_text).toBe("Green and tall.");
    expect((await client.completions.create({ model: "main", prompt: "Once" })).choices[0]?.text).toBe(
      "Green and tall.",
    );
    expect((await client.models.list()).data[0]).toMatchObject({ id: "main", object: "model" });
    expectNoKey(world);
  });

  it.each(["/anthropic", ""])("serves Anthropic's package at “%s”", async (root) => {
    await using world = await openRow([kind], [said], { keys });
    const client = new Anthropic({ baseURL: world.url + root, apiKey: key, maxRetries: 0 });
    const answer = await client.messages.create({ model: "main", max_tokens: 50, messages });
    expect(answer.content).toMatchObject([{ type: "text", text: "Green and tall." }]);
    expect((await client.messages.countTokens({ model: "main", messages })).input_tokens).toBeGreaterThan(0);
    expect(await gather(client.models.list())).toMatchObject([{ id: "main", type: "model" }, { type: "model" }]);
    expectNoKey(world);
  });

  it.each(["/genai", ""])("serves Google's package at “%s”", async (root) => {
    await using world = await openRow([kind], [said], { keys });
    const client = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: world.url + root } });
    const answer = await client.models.generateContent({ model: "main", contents: "How are the hedges?" });
    expect(answer.text).toBe("Green and tall.");
    expect((await client.models.countTokens({ model: "main", contents: "Hi" })).totalTokens).toBeGreaterThan(0);
    expect((await gather(await client.models.list())).map(({ name }) => name)).toContain("models/main");
    expectNoKey(world);
  });
});

describe("a gateway key", () => {
  it.each([
    { authorization: `Bearer ${key}` },
    { authorization: `bearer  ${key}` },
    { "x-api-key": key },
    { "x-goog-api-key": key },
    { "api-key": key },
    { "api-key": key, authorization: `Bearer ${key}` },
  ])("is taken from %j", async (headers) => {
    await using world = await openRow(["sim"], [said], { keys });
    const list = await fetch(`${world.url}/v1/models`, { headers });
    expect(list.status).toBe(200);
    const reply = await fetch(`${world.url}/openai/deployments/main/embeddings?api-version=2024-10-21`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify({ input: "a hedge" }),
    });
    expect(reply.status).toBe(200);
    expect((await world.gateway.recorded(1))[0]).toMatchObject({ caller: "team", operation: "embed" });
    expectNoKey(world);
  });

  it.each([{}, { "api-key": "hr-wrong" }, { "api-key": key, "x-api-key": "hr-other" }])(
    "is missed in %j, whatever is asked for",
    async (headers) => {
      await using world = await openRow(["sim"], [said], { keys });
      for (const path of [
        "/v1/embeddings",
        "/v1/completions",
        "/v1/moderations",
        "/v2/rerank",
        "/v1/messages/count_tokens",
      ]) {
        const reply = await fetch(world.url + path, { method: "POST", headers, body: "{}" });
        expect([400, 401]).toContain(reply.status);
      }
      expect((await fetch(`${world.url}/v1/models`, { headers })).ok).toBe(false);
      expect(world.upstreams[0]?.log.entries).toEqual([]);
      expect(world.gateway.records).toEqual([]);
    },
  );
});
