import { describe, expect, it } from "vitest";
import { report } from "#cli/commands/report";
import { seedSupply } from "#control/config/open-supply";
import type { ConcentrationReport } from "#control/reports/concentration";
import type { RiskGroup } from "#domain/supply";
import { groupText, SupplyGraph } from "#supply/graph";
import { groupsOf } from "#supply/target-groups";
import { dayWorld } from "./day-world.ts";
import { expectGolden } from "./golden-text.ts";
import { recordedDay } from "./recorded-day.ts";

const { run } = dayWorld([report]);
const known = new Map<string, ConcentrationReport>();
const made = async (...args: readonly string[]) => {
  const before = known.get(args.join());
  if (before !== undefined) return before;
  const ran = await run("report", "concentration", ...args, "--json");
  expect([ran.code, ran.err]).toEqual([0, ""]);
  const found = JSON.parse(ran.out) as ConcentrationReport;
  known.set(args.join(), found);
  return found;
};
const layer = async (name: string, ...args: readonly string[]) => {
  const found = (await made(...args)).layers.find((each) => each.layer === name);
  if (found === undefined) throw new Error(`no layer ${name}`);
  return found;
};

const answers = recordedDay().flatMap(({ attempts }) => attempts.filter(({ outcome }) => outcome === "answered"));
const graph = new SupplyGraph(seedSupply(), "2026-11-21");
const kinds: Readonly<Record<string, Parameters<typeof groupsOf>[1]>> = {
  anthropic: {
    provider: "anthropic",
    kind: "anthropic",
    model: "anthropic/claude-sonnet-5",
    host: "api.anthropic.com",
  },
  bedrock: { provider: "bedrock", kind: "bedrock", model: "anthropic/claude-sonnet-5", region: "eu-central-1" },
  openai: { provider: "openai", kind: "openai", model: "openai/gpt-5.4", host: "api.openai.com" },
  xai: { provider: "xai", kind: "xai", model: "xai/grok-4.6", host: "api.x.ai" },
  local: { provider: "local", kind: "openai-compatible", model: "qwen/qwen3", operator: "ours", owner: "ours" },
};
const groupsAt = (provider: string): readonly RiskGroup[] => {
  const asked = kinds[provider];
  return asked === undefined ? [] : groupsOf(graph, asked);
};

function sharesBy(nameOf: (provider: string) => string, weightOf: (answer: (typeof answers)[number]) => number) {
  const sums = new Map<string, number>();
  for (const answer of answers) {
    const name = nameOf(answer.provider);
    sums.set(name, (sums.get(name) ?? 0) + weightOf(answer));
  }
  const total = [...sums.values()].reduce((sum, each) => sum + each, 0);
  return [...sums.values()].map((each) => each / total);
}

const hhi = (shares: readonly number[]) => 10_000 * shares.reduce((sum, share) => sum + share ** 2, 0);

describe("hedgerow report concentration", () => {
  it("prints the day as it is known", async () => {
    const ran = await run("report", "concentration", "--since", "1d");
    expect([ran.code, ran.err]).toEqual([0, ""]);
    expectGolden("concentration.txt", ran.out);
    expectGolden("concentration.csv", (await run("report", "concentration", "--csv")).out);
  });

  it("counts vendors and operators as HHI = Σ s² over the records does, and 1 / HHI of it", async () => {
    const vendors = { anthropic: "anthropic", bedrock: "anthropic", openai: "openai", xai: "xai", local: "qwen" };
    const nominal = hhi(
      sharesBy(
        (provider) => vendors[provider as keyof typeof vendors],
        () => 1,
      ),
    );
    const vendor = await layer("vendor");
    expect(vendor.hhi[0]).toBeCloseTo(nominal, 6);
    expect(vendor.hhi[1]).toBeCloseTo(nominal, 6);
    expect(vendor.effective[0]).toBeCloseTo(10_000 / nominal, 6);
    const operator = await layer("operator");
    const supplied = hhi(
      sharesBy(
        (provider) => provider,
        () => 1,
      ),
    );
    expect(operator.hhi[0]).toBeCloseTo(supplied, 6);
    expect(operator.top[1]).toBeCloseTo(
      answers.filter(({ provider }) => provider === "anthropic").length / answers.length,
      9,
    );
  });

  it("weighs by tokens and by cost, and says how many have no cost", async () => {
    const tokens = hhi(
      sharesBy(
        (provider) => provider,
        ({ usage }) => (usage?.inputUncached ?? 0) + (usage?.output ?? 0),
      ),
    );
    expect((await layer("provider", "--weight", "tokens")).hhi[0]).toBeCloseTo(tokens, 6);
    const cost = hhi(
      sharesBy(
        (provider) => provider,
        ({ costNanoUsd }) => costNanoUsd ?? 0,
      ),
    );
    expect((await layer("provider", "--weight", "cost")).hhi[0]).toBeCloseTo(cost, 6);
    expect((await made("--weight", "cost")).unweighed).toBe(
      answers.filter(({ provider }) => provider === "local").length,
    );
  });

  it("bounds owners by what every way to share them out gives", async () => {
    const { hhi: bounds, exact } = await layer("owner");
    expect(exact).toBe(true);
    const providers = Object.keys(kinds).filter((provider) => answers.some((each) => each.provider === provider));
    const share = (provider: string) => answers.filter((each) => each.provider === provider).length / answers.length;
    // A convex sum is greatest at a vertex: each provider wholly at one of its owners, or at a stranger of its own.
    let greatest = 0;
    const place = (at: number, sums: Readonly<Record<string, number>>): void => {
      const provider = providers[at];
      if (provider === undefined) {
        greatest = Math.max(greatest, hhi(Object.values(sums)));
        return;
      }
      const owners = groupsAt(provider).filter(({ kind }) => kind === "owner");
      const sure = owners.filter(({ share: [lo] }) => lo >= 1);
      for (const { name } of sure.length > 0 ? sure : [...owners, { name: `stranger of ${provider}` }]) {
        place(at + 1, { ...sums, [name]: (sums[name] ?? 0) + share(provider) });
      }
    };
    place(0, {});
    expect(bounds[1]).toBeCloseTo(greatest, 4);
    // And no sharing out is below the least.
    for (let turn = 1; turn <= 500; turn += 1) {
      const sums: Record<string, number> = {};
      for (const [at, provider] of providers.entries()) {
        const owners = groupsAt(provider).filter(({ kind }) => kind === "owner");
        const parts = owners.map((_, nth) => ((turn * 7919 + at * 104_729 + nth * 1_299_709) % 1000) + 1);
        const all = parts.reduce((sum, each) => sum + each, 0);
        for (const [nth, { name }] of owners.entries())
          sums[name] = (sums[name] ?? 0) + (share(provider) * (parts[nth] ?? 0)) / all;
      }
      expect(hhi(Object.values(sums))).toBeGreaterThanOrEqual(bounds[0] - 1e-6);
    }
  });

  it("finds the single points of each route that the groups of its targets give", async () => {
    const { chains } = await made();
    const targets: Readonly<Record<string, readonly string[]>> = {
      default: ["anthropic", "bedrock", "openai"],
      fast: ["openai", "xai"],
      alone: ["anthropic"],
    };
    for (const [route, providers] of Object.entries(targets)) {
      const [first, ...others] = providers.map((provider) => {
        return new Set(
          groupsAt(provider)
            .filter(({ share }) => share[1] > 0)
            .map((group) => groupText(group)),
        );
      });
      const all = [...(first ?? [])].filter((text) => others.every((texts) => texts.has(text)));
      const cuts =
        chains.find((chain) => chain.route === route)?.cuts.filter(({ events }) => events.length === 1) ?? [];
      expect(new Set(cuts.flatMap(({ events }) => events.flat()))).toEqual(new Set(all));
    }
  });

  it("ranks groups by Fussell–Vesely = 1 − Q(q=0) / Q, as going through the states of what targets share gives", async () => {
    const { importance, chains } = await made("--failing", "0.01");
    const asked = recordedDay().flatMap(({ attempts }) =>
      attempts.filter(({ failure }) => failure !== "upstream_rejected"),
    );
    const failed = (some: typeof asked) => some.filter(({ outcome }) => outcome === "failed").length;
    const own = (provider: string) => {
      const some = asked.filter((each) => each.provider === provider);
      return (failed(some) + (20 * failed(asked)) / asked.length) / (some.length + 20);
    };
    /** Sum over all states of the groups that two targets or more share; the rest is a product for each target. */
    const fails = (providers: readonly string[], end: 0 | 1, never?: string): number => {
      const groups = providers.map((provider) => groupsAt(provider).filter((group) => groupText(group) !== never));
      const texts = groups.flatMap((some) => some.map((group) => groupText(group)));
      const shared = [...new Set(texts.filter((text, at) => texts.indexOf(text) !== at))];
      let sum = 0;
      for (let state = 0; state < 2 ** shared.length; state += 1) {
        const isDown = (text: string) => (state >> shared.indexOf(text)) % 2 === 1;
        const chance = shared.reduce((all, text) => all * (isDown(text) ? 0.01 : 0.99), 1);
        const all = groups.map((some, at) => {
          const works = some.reduce(
            (left, group) => {
              const text = groupText(group);
              const p = shared.includes(text) ? Number(isDown(text)) : 0.01;
              return left * (1 - p * group.share[end]);
            },
            1 - own(providers[at] ?? ""),
          );
          return 1 - works;
        });
        sum += chance * all.reduce((product, each) => product * each, 1);
      }
      return sum;
    };
    const expected = (end: 0 | 1, never?: string) =>
      chains.reduce((sum, { share, targets }) => {
        const providers = targets.map((target) => target.slice(0, target.indexOf("/")));
        return sum + share * fails(providers, end, never);
      }, 0);
    expect(importance.failure[0]).toBeCloseTo(expected(0), 12);
    expect(importance.failure[1]).toBeCloseTo(expected(1), 12);
    for (const group of ["operator:anthropic", "owner:aws", "edge:cloudflare", "operator:openai"]) {
      const ends = ([0, 1] as const).map((end) => 1 - expected(end, group) / expected(end));
      const row = importance.rows.find((each) => each.group === group);
      expect(row?.fussellVesely[0], group).toBeCloseTo(Math.min(...ends), 9);
      expect(row?.fussellVesely[1], group).toBeCloseTo(Math.max(...ends), 9);
    }
  });

  it.each([
    [["--weight", "money"], "--weight takes requests, tokens, cost"],
    [["--failing", "2"], "--failing takes a number from 0 to 1"],
  ])("refuses %j", async (args, words) => {
    const ran = await run("report", "concentration", ...args);
    expect([ran.code, ran.err]).toEqual([2, expect.stringContaining(words)]);
  });
});
