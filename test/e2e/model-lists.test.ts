import { createHash } from "node:crypto";
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import type { ModelTraits } from "#domain/model";
import type { GatewayKey } from "#domain/gateway-key";
import type { Snapshot } from "#domain/snapshot";
import { sampleProvider, sampleRoute, sampleTraits } from "../world/sample-snapshot.ts";
import { startGateway, type TestGateway } from "../world/start-gateway.ts";
import { failureOf, gather } from "./upstream-languages.ts";

const opus: ModelTraits = {
  ...sampleTraits("anthropic/claude-opus-5", 400_000),
  title: "Claude Opus 5",
  maxOutputTokens: 64_000,
  releasedOn: "2026-03-05",
  lifecycle: "active",
  capabilities: { tools: true, reasoning: true, inputs: ["text", "image", "pdf"] },
};
const gpt: ModelTraits = {
  ...sampleTraits("openai/gpt-5.4", 300_000),
  title: "GPT-5.4",
  maxOutputTokens: 128_000,
  releasedOn: "2026-02",
  retiresOn: "2027-02-01",
  lifecycle: "deprecated",
  capabilities: { tools: true, reasoning: true, inputs: ["text", "image"] },
};

const providers = [
  sampleProvider("claude", {
    dialect: "anthropic-messages",
    vendor: "anthropic",
    models: new Map([["claude-opus-5", opus]]),
  }),
  sampleProvider("gpt", { vendor: "openai", models: new Map([["gpt-5.4", gpt]]) }),
  sampleProvider("local", { models: new Map([["qwen", sampleTraits("alibaba/qwen", 8192)]]) }),
];
const routes = [
  sampleRoute("careful", ["claude/claude-opus-5", "gpt/gpt-5.4"]),
  sampleRoute("cheap", ["local/qwen"]),
  sampleRoute("unknown", ["local/nobody-knows"]),
];
const aliases = new Map([
  ["best", "careful"],
  ["fast", "local/qwen"],
  ["lost", "nowhere"],
]);
const names = ["careful", "cheap", "unknown", "best", "fast"];
const everyId = [...names, "claude/claude-opus-5", "gpt/gpt-5.4", "local/qwen"];

function open(more: Partial<Snapshot> = {}): Promise<TestGateway> {
  return startGateway(providers, routes, { aliases, ...more });
}

function keyFor(name: string, allowed?: readonly string[]): GatewayKey {
  const sha256 = createHash("sha256").update(`hr-${name}`).digest("hex");
  return { name, sha256, ...(allowed === undefined ? {} : { routes: allowed }) };
}

function openai({ url }: TestGateway, apiKey = "any"): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
}

function anthropic({ url }: TestGateway, apiKey = "any"): Anthropic {
  return new Anthropic({ baseURL: url, apiKey, maxRetries: 0 });
}

function google({ url }: TestGateway, apiKey = "any"): GoogleGenAI {
  return new GoogleGenAI({ apiKey, httpOptions: { baseUrl: url } });
}

describe("one path lists models in the caller's language", () => {
  it("to OpenAI's package: routes, aliases that lead somewhere, and models, with what the catalogue knows", async () => {
    await using gateway = await open();
    const { data, object } = await openai(gateway).models.list();
    expect(object).toBe("list");
    expect(data.map(({ id }) => id)).toEqual(everyId);
    expect(data.find(({ id }) => id === "claude/claude-opus-5")).toEqual({
      id: "claude/claude-opus-5",
      object: "model",
      created: Date.UTC(2026, 2, 5) / 1000,
      owned_by: "anthropic",
      name: "Claude Opus 5",
      context_length: 400_000,
      max_output_tokens: 64_000,
      input_modalities: ["text", "image", "pdf"],
      lifecycle: "active",
    });
    expect(data.find(({ id }) => id === "gpt/gpt-5.4")).toMatchObject({
      created: Date.UTC(2026, 1, 1) / 1000,
      shutdown_date: "2027-02-01",
    });
    // Any of a route's targets may answer: what the list says of it holds for each.
    const route = { created: 0, owned_by: "hedgerow", context_length: 300_000, max_output_tokens: 64_000 };
    for (const name of ["careful", "best"]) {
      expect(data.find(({ id }) => id === name)).toMatchObject({ ...route, input_modalities: ["text", "image"] });
    }
    expect(data.find(({ id }) => id === "unknown")).toEqual({
      id: "unknown",
      object: "model",
      created: 0,
      owned_by: "hedgerow",
    });
  });

  it("to Anthropic's package, which pages through them forwards and backwards", async () => {
    await using gateway = await open();
    const client = anthropic(gateway);
    const listed = await gather(client.models.list({ limit: 3 }));
    expect(listed.map(({ id }) => id)).toEqual(everyId);
    expect(listed.find(({ id }) => id === "claude/claude-opus-5")).toMatchObject({
      type: "model",
      display_name: "Claude Opus 5",
      created_at: "2026-03-05T00:00:00Z",
      max_input_tokens: 400_000,
      max_tokens: 64_000,
    });
    const page = await client.models.list({ limit: 2, after_id: "unknown" });
    expect(page).toMatchObject({ first_id: "best", last_id: "fast", has_more: true });
    expect(page.data.map(({ id }) => id)).toEqual(["best", "fast"]);
    const before = await client.models.list({ limit: 2, before_id: "unknown" });
    expect(before.data.map(({ id }) => id)).toEqual(["careful", "cheap"]);
    expect(before).toMatchObject({ has_more: false });
  });

  it.each(["v1", "v1beta"])("to Google's package under %s, which pages through them too", async (apiVersion) => {
    await using gateway = await open();
    const client = new GoogleGenAI({ apiKey: "any", apiVersion, httpOptions: { baseUrl: gateway.url } });
    const listed = await gather(await client.models.list({ config: { pageSize: 3 } }));
    expect(listed.map(({ name }) => name)).toEqual(everyId.map((id) => `models/${id}`));
    expect(listed.find(({ name }) => name === "models/claude/claude-opus-5")).toMatchObject({
      displayName: "Claude Opus 5",
      inputTokenLimit: 400_000,
      outputTokenLimit: 64_000,
    });
  });

  it("tells of one model, under any name that leads to it", async () => {
    await using gateway = await open();
    for (const id of ["claude/claude-opus-5", "anthropic/claude-opus-5", "claude-opus-5"]) {
      expect(await openai(gateway).models.retrieve(id)).toMatchObject({ id, object: "model", context_length: 400_000 });
      expect(await anthropic(gateway).models.retrieve(id)).toMatchObject({ id, display_name: "Claude Opus 5" });
      expect(await google(gateway).models.get({ model: id })).toMatchObject({ name: `models/${id}` });
    }
    expect(await openai(gateway).models.retrieve("best")).toMatchObject({ id: "best", context_length: 300_000 });
  });

  it("answers in each language that there is no such model", async () => {
    await using gateway = await open();
    for (const id of ["nobody", "local/nobody-knows", "lost"]) {
      expect(await failureOf(openai(gateway).models.retrieve(id))).toBeInstanceOf(OpenAI.NotFoundError);
      expect(await failureOf(anthropic(gateway).models.retrieve(id))).toBeInstanceOf(Anthropic.NotFoundError);
      expect(await failureOf(google(gateway).models.get({ model: id }))).toMatchObject({ status: 404 });
    }
  });

  it("is asked with GET or HEAD, and says so in the caller's language", async () => {
    await using gateway = await open();
    for (const path of ["/v1/models", "/v1/models/careful"]) {
      const head = await fetch(gateway.url + path, { method: "HEAD" });
      expect(head.status).toBe(200);
      expect(await head.text()).toBe("");
      const posted = await fetch(gateway.url + path, {
        method: "POST",
        headers: { "anthropic-version": "2023-06-01" },
        body: "{}",
      });
      expect(posted.status).toBe(405);
      expect(await posted.json()).toMatchObject({
        type: "error",
        error: { message: expect.stringContaining("Use GET") },
      });
    }
    for (const path of ["/v1/embeddings", "/v1/completions", "/v1/moderations", "/v1/rerank"]) {
      const got = await fetch(gateway.url + path);
      expect(got.status).toBe(405);
      expect(await got.json()).toMatchObject({ error: { message: expect.stringContaining("Use POST") } });
    }
  });

  it("makes no record, since nobody was asked anything", async () => {
    await using gateway = await open();
    const { response } = await openai(gateway).models.list().withResponse();
    expect(response.headers.get("x-request-id")).toMatch(/^req_/);
    expect(response.headers.get("x-hedgerow-attempts")).toBe("0");
    await gateway.plane.drain(0);
    expect(gateway.records).toEqual([]);
  });
});

describe("a key that is good for some names", () => {
  const keys = [keyFor("all"), keyFor("some", ["careful", "fast", "local/qwen"])];
  const some = ["careful", "best", "fast", "local/qwen"];

  it("sees those alone, in every language", async () => {
    await using gateway = await open({ keys });
    expect((await openai(gateway, "hr-all").models.list()).data).toHaveLength(everyId.length);
    expect((await openai(gateway, "hr-some").models.list()).data.map(({ id }) => id)).toEqual(some);
    expect((await gather(anthropic(gateway, "hr-some").models.list())).map(({ id }) => id)).toEqual(some);
    const listed = await gather(await google(gateway, "hr-some").models.list());
    expect(listed.map(({ name }) => name)).toEqual(some.map((id) => `models/${id}`));
  });

  it("is told of no other, as if there were none", async () => {
    await using gateway = await open({ keys });
    const client = openai(gateway, "hr-some");
    expect(await client.models.retrieve("best")).toMatchObject({ id: "best" });
    for (const id of ["cheap", "gpt/gpt-5.4", "gpt-5.4"]) {
      expect(await failureOf(client.models.retrieve(id))).toBeInstanceOf(OpenAI.NotFoundError);
      expect(await openai(gateway, "hr-all").models.retrieve(id)).toMatchObject({ id });
    }
  });

  it("is needed where there are keys", async () => {
    await using gateway = await open({ keys });
    expect(await failureOf(Promise.resolve(openai(gateway, "hr-none").models.list()))).toBeInstanceOf(
      OpenAI.AuthenticationError,
    );
  });
});
