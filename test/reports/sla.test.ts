import { describe, expect, it } from "vitest";
import { report } from "#cli/commands/report";
import type { SlaReport } from "#control/reports/sla";
import { dayWorld } from "./day-world.ts";
import { expectGolden } from "./golden-text.ts";
import { recordedDay } from "./recorded-day.ts";

const { run } = dayWorld([report]);
const made = async (...args: readonly string[]) => {
  const ran = await run("report", "sla", ...args, "--json");
  expect([ran.code, ran.err]).toEqual([0, ""]);
  return JSON.parse(ran.out) as SlaReport;
};

const attempts = recordedDay().flatMap((record) =>
  record.attempts.map((attempt) => ({ ...attempt, minute: (Date.parse(record.at) / 60_000) % 1440 })),
);

/**
 * Availability as AWS' agreements define it ("calculated for each 5-minute interval", an interval without requests
 * "assumed to be 100% available"), by hand: for every interval of the day, over the records themselves.
 */
function uptimeByHand(provider: string, isDown: (failure: string | undefined) => boolean): number {
  let sum = 0;
  for (let minute = 0; minute < 1440; minute += 5) {
    const valid = attempts.filter(
      (each) =>
        each.provider === provider &&
        each.minute >= minute &&
        each.minute < minute + 5 &&
        each.failure !== "upstream_rejected",
    );
    const bad = valid.filter(({ failure }) => isDown(failure));
    sum += valid.length === 0 ? 1 : 1 - bad.length / valid.length;
  }
  return sum / 288;
}

describe("hedgerow report sla", () => {
  it("prints the day as it is known", async () => {
    const ran = await run("report", "sla", "--since", "1d");
    expect([ran.code, ran.err]).toEqual([0, ""]);
    expectGolden("sla.txt", ran.out);
    expectGolden("sla.csv", (await run("report", "sla", "--csv")).out);
  });

  it("counts what a count of the records gives", async () => {
    const { rows } = await made();
    const openai = attempts.filter(({ provider }) => provider === "openai");
    const failing = (failure: string) => openai.filter((each) => each.failure === failure).length;
    expect(rows.find(({ provider }) => provider === "openai")).toMatchObject({
      model: "gpt-5.4",
      requests: openai.length,
      answered: openai.filter(({ outcome }) => outcome === "answered").length,
      capacity: failing("rate_limited"),
      timeout: failing("first_content_timeout"),
      fault: 0,
      client: 0,
      availability: 1 - failing("first_content_timeout") / openai.length,
    });
    const anthropic = attempts.filter(({ provider }) => provider === "anthropic");
    const down = anthropic.filter(({ failure }) => failure === "upstream_failed").length;
    const refused = anthropic.filter(({ failure }) => failure === "upstream_rejected").length;
    expect(refused).toBeGreaterThan(5);
    expect(rows.find(({ provider }) => provider === "anthropic")).toMatchObject({
      fault: down,
      client: refused,
      availability: 1 - down / (anthropic.length - refused),
    });
  });

  it("gives the percentiles that counting gives, within 1.3 %", async () => {
    for (const { provider, firstContentP50Ms: p50 = 0, firstContentP95Ms: p95 = 0 } of (await made()).rows) {
      const firsts = attempts
        .filter((each) => each.provider === provider && each.outcome === "answered")
        .map(({ firstContentMs = 0, startedMs }) => firstContentMs - startedMs)
        .toSorted((a, b) => a - b);
      for (const [value, share] of [
        [p50, 0.5],
        [p95, 0.95],
      ] as const) {
        const exact = firsts[Math.ceil(share * firsts.length) - 1] ?? Number.NaN;
        expect(Math.abs(value / exact - 1)).toBeLessThan(0.013);
      }
    }
  });

  it("measures promises interval by interval and finds the credit that is due", async () => {
    const { promises, intervals } = await made();
    expect(intervals).toBe(288);
    const [anthropic, bedrock, openai] = promises;
    expect(anthropic?.uptime).toBeCloseTo(
      uptimeByHand("anthropic", (failure) => failure === "upstream_failed"),
      10,
    );
    expect(openai?.uptime).toBeCloseTo(
      uptimeByHand("openai", (failure) => failure !== undefined),
      10,
    );
    const spent = attempts
      .filter(({ provider }) => provider === "anthropic")
      .reduce((sum, { costNanoUsd = 0 }) => sum + costNanoUsd, 0);
    // 20 minutes of 1,440 are 1.4 %: below 99 %, not below 95 %.
    expect(anthropic).toMatchObject({
      kept: false,
      credit: 0.25,
      spentNanoUsd: spent,
      creditNanoUsd: Math.floor(spent / 4),
    });
    expect(bedrock).toMatchObject({ uptime: 1, kept: true, credit: 0, creditNanoUsd: 0 });
    expect(openai).toMatchObject({ kept: false, credit: 0.05 });
  });

  it("keeps the ledger of intervals, and adds up to its rows", async () => {
    const { buckets, rows } = await made("--month", "2026-11");
    for (const { provider, requests, fault } of rows) {
      const own = buckets.filter((each) => each.provider === provider);
      expect(own.reduce((sum, each) => sum + each.requests, 0)).toBe(requests);
      expect(own.reduce((sum, each) => sum + each.fault, 0)).toBe(fault);
    }
    expect(buckets[0]?.at).toBe("2026-11-20T00:00:00.000Z");
    const listed = (await run("report", "sla", "--buckets", "--csv")).out.trim().split("\n");
    expect(listed).toHaveLength(buckets.length + 1);
  });

  it.each([
    [["--since", "1y"], "--since takes a duration such as 30m, 12h or 7d"],
    [["--month", "2026-13"], "--month takes a month such as 2026-11"],
    [["--month", "2026-11", "--since", "1d"], "exclude each other"],
  ])("refuses %j", async (args, words) => {
    const ran = await run("report", "sla", ...args);
    expect([ran.code, ran.err]).toEqual([2, expect.stringContaining(words)]);
  });

  it("says that nothing was recorded in a window without calls", async () => {
    expect((await run("report", "sla", "--month", "2025-01")).out).toContain("No recorded call falls into it.");
  });
});
