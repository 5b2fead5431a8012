import { afterAll, describe, expect, it } from "vitest";
import { drill } from "#cli/commands/drill";
import { catalogueTraits } from "#control/config/catalogue-traits";
import { drillReport, type DrillCase, type DrillReport } from "#control/reports/drill";
import { ingestRecords } from "#control/store/ingest";
import { openStore } from "#control/store/sqlite";
import { targetGroups } from "#supply/target-groups";
import { ConfigFolder } from "../world/config-folder.ts";
import { attemptRecord, callRecord } from "../world/sample-record.ts";
import { dayWorld } from "./day-world.ts";
import { expectGolden } from "./golden-text.ts";
import { recordedDay } from "./recorded-day.ts";

const { run } = dayWorld([drill]);
const config = new ConfigFolder({});
afterAll(() => config.remove());

async function drilled(down: string, ...args: readonly string[]): Promise<DrillReport> {
  const ran = await run("drill", "--down", down, "--since", "1d", "--json", ...args);
  expect([ran.code, ran.err]).toEqual([0, ""]);
  return JSON.parse(ran.out) as DrillReport;
}

const certain = ({ cases }: DrillReport): DrillCase => {
  const found = cases.find((each) => each.case === "certain");
  if (found === undefined) throw new Error("nothing hangs on it for sure");
  return found;
};

const day = recordedDay();
const answered = day.filter(({ committed }) => committed);
const met = answered.filter(({ attempts }) => attempts.some(({ provider }) => provider === "anthropic"));
const on = (route: string) => met.filter((record) => record.route === route);
const flow = (of: DrillCase, route: string, from: string) =>
  of.flows.find((each) => each.route === route && each.from.startsWith(`${from}/`));

describe("hedgerow drill", { timeout: 60_000 }, () => {
  it("prints the day as it would have been", async () => {
    for (const down of ["operator:anthropic", "owner:aws", "provider:openai"]) {
      const ran = await run("drill", "--down", down, "--since", "1d");
      expect([ran.code, ran.err]).toEqual([0, ""]);
      expectGolden(`drill-${down.replace(":", "-")}.txt`, ran.out);
    }
    expectGolden("drill.csv", (await run("drill", "--down", "operator:anthropic", "--csv")).out);
  });

  it("loses what has no backup, and reroutes the rest: as a count of the records says", async () => {
    const made = await drilled("operator:anthropic");
    const found = certain(made);
    expect(made.calls).toBe(day.length);
    expect(found.targets).toEqual(["anthropic/claude-sonnet-5"]);
    expect(found.touched).toBe(met.length);
    expect(found.lost).toBe(on("alone").length);
    expect(found.rerouted).toBe(on("default").filter(({ attempts }) => attempts.length === 1).length);
    // The morning's outage is the same with and without the drill.
    expect(flow(found, "default", "bedrock")).toMatchObject({
      to: "bedrock/anthropic.claude-sonnet-5",
      calls: on("default").filter(({ attempts }) => attempts.length === 2).length,
    });
    const down = day.filter(({ attempts }) => attempts.some(({ failure }) => failure !== undefined));
    expect(found.failedAnyway).toBe(
      down.filter(({ committed, attempts }) => !committed && attempts[0]?.provider === "anthropic").length,
    );
  });

  it("prices moved calls token by token at the backup's rates: Σ tokens × price", async () => {
    const found = flow(certain(await drilled("operator:anthropic")), "default", "anthropic");
    const moved = on("default").filter(({ attempts }) => attempts.length === 1);
    const cost = (input: number, output: number) =>
      moved.reduce((sum, { usage }) => {
        return sum + Math.round(((usage?.inputUncached ?? 0) * input + (usage?.output ?? 0) * output) * 1000);
      }, 0);
    expect(found?.costNanoUsd).toEqual({ before: cost(2, 10), after: cost(2.2, 11) });
  });

  it("expects the backup's recorded speed, behind the time that a recorded failure took", async () => {
    const found = flow(certain(await drilled("operator:anthropic")), "default", "anthropic");
    const firsts = answered
      .flatMap(({ attempts }) =>
        attempts.filter(({ provider, outcome }) => provider === "bedrock" && outcome === "answered"),
      )
      .map(({ firstContentMs = 0, startedMs }) => firstContentMs - startedMs)
      .toSorted((a, b) => a - b);
    // Attempts at Anthropic that failed by a fault lasted 800 ms; nearest rank of twenty: the tenth and the nineteenth.
    expect(firsts).toHaveLength(20);
    expect(found?.firstContentMs.p50After).toBe(800 + (firsts[9] ?? 0));
    expect(found?.firstContentMs.p95After).toBe(800 + (firsts[18] ?? 0));
  });

  it("lets fail again what failed when the call was recorded, and takes --detect where no failure was", async () => {
    const found = flow(certain(await drilled("provider:bedrock", "--detect", "2s")), "default", "bedrock");
    const openai = answered
      .flatMap(({ attempts }) =>
        attempts.filter(({ provider, outcome }) => provider === "openai" && outcome === "answered"),
      )
      .map(({ firstContentMs = 0, startedMs }) => firstContentMs - startedMs)
      .toSorted((a, b) => a - b);
    // Anthropic failed those calls after 800 ms, Bedrock fails them after the two seconds that were asked for.
    const median = openai[Math.ceil(openai.length / 2) - 1] ?? 0;
    expect(found).toMatchObject({ to: "openai/gpt-5.4", calls: 20, failedAttempts: 40 });
    expect(found?.firstContentMs.p50After).toBe(800 + 2000 + median);
  });

  it("lets nobody stand in for a call of tools who is known to call none", async () => {
    const opened = openStore(":memory:");
    if (opened.kind !== "opened") throw new Error(opened.message);
    const first = { target: "first/m", provider: "first", model: "m" };
    const records = ["stop", "tools", "tools"].map((finish, at) =>
      callRecord(`req_${at}`, { finish, requestedModel: "pair", route: "pair", attempts: [attemptRecord(first)] }),
    );
    ingestRecords(opened.store, { file: "w1-1-000001.jsonl", fromOffset: 0, toOffset: 1, chainHash: "h" }, records);
    const { snapshot } = config.configured(`
providers:
  first: { kind: openai-compatible, url: "http://127.0.0.1:1", operator: one, models: { m: { tools: true } } }
  plain: { kind: openai-compatible, url: "http://127.0.0.1:2", operator: two, models: { m: { tools: false } } }
  able: { kind: openai-compatible, url: "http://127.0.0.1:3", operator: three, models: { m: { tools: true } } }
routes:
  pair: { targets: [first/m, { target: plain/m, despite: critical }, able/m] }
`);
    const made = await drillReport(opened.store, {
      window: { fromMs: 0, untilMs: Date.parse("2027-01-01T00:00:00Z") },
      down: "operator:one",
      detectMs: 1000,
      snapshot,
      traitsOf: catalogueTraits("2026-11-21"),
      groupsOf: targetGroups(snapshot, "2026-11-21"),
    });
    opened.store.close();
    expect(certain(made)).toMatchObject({ touched: 3, calledTools: 2, lost: 0 });
    expect(certain(made).flows.map(({ to, calls }) => [to, calls])).toEqual([
      ["able/m", 2],
      ["plain/m", 1],
    ]);
  });

  it("takes for a call's answer the one that was given, not one that was doubted before it", async () => {
    const opened = openStore(":memory:");
    if (opened.kind !== "opened") throw new Error(opened.message);
    const unsure = attemptRecord({ target: "first/m", provider: "first", model: "m", outcome: "doubted" });
    const sure = attemptRecord({ target: "second/m", provider: "second", model: "m", startedMs: 900, endedMs: 1500 });
    const escalated = {
      decision: "escalated",
      requestedModel: "pair",
      route: "pair",
      attempts: [unsure, sure],
    } as const;
    const records = [0, 1].map((at) => callRecord(`req_${at}`, escalated));
    ingestRecords(opened.store, { file: "w1-1-000001.jsonl", fromOffset: 0, toOffset: 1, chainHash: "h" }, records);
    const flows = async (down: string, third: string, exhausted: string) => {
      const { snapshot } = config.configured(`
providers:
  first: { kind: openai-compatible, url: "http://127.0.0.1:1", operator: one }
  second: { kind: openai-compatible, url: "http://127.0.0.1:2", operator: two }
  third: { kind: openai-compatible, url: "http://127.0.0.1:3", operator: ${third} }
routes:
  pair: { targets: [first/m, second/m, third/m], confidence: { min: 0.85, exhausted: ${exhausted} } }
`);
      const made = await drillReport(opened.store, {
        window: { fromMs: 0, untilMs: Date.parse("2027-01-01T00:00:00Z") },
        down,
        detectMs: 1000,
        snapshot,
        traitsOf: catalogueTraits("2026-11-21"),
        groupsOf: targetGroups(snapshot, "2026-11-21"),
      });
      return certain(made).flows.map(({ from, to, calls, failedAttempts }) => ({ from, to, calls, failedAttempts }));
    };
    const from = { from: "second/m", calls: 2 };
    // Without the unsure one the call is answered as it was; without the sure one it is the next who is asked.
    expect(await flows("operator:one", "three", "refuse")).toEqual([{ ...from, to: "second/m", failedAttempts: 2 }]);
    expect(await flows("operator:two", "three", "refuse")).toEqual([{ ...from, to: "third/m", failedAttempts: 2 }]);
    // Nobody else is there: the unsure answer is what is left, where the route gives such.
    expect(await flows("operator:two", "two", "best")).toEqual([{ ...from, to: "first/m", failedAttempts: 4 }]);
    expect(await flows("operator:two", "two", "refuse")).toEqual([{ ...from, to: undefined, failedAttempts: 4 }]);
    opened.store.close();
  });

  it("counts the busiest minute at each backup against its account's limits", async () => {
    const [bedrock] = certain(await drilled("operator:anthropic")).capacity;
    const byMinute = new Map<number, { requests: number; tokens: number }>();
    for (const { at, usage } of on("default")) {
      const minute = Math.floor(Date.parse(at) / 60_000);
      const { requests = 0, tokens = 0 } = byMinute.get(minute) ?? {};
      const more = (usage?.inputUncached ?? 0) + (usage?.output ?? 0);
      byMinute.set(minute, { requests: requests + 1, tokens: tokens + more });
    }
    const minutes = [...byMinute.values()];
    expect(bedrock).toMatchObject({
      provider: "bedrock",
      moved: on("default").filter(({ attempts }) => attempts.length === 1).length,
      peakRequests: Math.max(...minutes.map(({ requests }) => requests)),
      peakTokens: Math.max(...minutes.map(({ tokens }) => tokens)),
      limits: { rpm: 1, tpm: 100_000 },
      minutesOver: minutes.filter(({ requests, tokens }) => requests > 1 || tokens > 100_000).length,
      requestsOver: minutes.reduce((sum, { requests }) => sum + requests - 1, 0),
    });
  });

  it("tells what may hang on a group from what surely does", async () => {
    const { cases } = await drilled("owner:aws");
    expect(cases.map((each) => [each.case, each.targets.length > 1])).toEqual([
      ["certain", false],
      ["possible", true],
    ]);
    const [sure, possible] = cases;
    expect(possible?.lost ?? 0).toBeGreaterThan(sure?.lost ?? 0);
  });

  it("does not move what a spread forbids: nobody is left for calls whose backup shares the operator", async () => {
    const { lost, flows } = certain(await drilled("model:anthropic/claude-sonnet-5"));
    expect(lost).toBe(on("alone").length);
    expect(flow({ flows } as DrillCase, "default", "anthropic")).toMatchObject({ to: "openai/gpt-5.4" });
  });

  it.each([
    [["--down", "operator:antropic"], 1, "no target hangs on operator:antropic; did you mean operator:anthropic"],
    [[], 2, "--down is missing"],
    [["--down", "operator:aws", "--detect", "soon"], 2, "--detect: expected a duration"],
  ])("refuses %j", async (args, code, words) => {
    const ran = await run("drill", ...args);
    expect([ran.code, ran.err]).toEqual([code, expect.stringContaining(words)]);
  });
});
