import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { replay } from "#cli/commands/replay";
import { seedSupply } from "#control/config/open-supply";
import { poissonArrivals } from "#simulation/outages/arrivals";
import { modelWorlds } from "#simulation/outages/model-world";
import { readOutages, type Outages } from "#simulation/outages/read-outages";
import type { OutageReplay, PriceOf } from "#simulation/outages/play-models";
import { replayOutages, type ReplayReport } from "#simulation/outages/replay-outages";
import { seededChance } from "#simulation/outages/seeded-chance";
import type { Summary } from "#simulation/outages/summarise";
import { runCommand } from "../world/run-command.ts";
import { isRewriting, rewrite, written } from "../world/written.ts";
import { madeUp, writeOutages } from "./made-up-outages.ts";

const golden = "test/outages/golden.txt";
const days = 12;
const trainingDays = 6;
let folder: string;
let report: ReplayReport;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hedgerow-outages-"));
  writeOutages(folder, madeUp, days);
  report = played();
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function outages(from = folder): Outages {
  const read = readOutages(from);
  if (read.kind !== "read") throw new Error(read.why);
  return read.outages;
}

function played({ priceOf, ...more }: Partial<OutageReplay> & { priceOf?: PriceOf } = {}): ReplayReport {
  const asked = {
    outages: outages(),
    supply: seedSupply(),
    arrivals: poissonArrivals(seededChance(1)),
    seed: 1,
    trainingDays,
    judgedDays: 100,
    callsPerWindow: 50,
    ...more,
  };
  return replayOutages(asked, priceOf === undefined ? {} : { priceOf });
}

function of(policy: string, { summaries }: ReplayReport): Summary {
  const found = summaries.find((each) => each.policy === policy);
  if (found === undefined) throw new Error(`there is no ${policy}`);
  return found;
}

/** The chances multiplied by hand, over judged half hours with two there: of the first two in an order, of each model. */
function byHand(orderOf: (shares: readonly number[], model: string) => readonly number[]): number {
  const means = [...new Set(madeUp.map(({ model }) => model))].slice(0, 2).map((model) => {
    const hosts = madeUp.filter((each) => each.model === model);
    const products: number[] = [];
    for (let slot = trainingDays * 4; slot < days * 4; slot += 1) {
      const shares = hosts.map(({ failing }) => (failing(Math.floor(slot / 4), slot % 4) ?? Number.NaN) / 100);
      const known = orderOf(shares, model).filter((at) => !Number.isNaN(shares[at]));
      products.push(known.slice(0, 2).reduce((product, at) => product * (shares[at] ?? 1), 1));
    }
    return products.reduce((sum, each) => sum + each, 0) / products.length;
  });
  return means.reduce((sum, each) => sum + each, 0) / means.length;
}

// A busy machine takes its time for some hundred thousand calls.
vi.setConfig({ testTimeout: 60_000 });

describe("who runs what, by the supply graph", () => {
  it("knows a shop from the operator behind it, and takes models of one operating parent for no choice", () => {
    const { endpoints, windows } = outages();
    const worlds = modelWorlds(endpoints, { supply: seedSupply(), training: windows.slice(0, trainingDays * 4) });
    expect(worlds.map(({ model, choices }) => [model, choices.map(({ parent }) => parent)])).toEqual([
      ["anthropic/claude-made-up-1", ["anthropic", "anthropic", "anthropic", "amazon"]],
      ["meta-llama/llama-made-up-1", ["costly", "fickle", "plain"]],
    ]);
  });

  it("leaves out who was not there on the days before", () => {
    const { endpoints, windows } = outages();
    const late = windows.map(({ success, startMs, endMs }, at) => {
      const seen = success.map((share, column) => (column === 3 && at > 0 ? Number.NaN : share));
      return { startMs, endMs, success: seen };
    });
    const worlds = modelWorlds(endpoints, { supply: seedSupply(), training: late.slice(0, trainingDays * 4) });
    expect(worlds.map(({ model }) => model)).toEqual(["meta-llama/llama-made-up-1"]);
  });
});

describe("a replay of outages", () => {
  it("expects of the oracle what multiplying the two best chances of every half hour gives", () => {
    const best = byHand((shares) => [...shares.keys()].toSorted((a, b) => (shares[a] ?? 1) - (shares[b] ?? 1)));
    expect(of("oracle", report).failing.value).toBeCloseTo(best, 10);
  });

  it("fails under the ordered list no oftener than the list's first two together, and within what was drawn", () => {
    const inOrder = byHand((shares) => [...shares.keys()]);
    const { failing, drawnFailing, calls } = of("ordered list", report);
    // The list passes over what is parked, so that it does better than the product over the first two.
    expect(failing.value).toBeLessThan(inOrder);
    // Five standard errors of a share of so many calls: two models of equal weight.
    expect(Math.abs(drawnFailing - failing.value)).toBeLessThan(5 * Math.sqrt(failing.value / calls));
  });

  it("draws about as many failures as it expects, under every policy", () => {
    for (const { failing, drawnFailing, calls, policy } of played({ callsPerWindow: 150 }).summaries) {
      const error = 5 * Math.sqrt(Math.max(failing.value, 1e-5) / calls);
      expect(Math.abs(drawnFailing - failing.value), policy).toBeLessThan(error);
    }
  });

  it("goes down with an operator that it has for a backup, and not where another one is asked", () => {
    // One day of six, nine calls of ten: one in seven of the calls fails.
    expect(of("same-operator backup", report).failing.value).toBeGreaterThan(0.1);
    expect(of("spread, by success", report).failing.value).toBeLessThan(0.01);
  });

  it("leaves by success a target that fails after a few calls, and one that is only well known not at all", () => {
    const { left, falseTripsPer1000 } = of("spread, by success", report);
    expect(left.times).toBeGreaterThan(0);
    expect(left.medianCalls).toBeLessThan(20);
    expect(falseTripsPer1000).toBeLessThan(5);
  });

  it("never does better than the oracle, who asks the best", () => {
    for (const { policy, toOracle } of report.summaries) expect(toOracle.value, policy).toBeGreaterThanOrEqual(1);
  });

  it("is the same for the same seed, and another for another", () => {
    expect(played()).toEqual(report);
    expect(played({ seed: 2 })).not.toEqual(report);
  });

  it("pays what those who answer cost, and says nothing of it where prices are unknown", () => {
    const priceOf: PriceOf = (_kind, { provider }) => (provider.startsWith("costly") ? 10 : 1);
    const priced = played({ priceOf });
    expect(of("ordered list", priced).cost).toEqual({ ratio: 1, models: 2 });
    // Llama's list begins with the costly one, history does not.
    expect(of("best by history", priced).cost?.ratio).toBeLessThan(0.8);
    expect(of("best by history", report).cost).toBeUndefined();
  });
});

describe("hedgerow replay outages", () => {
  const run = (...args: readonly string[]) => runCommand(["replay", ...args], [replay], { cwd: folder });

  it("prints the policies beside each other, and whether ours keeps its goals", async () => {
    const ran = await run("outages", "--data", ".", "--training-days", "6", "--calls", "50", "--seed", "7");
    expect(ran).toMatchObject({ code: 0, err: "" });
    if (isRewriting) rewrite(golden, ran.out);
    else expect(ran.out).toBe(written(golden));
  });

  it("prints the same as JSON, and takes the moments of calls from a trace", async () => {
    writeFileSync(join(folder, "trace.jsonl"), '{"timestamp": 0}\n{"timestamp": 10}\n{"timestamp": 700}\n');
    const ran = await run(
      "outages",
      "--data",
      ".",
      "--training-days",
      "6",
      "--calls",
      "5",
      "--json",
      "--trace",
      "trace.jsonl",
    );
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.out)).toMatchObject({ models: 2, trainingWindows: 24, judgedWindows: 24, callsPerWindow: 5 });
  });

  it("prints the same however many models are played at once", async () => {
    const args = ["outages", "--data", ".", "--training-days", "6", "--calls", "5"];
    const [one, two] = await Promise.all([run(...args, "--threads", "1"), run(...args, "--threads", "2")]);
    expect(one.code).toBe(0);
    expect(two).toEqual(one);
  });

  it("shows how far it is on a terminal only", async () => {
    const args = ["replay", "outages", "--data", ".", "--training-days", "6", "--calls", "1"];
    const shown = await runCommand(args, [replay], { cwd: folder, isTty: true, stderrIsTty: true });
    expect(shown.err).toContain("/12 meta-llama/llama-made-up-1: oracle");
    const piped = await runCommand(args, [replay], { cwd: folder, isTty: false, stderrIsTty: true });
    expect(piped.err).toBe("");
  });

  it.each([
    [["outages"], "--data DIR is missing"],
    [["storms", "--data", "."], 'there is no replay of "storms"'],
    [["outages", "--data", ".", "--calls", "0"], "--calls takes a whole number from 1"],
  ])("says what is wrong with %j", async (args, why) => {
    const ran = await run(...args);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain(why);
  });

  it("says what is wrong with the data, and where", async () => {
    const broken = mkdtempSync(join(tmpdir(), "hedgerow-broken-"));
    try {
      const errors: string[] = [];
      const attempt = async (): Promise<void> => void errors.push((await run("outages", "--data", broken)).err);
      await attempt();
      writeOutages(broken, madeUp, 2);
      await attempt();
      writeFileSync(join(broken, "up30m.csv"), "100,oops\n");
      await attempt();
      writeFileSync(join(broken, "polls.csv"), "poll,ts\n0,2030-01-01T00:00:00Z\n");
      await attempt();
      writeFileSync(join(broken, "endpoints.csv"), "ep,model,operator,tag\n0,a/b,A,a\n1,a/b,B,b\n");
      await attempt();
      writeFileSync(join(broken, "polls.csv"), "poll,ts\n0,yesterday\n");
      await attempt();
      expect(errors).toEqual([
        expect.stringContaining("there is no endpoints.csv and no endpoints.csv.gz"),
        expect.stringContaining("no model there has two operating parents and data on both sides of the split"),
        expect.stringContaining("up30m.csv has 1 rows, and there are 8 polls"),
        expect.stringContaining("row 1 of up30m.csv has 2 columns for 9 endpoints"),
        expect.stringContaining("row 1 of up30m.csv has oops, which is no percentage"),
        expect.stringContaining("poll 0 of polls.csv is at yesterday"),
      ]);
    } finally {
      rmSync(broken, { recursive: true, force: true });
    }
  });
});
