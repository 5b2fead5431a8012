import { describe, expect, it } from "vitest";
import { sampleRoute, sampleSnapshot } from "../world/sample-snapshot.ts";
import type { CallTrack } from "./call-track.ts";
import type { Ending } from "./check-outcome.ts";
import type { FaultMode } from "./fault-modes.ts";
import { planWorld, type WorldPlan } from "./world-plan.ts";
import { World } from "./world.ts";

const timeout = 120_000;
const downMs = 5_000;
const healMs = 605_000;
const everyMs = 500;
const nodes = 2;
/** A seed whose world has three providers at least. */
const seed = 3;

function outagePlan(mode: FaultMode): WorldPlan {
  const plan = planWorld(seed);
  const providers = [...plan.snapshots[0]!.providers.values()];
  const down = providers.map(({ id }) => ({ provider: id, mode, share: 1, fromMs: downMs, untilMs: healMs }));
  const targets = providers.slice(0, 3).map(({ id }) => `${id}/m0`);
  const timeouts = { firstByteMs: 5_000, firstTokenMs: 5_000, idleMs: 5_000, totalMs: 30_000 };
  const route = sampleRoute("main", targets, { maxAttempts: 3, timeouts });
  return {
    ...plan,
    nodes,
    snapshots: [sampleSnapshot(providers, [route])],
    reloads: [],
    episodes: down,
    journals: [],
    storms: [],
    restarts: [],
    hintsLost: undefined,
    healMs,
    latency: { firstContentMs: 200, betweenMs: 10 },
  };
}

interface Outage {
  readonly asked: number;
  readonly sent: number;
  /** Of each node: when the first call that succeeds arrived after the world healed. */
  readonly recoveredMs: readonly number[];
  /** Of each node: the soonest that one of its targets was to be asked again. */
  readonly intervalMs: readonly number[];
}

async function simulateOutage(mode: FaultMode): Promise<Outage> {
  const plan = outagePlan(mode);
  const world = new World(plan);
  const recovered = new Map<number, number>();
  const asked = { before: 0, calls: 0 };
  const onEnd = (ending: Ending, call: CallTrack): void => {
    const afterMs = call.arrivedAtMs - healMs;
    if (ending === "complete" && afterMs >= 0 && !recovered.has(call.node)) recovered.set(call.node, afterMs);
  };
  for (let atMs = 0; atMs < healMs + 80_000; atMs += everyMs) {
    world.loop.at(atMs, () => {
      const number = world.calls;
      const patient = { leavesMs: undefined, readsPerSecond: undefined, stopsAfterBytes: undefined };
      const call = { number, node: number % nodes, dialect: "openai-chat", streamed: true, model: "main" } as const;
      world.call({ ...call, fallbacks: [], uploadMs: 0, ...patient }, onEnd);
    });
  }
  await world.run(downMs);
  Object.assign(asked, { before: world.upstream.serial, calls: world.calls });
  await world.run(healMs);
  const sent = world.upstream.serial - asked.before;
  const calls = world.calls - asked.calls;
  const asksAt = new Set(plan.snapshots[0]!.routes.get("main")?.targets.map(({ provider }) => provider));
  const intervalMs = world.nodes.map(({ health, places }) => {
    const own = places.filter(({ provider, model }) => asksAt.has(provider) && model === "m0");
    return Math.min(...own.map((place) => waitOf(health.readiness(place, healMs))));
  });
  world.upstream.heal();
  await world.run(healMs + 160_000);
  world.checkQuiet();
  return {
    asked: calls,
    sent,
    recoveredMs: world.nodes.map(({ index }) => recovered.get(index) ?? Infinity),
    intervalMs,
  };
}

interface ShortOutage {
  readonly mode: FaultMode;
  readonly perSecond: number;
  readonly seconds: number;
  /** The calls go to so many routes in turn, each over the same targets in an order of its own. */
  readonly routes: number;
}

/** Upstream calls for each call of an outage that begins among answered calls and outlives its last call; one node. */
async function costOf({ mode, perSecond, seconds, routes: count }: ShortOutage): Promise<number> {
  const plan = outagePlan(mode);
  const [usual] = plan.snapshots[0]!.routes.values();
  // Shorter than `slow` ever is.
  const route = { ...usual!, timeouts: { ...usual!.timeouts, firstByteMs: 2_500, firstTokenMs: 2_500 } };
  const routes = Array.from({ length: count }, (_, at) => {
    const targets = [...route.targets.slice(at % 3), ...route.targets.slice(0, at % 3)];
    return { ...route, name: `main${at}`, targets };
  });
  const snapshot = { ...plan.snapshots[0]!, routes: new Map(routes.map((each) => [each.name, each])) };
  const world = new World({ ...plan, nodes: 1, snapshots: [snapshot] });
  const patient = { leavesMs: undefined, readsPerSecond: undefined, stopsAfterBytes: undefined };
  for (let n = 0; n < (downMs / 1000 + seconds) * perSecond; n += 1) {
    world.loop.at((n * 1000) / perSecond, () => {
      const model = `main${n % count}`;
      const call = { number: n, node: 0, dialect: "openai-chat", streamed: true, model } as const;
      world.call({ ...call, fallbacks: [], uploadMs: 0, ...patient });
    });
  }
  // Just before the first call that meets it.
  await world.run(downMs - 0.001);
  const before = { sent: world.upstream.serial, calls: world.calls };
  await world.run(downMs + seconds * 1000 + 60_000);
  return (world.upstream.serial - before.sent) / (world.calls - before.calls);
}

function waitOf(state: { readonly kind: "ready" } | { readonly kind: "parked"; readonly untilMs: number }): number {
  return state.kind === "ready" ? 0 : Math.max(0, state.untilMs - healMs);
}

describe("ten minutes in which every target fails", () => {
  const modes = [
    "refused",
    "failed",
    "lost",
    "overloaded",
    "silent",
    "cut",
    "rate-limited",
    "flapping",
    "page",
  ] as const;
  for (const mode of modes) {
    it(
      `${mode}: at most 1.2 upstream calls each, and the first success one probe interval after it`,
      { timeout },
      async () => {
        const { asked, sent, recoveredMs, intervalMs } = await simulateOutage(mode);
        console.log(
          `${mode}: ${(sent / asked).toFixed(3)} upstream calls each; back after ${recoveredMs.join(", ")} ms`,
        );
        expect(asked).toBe((healMs - downMs) / everyMs);
        expect(sent / asked).toBeLessThanOrEqual(1.2);
        for (const [node, afterMs] of recoveredMs.entries()) {
          expect(afterMs).toBeLessThanOrEqual((intervalMs[node] ?? 0) + nodes * everyMs);
        }
      },
    );
  }
});

describe("shorter outages", () => {
  const cases = [
    { perSecond: 1, seconds: 10, routes: 1 },
    { perSecond: 2, seconds: 15, routes: 2 },
    { perSecond: 5, seconds: 60, routes: 3 },
    { perSecond: 20, seconds: 60, routes: 1 },
    { perSecond: 100, seconds: 10, routes: 2 },
  ];
  for (const mode of ["refused", "failed", "lost", "slow", "empty"] as const) {
    it(`${mode}: at most 1.2 upstream calls each, at any rate and length`, { timeout }, async () => {
      const costs: string[] = [];
      for (const each of cases) {
        const cost = await costOf({ ...each, mode });
        costs.push(`${cost.toFixed(2)} (${each.perSecond}/s for ${each.seconds} s)`);
        expect(cost, costs.at(-1)).toBeLessThanOrEqual(1.2);
      }
      console.log(`${mode}: ${costs.join(", ")}`);
    });
  }
});
