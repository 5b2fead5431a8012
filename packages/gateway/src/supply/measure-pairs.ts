import type { MeasuredPair } from "#domain/supply";
import { countPair, estimateBeta, relationOf, type PairCounts } from "./co-failure.ts";
import { withoutOwnTrouble, type OutcomeSeries } from "./mine-edges.ts";

/**
 * β of every ordered pair of targets of which the first failed at all while both were asked; what has most events comes
 * first, and beyond `most` nothing is kept.
 */
export function measurePairs(series: readonly OutcomeSeries[], most: number): readonly MeasuredPair[] {
  const sound = withoutOwnTrouble(series.map((each) => ({ ...each, key: each.target })));
  const pairs = sound.flatMap((a) =>
    sound.flatMap((b): readonly MeasuredPair[] => {
      if (a === b) return [];
      const counts = countPair(a.bad, b.bad);
      if (counts.events === 0) return [];
      const { mean, interval } = estimateBeta({ relation: relationOf(a.groups, b.groups), counts });
      return [{ failed: a.target, other: b.target, beta: mean, lo: interval[0], hi: interval[1], ...eventsOf(counts) }];
    }),
  );
  return pairs.toSorted((a, b) => b.events - a.events || b.lo - a.lo).slice(0, most);
}

function eventsOf({ events, jointEvents }: PairCounts): Pick<MeasuredPair, "events" | "joint"> {
  return { events, joint: jointEvents };
}
