import type { ScoreHistogram } from "#domain/calibration";
import { countOf, histogramOf, type WeightedScore } from "./score-histogram.ts";

/** An answer whose calibrated probability was told before its label came. */
export interface LabelledAnswer {
  readonly probability: number;
  readonly correct: number;
  /** Of the label, at most 1; 1 where absent. */
  readonly weight?: number;
}

export interface DriftInput {
  /** Of the scores the calibrator was fitted on. */
  readonly reference: ScoreHistogram;
  /** Raw scores since the fit, in log-odds, drawn as the reference was. The last thousand are enough; below 100 say nothing. */
  readonly scores: readonly WeightedScore[];
  /** Labels since the fit, the oldest first. */
  readonly labels: readonly LabelledAnswer[];
}

export interface Drift {
  /** `drift`: what was promised does not hold any more. */
  readonly state: "ok" | "drift";
  /** What was seen, for an operator; empty where nothing was. */
  readonly why: readonly string[];
  /** Population stability index of the scores, and where it alarms. */
  readonly psi: number;
  readonly psiLimit: number;
  /** Kolmogorov and Smirnov's distance of the scores, and where it alarms. */
  readonly ks: number;
  readonly ksLimit: number;
  /** The highest the sum of (told − came) has been, and where it alarms. */
  readonly cusum: number;
  readonly cusumLimit: number;
  /** More is right than was told: a reason to refit, and no broken promise. */
  readonly isTooModest: boolean;
}

/** Fewer scores than this are not compared. */
const fewestScores = 100;
/** Each comparison of scores alarms by chance once in a thousand times. */
const alpha = 0.001;
/** A distance below this changes no decision, however certain it is. */
const smallestKs = 0.1;
/** The usual reading of the index: below 0.1 nothing, up to 0.25 some, above it another population (Siddiqi 2006). */
const largestPsi = 0.25;
/** Part of the reference that a bin of the index has at least. */
const binShare = 0.1;
/** Half of the shift to be found (Page 1954): an accuracy 0.10 below what is told. */
const allowance = 0.05;
/** Labels between two false alarms of a calibrated predictor, on average; a fifth more than wanted, as jumps are skewed. */
const labelsBetweenFalseAlarms = 2500;
/** In sure predictions errors come singly and weigh a whole label each, where the formula thinks of small steps. */
const smallestCusumLimit = 6;

/**
 * Whether traffic still looks like what a calibrator was fitted on. Without labels: the population stability index and
 * Kolmogorov and Smirnov's distance between the histograms of raw scores, both with the noise of as many scores as there
 * are. With labels: Page's cumulative sum of (told − came). Its limit gives a false alarm in some 2,000 labels, and finds
 * an accuracy that is 0.10 too low within 200 labels (three times in four where answers are a coin's toss, nearly always where
 * they are sure).
 */
export function findDrift({ reference, scores, labels }: DriftInput): Drift {
  const recent = histogramOf(scores, reference.edges);
  const counts = { before: countOf(reference), now: countOf(recent) };
  const isEnough = Math.min(counts.before, counts.now) >= fewestScores;
  const [psi, psiLimit] = stabilityIndex(reference, recent);
  const ks = distance(reference, recent);
  const ksLimit = Math.max(smallestKs, Math.sqrt((-Math.log(alpha / 2) / 2) * (1 / counts.before + 1 / counts.now)));
  const cusumLimit = limitOf(labels);
  const cusum = highestSum(labels, 1);
  const isTooModest = highestSum(labels, -1) > cusumLimit;
  const why: string[] = [];
  if (isEnough && psi > psiLimit)
    why.push(`raw scores are spread otherwise: stability index ${shown(psi)}, more than ${shown(psiLimit)}`);
  if (isEnough && ks > ksLimit)
    why.push(`raw scores have moved: up to ${percent(ks)} of them are elsewhere, more than ${percent(ksLimit)}`);
  if (cusum > cusumLimit)
    why.push(
      `fewer answers are right than was told: ${shown(cusum)} more errors than expected and allowed for, limit ${shown(cusumLimit)}`,
    );
  const state = why.length === 0 ? "ok" : "drift";
  if (isTooModest) why.push("more answers are right than was told");
  return { state, why, psi, psiLimit, ks, ksLimit, cusum, cusumLimit, isTooModest };
}

/** Σ (now − before) · ln(now ÷ before) over bins with a tenth of the reference each, and the limit for so many scores. */
function stabilityIndex(reference: ScoreHistogram, recent: ScoreHistogram): readonly [psi: number, limit: number] {
  const [before, now] = [countOf(reference), countOf(recent)];
  if (before === 0 || now === 0) return [0, largestPsi];
  const bins = mergedBins(reference, recent);
  let psi = 0;
  for (const bin of bins) {
    // Half an answer more in each bin, so that an empty one is no infinity.
    const was = (bin.was + 0.5) / (before + bins.length / 2);
    const is = (bin.is + 0.5) / (now + bins.length / 2);
    psi += (is - was) * Math.log(is / was);
  }
  // Of equal populations the index is χ² with bins − 1 degrees, times (1/n + 1/m); Wilson and Hilferty's quantile of it.
  const degrees = Math.max(1, bins.length - 1);
  const quantile = degrees * (1 - 2 / (9 * degrees) + 3.09 * Math.sqrt(2 / (9 * degrees))) ** 3;
  return [psi, Math.max(largestPsi, quantile * (1 / before + 1 / now))];
}

function mergedBins(reference: ScoreHistogram, recent: ScoreHistogram): readonly { was: number; is: number }[] {
  const fewest = countOf(reference) * binShare;
  const bins: { was: number; is: number }[] = [];
  let open = { was: 0, is: 0 };
  for (const [at, was] of reference.counts.entries()) {
    open = { was: open.was + was, is: open.is + (recent.counts[at] ?? 0) };
    if (open.was < fewest) continue;
    bins.push(open);
    open = { was: 0, is: 0 };
  }
  const last = bins.pop() ?? { was: 0, is: 0 };
  return [...bins, { was: last.was + open.was, is: last.is + open.is }];
}

function distance(reference: ScoreHistogram, recent: ScoreHistogram): number {
  const [before, now] = [countOf(reference), countOf(recent)];
  if (before === 0 || now === 0) return 0;
  let [was, is, most] = [0, 0, 0];
  for (const [at, count] of reference.counts.entries()) {
    was += count / before;
    is += (recent.counts[at] ?? 0) / now;
    most = Math.max(most, Math.abs(was - is));
  }
  return most;
}

function highestSum(labels: readonly LabelledAnswer[], sign: 1 | -1): number {
  let [sum, highest] = [0, 0];
  for (const { probability, correct, weight = 1 } of labels) {
    sum = Math.max(0, sum + Math.min(1, weight) * (sign * (probability - correct) - allowance));
    highest = Math.max(highest, sum);
  }
  return highest;
}

/**
 * Siegmund's approximation (1985) of the average run: (e^2db − 2db − 1) ÷ 2d² with d = allowance ÷ σ and b = limit ÷ σ +
 * 1.166, solved for the limit at the labels' own mean variance p(1 − p).
 */
function limitOf(labels: readonly LabelledAnswer[]): number {
  const variance = labels.reduce((sum, { probability }) => sum + probability * (1 - probability), 0) / labels.length;
  if (!(variance > 0)) return smallestCusumLimit;
  const sigma = Math.sqrt(variance);
  const d = allowance / sigma;
  let [low, high] = [0, 1000];
  for (let halvings = 0; halvings < 60; halvings += 1) {
    const b = (low + high) / 2;
    if (Math.expm1(2 * d * b) - 2 * d * b > 2 * d * d * labelsBetweenFalseAlarms) high = b;
    else low = b;
  }
  return Math.max(smallestCusumLimit, sigma * (low - 1.166));
}

function shown(value: number): string {
  return value.toFixed(2);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
