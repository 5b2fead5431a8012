import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CallOptions, Needs } from "#domain/call";
import type { Failure } from "#domain/failure";
import type { Capabilities, ModelTraits } from "#domain/model";
import type { Plan } from "#domain/plan";
import type { ProviderSpec, Route } from "#domain/snapshot";
import { Health } from "#policy/health";
import { isPlan, makePlan, type PlanningView } from "#policy/make-plan";
import { nextCandidate } from "#policy/next-candidate";
import { targetGroups } from "#supply/target-groups";
import { sampleProvider, sampleRoute, sampleSnapshot, sampleTraits } from "../world/sample-snapshot.ts";

interface World {
  readonly providers: readonly ProviderSpec[];
  readonly route?: Partial<Route>;
  readonly options?: Partial<CallOptions>;
  readonly needs?: Needs;
  readonly view?: Partial<PlanningView>;
}

/** One model `m` at each provider, asked in the order of the providers. */
function ask({ providers, route = {}, options = {}, needs, view = {} }: World): Plan | Failure {
  const targets = providers.map(({ id }) => `${id}/m`);
  const snapshot = sampleSnapshot(providers, [sampleRoute("main", targets, route)]);
  return makePlan(
    { model: "main", options: { metadata: false, ...options }, ...(needs === undefined ? {} : { needs: () => needs }) },
    snapshot,
    {
      health: new Health(),
      traitsOf: (spec, model) => spec.models.get(model),
      groupsOf: targetGroups(snapshot, "2026-11-21"),
      nowMs: 0,
      ...view,
    },
  );
}

const told = (made: Plan | Failure): readonly string[] =>
  isPlan(made) ? made.targets.map(({ target }) => target.provider) : [`failed: ${made.kind}`];
const skipped = (made: Plan | Failure): Readonly<Record<string, string>> =>
  Object.fromEntries(isPlan(made) ? made.skipped.map(({ target, why }) => [target.split("/")[0], why]) : []);

const modelled = (id: string, traits: Partial<ModelTraits>, more: Partial<ProviderSpec> = {}): ProviderSpec =>
  sampleProvider(id, { models: new Map([["m", { ...sampleTraits("v/m", 100_000), ...traits }]]), ...more });
const capable = (id: string, capabilities: Capabilities): ProviderSpec => modelled(id, { capabilities });

describe("what a call needs", () => {
  const none = capable("none", { tools: false, structuredOutput: false, reasoning: false, inputs: ["text"] });
  const all = capable("all", {
    tools: true,
    structuredOutput: true,
    reasoning: true,
    reasoningControl: { efforts: ["low", "high"] },
    inputs: ["text", "image", "pdf"],
  });
  const unknown = sampleProvider("unknown");

  it.each<[string, Needs, string]>([
    ["tools", { tools: true }, "calls no tools (test, 2026-11-21)"],
    ["a schema", { structuredOutput: true }, "obeys no JSON schema (test, 2026-11-21)"],
    ["a PDF", { inputs: ["image", "pdf"] }, "takes no image (test, 2026-11-21)"],
    [
      "room",
      { promptTokens: [100_001, 300_000] },
      "has room for 100000 tokens, and the prompt is estimated at 100001 to 300000",
    ],
  ])("leaves out who lacks %s, and nobody of whom it is unknown", (_what, needs, why) => {
    const big = { ...all, models: new Map([["m", { ...all.models.get("m")!, contextTokens: 1_000_000 }]]) };
    const made = ask({ providers: [none, unknown, big], needs });
    expect(told(made)).toEqual(["unknown", "all"]);
    expect(skipped(made)).toEqual({ none: why });
  });

  it("asks them all the same where a list says of all that they lack it: the provider knows better", () => {
    expect(told(ask({ providers: [none, { ...none, id: "other" }], needs: { tools: true } }))).toEqual([
      "none",
      "other",
    ]);
  });

  it("weighs what is lacking: media before tools before a schema", () => {
    const blind = capable("blind", { tools: true, inputs: ["text"] });
    const idle = capable("idle", { tools: false, inputs: ["text", "image"] });
    expect(told(ask({ providers: [blind, idle], needs: { tools: true, inputs: ["image"] } }))).toEqual(["idle"]);
  });

  it("does not look at the body of a call that has a sole target", () => {
    const needs = (): Needs => {
      throw new Error("looked");
    };
    const snapshot = sampleSnapshot([none], [sampleRoute("main", ["none/m"])]);
    const view = {
      health: new Health(),
      traitsOf: () => undefined,
      groupsOf: targetGroups(snapshot, "2026-11-21"),
      nowMs: 0,
    };
    expect(told(makePlan({ model: "main", options: { metadata: false }, needs }, snapshot, view))).toEqual(["none"]);
  });

  it("honours an effort of reasoning that the caller asks for", () => {
    const wish = (reasoning: string) => ask({ providers: [none, all, unknown], options: { reasoning } });
    expect(told(wish("high"))).toEqual(["all", "unknown"]);
    expect(skipped(wish("high"))).toEqual({ none: "does not reason (test, 2026-11-21)" });
    expect(skipped(wish("max"))).toMatchObject({ all: "has no max reasoning (test, 2026-11-21)" });
  });
});

describe("what a provider must keep", () => {
  const eu = sampleProvider("eu", { jurisdiction: "EU", region: "eu-west-1", dataClasses: ["public", "personal"] });
  const us = sampleProvider("us", { jurisdiction: "US", region: "us-east-1", dataClasses: ["public"] });
  const silent = sampleProvider("silent");
  const providers = [us, silent, eu];

  it("leaves out who is elsewhere and who does not say", () => {
    const made = ask({ providers, route: { constraints: { jurisdictions: ["eu", "CH"] } } });
    expect(told(made)).toEqual(["eu"]);
    expect(skipped(made)).toEqual({ us: "its jurisdiction is US", silent: "its jurisdiction is not declared" });
    const near = ask({ providers, route: { constraints: { regions: ["eu-*"] } } });
    expect(told(near)).toEqual(["eu"]);
    expect(skipped(near)).toEqual({ us: "its region is us-east-1", silent: "its region is not known" });
    const classed = ask({ providers, route: { constraints: { dataClass: "personal" } } });
    expect(told(classed)).toEqual(["eu"]);
    expect(skipped(classed)).toMatchObject({ us: "it may not be sent personal data" });
  });

  it("refuses a call that nobody may take, with the reasons, and says that asking again is no use", () => {
    const made = ask({ providers: [us, silent], route: { constraints: { jurisdictions: ["EU"] } } });
    expect(made).toMatchObject({
      kind: "forbidden",
      message:
        "No target may take the call (us/m: its jurisdiction is US; silent/m: its jurisdiction is not declared).",
    });
  });

  it("takes a region that the supply graph is sure of", () => {
    const groupsOf: PlanningView["groupsOf"] = () => [
      { kind: "region", name: "eu-north-1", share: [1, 1], status: "fact" },
    ];
    const made = ask({ providers: [silent], route: { constraints: { regions: ["eu-*"] } }, view: { groupsOf } });
    expect(told(made)).toEqual(["silent"]);
    const maybe: PlanningView["groupsOf"] = () => [
      { kind: "region", name: "eu-north-1", share: [0, 1], status: "fact" },
    ];
    expect(
      ask({ providers: [silent], route: { constraints: { regions: ["eu-*"] } }, view: { groupsOf: maybe } }),
    ).toMatchObject({ kind: "forbidden" });
  });
});

describe("safety", () => {
  const tier = (id: string, safetyTier: number) => sampleProvider(id, { safetyTier });

  it("is never lowered in silence: neither by a lower tier nor by one that nobody declared", () => {
    const made = ask({ providers: [tier("a", 3), tier("b", 2), sampleProvider("c"), tier("d", 4)] });
    expect(told(made)).toEqual(["a", "d"]);
    expect(skipped(made)).toEqual({
      b: "its safety tier is 2, below the 3 of a/m",
      c: "its safety tier is not declared, and a/m has 3",
    });
  });

  it("is lowered where the route allows it by name", () => {
    const route = sampleRoute("main", ["a/m", "b/m"]);
    const targets = route.targets.map((each) => Object.assign({}, each, { despite: ["safety"] as const }));
    expect(told(ask({ providers: [tier("a", 3), tier("b", 2)], route: { targets } }))).toEqual(["a", "b"]);
  });

  it("is a model's own before its provider's, and asks nothing where the first target has none", () => {
    const own = modelled("b", { safetyTier: 5 }, { safetyTier: 1 });
    expect(told(ask({ providers: [tier("a", 3), own] }))).toEqual(["a", "b"]);
    expect(told(ask({ providers: [sampleProvider("a"), tier("b", 0)] }))).toEqual(["a", "b"]);
  });

  it("holds though the caller leaves the first target out", () => {
    const made = ask({
      providers: [tier("a", 3), tier("b", 2), tier("c", 3)],
      options: { provider: { ignore: ["a"] } },
    });
    expect(told(made)).toEqual(["c"]);
  });
});

describe("a critical difference", () => {
  const isCritical: PlanningView["isCritical"] = (_primary, { provider }) =>
    provider === "b" ? "its tokenizer is critically another" : undefined;
  const providers = [sampleProvider("a"), sampleProvider("b"), sampleProvider("c")];

  it("keeps a backup out, and no first target", () => {
    const made = ask({ providers, view: { isCritical } });
    expect(told(made)).toEqual(["a", "c"]);
    expect(skipped(made)).toEqual({ b: "its tokenizer is critically another" });
    expect(told(ask({ providers: providers.slice(1), view: { isCritical } }))).toEqual(["b", "c"]);
  });

  it("is allowed by name", () => {
    const targets = sampleRoute("main", ["a/m", "b/m", "c/m"]).targets.map((each) =>
      Object.assign({}, each, { despite: ["critical"] as const }),
    );
    expect(told(ask({ providers, route: { targets }, view: { isCritical } }))).toEqual(["a", "b", "c"]);
  });
});

describe("wishes", () => {
  const priced = (id: string, usd: number) =>
    modelled(id, { price: { input: usd * 1e9, output: usd * 1e9, from: { source: "test", date: "2026-11-21" } } });
  const latencies: Readonly<Record<string, { p50Ms: number; p95Ms: number; calls: number; tokensPerS: number }>> = {
    dear: { p50Ms: 300, p95Ms: 900, calls: 120, tokensPerS: 40 },
    cheap: { p50Ms: 800, p95Ms: 2500, calls: 80, tokensPerS: 90 },
  };
  const latencyOf: PlanningView["latencyOf"] = ({ provider }) => latencies[provider];
  const providers = [sampleProvider("mystery"), priced("dear", 9), priced("cheap", 1)];
  const wish = (options: Partial<CallOptions>) => ask({ providers, options, view: { latencyOf } });

  it.each<[string, Partial<CallOptions>, readonly string[], string]>([
    [
      "price",
      { provider: { sort: "price" } },
      ["cheap", "dear", "mystery"],
      "number 1 by price: 1 USD in, 1 out a million tokens",
    ],
    [
      "latency",
      { sort: "latency" },
      ["dear", "cheap", "mystery"],
      "number 1 by latency: 300 ms to first content in the middle of 120 calls",
    ],
    [
      "throughput",
      { provider: { sort: "throughput" } },
      ["cheap", "dear", "mystery"],
      "number 1 by throughput: 90 tokens a second over 80 calls",
    ],
    [
      "quality, which is the order written",
      { sort: "quality" },
      ["mystery", "dear", "cheap"],
      "first in the order given",
    ],
  ])("sorts by %s, the unknown last, and says the figure", (...[, options, expected, why]) => {
    const made = wish(options);
    expect(told(made)).toEqual(expected);
    expect(isPlan(made) && made.targets[0]?.why).toBe(why);
  });

  it("puts the gateway's own word before OpenRouter's", () => {
    expect(told(wish({ sort: "quality", provider: { sort: "price" } }))).toEqual(["mystery", "dear", "cheap"]);
  });

  it("leaves out who is known to begin too late, and never everybody", () => {
    const made = wish({ maxLatencyMs: 1000 });
    expect(told(made)).toEqual(["mystery", "dear"]);
    expect(skipped(made)).toEqual({
      cheap: "begins within 2500 ms for 95 % of 80 calls, and 1000 ms were asked for",
    });
    const known = ask({ providers: providers.slice(1), options: { maxLatencyMs: 1 }, view: { latencyOf } });
    expect(told(known)).toEqual(["dear", "cheap"]);
  });

  it("says of each target why the request leaves it out", () => {
    expect(skipped(wish({ provider: { maxPrice: { prompt: 2e9 } } }))).toEqual({
      mystery: "its price is unknown, and the request has a highest one",
      dear: "it costs more than the request allows",
    });
    expect(skipped(wish({ provider: { only: ["dear"] } }))).toMatchObject({
      cheap: "the request names others as the only ones",
    });
  });

  it("holds targets to the ceilings of a route, too", () => {
    const cheap = ask({ providers, route: { constraints: { maxPrice: { input: 2e9 } } }, view: { latencyOf } });
    expect(told(cheap)).toEqual(["cheap"]);
    expect(skipped(cheap)).toEqual({
      mystery: "its price is unknown, and its route has a highest one",
      dear: "it costs more than its route allows",
    });
    expect(ask({ providers, route: { constraints: { maxPrice: { output: 1 } } } })).toMatchObject({
      kind: "forbidden",
    });
    const route = { constraints: { maxLatencyMs: 1000 } };
    expect(told(ask({ providers, route, view: { latencyOf } }))).toEqual(["mystery", "dear"]);
    expect(told(ask({ providers, route, options: { maxLatencyMs: 500 }, view: { latencyOf } }))).toEqual(["mystery"]);
  });

  it("never moves a last resort forward", () => {
    const targets = sampleRoute("main", ["mystery/m", "dear/m", "cheap/m"]).targets.map((each) =>
      Object.assign({}, each, { lastResort: each.provider === "cheap" }),
    );
    const made = ask({ providers, route: { targets }, options: { provider: { sort: "price" } } });
    expect(told(made)).toEqual(["dear", "mystery", "cheap"]);
  });
});

describe("for any world", () => {
  const provider = fc.record({
    tools: fc.option(fc.boolean(), { nil: undefined }),
    jurisdiction: fc.option(fc.constantFrom("EU", "US"), { nil: undefined }),
    safetyTier: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined }),
  });

  it("asks nobody that was left out, gives the same twice, and keeps the order written", () => {
    fc.assert(
      fc.property(fc.array(provider, { minLength: 1, maxLength: 6 }), fc.boolean(), (specs, bound) => {
        const providers = specs.map(({ tools, jurisdiction, safetyTier }, at) =>
          modelled(
            `p${at}`,
            { capabilities: tools === undefined ? {} : { tools } },
            {
              ...(jurisdiction === undefined ? {} : { jurisdiction }),
              ...(safetyTier === undefined ? {} : { safetyTier }),
            },
          ),
        );
        const world = {
          providers,
          needs: { tools: true },
          route: bound ? { constraints: { jurisdictions: ["EU"] } } : {},
        } as const;
        const made = ask(world);
        expect(made).toEqual(ask(world));
        const isLawful = (spec: (typeof specs)[number] | undefined) => !bound || spec?.jurisdiction === "EU";
        const first = specs.findIndex(isLawful);
        const least = specs[first]?.safetyTier ?? -1;
        const isAllowed = (id: string): boolean => {
          const spec = specs[Number(id.slice(1))];
          return isLawful(spec) && (id === `p${first}` || (spec?.safetyTier ?? -1) >= least);
        };
        if (!isPlan(made)) {
          expect(made.kind).toBe("forbidden");
          expect(providers.some(({ id }) => isAllowed(id))).toBe(false);
          return;
        }
        const asked = told(made);
        expect(asked).toEqual(asked.toSorted());
        expect(asked.length + made.skipped.length).toBe(specs.length);
        for (const id of asked) {
          expect(Object.keys(skipped(made))).not.toContain(id);
          expect(isAllowed(id)).toBe(true);
        }
        const step = nextCandidate({
          plan: made,
          attempts: [],
          snapshot: sampleSnapshot(providers, []),
          view: { health: new Health(), traitsOf: () => undefined, groupsOf: () => [], nowMs: 0 },
          deadlineAtMs: 600_000,
          chance: 0,
          turn: 0,
          mayRetry: () => true,
        });
        expect(step).toMatchObject({ kind: "try", target: { provider: asked[0] } });
      }),
    );
  });
});
