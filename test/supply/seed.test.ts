import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openCatalogue } from "#catalogue/open-catalogue";
import { openSupply, seedSupply } from "#control/config/open-supply";
import type { Claim } from "#domain/supply";
import { providerKinds } from "#providers/kinds";
import { betaPriors } from "#supply/co-failure";
import { contradictions } from "#supply/contradictions";
import { groupText, kindOf, SupplyGraph } from "#supply/graph";
import { claimStatuses, nodeKinds, readNodeId, relationEnds, relations } from "#supply/relations";
import { groupsOf } from "#supply/target-groups";

const seed = openSupply();
const graph = new SupplyGraph(seedSupply(), "2026-11-21");
const isoDate = /^20\d\d-\d\d-\d\d$/u;

describe("the claims that ship with the gateway", () => {
  it("have a source, a date on which they were read, a relation that takes such ends, and a sensible share", () => {
    const wrong = seed.claims.filter((claim) => {
      const ends = relationEnds[claim.relation];
      const [least, most] = claim.share ?? [1, 1];
      const days = [claim.seen, claim.from ?? claim.seen, claim.to ?? claim.seen];
      return !(
        relations.includes(claim.relation) &&
        ends.from.includes(kindOf(claim.subject)) &&
        ends.to.includes(kindOf(claim.object)) &&
        claim.source.length > 3 &&
        days.every((day) => isoDate.test(day)) &&
        (claim.from ?? "") <= (claim.to ?? "9999") &&
        least >= 0 &&
        least <= most &&
        most <= 1
      );
    });
    expect(wrong).toEqual([]);
  });

  it("name nodes that have a title of their own, each once", () => {
    const ids = seed.nodes.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => readNodeId(id) !== id)).toEqual([]);
    const named = new Set(seed.claims.flatMap(({ subject, object }) => [subject, object]));
    expect([...named].filter((id) => !ids.includes(id))).toEqual([]);
    expect(ids.filter((id) => !named.has(id))).toEqual([]);
  });

  it("call nothing a fact that press, forums or estimates say", () => {
    const hearsay = /\bpress\b|forum|estimate|blog of|\btalk\b/iu;
    const asFact = seed.claims.filter(({ status, source }) => status === "fact" && hearsay.test(source));
    expect(asFact.filter(({ source }) => !source.includes("presscorner"))).toEqual([]);
  });

  it("say nothing twice in the same words", () => {
    const lines = seed.claims.map((claim) => JSON.stringify(claim));
    expect(new Set(lines).size).toBe(lines.length);
  });

  it.each([
    ["OpenAI", "parent:openai"],
    ["Anthropic", "parent:anthropic"],
    ["xAI", "vendor:xai"],
    ["SpaceX", "parent:spacex"],
    ["Colossus", "site:colossus-1"],
    ["Google", "parent:alphabet"],
    ["DeepMind", "vendor:google"],
    ["AWS", "operator:aws"],
    ["Bedrock", "storefront:bedrock"],
    ["Google Cloud", "operator:google-vertex"],
    ["Azure", "operator:microsoft"],
    ["DeepSeek", "vendor:deepseek"],
    ["Qwen", "vendor:qwen"],
    ["Kimi", "vendor:moonshotai"],
  ])("are found by the name %s", (name, id) => {
    expect(graph.find(name).map((node) => node.id)).toContain(id);
    expect(graph.find(name.toUpperCase()).map((node) => node.id)).toContain(id);
  });

  it("call vendors as the catalogue's canonical names do", () => {
    const known = new Set([...openCatalogue("2026-11-21").offers.keys()].map((name) => name.split("/", 1)[0]));
    const vendors = seed.nodes.filter(({ id }) => id.startsWith("vendor:")).map(({ id }) => id.slice("vendor:".length));
    expect(vendors.filter((vendor) => !known.has(vendor))).toEqual([]);
  });

  it("know by its address whose machines a shop's answers come from, whatever the shop is called", () => {
    const asked = { provider: "p", kind: "openai-compatible", model: "vendor/model", host: "api.inference.wandb.ai" };
    const groups = groupsOf(graph, asked).map(
      (group) => `${groupText(group)} ${group.share.join("-")} ${group.status}`,
    );
    expect(groups).toEqual(
      expect.arrayContaining([
        "storefront:wandb 1-1 declared",
        "operator:coreweave 1-1 fact",
        "owner:coreweave 1-1 fact",
      ]),
    );
    const openai = groupsOf(graph, { provider: "o", kind: "openai", model: "openai/gpt-5.4" });
    expect(openai.map((group) => groupText(group))).toContain("owner:coreweave");
  });

  it("agree with what the kinds of providers take for usual, and know the storefront of each that has an operator", () => {
    const differing = [...providerKinds.values()].flatMap((kind) => {
      if (kind.operator === undefined || kind.operator === "ours") return [];
      const groups = groupsOf(graph, { provider: "p", kind: kind.id, model: "vendor/model" });
      const names = (wanted: string) => groups.filter((group) => group.kind === wanted).map(({ name }) => name);
      const operators = names("operator");
      const owners = names("owner");
      const isUsual = operators.includes(kind.operator);
      const ownerKnown = kind.owner === undefined || graph.nodes.has(`owner:${kind.owner}`);
      return isUsual && names("storefront").length === 1 && ownerKnown ? [] : [{ kind: kind.id, operators, owners }];
    });
    expect(differing).toEqual([]);
  });
});

describe("docs/supply.md", () => {
  const documentation = readFileSync(new URL("../../docs/supply.md", import.meta.url), "utf8");
  const rows = documentation.split("\n").filter((line) => line.startsWith("| `"));
  const told = (of: readonly Claim[]) =>
    of.map(({ subject, relation, object }) => `${subject} ${relation} ${object}`).toSorted();
  const cells = rows.flatMap((row) =>
    [...(row.split("|")[1] ?? "").matchAll(/`([^`]+)`/gu)].map(([, name = ""]) => name),
  );

  it("lists every claim that is unverified or contradicted, and no other", () => {
    const unsure = seed.claims.filter(({ status }) => status === "unverified");
    const contradicted = contradictions(seed.claims).flatMap(({ claims }) => claims);
    const expected = [...new Set(told([...unsure, ...contradicted]))];
    expect([...new Set(cells.filter((cell) => cell.split(" ").length === 3))].toSorted()).toEqual(expected.toSorted());
  });

  it("explains every kind of node, every relation with its ends, and every status", () => {
    for (const word of [...nodeKinds, ...relations, ...claimStatuses]) expect(cells).toContain(word);
    for (const [relation, { from, to }] of Object.entries(relationEnds)) {
      if (relation === "supplies" || rows.some((row) => row.startsWith("| `supplies`") && row.includes(relation)))
        continue;
      expect(rows).toContainEqual(
        expect.stringContaining(`| \`${relation}\` | ${from.join(", ")} | ${to.join(", ")} |`),
      );
    }
  });

  it("gives the priors that are used", () => {
    const means = [...documentation.matchAll(/^ {2}\| [^|]+ \| (0\.\d+) \|$/gmu)].map(([, mean]) => Number(mean));
    const { tier, region, storefront, model, operator, vendor } = betaPriors;
    expect(means).toEqual(
      [tier, region, storefront, model, operator, vendor].map(({ alpha, gamma }) => alpha / (alpha + gamma)),
    );
  });
});
