import { describe, expect, it } from "vitest";
import { canonicalName, findModel, loadCatalogue, providersOf } from "./catalogue.ts";
import type { CatalogueFile, FileRow } from "./catalogue-file.ts";

const sources = [
  { source: "list", date: "2026-07-02", licence: "MIT", url: "https://example.org" },
  { source: "prices", date: "2026-09-22", licence: "MIT", url: "https://example.org" },
];
const names = [
  ["maker/mind-2", "Mind 2"],
  ["maker/mind-2-20250101"],
  ["maker/mind-1-20240101"],
  ["maker/mind-1-20240601"],
  ["maker/old"],
  ["other/mind-3"],
  ["anthropic/claude-sonnet-5"],
  ["maker/mind-4-0613"],
] as const;
const none = -1;
const makers: readonly FileRow[] = [
  ["mind-2", 0, 0, 0, 0, 0, 0],
  ["mind-2-20250101", 1, 0],
  ["mind-1-20240101", 2, 0],
  ["mind-1-20240601", 3, 0, none, none, none, none, none, 3],
  ["old", 4, 0, none, none, none, none, 0],
  ["mind-4-0613", 7, 0],
];
const file: CatalogueFile = {
  format: 2,
  about: "test",
  sources,
  names,
  capabilities: [{ tools: true, inputs: ["image", "text"], outputs: ["text"], reasoningControl: { efforts: ["low"] } }],
  limits: [[1000, 200, 800]],
  histories: [["2026-01", 1, "2025-08"]],
  prices: [
    { input: 5, output: 6, source: 1 },
    {
      input: 9,
      output: 9,
      reasoning: 12.5,
      cacheRead: 0.1,
      cacheWrite: 1.125,
      inputAudio: 3,
      outputAudio: 4,
      tiers: [{ abovePromptTokens: 200_000, input: 18, output: 27 }],
      modes: [{ name: "fast", asked: { service_tier: "priority" }, input: 20, output: 30, source: 0 }],
      source: 0,
    },
    { input: 0, output: 0, source: 0 },
  ],
  notices: [
    { deprecatedOn: "2026-08-01", retiresOn: "2026-10-01", replacements: ["mind-2"], url: "https://x", source: 0 },
  ],
  providers: [
    { id: "maker", title: "Maker", models: makers },
    {
      id: "host",
      title: "Host",
      alsoCalled: ["the-host"],
      models: [
        ["maker/mind-2", 0, 0, none, none, none, 1],
        ["maker/mind-2:free", 0, 0, none, none, none, 2],
        ["other/mind-3", 5, 0],
      ],
    },
    {
      id: "cloud",
      title: "Cloud",
      models: [
        ["eu.anthropic.claude-sonnet-5-20260101-v1:0", 6, 0, none, none, none, 1],
        ["anthropic.claude-sonnet-5-20260101-v1:0", 6, 0, none, none, none, 0],
      ],
    },
    {
      id: "annex",
      title: "Annex",
      alsoCalled: ["host"],
      models: [
        ["mind-9", 5, 0],
        ["maker/mind-2", 5, 0],
      ],
    },
  ],
};
const small = loadCatalogue(file);

describe("findModel", () => {
  it("finds the exact name, then another spelling of it", () => {
    expect(findModel(small, "maker", "mind-2")).toEqual({
      name: "maker/mind-2",
      title: "Mind 2",
      contextTokens: 1000,
      maxOutputTokens: 200,
      maxInputTokens: 800,
      capabilities: file.capabilities[0],
      price: { input: 5_000_000_000, output: 6_000_000_000, from: { source: "prices", date: "2026-09-22" } },
      releasedOn: "2026-01",
      knowledgeUntil: "2025-08",
      openWeights: true,
      from: { source: "list", date: "2026-07-02" },
    });
    for (const name of ["Mind-2", "models/mind-2", "maker/mind-2", "mind.2", "mind-2-latest", "mind-2-20261231"]) {
      expect(findModel(small, "maker", name)?.name).toBe("maker/mind-2");
    }
  });

  it("reads every bucket, tier and service of a price in exact nano-dollars", () => {
    expect(findModel(small, "host", "maker/mind-2")?.price).toEqual({
      input: 9_000_000_000,
      output: 9_000_000_000,
      reasoning: 12_500_000_000,
      cacheRead: 100_000_000,
      cacheWrite: 1_125_000_000,
      inputAudio: 3_000_000_000,
      outputAudio: 4_000_000_000,
      tiers: [{ abovePromptTokens: 200_000, input: 18_000_000_000, output: 27_000_000_000 }],
      modes: [
        {
          name: "fast",
          asked: { service_tier: "priority" },
          input: 20_000_000_000,
          output: 30_000_000_000,
          from: { source: "list", date: "2026-07-02" },
        },
      ],
      from: { source: "list", date: "2026-07-02" },
    });
  });

  it("gives the newest dated model for an undated name, and never one date for another", () => {
    expect(findModel(small, "maker", "mind-1")?.name).toBe("maker/mind-1-20240601");
    expect(findModel(small, "maker", "mind-1-latest")?.name).toBe("maker/mind-1-20240601");
    expect(findModel(small, "maker", "mind-1-20240101")?.name).toBe("maker/mind-1-20240101");
    expect(findModel(small, "maker", "mind-1-20250505")).toBeUndefined();
    // A date without a year, where nothing else fits.
    expect(findModel(small, "maker", "mind-4")?.name).toBe("maker/mind-4-0613");
    expect(findModel(small, "maker", "mind-4-1106")).toBeUndefined();
  });

  it("never gives one way of selling the price of another", () => {
    expect(findModel(small, "host", "Maker/Mind-2")?.price?.input).toBe(9_000_000_000);
    expect(findModel(small, "host", "MAKER/mind-2:free")?.price?.input).toBe(0);
    for (const [kind, name] of [
      ["host", "maker/mind-2:nitro"],
      ["host", "maker/mind-2:groq"],
      ["maker", "ft:mind-2:acme::abc123"],
      ["maker", "mind-2.ft-abc123"],
    ] as const) {
      const found = findModel(small, kind, name);
      expect([name, found?.name, found?.price]).toEqual([name, "maker/mind-2", undefined]);
    }
    expect(findModel(small, "maker", "ft:mind-9:acme::abc123")).toBeUndefined();
  });

  it("finds Bedrock's names with and without region, revision and ARN, and the price of the region that was asked", () => {
    const price = (name: string) => (findModel(small, "cloud", name)?.price?.input ?? 0) / 1e9;
    const base = "anthropic.claude-sonnet-5";
    for (const name of [
      base,
      `${base}-20260101`,
      `jp.${base}-20260101-v1:0`,
      `${base}-20260101-v1:0:200k`,
      `${base}-v1:0`,
    ]) {
      expect([name, price(name)]).toEqual([name, 5]);
    }
    const arn =
      "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-5-20260101-v1:0";
    for (const name of [`eu.${base}`, arn, encodeURIComponent(arn)]) expect([name, price(name)]).toEqual([name, 9]);
    expect(price(`meta.claude-sonnet-5`)).toBe(0);
  });

  it("asks every provider that a word means, the first one first", () => {
    expect(findModel(small, "host", "mind-9")?.name).toBe("other/mind-3");
    expect(findModel(small, "the-host", "mind-9")).toBeUndefined();
    expect(findModel(small, "The-Host", "maker/mind-2")?.name).toBe("maker/mind-2");
    expect(findModel(small, "host", "maker/mind-2")?.name).toBe("maker/mind-2");
  });

  it("knows nothing of other kinds, models and vendors", () => {
    expect(findModel(small, "nobody", "mind-2")).toBeUndefined();
    expect(findModel(small, "maker", "mind-9")).toBeUndefined();
    expect(findModel(small, "host", "stranger/mind-3")).toBeUndefined();
    expect(findModel(small, "maker", "")).toBeUndefined();
    expect(findModel(small, "maker", "mind-2".padEnd(10_000, "/"))).toBeUndefined();
    expect(findModel(small, "constructor", "__proto__")).toBeUndefined();
  });

  it("forgets spellings before they fill the memory, and answers as before", () => {
    for (let index = 0; index < 2500; index++) findModel(small, "maker", `nothing-${index}`);
    expect(findModel(small, "maker", "Mind-2")?.name).toBe("maker/mind-2");
    expect(findModel(small, "maker", "nothing-1")).toBeUndefined();
  });

  it("reads the lifecycle as of the day it is told, else of the newest source", () => {
    const on = (day?: string) => findModel(loadCatalogue(file, day), "maker", "old")?.lifecycle;
    expect(on("2026-07-31")).toBeUndefined();
    expect(on("2026-08-01")).toBe("deprecated");
    expect(on("2026-10-01")).toBe("retired");
    expect(on()).toBe("deprecated");
    expect(findModel(small, "maker", "mind-1")?.lifecycle).toBe("deprecated");
    expect(findModel(small, "maker", "old")).toMatchObject({
      deprecatedOn: "2026-08-01",
      retiresOn: "2026-10-01",
      replacements: ["mind-2"],
      lifecycleFrom: { source: "list", date: "2026-07-02", url: "https://x" },
    });
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
    expect(canonicalName(small, "cloud", "us.meta.llama9-70b-v1:0")).toBe("meta/llama9-70b");
  });

  it("lists who serves a model and under which name", () => {
    const offers = [
      { kind: "maker", model: "mind-2" },
      { kind: "host", model: "maker/mind-2" },
      { kind: "host", model: "maker/mind-2:free" },
    ];
    expect(providersOf(small, "maker/mind-2")).toEqual(offers);
    expect(providersOf(small, "maker/MIND.2")).toEqual(offers);
    expect(providersOf(small, "mind-2")).toEqual(offers);
    expect(providersOf(small, "maker/mind-9")).toEqual([]);
    expect(providersOf(small, "stranger/mind-2")).toEqual([]);
    expect(providersOf(small, "")).toEqual([]);
  });
});

describe("loadCatalogue", () => {
  it("refuses what is no catalogue, with what to do", () => {
    for (const json of [null, 7, "x", {}, { ...file, format: 1 }, { ...file, prices: undefined }]) {
      expect(() => loadCatalogue(json)).toThrow(/reinstall/);
    }
  });

  it("gives no traits where a line points at nothing", () => {
    const lost = loadCatalogue({ ...file, providers: [{ id: "maker", title: "Maker", models: [["a", 99, 0]] }] });
    expect(() => findModel(lost, "maker", "a")).toThrow("entry 99 of its names");
    const poor = loadCatalogue({ ...file, sources: [] });
    expect(() => findModel(poor, "maker", "mind-2")).toThrow(/of its sources/);
  });
});
