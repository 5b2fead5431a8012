import type { CalibrationKey } from "./confidence.ts";

/** The linear part of a calibrator, in log-odds. JSON as it stands. */
export interface Logistic {
  readonly intercept: number;
  /** Per feature. The first feature is the answer's raw score in log-odds, the one that orders answers. */
  readonly slopes: readonly number[];
  /** Added to the first slope above `hingeAt`. */
  readonly hinge: number;
}

/** Probability by log-odds: linear between the points, flat outside. Both lists rise and are equally long. */
export interface Steps {
  readonly logOdds: readonly number[];
  readonly probabilities: readonly number[];
}

/**
 * How features become a probability. `prior`: what was known before any label of this kind; `platt`: a logistic curve;
 * `isotonic`: a monotone curve on top of it. `labels` is the effective number of labels behind it.
 */
export type Calibrator =
  | { readonly kind: "prior"; readonly logistic: Logistic; readonly labels: number }
  | { readonly kind: "platt"; readonly logistic: Logistic; readonly labels: number }
  | { readonly kind: "isotonic"; readonly logistic: Logistic; readonly steps: Steps; readonly labels: number };

/** Whose answers a calibration speaks for: a key, or one of its ancestors, which leave out what they do not tell apart. */
export type CalibrationScope = Pick<CalibrationKey, "shape" | "signals"> & Partial<CalibrationKey>;

/** How well a calibrator did on labels it was not fitted on. */
export interface CalibrationQuality {
  /** Labelled answers. */
  readonly n: number;
  /** What their weights add up to. */
  readonly nEff: number;
  /** Expected calibration error over 15 bins, and what it would be of a perfect calibrator with so few labels. */
  readonly ece: number;
  readonly eceFloor: number;
  readonly brier: number;
  /** Absent where all labels are alike. */
  readonly auroc?: number;
  /** Share of its labelled answers that is right, whatever their score. */
  readonly accuracy?: number;
}

/** Of the answers at or above `threshold`, at least `min` are right, but for a chance of `delta`. */
export interface PoolCertificate {
  readonly min: number;
  readonly delta: number;
  /** Least calibrated probability. */
  readonly threshold: number;
  /** Clopper–Pearson. */
  readonly accuracyLowerBound: number;
  /** Labelled answers at or above it, and how many of them were right. */
  readonly accepted: number;
  readonly correct: number;
}

/** How many raw scores fell between neighbouring edges; the first and last bins are open. */
export interface ScoreHistogram {
  /** Log-odds, rising; one fewer than `counts`. */
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

/**
 * `ok`: as fitted. `stale`: its newest label is older than 30 days. `drift`: scores or labels no longer look like those it
 * was fitted on, and nothing is promised.
 */
export type CalibrationState = "ok" | "stale" | "drift";

export interface CalibrationEntry {
  readonly key: CalibrationScope;
  readonly calibrator: Calibrator;
  readonly quality: CalibrationQuality;
  readonly pools: readonly PoolCertificate[];
  /** Of the raw scores it was fitted on. */
  readonly reference: ScoreHistogram;
  readonly state: CalibrationState;
  /** Of another state than `ok`, in words. */
  readonly why?: string;
  /** Wall clock, ISO 8601. */
  readonly fittedAt: string;
  /** What came since then is compared with `reference`; absent: since `fittedAt`. */
  readonly anchoredAt?: string;
  /** When it last drifted: labels from before count a quarter. */
  readonly driftedAt?: string;
}

/** Every calibration a gateway has. Immutable; a refit makes a new one. */
export interface CalibrationSet {
  /** Names its content: shown beside each score. */
  readonly version: string;
  readonly entries: readonly CalibrationEntry[];
}
