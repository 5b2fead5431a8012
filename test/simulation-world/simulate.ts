import type { CallTrack } from "./call-track.ts";
import { Chance } from "./chance.ts";
import type { Ending } from "./check-outcome.ts";
import type { PlantedBug } from "./gateway-node.ts";
import type { History } from "./history.ts";
import { Broken } from "./invariant.ts";
import type { CallPlan } from "./simulated-client.ts";
import { clientDialects, planWorld, type WorldPlan } from "./world-plan.ts";
import { World } from "./world.ts";

export interface Simulated {
  readonly seed: number;
  readonly history: History;
  readonly calls: number;
  readonly upstreamCalls: number;
  readonly events: number;
  readonly endings: Readonly<Partial<Record<Ending, number>>>;
  readonly broken: Broken | undefined;
}

const probes = 50;
/** Traffic after the last fault, so that recovery happens under load. */
const recoveryMs = 10_000;
/** Beyond every opening (60 s and a fifth), every guessed wait and every wait that is asked for in these worlds. */
const restMs = 75_000;
/** Beyond the longest time that an account without credit is left alone. */
const longRestMs = 7 * 60 * 60_000;

/** Runs the world of a seed: faults, then none; then every invariant must hold and everybody be answered. */
export function simulate(seed: number, bug: PlantedBug = {}): Promise<Simulated> {
  return simulatePlan(planWorld(seed), bug);
}

export async function simulatePlan(plan: WorldPlan, bug: PlantedBug = {}): Promise<Simulated> {
  const world = new World(plan, bug);
  let broken: Broken | undefined;
  try {
    await live(world, plan);
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    broken = error;
  }
  const { history, calls, upstream, loop, watch } = world;
  return {
    seed: plan.seed,
    history,
    calls,
    upstreamCalls: upstream.serial,
    events: loop.ran,
    endings: watch.endings,
    broken,
  };
}

async function live(world: World, plan: WorldPlan): Promise<void> {
  const { healMs } = plan;
  world.traffic(0, healMs + recoveryMs);
  for (const storm of plan.storms) world.storm(storm);
  world.loop.at(healMs, () => world.upstream.heal());
  await world.run(healMs + recoveryMs + restMs);
  // What the longest of deadlines still allows.
  await world.run(world.nowMs + 600_000);
  world.checkQuiet();
  await probe(world, mayProbe(plan));
  await world.run(world.nowMs + longRestMs);
  world.checkAdmits();
  await probe(world, () => true);
  world.checkQuiet();
  world.checkAdmits();
}

/** An account that a provider refused is left alone for longer than anything else. */
function mayProbe(plan: WorldPlan): (model: string) => boolean {
  const dead = new Set(plan.episodes.filter(({ mode }) => mode === "rejected").map(({ provider }) => provider));
  const [first] = plan.snapshots;
  return (model) => {
    const targets = first?.routes.get(model)?.targets.map(({ provider }) => provider) ?? [model.split("/", 1)[0]!];
    return targets.some((provider) => !dead.has(provider));
  };
}

/** Fifty calls over all nodes, routes and targets, each of which is answered. */
async function probe(world: World, isAsked: (model: string) => boolean): Promise<void> {
  const [first] = world.plan.snapshots;
  const targets = [...first!.providers.keys()].flatMap((id) => [`${id}/m0`, `${id}/m1`]);
  const models = [...first!.routes.keys(), ...targets].filter(isAsked);
  if (models.length === 0) return;
  const failed: string[] = [];
  const chance = new Chance(world.plan.seed).fork(`probes ${world.nowMs}`);
  for (let at = 0; at < probes; at += 1) {
    const plan: CallPlan = {
      number: world.calls + at,
      node: at % world.nodes.length,
      dialect: chance.pick(clientDialects),
      streamed: chance.happens(0.7),
      model: models[Math.floor(at / world.nodes.length) % models.length]!,
      fallbacks: [],
      uploadMs: 0,
      leavesMs: undefined,
      readsPerSecond: undefined,
      stopsAfterBytes: undefined,
    };
    world.loop.timer(at * 300, () => {
      world.call(plan, (ending, call) => {
        if (ending !== "complete") failed.push(`${plan.model} ${ending} ${toldOf(call)}`);
      });
    });
  }
  await world.run(world.nowMs + probes * 300 + 60_000);
  if (failed.length > 0)
    throw new Broken("I11", `${failed.length} of ${probes} probes: ${failed.slice(0, 3).join("; ")}`);
}

function toldOf({ client }: CallTrack): string {
  return `${client.status} ${client.text.slice(0, 200)}`;
}

/** What a failing test prints: the seed, how it ended, and how to see it all. */
export function reportOf({ seed, history, broken }: Simulated): string {
  return [
    `seed ${seed}: ${broken?.message}`,
    "the last 50 events (seconds of virtual time):",
    history.last(50),
    `run it alone: HEDGEROW_SEED=${seed} npm test -- test/simulation-world/worlds`,
  ].join("\n");
}
