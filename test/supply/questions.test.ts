import { describe, expect, it } from "vitest";
import { seedSupply } from "#control/config/open-supply";
import type { Claim, SupplyNodeId } from "#domain/supply";
import { contradictions } from "#supply/contradictions";
import { SupplyGraph } from "#supply/graph";
import { sharedGroups, sharesKind } from "#supply/overlap";
import { pathsBetween } from "#supply/paths-between";
import {
  customersOf,
  investmentsOf,
  investorsIn,
  rivalsOf,
  supplierAndRival,
  suppliersOf,
  type Relation,
} from "#supply/questions";
import { groupsOf } from "#supply/target-groups";

const graph = new SupplyGraph(seedSupply(), "2026-11-21");
const ids = (name: string) => graph.find(name).map(({ id }) => id);
const titles = (relations: readonly Relation[]) => relations.map(({ other }) => other.title);

function claim(text: string, more: Partial<Claim> = {}): Claim {
  const [subject, relation, object] = text.split(" ") as [SupplyNodeId, Claim["relation"], SupplyNodeId];
  return { subject, relation, object, status: "fact", source: "test", seen: "2026-11-21", ...more };
}

const graphOf = (...claims: readonly Claim[]) =>
  new SupplyGraph({ version: "t", date: "2026-11-21", nodes: [], claims }, "2026-11-21");

describe("suppliers", () => {
  it("of Anthropic are whoever sells it capacity, rivals among them", () => {
    const suppliers = titles(suppliersOf(graph, ids("Anthropic")));
    for (const name of ["Alphabet", "Amazon", "Microsoft", "SpaceX", "Fluidstack", "Cloudflare"])
      expect(suppliers).toContain(name);
    expect(suppliers).not.toContain("Anthropic");
  });

  it("are the same whichever of an organisation's names is asked by", () => {
    expect(titles(suppliersOf(graph, ids("DeepMind")))).toEqual(titles(suppliersOf(graph, ids("Google Cloud"))));
    expect(titles(suppliersOf(graph, ids("Gemini")))).toContain("SpaceX");
  });

  it("are derived from what an operator runs on, and from the site's owner where the site has none", () => {
    const of = graphOf(
      claim("operator:lab part-of parent:lab"),
      claim("operator:lab sited-at site:hill", { status: "report" }),
      claim("site:hill owned-by owner:land"),
      claim("owner:land part-of parent:landlord"),
    );
    const [landlord, ...more] = suppliersOf(of, ["parent:lab"]);
    expect(more).toEqual([]);
    expect(landlord).toMatchObject({ other: { id: "parent:landlord" }, direct: false, status: "report" });
    expect(landlord?.paths[0]?.map(({ object }) => object)).toEqual(["site:hill", "owner:land"]);
    expect(titles(customersOf(of, ["owner:land"]))).toEqual(["lab"]);
  });

  it("do not count a supplier's suppliers: those are its own affair", () => {
    const of = graphOf(
      claim("operator:lab part-of parent:lab"),
      claim("operator:lab runs-on owner:cloud"),
      claim("owner:cloud part-of parent:cloud"),
      claim("operator:cloud part-of parent:cloud"),
      claim("owner:cloud sited-at site:mine"),
      claim("site:mine owned-by owner:third"),
      claim("owner:third part-of parent:third"),
    );
    expect(titles(suppliersOf(of, ["parent:lab"]))).toEqual(["cloud"]);
  });
});

describe("customers, investors and rivals", () => {
  it("are found in both directions", () => {
    expect(titles(customersOf(graph, ids("SpaceX")))).toEqual(
      expect.arrayContaining(["Anthropic", "Alphabet", "Reflection AI"]),
    );
    expect(titles(investorsIn(graph, ids("Claude")))).toEqual(["Alphabet", "Amazon", "Microsoft", "NVIDIA"]);
    expect(titles(investmentsOf(graph, ids("AWS")))).toEqual(["Anthropic", "OpenAI"]);
    expect(titles(rivalsOf(graph, ids("xAI")))).toContain("Anthropic");
    expect(titles(rivalsOf(graph, ids("Claude")))).toContain("SpaceX");
  });

  it("name who is both supplier and rival", () => {
    expect(supplierAndRival(graph, ids("Anthropic")).map(({ other }) => other.title)).toEqual([
      "Alphabet",
      "Amazon",
      "Microsoft",
      "SpaceX",
    ]);
    expect(supplierAndRival(graph, ids("OpenAI")).map(({ other }) => other.title)).toContain("Microsoft");
    expect(supplierAndRival(graph, ids("Google")).map(({ other }) => other.title)).toContain("SpaceX");
    expect(supplierAndRival(graph, ids("Colossus"))).not.toEqual([]);
  });

  it("hold on a day", () => {
    const before = new SupplyGraph(seedSupply(), "2026-05-01");
    expect(titles(suppliersOf(before, ids("Anthropic")))).not.toContain("SpaceX");
  });
});

describe("the ways between two", () => {
  it("are the shortest first, each a chain of claims that hang together", () => {
    const paths = pathsBetween(graph, ["operator:xai"], ["operator:anthropic"]);
    expect(paths.length).toBeGreaterThan(0);
    for (const path of paths) {
      let at: SupplyNodeId = "operator:xai";
      for (const { subject, object } of path) {
        expect([subject, object]).toContain(at);
        at = subject === at ? object : subject;
      }
      expect(at).toBe("operator:anthropic");
    }
    const lengths = paths.map(({ length }) => length);
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
    expect(paths.flat().map(({ object }) => object)).toContain("site:colossus-2");
  });

  it("do not go by a rival's rival or by a geography", () => {
    const of = graphOf(
      claim("parent:a competes-with parent:b"),
      claim("parent:b competes-with parent:c"),
      claim("operator:a in-region region:world"),
      claim("operator:c in-region region:world"),
    );
    expect(pathsBetween(of, ["parent:a"], ["parent:b"])).toHaveLength(1);
    expect(pathsBetween(of, ["parent:a"], ["parent:c"])).toEqual([]);
    expect(pathsBetween(of, ["operator:a"], ["operator:c"])).toHaveLength(1);
    const wide = new SupplyGraph(
      {
        version: "t",
        date: "2026-11-21",
        nodes: [{ id: "region:world", title: "World", wide: true }],
        claims: [claim("operator:a in-region region:world"), claim("operator:c in-region region:world")],
      },
      "2026-11-21",
    );
    expect(pathsBetween(wide, ["operator:a"], ["operator:c"])).toEqual([]);
  });
});

describe("contradictions", () => {
  const of = (...claims: readonly Claim[]) => contradictions(claims).map(({ why }) => why);

  it("are shares that no share fits, more than all of a thing, and an unverified claim turned round", () => {
    expect(
      of(
        claim("operator:a runs-on owner:b", { share: [0, 0.2] }),
        claim("operator:a runs-on owner:b", { share: [0.5, 1] }),
      ),
    ).toEqual(["two shares that no share fits"]);
    expect(of(claim("storefront:a operated-by operator:b"), claim("storefront:a operated-by operator:c"))).toEqual([
      "shares of more than all of it",
    ]);
    expect(
      of(claim("parent:a supplies parent:b"), claim("parent:b supplies parent:a", { status: "unverified" })),
    ).toEqual(["said both ways round, and one of them is unverified"]);
  });

  it("are none where both may hold: on other days, in parts, or where two supply each other", () => {
    expect(
      of(
        claim("storefront:a operated-by operator:b", { to: "2026-01-31" }),
        claim("storefront:a operated-by operator:c", { from: "2026-02-01" }),
        claim("operator:a runs-on owner:b", { share: [0, 1] }),
        claim("operator:a runs-on owner:c", { share: [0.5, 1] }),
        claim("parent:a supplies parent:b"),
        claim("parent:b supplies parent:a"),
      ),
    ).toEqual([]);
  });

  it("apart, claims of one edge narrow each other where they are borne out alike, and a weaker one narrows nothing", () => {
    const edge = (...claims: readonly (readonly [Claim["status"], number, number])[]) =>
      graphOf(
        ...claims.map(([status, least, most]) => claim("operator:a runs-on owner:b", { status, share: [least, most] })),
      )
        .from("operator:a")
        .map(({ share }) => share);
    expect(edge(["fact", 0, 1], ["fact", 0.2, 0.6])).toEqual([[0.2, 0.6]]);
    expect(edge(["fact", 0, 1], ["report", 0.2, 0.6])).toEqual([[0, 1]]);
    expect(edge(["fact", 0.3, 0.4], ["report", 0, 1])).toEqual([[0.3, 0.4]]);
    expect(edge(["fact", 0, 0.1], ["fact", 0.5, 0.6])).toEqual([[0, 0.6]]);
    expect(edge(["fact", 0, 1], ["report", 0.9, 1], ["declared", 0.2, 0.6])).toEqual([[0.2, 0.6]]);
  });

  it("are kept in the graph, which allows what any of them allows", () => {
    const both = graphOf(
      claim("operator:a runs-on owner:b", { share: [0, 0.2], status: "report" }),
      claim("operator:a runs-on owner:b", { share: [0.5, 0.6] }),
    );
    expect(both.from("operator:a")).toMatchObject([{ share: [0, 0.6], status: "fact", claims: [{}, {}] }]);
  });
});

describe("what two targets share", () => {
  const groups = (kind: string, model: string) => groupsOf(graph, { provider: kind, kind, model });
  const claude = "anthropic/claude-sonnet-5";

  it("is certain for two storefronts of one operator, possible for tenants of one site, and unknown where nobody knows", () => {
    const own = groups("anthropic", claude);
    expect(sharesKind(own, groups("azure-foundry", claude), "operator")).toBe("certain");
    expect(sharesKind(own, groups("bedrock", claude), "operator")).toBe("none");
    expect(sharesKind(own, groups("openrouter", claude), "operator")).toBe("possible");
    expect(sharesKind(own, groups("xai", "xai/grok-4.6"), "owner")).toBe("possible");
    expect(sharesKind(own, groups("openai-compatible", "qwen/qwen3"), "operator")).toBe("unknown");
  });

  it("lies between the Fréchet bounds of the two shares", () => {
    const group = (share: [number, number]) => [{ kind: "owner", name: "w", share, status: "fact" }] as const;
    expect(sharedGroups(group([0.7, 0.8]), group([0.6, 0.9]))[0]?.share[0]).toBeCloseTo(0.3, 12);
    expect(sharedGroups(group([0.7, 0.8]), group([0.6, 0.9]))[0]?.share[1]).toBe(0.8);
    expect(sharedGroups(group([0, 0.3]), group([0, 0.4]))[0]?.share).toEqual([0, 0.3]);
    expect(sharedGroups(group([0, 0]), group([1, 1]))).toEqual([]);
  });
});
