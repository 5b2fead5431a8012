import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seedSupply } from "#control/config/open-supply";
import type { RiskGroup, ShareInterval } from "#domain/supply";
import { cutSets, type Link } from "#supply/cut-sets";
import { groupText, SupplyGraph } from "#supply/graph";
import { importance, type Chain } from "#supply/importance";
import { groupsOf } from "#supply/target-groups";

const graph = new SupplyGraph(seedSupply(), "2026-11-21");
const link = (kind: string, model: string): Link => ({
  target: `${kind}/${model}`,
  groups: groupsOf(graph, { provider: kind, kind, model }),
});
const claude = "anthropic/claude-sonnet-5";
const group = (name: string, share: ShareInterval = [1, 1]): RiskGroup => ({
  kind: "operator",
  name,
  share,
  status: "fact",
});

describe("single points of failure", () => {
  const singles = (links: readonly Link[], certain: boolean) =>
    cutSets(links, 1)
      .filter((cut) => cut.certain === certain)
      .flatMap(({ events }) => events.flat());

  it("of Claude at Anthropic and in Foundry are the operator and the model, not the cloud", () => {
    const found = singles([link("anthropic", claude), link("azure-foundry", claude)], true);
    expect(found).toEqual(expect.arrayContaining([`model:${claude}`, "operator:anthropic"]));
    expect(found).not.toContain("owner:microsoft");
  });

  it("of Grok and Claude are none for sure, and possibly one owner's", () => {
    const chain = [link("xai", "xai/grok-4.6"), link("anthropic", claude)];
    expect(singles(chain, true)).toEqual([]);
    expect(singles(chain, false)).toEqual(expect.arrayContaining(["owner:spacex", "site:colossus-2"]));
  });

  it("of GPT and Claude at their makers are the edge before both, on which both were gone on 18 November 2025", () => {
    const chain = [link("openai", "openai/gpt-5.4"), link("anthropic", claude)];
    expect(singles(chain, true)).toEqual(["edge:cloudflare"]);
    expect(singles([link("openai", "openai/gpt-5.4"), link("bedrock", claude)], true)).toEqual([]);
  });

  it("of one target are whatever it hangs on", () => {
    expect(singles([link("bedrock", claude)], true)).toEqual(
      expect.arrayContaining(["provider:bedrock", "operator:aws", "owner:aws", "identity:aws-iam"]),
    );
    expect(cutSets([])).toEqual([]);
  });
});

/** All sets of at most two groups that leave no target, none of which has a part that does; by brute force. */
function bruteForce(chain: readonly Link[], certain: boolean): ReadonlySet<string> {
  const names = [...new Set(chain.flatMap(({ groups }) => groups.map((each) => groupText(each))))].toSorted();
  const cuts = (down: readonly string[]) =>
    chain.every(({ groups }) =>
      groups.some((each) => down.includes(groupText(each)) && (certain ? each.share[0] >= 1 : each.share[1] > 0)),
    );
  const found = new Set<string>();
  for (const one of names) {
    if (cuts([one])) found.add(one);
    for (const other of names) {
      if (one < other && cuts([one, other]) && !cuts([one]) && !cuts([other])) found.add(`${one}&${other}`);
    }
  }
  return found;
}

describe("minimal cut sets", () => {
  it("are those that trying every pair of groups finds", () => {
    const shares: readonly ShareInterval[] = [
      [1, 1],
      [0, 1],
      [0.5, 1],
      [0, 0],
    ];
    const arbitraryLink = fc.uniqueArray(
      fc.tuple(fc.constantFrom("a", "b", "c", "d", "e"), fc.constantFrom(...shares)),
      {
        maxLength: 4,
        selector: ([name]) => name,
      },
    );
    fc.assert(
      fc.property(fc.array(arbitraryLink, { minLength: 1, maxLength: 4 }), (links) => {
        const chain = links.map((each, at): Link => ({
          target: `t${at}`,
          groups: each.map(([name, share]) => group(name, share)),
        }));
        const found = cutSets(chain);
        for (const certain of [true, false]) {
          const expanded = new Set(
            found
              .filter((cut) => cut.certain || !certain)
              .flatMap(({ events: [first = [], second] }) =>
                second === undefined
                  ? first
                  : first.flatMap((one) =>
                      second.map((other) => (one < other ? `${one}&${other}` : `${other}&${one}`)),
                    ),
              ),
          );
          const expected = bruteForce(chain, certain);
          for (const cut of expected) expect(expanded).toContain(cut);
          if (certain) expect(expanded).toEqual(expected);
        }
      }),
    );
  });
});

/** The chance that a chain fails, by going through every state of every group. */
function failureByHand({ targets }: Chain, end: 0 | 1, failing: (text: string) => number): number {
  const names = [...new Set(targets.flatMap(({ groups }) => groups.map((each) => groupText(each))))];
  let failure = 0;
  for (let state = 0; state < 2 ** names.length; state += 1) {
    const down = new Set(names.filter((_, at) => Math.floor(state / 2 ** at) % 2 === 1));
    const chance = names.reduce((all, name) => all * (down.has(name) ? failing(name) : 1 - failing(name)), 1);
    const fails = targets.map(({ groups, own }) => {
      const hit = groups.filter((each) => down.has(groupText(each)));
      return 1 - hit.reduce((works, each) => works * (1 - each.share[end]), 1 - own);
    });
    failure += chance * fails.reduce((all, each) => all * each, 1);
  }
  return failure;
}

describe("importance", () => {
  const failing = (text: string) => ({ "operator:a": 0.01, "operator:b": 0.02, "operator:c": 0.05 })[text] ?? 0.1;

  it("agrees with going through every state, for failure, Birnbaum, gain and Fussell–Vesely", () => {
    const arbitraryTarget = fc.record({
      own: fc.constantFrom(0, 0.01, 0.2),
      groups: fc.uniqueArray(
        fc.tuple(fc.constantFrom("a", "b", "c", "d"), fc.constantFrom<ShareInterval>([1, 1], [0, 1], [0.25, 0.5])),
        { maxLength: 4, selector: ([name]) => name },
      ),
    });
    const arbitraryChain = fc.record({
      weight: fc.integer({ min: 1, max: 5 }),
      targets: fc.array(arbitraryTarget, { minLength: 1, maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(arbitraryChain, { minLength: 1, maxLength: 2 }), (drawn) => {
        const chains = drawn.map(({ weight, targets }, at): Chain => ({
          name: `r${at}`,
          weight,
          targets: targets.map(({ own, groups }, n) => ({
            target: `t${n}`,
            own,
            groups: groups.map(([name, share]) => group(name, share)),
          })),
        }));
        const total = chains.reduce((sum, { weight }) => sum + weight, 0);
        const expected = (end: 0 | 1, of: (text: string) => number) =>
          chains.reduce((sum, chain) => sum + (chain.weight / total) * failureByHand(chain, end, of), 0);
        const table = importance(chains, failing);
        expect(table.exact).toBe(true);
        for (const end of [0, 1] as const) expect(table.failure[end]).toBeCloseTo(expected(end, failing), 12);
        for (const row of table.rows) {
          const as = (chance: number) => (text: string) => (text === row.group ? chance : failing(text));
          const ends = ([0, 1] as const).map((end) => {
            const [now, never, always] = [expected(end, failing), expected(end, as(0)), expected(end, as(1))];
            return { gain: now - never, birnbaum: always - never, share: now === 0 ? 0 : (now - never) / now };
          });
          const both = (key: "gain" | "birnbaum" | "share") => ends.map((each) => each[key]).toSorted((a, b) => a - b);
          for (const end of [0, 1] as const) {
            expect(row.gain[end]).toBeCloseTo(both("gain")[end] ?? Number.NaN, 10);
            expect(row.birnbaum[end]).toBeCloseTo(both("birnbaum")[end] ?? Number.NaN, 10);
            expect(row.fussellVesely[end]).toBeCloseTo(both("share")[end] ?? Number.NaN, 10);
          }
        }
      }),
    );
  });

  it("puts the operator that two of three targets share first", () => {
    const target = (name: string, ...groups: RiskGroup[]) => ({ target: name, own: 0.001, groups });
    const chain = { name: "r", weight: 1, targets: [target("x", group("shared")), target("y", group("shared"))] };
    const { rows, failure } = importance([chain], () => 0.01);
    expect(rows[0]).toMatchObject({ group: "operator:shared" });
    // Without the shared operator only both targets' own failures are left.
    expect(rows[0]?.fussellVesely[0]).toBeCloseTo(1 - 0.001 ** 2 / failure[0], 9);
  });

  it("is nothing where nothing is asked", () => {
    expect(importance([], failing)).toEqual({ failure: [0, 0], rows: [], exact: true });
  });
});
