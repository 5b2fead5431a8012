import { globalPrior } from "#confidence/calibrator";
import { fitCalibrator, type CalibratorFit } from "#confidence/fit-calibrator";
import { samplesOf, told, type ScoredAnswer } from "./judge-cells.ts";

/** A question as both tiers answered it. Costs in dollars. */
export interface Pair {
  readonly row: string;
  readonly weak: ScoredAnswer;
  /** What asking the first tier costs, judging included. */
  readonly weakUsd: number;
  readonly strongIsRight: boolean;
  readonly strongUsd: number;
}

/** Of a policy over some questions. */
export interface PolicyFigures {
  readonly accuracy: number;
  /** Against asking the strong model always. */
  readonly costShare: number;
  /** Accuracy against the strong model's. */
  readonly accuracyShare: number;
  /** Share of the questions that the weak model answered. */
  readonly kept: number;
}

/** What a policy says of a question: whether the first tier's answer is given. */
export type Keeps = (pair: Pair) => boolean;

export interface Policy {
  readonly keeps: Keeps;
  /** The first tier is not asked, or not judged: it costs nothing where it is not needed. */
  readonly weakUsd?: (pair: Pair) => number;
}

export function figuresOf(
  pairs: readonly Pair[],
  { keeps, weakUsd = ({ weakUsd: usd }) => usd }: Policy,
): PolicyFigures {
  let [right, cost, kept, strongRight, strongCost] = [0, 0, 0, 0, 0];
  for (const pair of pairs) {
    const isKept = keeps(pair);
    kept += Number(isKept);
    right += Number(isKept ? pair.weak.correct : pair.strongIsRight);
    cost += weakUsd(pair) + (isKept ? 0 : pair.strongUsd);
    strongRight += Number(pair.strongIsRight);
    strongCost += pair.strongUsd;
  }
  const count = Math.max(1, pairs.length);
  return {
    accuracy: right / count,
    costShare: cost / strongCost,
    accuracyShare: right / Math.max(1, strongRight),
    kept: kept / count,
  };
}

/** The mean of figures over seeds. */
export function meanOf(all: readonly PolicyFigures[]): PolicyFigures {
  const mean = (of: (each: PolicyFigures) => number): number =>
    all.reduce((sum, each) => sum + of(each), 0) / all.length;
  return {
    accuracy: mean(({ accuracy }) => accuracy),
    costShare: mean(({ costShare }) => costShare),
    accuracyShare: mean(({ accuracyShare }) => accuracyShare),
    kept: mean(({ kept }) => kept),
  };
}

export interface Tuned {
  readonly fit: CalibratorFit | undefined;
  /** Least calibrated probability with which the first tier's answer is given; above 1: never. */
  readonly min: number;
}

/**
 * A calibrator from one half, and the threshold at which the cascade was cheapest there among those that kept the share of
 * the strong model's accuracy. Nothing of the other half is looked at.
 */
export function tune(calibration: readonly Pair[], keepShare: number): Tuned {
  const fit = fitCalibrator(
    samplesOf(
      calibration.map(({ weak }) => weak),
      { promise: 0.85, delta: 0.05 },
    ),
  );
  const calibrator = fit?.calibrator ?? globalPrior;
  const scored = calibration
    .map((pair) => ({ pair, probability: told(calibrator, pair.weak) }))
    .toSorted((a, b) => b.probability - a.probability);
  const needed = keepShare * calibration.filter(({ strongIsRight }) => strongIsRight).length;
  let right = calibration.filter(({ strongIsRight }) => strongIsRight).length;
  let min = 1;
  for (const [at, { pair, probability }] of scored.entries()) {
    right += Number(pair.weak.correct) - Number(pair.strongIsRight);
    // Answers of one probability stand and fall together.
    if (scored[at + 1]?.probability === probability) continue;
    if (right >= needed) min = probability;
  }
  return { fit, min };
}
