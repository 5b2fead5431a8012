import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RiskGroup } from "#domain/supply";
import { betaPriors, countPair, estimateBeta, placeOf, relationOf, type Series } from "#supply/co-failure";
import { groupText } from "#supply/graph";
import { mineEdges, type OutcomeSeries } from "#supply/mine-edges";

/** A repeatable source of chance (mulberry32). */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const group = (text: string): RiskGroup => {
  const [kind, name] = text.split(":") as [RiskGroup["kind"], string];
  return { kind, name, share: [1, 1], status: "fact" };
};
const groups = (...texts: readonly string[]) => texts.map(group);

describe("what two targets are to each other", () => {
  const own = groups("provider:a", "model:v/m", "storefront:a", "operator:lab", "region:x");

  it.each([
    ["tier", groups("provider:a", "model:v/m", "storefront:a", "operator:lab", "region:x")],
    ["region", groups("provider:a2", "model:v/m", "storefront:a", "operator:lab", "region:y")],
    ["storefront", groups("provider:b", "model:v/m", "storefront:b", "operator:lab")],
    ["model", groups("provider:b", "model:v/n", "storefront:b", "operator:lab")],
    ["operator", groups("provider:b", "model:v/m", "storefront:b", "operator:cloud")],
    ["vendor", groups("provider:b", "model:w/n", "storefront:b", "operator:cloud")],
  ] as const)("is %s", (relation, other) => {
    expect(relationOf(own, other)).toBe(relation);
    expect(relationOf(other, own)).toBe(relation);
  });

  it("is not closer for what is only possible", () => {
    const maybe: readonly RiskGroup[] = [group("model:v/m"), { ...group("operator:lab"), share: [0, 1] }];
    expect(relationOf(own, maybe)).toBe("operator");
  });
});

describe("counting two series", () => {
  it("leaves out what was not asked, and counts runs as events", () => {
    const [x, o] = [true, false];
    const a: Series = [o, x, x, o, x, undefined, x, o, x];
    const b: Series = [o, x, o, o, x, x, o, undefined, x];
    // Both asked: 0 1 2 3 4 6 8; A bad in 1 2, and in 4 6 8 without a good interval between.
    expect(countPair(a, b)).toEqual({ intervals: 7, badA: 5, badB: 3, joint: 3, events: 2, jointEvents: 2 });
  });

  it("has never more joint than bad intervals, nor more events than bad intervals", () => {
    const series = fc.array(fc.constantFrom<boolean | undefined>(true, false, undefined), { maxLength: 40 });
    fc.assert(
      fc.property(series, series, (a, b) => {
        const counts = countPair(a, b);
        expect(counts.joint).toBeLessThanOrEqual(Math.min(counts.badA, counts.badB));
        expect(counts.jointEvents).toBeLessThanOrEqual(counts.events);
        expect(counts.events).toBeLessThanOrEqual(counts.badA);
        const turned = countPair(b, a);
        expect([turned.joint, turned.badA, turned.intervals]).toEqual([counts.joint, counts.badB, counts.intervals]);
      }),
    );
  });
});

/** The Beta distribution's function, by Simpson's rule: nothing of the estimator's own. */
function betaCdf(alpha: number, gamma: number, at: number): number {
  const density = (x: number) => x ** (alpha - 1) * (1 - x) ** (gamma - 1);
  const simpson = (to: number) => {
    const parts = 20_000;
    const width = to / parts;
    let sum = density(0) + density(to);
    for (let part = 1; part < parts; part += 1) sum += density(part * width) * (part % 2 === 0 ? 2 : 4);
    return (sum * width) / 3;
  };
  return simpson(at) / simpson(1);
}

describe("β", () => {
  const many = 1e9;

  it("is the prior's where nothing was seen", () => {
    for (const relation of ["tier", "region", "storefront", "model", "operator", "vendor"] as const) {
      const counts = { intervals: 100, badA: 0, badB: 0, joint: 0, events: 0, jointEvents: 0 };
      const { alpha, gamma } = betaPriors[relation];
      const estimate = estimateBeta({ relation, counts });
      expect(estimate.mean).toBeCloseTo(alpha / (alpha + gamma), 3);
      expect(estimate).toMatchObject({ relation, events: 0, intervals: 100 });
    }
  });

  it("is the conjugate posterior where the other never fails alone: mean and both ends", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 8 }), (joint, alone) => {
        const badA = joint + alone;
        const counts = { intervals: many, badA, badB: joint, joint, events: badA, jointEvents: joint };
        const { mean, interval } = estimateBeta({ relation: "storefront", counts });
        const [alpha, gamma] = [2 + joint, 2 + alone];
        expect(mean).toBeCloseTo(alpha / (alpha + gamma), 3);
        expect(betaCdf(alpha, gamma, interval[0])).toBeCloseTo(0.025, 2);
        expect(betaCdf(alpha, gamma, interval[1])).toBeCloseTo(0.975, 2);
      }),
      { numRuns: 20 },
    );
  });

  it("comes near (P(b|a) − P(b)) / (1 − P(b)) with many events", () => {
    // 500 of 1,000 failures joint, against a base of 10 %: (0.5 − 0.1) / 0.9.
    const counts = { intervals: 101_000, badA: 1000, badB: 10_500, joint: 500, events: 1000, jointEvents: 500 };
    const { mean, interval } = estimateBeta({ relation: "operator", counts });
    expect(mean).toBeCloseTo(0.4 / 0.9, 1);
    expect(interval[0]).toBeLessThan(0.4 / 0.9);
    expect(interval[1]).toBeGreaterThan(0.4 / 0.9);
  });

  it("is near none for what fails as often with the other as without it", () => {
    const counts = { intervals: 100_000, badA: 5000, badB: 5000, joint: 250, events: 5000, jointEvents: 250 };
    expect(estimateBeta({ relation: "vendor", counts }).mean).toBeLessThan(0.02);
  });

  it("learns less from one long outage than from as many short ones", () => {
    const counts = { intervals: many, badA: 6, badB: 6, joint: 6, jointEvents: 1 };
    const one = estimateBeta({ relation: "operator", counts: { ...counts, events: 1 } });
    const six = estimateBeta({ relation: "operator", counts: { ...counts, events: 6, jointEvents: 6 } });
    const { alpha, gamma } = betaPriors.operator;
    expect(one.mean).toBeCloseTo((alpha + 1) / (alpha + gamma + 1), 3);
    expect(six.mean).toBeCloseTo((alpha + 6) / (alpha + gamma + 6), 3);
  });

  it("holds the true one in its interval some 95 times of 100", () => {
    const roll = dice(7);
    let held = 0;
    const rounds = 200;
    for (let round = 0; round < rounds; round += 1) {
      // Drawn from the prior itself, as Bayes asks.
      const beta = betaDraw(2, 2, roll);
      const a = Array.from({ length: 3000 }, () => roll() < 0.02);
      const b = a.map((isBad) => (isBad && roll() < beta) || roll() < 0.01);
      const { interval } = estimateBeta({ relation: "storefront", counts: countPair(a, b) });
      if (interval[0] <= beta && beta <= interval[1]) held += 1;
    }
    expect(held / rounds).toBeGreaterThan(0.9);
    expect(held / rounds).toBeLessThan(0.99);
  });
});

/** Of whole parameters: the place of the α-th smallest of α + γ − 1 uniform numbers. */
function betaDraw(alpha: number, gamma: number, roll: () => number): number {
  const drawn = Array.from({ length: alpha + gamma - 1 }, roll).toSorted((a, b) => a - b);
  return drawn[alpha - 1] ?? 0;
}

const polls = 1874;
const eventAt = 1630;

/** Outages of some polls each, apart from those of anybody else; at 0.001 some 0.35 % of polls are bad. */
function outages(roll: () => number, perPoll: number): boolean[] {
  const bad = Array.from({ length: polls }, () => false);
  for (let at = 0; at < polls; at += 1) {
    if (roll() >= perPoll) continue;
    const until = at + 1 + Math.floor(roll() * 6);
    for (; at < Math.min(until, polls); at += 1) bad[at] = true;
  }
  return bad;
}

/** Claude in five shops, and others beside, as one would have them who takes Foundry for Microsoft's. */
function world(seed: number, burning: readonly string[]): readonly OutcomeSeries[] {
  const roll = dice(seed);
  const shops = [
    ["anthropic", "anthropic", "anthropic"],
    ["azure-foundry", "microsoft", "anthropic"],
    ["bedrock", "aws", "anthropic"],
    ["vertex", "google-vertex", "anthropic"],
    ["openai", "openai", "openai"],
    ["xai", "xai", "xai"],
    ["deepseek", "deepseek", "deepseek"],
  ] as const;
  return shops.map(([shop, operator, vendor]) => {
    const bad = outages(roll, 0.001);
    for (let at = eventAt - 20; at < eventAt + 20; at += 1) bad[at] = false;
    if (burning.includes(shop)) for (let at = eventAt; at < eventAt + 6; at += 1) bad[at] = true;
    const model = `${vendor}/model`;
    return {
      target: `${shop}/model`,
      groups: groups(`provider:${shop}`, `model:${model}`, `storefront:${shop}`, `operator:${operator}`),
      bad,
    };
  });
}

describe("the miner of hidden edges", () => {
  const options = { onDate: "2026-08-17" };

  it("finds from six polls that Foundry's Claude burns with Anthropic, and that Bedrock's and Vertex's do not", () => {
    const [edge, ...more] = mineEdges(world(3, ["anthropic", "azure-foundry"]), options);
    expect(more).toEqual([]);
    expect([edge?.a, edge?.b]).toEqual(
      ["storefront:anthropic", "storefront:azure-foundry anthropic"].map(
        (key) => expect.stringContaining(key.split(" ")[0] ?? "") as string,
      ),
    );
    expect(edge?.counts.joint).toBeGreaterThanOrEqual(6);
    expect(edge?.pValue).toBeLessThan(0.002);
    expect(edge?.spared.join(" ")).toMatch(/bedrock.*vertex/u);
    expect(edge?.why).toContain("did not fail with them");
    expect(edge?.claim).toMatchObject({
      subject: "storefront:azure-foundry/anthropic",
      relation: "operated-by",
      object: "operator:anthropic",
      share: [0, 1],
      status: "unverified",
      seen: "2026-08-17",
    });
    expect(edge?.beta.mean).toBeGreaterThan(
      betaPriors.operator.alpha / (betaPriors.operator.alpha + betaPriors.operator.gamma),
    );
    expect(edge?.beta.events).toBeGreaterThanOrEqual(1);
  });

  it("does so in nearly every such world, and proposes next to nothing where nobody fails together", () => {
    let found = 0;
    let falsely = 0;
    for (let seed = 1; seed <= 40; seed += 1) {
      const edges = mineEdges(world(seed, ["anthropic", "azure-foundry"]), options);
      if (edges.some(({ claim }) => claim?.subject === "storefront:azure-foundry/anthropic")) found += 1;
      falsely += mineEdges(world(seed, []), options).length;
    }
    expect(found).toBeGreaterThanOrEqual(36);
    expect(falsely).toBeLessThanOrEqual(4);
  });

  it("says nothing of what is claimed already", () => {
    const told = (of: readonly RiskGroup[]) =>
      of.map((each) => (groupText(each) === "operator:microsoft" ? group("operator:anthropic") : each));
    const known = world(3, ["anthropic", "azure-foundry"]).map(({ target, groups: of, bad }) => ({
      target,
      groups: told(of),
      bad,
    }));
    expect(mineEdges(known, options)).toEqual([]);
  });

  it("does not take its own network for theirs", () => {
    const everybody = ["anthropic", "azure-foundry", "bedrock", "vertex", "openai", "xai", "deepseek"];
    expect(mineEdges(world(3, everybody), options)).toEqual([]);
  });

  it("warns that it may be demand where all shops of the model failed", () => {
    const claude = ["anthropic", "azure-foundry", "bedrock", "vertex"];
    const edges = mineEdges(world(3, claude), options);
    expect(edges.length).toBeGreaterThan(0);
    for (const { why, spared } of edges) {
      expect(spared).toEqual([]);
      expect(why).toContain("may be demand for the same models");
    }
  });

  it("puts a vendor's models in one shop together", () => {
    expect(placeOf(groups("provider:p", "model:v/m", "storefront:s"))).toBe(
      placeOf(groups("provider:p", "model:v/n", "storefront:s")),
    );
    expect(placeOf(groups("provider:p", "model:v/m"))).not.toBe(placeOf(groups("provider:p", "model:w/m")));
    expect(placeOf(groups("model:v/m", "storefront:s/v"))).toBe("storefront:s/v");
  });
});
