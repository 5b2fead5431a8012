import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { supply } from "#cli/commands/supply";
import { openSupply } from "#control/config/open-supply";
import type { MeasuredPair } from "#domain/supply";
import { ingestRecords } from "#control/store/ingest";
import { openStore, storeFile } from "#control/store/sqlite";
import { ConfigFolder } from "../world/config-folder.ts";
import { runCommand } from "../world/run-command.ts";
import { attemptRecord, callRecord } from "../world/sample-record.ts";

const folder = new ConfigFolder({ A: "key-a" });
afterAll(() => folder.remove());

const hedgerow = (...args: readonly string[]) =>
  runCommand(
    ["supply", ...args, ...(args.includes("--on") || args.includes("hidden") ? [] : ["--on", "2026-11-21"])],
    [supply],
    { cwd: "/" },
  );

async function json(...args: readonly string[]) {
  const ran = await hedgerow(...args, "--json");
  expect([ran.code, ran.err]).toEqual([0, ""]);
  return JSON.parse(ran.out) as Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
}

/** A call every ten minutes of the last week to each of three targets; two fail in the same hour, the third in another. */
function recordWeek(data: string, { together, apart }: { together: readonly string[]; apart: string }): void {
  mkdirSync(data);
  const opened = openStore(join(data, storeFile));
  if (opened.kind === "refused") throw new Error(opened.message);
  const step = 600_000;
  // In the middle of an interval, so that the clock of the command cannot move a call into the next.
  const start = Date.now() - 7 * 86_400_000 + step / 2;
  const records = Array.from({ length: 1000 }, (_, at) =>
    [...together, apart].map((target) => {
      const isBad = target === apart ? at >= 700 && at < 706 : at >= 300 && at < 306;
      const [provider = "", model = ""] = target.split("/");
      const failed = isBad ? ({ outcome: "failed", failure: "upstream_failed" } as const) : {};
      const attempt = attemptRecord({ target, provider, model, startedMs: 0, ...failed });
      return callRecord(`${target} ${at}`, { at: new Date(start + at * step).toISOString(), attempts: [attempt] });
    }),
  ).flat();
  ingestRecords(opened.store, { file: "w1-1-000001.jsonl", fromOffset: 0, toOffset: 1, chainHash: "h" }, records);
  opened.store.close();
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

  it("proposes what recorded calls show and no claim says, and changes nothing", async () => {
    const data = join(folder.path, "records");
    const yaml = `
providers:
  anthropic: { kind: anthropic, key: "\u0024{A}" }
  resold: { kind: openai-compatible, url: "http://127.0.0.1:9/v1" }
  xai: { kind: xai, key: "\u0024{A}" }
`;
    folder.read(yaml);
    recordWeek(data, { together: ["anthropic/claude-x", "resold/claude-x"], apart: "xai/grok-4.6" });
    const io = { cwd: folder.path, env: { A: "key-a" } };
    const ran = await runCommand(["supply", "hidden", "--data", data, "--every", "10m"], [supply], io);
    expect([ran.code, ran.err]).toEqual([0, ""]);
    expect(ran.out).toContain("storefront:anthropic anthropic and provider:resold\n");
    expect(ran.out).toContain("6 of 6 and 6 bad intervals together");
    expect(ran.out).toContain("set `operator: anthropic` at providers.resold");
    expect(ran.out).not.toContain("xai");
    const told = await runCommand(["supply", "hidden", "--data", data, "--every", "10m", "--json"], [supply], io);
    expect(JSON.parse(told.out)).toMatchObject({
      proposals: [{ declare: { provider: "resold", operator: "anthropic" } }],
    });
    const { snapshot: before } = folder.configured(yaml);
    expect(before.measured).toBeUndefined();
    const measured = await runCommand(["supply", "measure", "--data", data, "--every", "10m"], [supply], io);
    expect(measured.out).toMatch(/anthropic\/claude-x +resold\/claude-x +0\.\d\d +0\.\d\d to 0\.\d\d +1 of 1\n/);
    expect(measured.out).toContain("6 pairs of 3 targets measured; 4 of them never failed together");
    const { snapshot } = folder.configured(yaml, { overrides: { data } });
    const isPair = (pair: MeasuredPair) => pair.failed === "anthropic/claude-x" && pair.other === "resold/claude-x";
    const pair = snapshot.measured?.find(isPair);
    expect(pair).toMatchObject({ events: 1, joint: 1 });
    expect(pair?.beta).toBeGreaterThan(0.02);
    expect(snapshot.version).not.toBe(before.version);
    writeFileSync(join(data, "co-failures.json"), "{}");
    const broken = folder.configured(yaml, { overrides: { data } }).snapshot;
    expect(broken.notices.join("\n")).toContain("co-failures.json in the data folder is not read");
    expect(broken.measured).toBeUndefined();
    folder.read(yaml.replace('9/v1"', '9/v1", operator: anthropic'));
    const after = await runCommand(["supply", "hidden", "--data", data, "--every", "10m"], [supply], io);
    expect(after.out).toBe("Of 3 targets, none fail together more than chance and claims explain.\n");
  });

  it.each([
    [["hidden", "--data", "/nowhere"], 1, "without a configuration nobody knows whose the recorded targets are"],
    [["hidden", "--since", "soon"], 2, "--since: "],
    [["show", "Grok", "--since", "1h"], 2, "--since goes with `hidden` and `measure`"],
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
