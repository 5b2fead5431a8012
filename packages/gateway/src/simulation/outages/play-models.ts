import type { Target } from "#domain/plan";
import type { SupplyData } from "#domain/supply";
import { ArrivalPlayer, type Arrivals } from "./arrivals.ts";
import { historyOf } from "./history.ts";
import { modelWorlds, type ModelWorld } from "./model-world.ts";
import { policies } from "./policies.ts";
import type { Outages, Window } from "./read-outages.ts";
import { replayModel, type Replayed } from "./replay-model.ts";
import { seededChance } from "./seeded-chance.ts";

/** What is played, as data. */
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
  /** Names of the policies to play; absent: all. */
  readonly only?: readonly string[];
}

/** Nano-dollars of four million tokens, three of them prompt, at a kind of provider; undefined where nobody knows. */
export type PriceOf = (kind: string, target: Target) => number | undefined;

/** One model under one policy. */
export interface Played {
  readonly model: string;
  readonly policy: string;
  readonly replayed: Replayed;
}

/** One thread's part: every `of`-th model from the `at`-th. */
export interface Part {
  readonly at: number;
  readonly of: number;
}

export interface Playing {
  readonly asked: OutageReplay;
  readonly part: Part;
  readonly priceOf: PriceOf;
  /** Called before each model under each policy, with how many there are in all parts together. */
  readonly onStep: (what: string, steps: number) => void;
}

const dayMs = 24 * 60 * 60_000;

/** Plays a part of the models under every policy. What comes out does not depend on the parts. */
export function playModels({ asked, part, priceOf, onStep }: Playing): readonly Played[] {
  const { training, judged } = split(asked);
  const worlds = modelWorlds(asked.outages.endpoints, { supply: asked.supply, training });
  const wanted = policies.filter(({ name }) => asked.only?.includes(name) !== false);
  const played: Played[] = [];
  for (const [at, world] of worlds.entries()) {
    if (at % part.of !== part.at) continue;
    const history = historyOf(world, training);
    for (const policy of wanted) {
      onStep(`${world.model}: ${policy.name}`, worlds.length * wanted.length);
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
        priceOf: pricesIn(world, priceOf),
      });
      const hasCalls = replayed?.days.some(({ calls }) => calls > 0) === true;
      if (hasCalls) played.push({ model: world.model, policy: policy.name, replayed });
    }
  }
  return played;
}

function pricesIn(world: ModelWorld, priceOf: PriceOf): (target: Target) => number | undefined {
  const known = new Map(
    world.choices.map(({ target }) => {
      const kind = world.snapshot.providers.get(target.provider)?.kind ?? "";
      return [target.id, priceOf(kind, target)];
    }),
  );
  return ({ id }) => known.get(id);
}

/** Before and after the day on which the choice is made. */
export function split({ outages: { windows }, trainingDays, judgedDays }: OutageReplay): {
  readonly training: readonly Window[];
  readonly judged: readonly Window[];
} {
  const fromMs = (windows[0]?.endMs ?? 0) + trainingDays * dayMs;
  return {
    training: windows.filter(({ endMs }) => endMs < fromMs),
    judged: windows.filter(({ endMs }) => endMs >= fromMs && endMs < fromMs + judgedDays * dayMs),
  };
}
