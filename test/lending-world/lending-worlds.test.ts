import { describe, expect, it } from "vitest";
import { lendingWorld } from "./lending-world.ts";

const alone = process.env["HEDGEROW_SEED"];
const isLong = process.env["HEDGEROW_LONG"] !== undefined;
const seeds = Number(process.env["HEDGEROW_SEEDS"] ?? (isLong ? 1_000 : 150));
const perTest = 50;

async function holds(seed: number): Promise<number> {
  const run = await lendingWorld(seed);
  expect(run.problems, `HEDGEROW_SEED=${seed} npm test -- test/lending-world`).toEqual([]);
  return run.calls;
}

describe("limits and budgets, whatever dies and whoever cannot be reached", { timeout: 600_000 }, () => {
  if (alone !== undefined) {
    it(`hold in the world of seed ${alone}`, async () => {
      console.log(JSON.stringify(await lendingWorld(Number(alone)), null, 1));
      await holds(Number(alone));
    });
    return;
  }
  for (let from = 1; from <= seeds; from += perTest) {
    const until = Math.min(seeds, from + perTest - 1);
    it(`hold in the worlds of seeds ${from} to ${until}`, async () => {
      let calls = 0;
      for (let seed = from; seed <= until; seed += 1) calls += await holds(seed);
      expect(calls).toBeGreaterThan(0);
    });
  }
});
