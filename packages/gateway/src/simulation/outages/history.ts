import type { Target } from "#domain/plan";
import { betaPriors, countPair, estimateBeta, relationOf, type Series } from "#supply/co-failure";
import type { CoFailure } from "#policy/spread";
import type { ModelWorld } from "./model-world.ts";
import type { Window } from "./read-outages.ts";

/** What was known of a model's endpoints when the judged days began. */
export interface History {
  /** Mean share of calls that failed, by target; of those without data, all. */
  readonly failing: ReadonlyMap<string, number>;
  readonly coFailure: (failed: Target, candidate: Target) => CoFailure | undefined;
}

/** A half hour in which more than one call in ten failed is a bad one. */
export const badAbove = 0.1;

export function historyOf(world: ModelWorld, training: readonly Window[]): History {
  const failing = new Map<string, number>();
  const bad = new Map<string, Series>();
  for (const { target, column } of world.choices) {
    const shares = training.map(({ success }) => 1 - (success[column] ?? Number.NaN));
    const known = shares.filter((share) => !Number.isNaN(share));
    failing.set(target.id, known.length === 0 ? 1 : known.reduce((sum, share) => sum + share, 0) / known.length);
    bad.set(
      target.id,
      shares.map((share) => (Number.isNaN(share) ? undefined : share > badAbove)),
    );
  }
  const pairs = new Map<string, CoFailure>();
  return {
    failing,
    coFailure: (failed, candidate) => {
      const key = `${failed.id} ${candidate.id}`;
      const known = pairs.get(key);
      if (known !== undefined) return known;
      const relation = relationOf(world.groupsOf(failed), world.groupsOf(candidate));
      const counts = countPair(bad.get(failed.id) ?? [], bad.get(candidate.id) ?? []);
      const { mean, interval, events } = counts.events === 0 ? expected(relation) : estimateBeta({ relation, counts });
      const beta = { beta: mean, lo: interval[0], hi: interval[1], events };
      pairs.set(key, beta);
      return beta;
    },
  };
}

/** Nothing failed yet: what such pairs are like. No interval is claimed for it. */
function expected(
  relation: keyof typeof betaPriors,
): Pick<ReturnType<typeof estimateBeta>, "mean" | "interval" | "events"> {
  const { alpha, gamma } = betaPriors[relation];
  return { mean: alpha / (alpha + gamma), interval: [0, 1], events: 0 };
}
