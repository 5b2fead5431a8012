import { readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { ConfigFolder } from "../world/config-folder.ts";
import { openSupply } from "#control/config/open-supply";
import type { Claim } from "#domain/supply";
import { describeChange } from "#planes/describe-change";
import { openSnapshot, sealSnapshot } from "#planes/sealed-snapshot";

const folder = new ConfigFolder({ A: "key-a" });
afterAll(() => folder.remove());

const providers = "providers: { anthropic: { kind: anthropic, key: \u0024{A} } }\n";
const withClaims = (...claims: readonly string[]) =>
  providers + (claims.length === 0 ? "" : `supply:\n${claims.map((claim) => `  - { ${claim} }\n`).join("")}`);
const snapshotOf = (...claims: readonly string[]) => folder.configured(withClaims(...claims)).snapshot;
const own = (...claims: readonly string[]): readonly Claim[] =>
  snapshotOf(...claims).supply.claims.slice(openSupply().claims.length);
const problem = (claim: string) => folder.problems(withClaims(claim)).join("\n");

describe("the supply graph of a configuration", () => {
  it("is the seed where nothing is claimed, with a version of twelve hex digits", () => {
    const { supply } = snapshotOf();
    expect(supply).toEqual({ version: expect.stringMatching(/^[0-9a-f]{12}$/u) as string, ...openSupply() });
  });

  it("has the operator's claims behind the seed's: declared, today, from the configuration, unless they say more", () => {
    expect(
      own(
        "subject: operator:ours, relation: runs-on, object: owner:aws",
        "subject: Anthropic's serving, relation: runs-on, object: owner:google, share: 0.3, status: report, " +
          "source: a talk, seen: 2026-10-02, from: 2026-01-01, to: 2027-01-01, note: a guess",
        "subject: operator:anthropic, relation: runs-on, object: owner:aws, share: [0.2, 0.6]",
      ),
    ).toEqual([
      {
        subject: "operator:ours",
        relation: "runs-on",
        object: "owner:aws",
        status: "declared",
        source: "configuration",
        seen: expect.stringMatching(/^20\d\d-\d\d-\d\d$/u) as string,
      },
      {
        subject: "operator:anthropic",
        relation: "runs-on",
        object: "owner:google",
        share: [0.3, 0.3],
        status: "report",
        source: "a talk",
        seen: "2026-10-02",
        from: "2026-01-01",
        to: "2027-01-01",
        note: "a guess",
      },
      expect.objectContaining({ share: [0.2, 0.6] }) as Claim,
    ]);
  });

  it("gives another version of graph and snapshot for any change of a claim, its dates included", () => {
    const claim = "subject: operator:ours, relation: runs-on, object: owner:aws, seen: 2026-01-01";
    const versions = [[], [claim], [`${claim}, from: 2026-02-01`], [`${claim}, share: 0.5`]].map((claims) => {
      const { version, supply } = snapshotOf(...claims);
      return [version, supply.version] as const;
    });
    expect(new Set(versions.map(([version]) => version)).size).toBe(versions.length);
    expect(new Set(versions.map(([, version]) => version)).size).toBe(versions.length);
  });

  it("reaches workers as it is, and a reload says that it changed", () => {
    const claim = "subject: operator:ours, relation: runs-on, object: owner:aws, seen: 2026-01-01";
    const snapshot = snapshotOf(claim);
    expect(openSnapshot(sealSnapshot(snapshot)).supply).toEqual(snapshot.supply);
    expect(describeChange(snapshotOf(), snapshot)).toEqual(["what is claimed of supply changed"]);
  });

  it.each([
    [
      "a mistyped node",
      "subject: operator:antropic, relation: runs-on, object: owner:aws",
      'mean "operator:anthropic"?',
    ],
    ["a mistyped relation", "subject: operator:ours, relation: run-on, object: owner:aws", 'did you mean "runs-on"?'],
    ["a name that nobody has", "subject: Anthropik, relation: runs-on, object: owner:aws", 'did you mean "anthropic"?'],
    [
      "a name of several things",
      "subject: parent:spacex, relation: supplies, object: openai",
      '"openai" means several things; write',
    ],
    [
      "a name of something else",
      "subject: Bedrock, relation: runs-on, object: Bedrock",
      '"Bedrock" is storefront:bedrock, and the object has to be owner or chip',
    ],
    [
      "a claim turned round",
      "subject: operator:aws, relation: operated-by, object: storefront:bedrock",
      "is the claim turned round?",
    ],
    ["a share above one", "subject: operator:aws, relation: runs-on, object: owner:aws, share: 1.2", "at most 1"],
    [
      "a share that ends first",
      "subject: operator:aws, relation: runs-on, object: owner:aws, share: [0.6, 0.2]",
      "least",
    ],
    [
      "three shares",
      "subject: operator:aws, relation: runs-on, object: owner:aws, share: [0, 0.2, 1]",
      "[least, most]",
    ],
    ["no day", "subject: operator:aws, relation: runs-on, object: owner:aws, from: yesterday", "2026-11-21"],
    [
      "an end before the beginning",
      "subject: operator:aws, relation: runs-on, object: owner:aws, from: 2026-02-01, to: 2026-01-01",
      "ends before it begins",
    ],
  ])("refuses %s", (_, claim, words) => {
    expect(problem(claim)).toContain(words);
  });

  it("takes what differs from another in its number, and any region, for new", () => {
    expect(own("subject: operator:aws, relation: in-region, object: region:us-east-11")).toHaveLength(1);
    expect(own("subject: operator:aws, relation: sited-at, object: site:colossus-3")).toHaveLength(1);
    expect(problem("subject: operator:aws, relation: sited-at, object: site:colosus-1")).toContain(
      '"site:colossus-1"?',
    );
  });

  it("takes a new name that resembles another where it is said to be meant, or where a provider has it", () => {
    const claim = "subject: operator:antropic, relation: runs-on, object: owner:aws";
    expect(own(`${claim}, new: true`)).toHaveLength(1);
    const declared = withClaims(claim).replace("kind: anthropic,", "kind: anthropic, operator: antropic,");
    expect(folder.configured(declared).snapshot.supply.claims.at(-1)?.subject).toBe("operator:antropic");
  });
});

describe("the documentation", () => {
  it.each(["supply", "configuration"])("has examples of claims in docs/%s.md that are taken", (page) => {
    const text = readFileSync(new URL(`../../docs/${page}.md`, import.meta.url), "utf8");
    const blocks = [...text.matchAll(/```yaml\n(supply:\n[^`]+)```/gu)].map(([, block = ""]) => block);
    expect(blocks.length).toBeGreaterThan(0);
    for (const block of blocks) expect(folder.problems(providers + block)).toEqual(["configured"]);
  });
});

describe("what a provider's entry says", () => {
  it("is kept apart from what is usual of its kind", () => {
    const silent = folder.configured(providers).snapshot.providers.get("anthropic");
    expect(silent).toMatchObject({ usual: { operator: "anthropic" } });
    expect(silent).not.toHaveProperty("operator");
    const declared = providers.replace("kind: anthropic,", "kind: anthropic, operator: somebody,");
    expect(folder.configured(declared).snapshot.providers.get("anthropic")).toMatchObject({
      operator: "somebody",
      usual: { operator: "anthropic" },
    });
  });
});
