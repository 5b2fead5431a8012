import { describe, expect, it } from "vitest";
import { report } from "#cli/commands/report";
import type { SpendReport } from "#control/reports/spend";
import { dayWorld } from "./day-world.ts";
import { expectGolden } from "./golden-text.ts";
import { recordedDay } from "./recorded-day.ts";

const { run } = dayWorld([report]);
const made = async (...args: readonly string[]) => {
  const ran = await run("report", "spend", ...args, "--json");
  expect([ran.code, ran.err]).toEqual([0, ""]);
  return JSON.parse(ran.out) as SpendReport;
};

const day = recordedDay();
const costOf = (wanted: (provider: string) => boolean): number =>
  day
    .flatMap(({ attempts }) => attempts)
    .filter(({ provider }) => wanted(provider))
    .reduce((sum, { costNanoUsd = 0 }) => sum + costNanoUsd, 0);

describe("hedgerow report spend", () => {
  it("prints the day as it is known", async () => {
    const ran = await run("report", "spend", "--since", "1d", "--baseline", "openai/gpt-5.4");
    expect([ran.code, ran.err]).toEqual([0, ""]);
    expectGolden("spend.txt", ran.out);
    expectGolden("spend.csv", (await run("report", "spend", "--by", "route,day", "--csv")).out);
  });

  it("counts what a count of the records gives, to the nano-dollar, by whatever it is told", async () => {
    const total = costOf(() => true);
    for (const by of ["provider,model", "caller", "route,hour", "day", "part", "provider,part,day"]) {
      const { groups, total: all } = await made("--by", by, "--limit", "10000");
      expect([by, all.costNanoUsd]).toEqual([by, String(total)]);
      expect(groups.reduce((sum, { costNanoUsd }) => sum + Number(costNanoUsd), 0)).toBe(total);
      expect(groups.reduce((sum, { attempts }) => sum + attempts, 0)).toBe(day.flatMap((each) => each.attempts).length);
    }
    const { groups } = await made("--by", "provider");
    for (const { names, costNanoUsd } of groups) {
      expect([names, Number(costNanoUsd)]).toEqual([names, costOf((provider) => provider === names[0])]);
    }
  });

  it("shows no price as none, and compares where all are known", async () => {
    const { out } = await run("report", "spend", "--by", "provider", "--baseline", "xai/grok-4.6");
    expect(/^local .*$/mu.exec(out)?.[0]).toMatch(/^local +\? +\? +0\.000000 +288 +288 +288 +0 +\?/u);
    expect(out).toContain("against a sum that is not known it says nothing");
  });

  it("names those that cost most first, as many as are wanted, and totals all", async () => {
    const { groups, total } = await made("--by", "provider", "--limit", "1");
    expect(groups).toHaveLength(1);
    const all = await made("--by", "provider");
    expect(all.groups[0]).toEqual(groups[0]);
    expect(total).toEqual(all.total);
  });

  it.each([
    ["--by", "colour", "--by takes caller"],
    ["--by", "user,team", "user can be combined with"],
    ["--by", "day,hour,route,model", "up to 3"],
    ["--limit", "0", "--limit"],
  ])("%s %s is refused with what may be written", async (option, value, message) => {
    const ran = await run("report", "spend", option, value);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain(message);
  });

  it("says that nobody knows what a baseline costs that has no price", async () => {
    const ran = await run("report", "spend", "--baseline", "openai/nobody-priced-this");
    expect(ran.code).toBe(1);
    expect(ran.err).toContain("its price is not known");
  });
});
