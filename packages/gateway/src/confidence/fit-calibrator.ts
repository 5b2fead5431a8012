import type { CalibrationQuality, Calibrator, PoolCertificate, ScoreHistogram } from "#domain/calibration";
import { priorFor } from "./calibration-prior.ts";
import { calibrate, globalPrior, logisticScore } from "./calibrator.ts";
import { effectiveCount } from "./effective-count.ts";
import { fitIsotonic } from "./isotonic.ts";
import { fitLogistic, type LabelledSample, type LogisticPrior } from "./platt.ts";
import { certifyPool, type PoolPromise } from "./pool-threshold.ts";
import { acceptedAt, reliabilityOf, type Outcome } from "./reliability.ts";
import { histogramOf } from "./score-histogram.ts";

export interface FitInput {
  /** The oldest first, all with as many features. Weights as `labelWeight` gives them; those of 0 are left out. */
  readonly samples: readonly LabelledSample[];
  /** Of a wider scope, fitted on other labels: the fit starts from its coefficients. The global prior where absent. */
  readonly parent?: Calibrator;
  /** Promises that routes make for a pool. */
  readonly promises?: readonly PoolPromise[];
}

export interface CalibratorFit {
  readonly calibrator: Calibrator;
  readonly quality: CalibrationQuality;
  /** One for each promise that is kept. */
  readonly pools: readonly PoolCertificate[];
  /**
   * What each sample is told in the tests of `pools`, in the samples' order. By calibrators that have not seen it, except where
   * labels cannot change who is above whom.
   */
  readonly scores: readonly number[];
  /** Of the raw scores. */
  readonly reference: ScoreHistogram;
}

/** From so many effective labels on a free curve is tried: with fewer it is worse than a straight line. */
const labelsForIsotonic = 400;
const foldCount = 5;

/**
 * A calibrator from labels: a logistic curve that starts from the parent's (most probable a posteriori), and from 400 labels
 * on an isotonic curve on top of it, if it wins by Brier's score in five-fold cross-validation. Quality is that of the
 * cross-validation, so of answers each calibrator had not seen. Fold k holds every fifth sample from the k-th on: the same
 * samples give the same calibrator.
 *
 * Undefined without labels: then the parent is what is known.
 */
export function fitCalibrator({ samples, parent = globalPrior, promises = [] }: FitInput): CalibratorFit | undefined {
  const counted = samples.filter(({ weight }) => weight > 0);
  const [first] = counted;
  if (first === undefined) return undefined;
  const prior = priorFor(first.features.length, parent);
  const platt = crossValidated(counted, (rows) => plattOf(rows, prior));
  const weights = counted.map(({ weight }) => weight);
  const isotonic =
    effectiveCount(weights) < labelsForIsotonic
      ? undefined
      : crossValidated(counted, (rows) => isotonicOf(rows, prior));
  const wins = isotonic !== undefined && qualityOf(isotonic).brier < qualityOf(platt).brier;
  const judged = wins ? isotonic : platt;
  const calibrator = wins ? isotonicOf(counted, prior) : plattOf(counted, prior);
  // One feature and a straight line: labels cannot change who is above whom, and the exact test holds for the fit itself.
  const isOrderFixed = !wins && first.features.length === 1;
  let place = 0;
  const scores = samples.map(({ features, weight }) => {
    const own = weight > 0 ? judged[place++]?.probability : undefined;
    return (isOrderFixed ? undefined : own) ?? calibrate(calibrator, features);
  });
  const scored = samples.flatMap(({ correct, weight }, at) =>
    weight > 0 ? [{ score: scores[at] ?? 0, correct, weight }] : [],
  );
  return {
    calibrator,
    quality: qualityOf(judged),
    pools: promises.flatMap((promise) => certifyPool(scored, promise) ?? []),
    scores,
    reference: histogramOf(counted.map(({ features, weight }) => ({ score: features[0] ?? 0, weight }))),
  };
}

/**
 * Weights are scaled to the effective number of labels: one answer that stands for fifty must not outvote the prior fifty
 * times.
 */
function plattOf(samples: readonly LabelledSample[], prior: LogisticPrior): Calibrator {
  const labels = effectiveCount(samples.map(({ weight }) => weight));
  const sum = samples.reduce((total, { weight }) => total + weight, 0);
  const scaled = samples.map((sample) => ({ ...sample, weight: (sample.weight * labels) / sum }));
  return { kind: "platt", logistic: fitLogistic(scaled, prior).logistic, labels };
}

function isotonicOf(samples: readonly LabelledSample[], prior: LogisticPrior): Calibrator {
  const { logistic, labels } = plattOf(samples, prior);
  const points = samples.map(({ features, correct, weight }) => ({
    x: logisticScore(logistic, features),
    y: correct,
    weight,
  }));
  return { kind: "isotonic", logistic, steps: fitIsotonic(points), labels };
}

/** What each sample is told by a calibrator that has not seen it. */
function crossValidated(
  samples: readonly LabelledSample[],
  fit: (rows: readonly LabelledSample[]) => Calibrator,
): readonly Outcome[] {
  const calibrators = Array.from({ length: foldCount }, (_, fold) =>
    fit(samples.filter((_, at) => at % foldCount !== fold)),
  );
  return samples.map(({ features, correct, weight }, at) => {
    const calibrator = calibrators[at % foldCount] ?? globalPrior;
    return { probability: calibrate(calibrator, features), correct, weight };
  });
}

function qualityOf(outcomes: readonly Outcome[]): CalibrationQuality {
  const { count = 0, ece = 0, eceFloor = 0, brier = 0, auroc } = reliabilityOf(outcomes) ?? {};
  const nEff = effectiveCount(outcomes.map(({ weight = 1 }) => weight));
  const { accuracy } = acceptedAt(outcomes, 0);
  return {
    n: count,
    nEff,
    ece,
    eceFloor,
    brier,
    ...(auroc === undefined ? {} : { auroc }),
    ...(accuracy === undefined ? {} : { accuracy: Math.min(1, accuracy) }),
  };
}
