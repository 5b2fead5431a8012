import { afterAll, describe, expect, it } from "vitest";
import { supply } from "#cli/commands/supply";
import { openSupply } from "#control/config/open-supply";
import { ConfigFolder } from "../world/config-folder.ts";
import { runCommand } from "../world/run-command.ts";

const folder = new ConfigFolder({ A: "key-a" });
afterAll(() => folder.remove());

const hedgerow = (...args: readonly string[]) =>
  runCommand(["supply", ...args, ...(args.includes("--on") ? [] : ["--on", "2026-11-21"])], [supply], { cwd: "/" });

async function json(...args: readonly string[]) {
  const ran = await hedgerow(...args, "--json");
  expect([ran.code, ran.err]).toEqual([0, ""]);
  return JSON.parse(ran.out) as Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
}

describe("hedgerow supply", () => {
  it("tells how much is claimed and how far it is borne out", async () => {
    const ran = await hedgerow();
    expect(ran.out).toMatch(
      /^supply graph [0-9a-f]{12}, gone through on \d{4}-\d\d-\d\d\n\d+ claims: \d+ unverified, /,
    );
  });

  it.each([
    ["OpenAI", "parent:openai"],
    ["Anthropic", "operator:anthropic"],
    ["xAI", "vendor:xai"],
    ["SpaceX", "owner:spacex"],
    ["colossus", "site:colossus-2"],
    ["Google", "owner:google"],
    ["DeepMind", "vendor:google"],
    ["AWS", "operator:aws"],
    ["Bedrock", "storefront:bedrock"],
    ["Google Cloud", "operator:google-vertex"],
    ["Azure", "operator:microsoft"],
    ["DeepSeek", "storefront:deepseek"],
    ["Qwen", "vendor:qwen"],
    ["Kimi", "vendor:moonshotai"],
  ])("shows %s with every claim's status, source and date", async (name, id) => {
    const ran = await hedgerow("show", name);
    expect(ran.code).toBe(0);
    expect(ran.out).toContain(`(${id})`);
    expect(ran.out).toMatch(/\[.*(?:fact|report|unverified), seen 2026-11-21.*\]\n +\S/);
    const { nodes = [] } = await json("show", name);
    expect(nodes.map((node) => node["id"])).toContain(id);
  });

  it("names who is supplier and rival of Anthropic at once, with both claims", async () => {
    const ran = await hedgerow("both", "Anthropic");
    expect(ran.out).toContain(
      "SpaceX (parent:spacex)\n  supplies (fact):\n    parent:spacex supplies parent:anthropic",
    );
    expect(ran.out).toContain("SpaceX S-1 of 2026-05-20");
    expect((await json("both", "Anthropic"))["both"]).toHaveLength(4);
  });

  it("says which claims lie between Grok and Claude", async () => {
    const ran = await hedgerow("between", "Grok", "Claude");
    expect(ran.out).toContain("parent:spacex supplies parent:anthropic");
    expect(ran.out).toContain("site:colossus-1");
    expect((await hedgerow("between", "DeepMind", "Google Cloud")).out).toContain("part-of parent:alphabet");
  });

  it.each(["suppliers", "customers", "rivals", "investors", "investments"])("answers for %s", async (what) => {
    const relations = (await json(what, "Alphabet"))[what] ?? [];
    const table = await hedgerow(what, "Alphabet");
    for (const { other } of relations) expect(table.out).toContain((other as { title: string }).title);
  });

  it("lists claims by how far they are borne out, and those that contradict each other", async () => {
    const unverified = openSupply().claims.filter(({ status }) => status === "unverified");
    expect((await json("claims", "--status", "unverified"))["claims"]).toEqual(unverified);
    expect((await json("claims"))["claims"]).toEqual(openSupply().claims);
    expect((await hedgerow("claims", "--status", "declared")).out).toBe("No claim is of that status.\n");
    expect((await hedgerow("contradictions")).out).toContain("said both ways round");
  });

  it("stands as of a day", async () => {
    expect((await hedgerow("suppliers", "Anthropic", "--on", "2026-05-01")).out).not.toContain("parent:spacex");
    expect((await hedgerow("suppliers", "Anthropic")).out).toContain("parent:spacex");
  });

  it("includes what the configuration claims", async () => {
    const claim = "{ subject: operator:ours, relation: runs-on, object: owner:aws, source: our contract }";
    folder.read(`providers: { anthropic: { kind: anthropic, key: "\u0024{A}" } }\nsupply: [${claim}]\n`);
    const ran = await runCommand(["supply", "show", "ours"], [supply], { cwd: folder.path, env: { A: "key-a" } });
    expect(ran.out).toContain("operator:ours runs-on owner:aws  [declared, ");
    expect(ran.out).toContain("our contract");
  });

  it.each([
    [["show", "Antropic"], 1, 'nobody is called "Antropic"; did you mean'],
    [["show"], 2, "a name is missing"],
    [["between", "Grok"], 2, "`between` takes two names"],
    [["show", "Google", "Cloud"], 2, "quote names of several words"],
    [["supliers", "OpenAI"], 2, "did you mean suppliers?"],
    [["claims", "--status", "sure"], 2, "--status takes unverified, report, fact, declared"],
    [["show", "Grok", "--status", "fact"], 2, "--status goes with `claims`"],
    [["show", "Grok", "--on", "tomorrow"], 2, "--on takes a day such as 2026-11-21"],
    [["-c", "/nowhere.yaml"], 1, "there is no such file"],
  ])("refuses %j", async (args, code, words) => {
    const ran = await hedgerow(...args);
    expect(ran.code).toBe(code);
    expect(ran.err).toContain(words);
  });
});
