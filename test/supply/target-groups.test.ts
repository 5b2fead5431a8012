import { describe, expect, it } from "vitest";
import { seedSupply } from "#control/config/open-supply";
import type { Claim, RiskGroup, SupplyData } from "#domain/supply";
import { groupText, SupplyGraph } from "#supply/graph";
import { groupsOf, targetGroups, type SuppliedTarget } from "#supply/target-groups";
import { sampleProvider, sampleSnapshot } from "../world/sample-snapshot.ts";

const graph = new SupplyGraph(seedSupply(), "2026-11-21");

function groups(target: Partial<SuppliedTarget>, of = graph): readonly RiskGroup[] {
  return groupsOf(of, { provider: "p", kind: "openai-compatible", model: "vendor/model", ...target });
}

function texts(target: Partial<SuppliedTarget>, of = graph): readonly string[] {
  return groups(target, of).map((group) => groupText(group));
}

function shareOf(text: string, target: Partial<SuppliedTarget>, of = graph): RiskGroup["share"] | undefined {
  return groups(target, of).find((group) => groupText(group) === text)?.share;
}

function graphOf(
  claims: readonly Pick<Claim, "subject" | "relation" | "object" | "share" | "from" | "to">[],
): SupplyGraph {
  const dated = claims.map((claim): Claim => ({ status: "fact", source: "test", seen: "2026-11-21", ...claim }));
  return new SupplyGraph({ version: "t", date: "2026-11-21", nodes: [], claims: dated }, "2026-11-21");
}

const claude = "anthropic/claude-sonnet-5";

describe("the five storefronts of Claude", () => {
  it("have three operators: Anthropic runs its own, the one on AWS's bill and the one in Foundry", () => {
    const operatorOf = (kind: string) => texts({ kind, model: claude }).filter((text) => text.startsWith("operator:"));
    expect(["anthropic", "claude-on-aws", "azure-foundry", "bedrock", "vertex"].map(operatorOf)).toEqual([
      ["operator:anthropic"],
      ["operator:anthropic"],
      ["operator:anthropic"],
      ["operator:aws"],
      ["operator:google-vertex"],
    ]);
  });

  it("give Foundry's other models to Microsoft", () => {
    expect(texts({ kind: "azure-foundry", model: "mistral/mistral-large" })).toContain("operator:microsoft");
  });
});

describe("the groups of a target", () => {
  it("always hold its provider and its model, whole", () => {
    expect(groups({})).toEqual([
      { kind: "provider", name: "p", share: [1, 1], status: "declared" },
      { kind: "model", name: "vendor/model", share: [1, 1], status: "declared" },
    ]);
  });

  it("name no operator where nobody said one: unknown is not apart", () => {
    expect(texts({}).some((text) => text.startsWith("operator:"))).toBe(false);
  });

  it("hold owners and sites with what is not published as [0, 1]", () => {
    expect(shareOf("owner:spacex", { kind: "anthropic", model: claude })).toEqual([0, 1]);
    expect(shareOf("site:colossus-1", { kind: "anthropic", model: claude })).toEqual([0, 1]);
    expect(shareOf("owner:aws", { kind: "bedrock", model: claude })).toEqual([1, 1]);
  });

  it("multiply shares along a path, and take of two paths the larger at the least and both at the most", () => {
    const of = graphOf([
      { subject: "storefront:shop", relation: "operated-by", object: "operator:o", share: [0.5, 0.8] },
      { subject: "operator:o", relation: "runs-on", object: "owner:w", share: [0.4, 0.5] },
      { subject: "operator:o", relation: "sited-at", object: "site:s", share: [0.1, 0.25] },
      { subject: "site:s", relation: "owned-by", object: "owner:w" },
    ]);
    const target = { kind: "shop" };
    expect(shareOf("site:s", target, of)).toEqual([0.05, 0.2]);
    const [least, most] = shareOf("owner:w", target, of) ?? [];
    expect(least).toBeCloseTo(Math.max(0.5 * 0.4, 0.5 * 0.1), 12);
    expect(most).toBeCloseTo(0.8 * 0.5 + 0.8 * 0.25, 12);
  });

  it("are as borne out as the weakest claim on the way", () => {
    const status = groups({ kind: "mistral", model: "mistral/m" }).find(({ name }) => name === "coreweave")?.status;
    expect(status).toBe("unverified");
  });

  it("follow a circle of claims once", () => {
    const of = graphOf([
      { subject: "storefront:shop", relation: "operated-by", object: "operator:o" },
      { subject: "operator:o", relation: "sited-at", object: "site:a" },
      { subject: "site:a", relation: "owned-by", object: "owner:w" },
      { subject: "owner:w", relation: "sited-at", object: "site:a" },
    ]);
    expect(texts({ kind: "shop" }, of).toSorted()).toEqual([
      "model:vendor/model",
      "operator:o",
      "owner:w",
      "provider:p",
      "site:a",
      "storefront:shop",
    ]);
  });

  it("leave out what does not hold on the day", () => {
    const before = new SupplyGraph(seedSupply(), "2026-04-01");
    expect(texts({ kind: "anthropic", model: claude }, before)).not.toContain("site:colossus-1");
    expect(texts({ kind: "anthropic", model: claude })).toContain("site:colossus-1");
  });
});

describe("what the configuration declares", () => {
  it("puts another operator in the place of the claimed one, with its own owners and no login or edge of the other", () => {
    const declared = texts({ kind: "openai", model: "openai/gpt-5.4", operator: "Azure" });
    expect(declared).toContain("operator:microsoft");
    expect(declared).toContain("owner:microsoft");
    expect(declared).not.toContain("operator:openai");
    expect(declared).not.toContain("edge:cloudflare");
  });

  it("makes whole what the claims leave open", () => {
    const target = { kind: "openrouter", model: claude };
    expect(shareOf("operator:aws", target)).toEqual([0, 1]);
    expect(shareOf("operator:aws", { ...target, operator: "aws" })).toEqual([1, 1]);
    expect(texts({ ...target, operator: "aws" })).not.toContain("operator:anthropic");
  });

  it("drops owners and the sites of other owners, and keeps the edge", () => {
    const declared = texts({ kind: "anthropic", model: claude, owner: "aws" });
    expect(declared.filter((text) => text.startsWith("owner:"))).toEqual(["owner:aws"]);
    expect(declared).not.toContain("site:colossus-1");
    expect(declared).toContain("edge:cloudflare");
  });

  it("names a region, and a geography is none: two targets in it need not be near each other", () => {
    expect(texts({ kind: "bedrock", model: claude, region: "eu-central-1" })).toContain("region:eu-central-1");
    expect(texts({ kind: "vertex", model: claude, region: "global" })).not.toContain("region:global");
    expect(texts({ kind: "xai", model: "xai/grok-4.6" })).not.toContain("region:global");
  });

  it("comes before what is usual of the kind, which comes after every claim", () => {
    const usual = { operator: "ours", owner: "ours" };
    expect(texts({ kind: "ollama", usual })).toEqual([
      "provider:p",
      "model:vendor/model",
      "operator:ours",
      "owner:ours",
    ]);
    expect(texts({ kind: "ollama", usual, operator: "a-host" })).toContain("operator:a-host");
    expect(texts({ kind: "bedrock", model: claude, usual })).not.toContain("operator:ours");
  });
});

describe("the host that is asked", () => {
  it("says more than the kind: whoever asks xAI by an OpenAI-compatible client is at xAI", () => {
    expect(texts({ host: "api.x.ai", model: "xai/grok-4.6" })).toContain("operator:xai");
    expect(texts({ host: "my-resource.services.ai.azure.com", model: claude })).toContain("operator:anthropic");
    expect(texts({ host: "127.0.0.1" })).not.toContain("operator:xai");
  });

  it("names its region where its own address does", () => {
    expect(texts({ kind: "xai", host: "eu-west-1.api.x.ai", model: "xai/grok-4.6" })).toContain("region:eu-west-1");
  });
});

describe("the groups of a snapshot's targets", () => {
  const supply: SupplyData = seedSupply();
  const snapshot = sampleSnapshot(
    [
      sampleProvider("bedrock", { kind: "bedrock", origin: "https://bedrock-runtime.eu-west-3.amazonaws.com" }),
      sampleProvider("mine", { operator: "ours", usual: { operator: "theirs" } }),
    ],
    [],
    { supply },
  );
  const of = targetGroups(snapshot, "2026-11-21");
  const target = (provider: string, model: string) => ({
    id: `${provider}/${model}`,
    provider,
    model,
    lastResort: false,
  });

  it("are the same object when asked again", () => {
    expect(of(target("bedrock", "x"))).toBe(of(target("bedrock", "x")));
  });

  it("tell declared from usual", () => {
    expect(of(target("mine", "x")).map((group) => groupText(group))).toContain("operator:ours");
    expect(of(target("bedrock", "x")).map((group) => groupText(group))).toContain("operator:aws");
  });

  it("know of a provider that is gone its name only", () => {
    expect(of(target("gone", "x")).map((group) => groupText(group))).toEqual(["provider:gone", "model:x"]);
  });
});
