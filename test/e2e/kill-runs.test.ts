import { describe, expect, it } from "vitest";
import { killRun } from "./kill-run.ts";

/** `HEDGEROW_KILL_RUNS=50` for many more, `HEDGEROW_SEED=17` for one. */
const runs = Number(process.env["HEDGEROW_KILL_RUNS"] ?? 5);
const alone = process.env["HEDGEROW_SEED"];
const seeds = alone === undefined ? Array.from({ length: runs }, (_, index) => index + 1) : [Number(alone)];

describe("kill -9 at any moment under load", { timeout: 180_000 }, () => {
  it.each(seeds)("loses no call, counts none twice and none wrongly (seed %d)", async (seed) => {
    const run = await killRun(seed);
    console.log(JSON.stringify(run));
    expect(run.problems, `HEDGEROW_SEED=${seed} npm test -- test/e2e/kill-runs`).toEqual([]);
  });
});
