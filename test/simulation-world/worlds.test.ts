import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Snapshot } from "#domain/snapshot";
import { reportOf, simulate, simulatePlan, type Simulated } from "./simulate.ts";
import { planWorld } from "./world-plan.ts";

const alone = process.env["HEDGEROW_SEED"];
const isLong = process.env["HEDGEROW_LONG"] !== undefined;
const seeds = Number(process.env["HEDGEROW_SEEDS"] ?? (isLong ? 1_000 : 50));
const perTest = 10;
const timeout = 600_000;

interface Sum {
  calls: number;
  events: number;
  ms: number;
}

const sum: Sum = { calls: 0, events: 0, ms: 0 };

async function holds(run: () => Promise<Simulated>): Promise<Simulated> {
  const startedMs = performance.now();
  const result = await run();
  sum.ms += performance.now() - startedMs;
  sum.calls += result.calls;
  sum.events += result.events;
  expect(result.broken, reportOf(result)).toBeUndefined();
  return result;
}

if (alone !== undefined) {
  it(`the world of seed ${alone} breaks nothing`, { timeout }, async () => {
    const result = await simulate(Number(alone));
    const file = join(mkdtempSync(join(tmpdir(), "hedgerow-world-")), `seed-${alone}.txt`);
    writeFileSync(file, result.history.text);
    console.log(`${result.calls} calls, ${JSON.stringify(result.endings)}; everything that happened: ${file}`);
    expect(result.broken, reportOf(result)).toBeUndefined();
  });
}

describe.skipIf(alone !== undefined)("whatever fails, and then no more", () => {
  for (let from = 1; from <= seeds; from += perTest) {
    const until = Math.min(seeds, from + perTest - 1);
    it(`no invariant breaks in the worlds of seeds ${from} to ${until}`, { timeout }, async () => {
      for (let seed = from; seed <= until; seed += 1) await holds(() => simulate(seed));
    });
  }

  it("is fast enough to be run by everybody", () => {
    const perSecond = Math.round((1000 * sum.calls) / sum.ms);
    console.log(`${sum.calls} calls and ${sum.events} events of ${seeds} worlds: ${perSecond} calls a second`);
    // A crawl would mean that something waits for real time.
    expect(perSecond).toBeGreaterThan(20);
  });
});

describe.skipIf(alone !== undefined)("a world in which nothing fails", () => {
  it("answers every call that is not given up, and the first target of each", { timeout }, async () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const usual = planWorld(seed);
      const nothing = { episodes: [], journals: [], storms: [], restarts: [] };
      const plan = { ...usual, ...nothing, snapshots: usual.snapshots.map(unhedged) };
      const { endings, calls, upstreamCalls } = await holds(() => simulatePlan(plan));
      const { complete = 0, left = 0, dropped = 0, ...others } = endings;
      expect(others).toEqual({});
      expect(complete + left + dropped).toBe(calls);
      expect(upstreamCalls).toBeLessThanOrEqual(calls);
    }
  });
});

/** Whoever is slow is not waited for alone. */
function unhedged(snapshot: Snapshot): Snapshot {
  const routes = [...snapshot.routes.values()].map(({ hedge: _hedge, ...route }) => route);
  return { ...snapshot, routes: new Map(routes.map((route) => [route.name, route])) };
}

describe.skipIf(alone !== undefined)("a seed", () => {
  it("gives the same history again, byte for byte, and another seed another", { timeout }, async () => {
    const histories = new Set<string>();
    for (const seed of [2, 3, 5]) {
      const [first, again] = [await simulate(seed), await simulate(seed)];
      expect(again.history.sha256).toBe(first.history.sha256);
      expect(again.history.text === first.history.text).toBe(true);
      expect(first.history.length).toBeGreaterThan(500);
      histories.add(first.history.sha256);
    }
    expect(histories.size).toBe(3);
  });
});
