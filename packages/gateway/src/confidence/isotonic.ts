import type { Steps } from "./calibrator.ts";

export interface IsotonicPoint {
  readonly x: number;
  readonly y: number;
  /** More than 0. */
  readonly weight: number;
}

interface Block {
  readonly from: number;
  readonly to: number;
  readonly mean: number;
  readonly weight: number;
}

/**
 * The rising curve nearest to the points by weighted squares: pool adjacent violators (Ayer et al. 1955). Points of one x
 * are merged to their mean first. Of each block its two ends are kept, between blocks one interpolates, as scikit-learn's
 * IsotonicRegression does. No points: a curve without points.
 */
export function fitIsotonic(points: readonly IsotonicPoint[]): Steps {
  const blocks: Block[] = [];
  for (const point of mergeTies(points)) {
    let block = point;
    for (let last = blocks.at(-1); last !== undefined && last.mean >= block.mean; last = blocks.at(-1)) {
      blocks.pop();
      block = pooled(last, block);
    }
    blocks.push(block);
  }
  const logOdds: number[] = [];
  const probabilities: number[] = [];
  for (const { from, to, mean } of blocks) {
    const ends = from === to ? [from] : [from, to];
    for (const end of ends) {
      logOdds.push(end);
      probabilities.push(mean);
    }
  }
  return { logOdds, probabilities };
}

function mergeTies(points: readonly IsotonicPoint[]): Block[] {
  const merged: Block[] = [];
  for (const { x, y, weight } of points.toSorted((a, b) => a.x - b.x)) {
    const block = { from: x, to: x, mean: y, weight };
    const last = merged.at(-1);
    if (last?.to === x) merged[merged.length - 1] = pooled(last, block);
    else merged.push(block);
  }
  return merged;
}

function pooled(one: Block, next: Block): Block {
  const weight = one.weight + next.weight;
  const mean = one.mean + ((next.mean - one.mean) * next.weight) / weight;
  return { from: one.from, to: next.to, mean, weight };
}
