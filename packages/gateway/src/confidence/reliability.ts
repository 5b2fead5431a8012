/** A probability that was told, and what came of it. */
export interface Outcome {
  /** 0 to 1. */
  readonly probability: number;
  /** 1 acceptable, 0 not, or a share between. */
  readonly correct: number;
  /** More than 0; 1 where absent. */
  readonly weight?: number;
}

export interface ReliabilityBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly weight: number;
  /** Means of what was told and of what came; 0 in an empty bin. */
  readonly told: number;
  readonly came: number;
}

export interface Reliability {
  readonly count: number;
  /** Σ weight·|told − came| ÷ Σ weight over 15 bins of equal width (expected calibration error; Guo et al. 2017). */
  readonly ece: number;
  /** What `ece` would be on average if every probability were true: few labels do not allow less. */
  readonly eceFloor: number;
  /** Mean of (probability − correct)². */
  readonly brier: number;
  /** Chance that an acceptable answer is above another, ties counting half. Undefined where there is one kind only. */
  readonly auroc?: number;
}

const bins = 15;
/** Up to so many outcomes the floor of a bin is exact; above, the normal distribution is as good. */
const exactBelow = 500;

/** All figures of one set of outcomes; undefined without any. */
export function reliabilityOf(outcomes: readonly Outcome[]): Reliability | undefined {
  const total = outcomes.reduce((sum, outcome) => sum + weightOf(outcome), 0);
  if (!(total > 0)) return undefined;
  let squares = 0;
  for (const outcome of outcomes) squares += weightOf(outcome) * (outcome.probability - outcome.correct) ** 2;
  const off = reliabilityBins(outcomes).reduce(
    (sum, { weight, told, came }) => sum + weight * Math.abs(told - came),
    0,
  );
  const auroc = areaUnderCurve(outcomes);
  return {
    count: outcomes.length,
    ece: off / total,
    eceFloor: expectedEce(outcomes),
    brier: squares / total,
    ...(auroc === undefined ? {} : { auroc }),
  };
}

/** The bars of a reliability diagram, from 0 to 1. */
export function reliabilityBins(outcomes: readonly Outcome[]): readonly ReliabilityBin[] {
  return inBins(outcomes).map((inside, at) => {
    let [weight, told, came] = [0, 0, 0];
    for (const outcome of inside) {
      weight += weightOf(outcome);
      told += weightOf(outcome) * outcome.probability;
      came += weightOf(outcome) * outcome.correct;
    }
    const mean = (sum: number) => (weight === 0 ? 0 : sum / weight);
    return { from: at / bins, to: (at + 1) / bins, count: inside.length, weight, told: mean(told), came: mean(came) };
  });
}

/**
 * The mean calibration error of a predictor that is right about every probability: E|Σ w(y − p)| in each bin, where every y
 * is 1 with probability p. Exact in small bins of equal weights, else √(2 ÷ π · Σ w²p(1 − p)), the normal distribution's.
 */
export function expectedEce(outcomes: readonly Outcome[]): number {
  const total = outcomes.reduce((sum, outcome) => sum + weightOf(outcome), 0);
  if (!(total > 0)) return 0;
  return inBins(outcomes).reduce((sum, inside) => sum + expectedGap(inside), 0) / total;
}

/** Over those told `least` or more: their number, its share of all, and how many of them were acceptable. */
export function acceptedAt(outcomes: readonly Outcome[], least: number) {
  const accepted = outcomes.filter(({ probability }) => probability >= least);
  const weight = accepted.reduce((sum, outcome) => sum + weightOf(outcome), 0);
  const correct = accepted.reduce((sum, outcome) => sum + weightOf(outcome) * outcome.correct, 0);
  return {
    count: accepted.length,
    share: outcomes.length === 0 ? 0 : accepted.length / outcomes.length,
    /** Undefined where none is accepted. */
    ...(weight === 0 ? {} : { accuracy: correct / weight }),
  };
}

/** Mann and Whitney's statistic with weights; a share of correctness is split into both kinds. */
export function areaUnderCurve(outcomes: readonly Outcome[]): number | undefined {
  const sorted = outcomes.toSorted((a, b) => a.probability - b.probability);
  let [wins, badBelow, goodSum] = [0, 0, 0];
  for (let from = 0, to = 0; from < sorted.length; from = to) {
    let [good, bad] = [0, 0];
    while (to < sorted.length && sorted[to]?.probability === sorted[from]?.probability) {
      const { correct = 0, weight = 1 } = sorted[to] ?? {};
      good += weight * correct;
      bad += weight * (1 - correct);
      to += 1;
    }
    wins += good * (badBelow + bad / 2);
    badBelow += bad;
    goodSum += good;
  }
  return goodSum > 0 && badBelow > 0 ? wins / (goodSum * badBelow) : undefined;
}

function inBins(outcomes: readonly Outcome[]): Outcome[][] {
  const inside: Outcome[][] = Array.from({ length: bins }, () => []);
  for (const outcome of outcomes) {
    inside[Math.min(bins - 1, Math.max(0, Math.floor(outcome.probability * bins)))]?.push(outcome);
  }
  return inside;
}

function expectedGap(inside: readonly Outcome[]): number {
  const variance = inside.reduce((sum, o) => sum + weightOf(o) ** 2 * o.probability * (1 - o.probability), 0);
  const isPlain =
    inside.length <= exactBelow && inside.every((outcome) => weightOf(outcome) === weightOf(inside[0] ?? outcome));
  if (!isPlain) return Math.sqrt((2 / Math.PI) * variance);
  // The distribution of the number of acceptable ones, one outcome after another, from the top down in one list.
  const chances = [1, ...inside.map(() => 0)];
  for (const [at, { probability }] of inside.entries()) {
    for (let k = at + 1; k >= 0; k -= 1) {
      chances[k] = (chances[k] ?? 0) * (1 - probability) + (k === 0 ? 0 : (chances[k - 1] ?? 0) * probability);
    }
  }
  const mean = inside.reduce((sum, { probability }) => sum + probability, 0);
  const gap = chances.reduce((sum, chance, k) => sum + chance * Math.abs(k - mean), 0);
  return gap * (inside[0] === undefined ? 0 : weightOf(inside[0]));
}

function weightOf({ weight = 1 }: Outcome): number {
  return weight;
}
