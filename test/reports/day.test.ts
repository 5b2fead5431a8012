import { describe, expect, it } from "vitest";
import { check } from "#cli/commands/check";
import { report } from "#cli/commands/report";
import type { CallsReport } from "#control/reports/calls";
import { dayWorld } from "./day-world.ts";
import { expectGolden } from "./golden-text.ts";
import { recordedDay } from "./recorded-day.ts";

const { run } = dayWorld([check, report]);

describe("the recorded day", () => {
  it("lists its last calls and totals", async () => {
    const ran = await run("report", "calls", "--since", "1d");
    expect([ran.code, ran.err]).toEqual([0, ""]);
    expectGolden("calls.txt", ran.out);
  });

  it("adds up to what the records hold", async () => {
    const { totals } = JSON.parse((await run("report", "calls", "--json")).out) as CallsReport;
    const day = recordedDay();
    const sum = (of: (record: (typeof day)[number]) => number) => day.reduce((all, record) => all + of(record), 0);
    expect(totals).toMatchObject({
      calls: 2880,
      attempts: sum(({ attempts }) => attempts.length),
      promptTokens: sum(({ usage }) => usage?.inputUncached ?? 0),
      completionTokens: sum(({ usage }) => usage?.output ?? 0),
      costNanoUsd: sum(({ costNanoUsd = 0 }) => costNanoUsd),
      unpriced: sum(({ committed, costNanoUsd }) => Number(committed && costNanoUsd === undefined)),
      byDecision: {
        recovered: sum(({ decision }) => Number(decision === "recovered")),
        failed: sum(({ decision }) => Number(decision === "failed")),
        refused: sum(({ decision }) => Number(decision === "refused")),
      },
    });
  });

  it("was served by a configuration that check has this to say of", async () => {
    const ran = await run("check");
    expect([ran.code, ran.err]).toEqual([0, ""]);
    expectGolden("check.txt", ran.out.replace(/version [0-9a-f]{12}/u, "version …"));
    expectGolden("check-compatibility.txt", (await run("check", "--compatibility", "default")).out);
  });
});
