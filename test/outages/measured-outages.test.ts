import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { seedSupply } from "#control/config/open-supply";
import { poissonArrivals } from "#simulation/outages/arrivals";
import { readOutages } from "#simulation/outages/read-outages";
import { replayOutages } from "#simulation/outages/replay-outages";
import { seededChance } from "#simulation/outages/seeded-chance";

const shared = process.env["HEDGEROW_SHARED"] ?? resolve(import.meta.dirname, "../../../shared");
const folder = join(shared, "data/outages");
const isThere = existsSync(join(folder, "endpoints.csv"));
if (!isThere) console.info(`skipped: measured outages, there is no ${folder}; set HEDGEROW_SHARED to replay them`);

/** Few calls, three days and every fourth model: what takes a minute or two to show is in docs/performance.md. */
describe.skipIf(!isThere)("measured outages of real endpoints", () => {
  it(
    "are survived at most half as badly as by an ordered list, and expectation and chance agree",
    { timeout: 60_000 },
    () => {
      const read = readOutages(folder);
      if (read.kind !== "read") throw new Error(read.why);
      const { endpoints, windows } = read.outages;
      const names = [...new Set(endpoints.map(({ model }) => model))];
      const some = new Set(names.filter((_, at) => at % 4 === 0));
      const { models, trainingWindows, summaries } = replayOutages({
        outages: { windows, endpoints: endpoints.filter(({ model }) => some.has(model)) },
        supply: seedSupply(),
        arrivals: poissonArrivals(seededChance(1)),
        seed: 1,
        trainingDays: 18,
        judgedDays: 3,
        callsPerWindow: 4,
      });
      expect(trainingWindows).toBe(186);
      expect(models).toBeGreaterThan(20);
      const own = summaries.find(({ policy }) => policy === "spread, by success");
      expect(own?.toList.value).toBeLessThan(0.5);
      for (const { policy, toOracle, failing, drawnFailing, calls, models: count } of summaries) {
        // Where a shop has no sibling in the data of a half hour, the same-operator backup is not asked at all.
        if (policy !== "same-operator backup") expect(toOracle.value, policy).toBeGreaterThanOrEqual(1);
        // A mean over models whose calls differ in number: five standard errors of the worst case, all failures in one.
        const error = 5 * Math.sqrt((failing.value * count) / calls);
        expect(Math.abs(drawnFailing - failing.value), policy).toBeLessThanOrEqual(error);
      }
    },
  );
});
