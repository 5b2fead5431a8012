import type { Target } from "#domain/plan";
import type { SupplyData } from "#domain/supply";
import { ArrivalPlayer, type Arrivals } from "./arrivals.ts";
import { historyOf } from "./history.ts";
import { modelWorlds, type ModelWorld } from "./model-world.ts";
import { policies } from "./policies.ts";
import type { Outages, Window } from "./read-outages.ts";
import { replayModel, type Replayed } from "./replay-model.ts";
import { seededChance } from "./seeded-chance.ts";
import { summarise, type Summary } from "./summarise.ts";

export interface OutageReplay {
  readonly outages: Outages;
  readonly supply: SupplyData;
  readonly arrivals: Arrivals;
  readonly seed: number;
  /** Days on which policies learn, and the most days after them on which they are judged. */
  readonly trainingDays: number;
  readonly judgedDays: number;
  /** Calls for each model in a whole half hour. */
  readonly callsPerWindow: number;
  readonly priceOf: (kind: string, target: Target) => number | undefined;
  /** Called before each model under each policy, with how many there are. */
  readonly onStep?: (what: string, steps: number) => void;
}

export interface ReplayReport {
  readonly models: number;
  /** Half hours. */
  readonly trainingWindows: number;
  readonly judgedWindows: number;
  readonly summaries: readonly Summary[];
}

const dayMs = 24 * 60 * 60_000;

/** Plays measured outages for every model with two operating parents at least, under every policy. */
export function replayOutages(asked: OutageReplay): ReplayReport {
  const { training, judged } = split(asked);
  const worlds = modelWorlds(asked.outages.endpoints, { supply: asked.supply, training });
  const runs = new Map(policies.map(({ name }) => [name, new Map<string, Replayed>()]));
  for (const [at, world] of worlds.entries()) {
    const history = historyOf(world, training);
    for (const policy of policies) {
      asked.onStep?.(`${world.model}: ${policy.name}`, worlds.length * policies.length);
      const replayed = replayModel({
        world,
        policy,
        history,
        training,
        judged,
        // The same calls at the same moments for every policy.
        arrivals: new ArrivalPlayer(asked.arrivals),
        callsPerWindow: asked.callsPerWindow,
        chance: seededChance(asked.seed * 1_000_003 + at),
        priceOf: pricesIn(world, asked.priceOf),
      });
      const hasCalls = replayed?.days.some(({ calls }) => calls > 0) === true;
      if (hasCalls) runs.get(policy.name)?.set(world.model, replayed);
    }
  }
  const summaries = summarise({ runs, list: listPolicy, oracle: oraclePolicy, seed: asked.seed });
  const models = runs.get(listPolicy)?.size ?? 0;
  return { models, trainingWindows: training.length, judgedWindows: judged.length, summaries };
}

const listPolicy = policies[0]?.name ?? "";
const oraclePolicy = policies.at(-1)?.name ?? "";

function pricesIn(world: ModelWorld, priceOf: OutageReplay["priceOf"]): (target: Target) => number | undefined {
  const known = new Map(
    world.choices.map(({ target }) => {
      const kind = world.snapshot.providers.get(target.provider)?.kind ?? "";
      return [target.id, priceOf(kind, target)];
    }),
  );
  return ({ id }) => known.get(id);
}

function split({ outages: { windows }, trainingDays, judgedDays }: OutageReplay): {
  readonly training: readonly Window[];
  readonly judged: readonly Window[];
} {
  const fromMs = (windows[0]?.endMs ?? 0) + trainingDays * dayMs;
  return {
    training: windows.filter(({ endMs }) => endMs < fromMs),
    judged: windows.filter(({ endMs }) => endMs >= fromMs && endMs < fromMs + judgedDays * dayMs),
  };
}
