import { describe, expect, it } from "vitest";
import { plantedBugs } from "./planted-bugs.ts";
import { reportOf, simulate } from "./simulate.ts";

const mostSeeds = 20;

/** The first seed at which something breaks. */
async function firstBroken(bug: Parameters<typeof simulate>[1]) {
  for (let seed = 1; seed <= mostSeeds; seed += 1) {
    const result = await simulate(seed, bug);
    if (result.broken !== undefined) return result;
  }
  return undefined;
}

describe("bugs that peers had in production are found within 20 seeds", () => {
  for (const { title, bug, found } of plantedBugs) {
    it(title, { timeout: 300_000 }, async () => {
      const result = await firstBroken(bug);
      expect(result, `no invariant broke in ${mostSeeds} seeds`).toBeDefined();
      if (result === undefined) return;
      const report = reportOf(result);
      expect(found, report).toContain(result.broken?.invariant);
      // Whoever meets this in a failing run needs no more to go on.
      expect(report).toContain(`HEDGEROW_SEED=${result.seed} npm test`);
      expect(report.split("\n").length).toBeGreaterThan(20);
      console.log(`${title}: seed ${result.seed}, ${result.broken?.message}`);
    });
  }
});
