import type { ScoreHistogram } from "#domain/calibration";
import { effectiveCount } from "./effective-count.ts";
import { clipLogOdds } from "./log-odds.ts";

/** Half a unit of log-odds wide, from −11 to 11: what is beyond is in the first and last bin. */
const usualEdges: readonly number[] = Array.from({ length: 45 }, (_, at) => at / 2 - 11);

export interface WeightedScore {
  /** Raw, in log-odds. */
  readonly score: number;
  /** 1 where absent. */
  readonly weight?: number;
}

/**
 * How many raw scores are where. Where answers were not equally likely to be kept (labels that came of escalations), give
 * each the weight 1 ÷ propensity: the histogram then stands for all traffic, with as many counts as that is worth.
 */
export function histogramOf(scores: readonly WeightedScore[], edges: readonly number[] = usualEdges): ScoreHistogram {
  const counts = Array.from({ length: edges.length + 1 }, () => 0);
  let sum = 0;
  for (const { score, weight = 1 } of scores) {
    const bin = binOf(clipLogOdds(score), edges);
    counts[bin] = (counts[bin] ?? 0) + weight;
    sum += weight;
  }
  const scale = sum === 0 ? 1 : effectiveCount(scores.map(({ weight = 1 }) => weight)) / sum;
  return { edges, counts: counts.map((count) => count * scale) };
}

export function countOf({ counts }: ScoreHistogram): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

function binOf(score: number, edges: readonly number[]): number {
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((edges[middle] ?? Infinity) <= score) low = middle + 1;
    else high = middle;
  }
  return low;
}
