import { scopeName } from "#confidence/calibration-key";
import { calibrate } from "#confidence/calibrator";
import { fitCalibrator } from "#confidence/fit-calibrator";
import { probabilityOf } from "#confidence/log-odds";
import type { LabelledSample } from "#confidence/platt";
import { acceptedAt, reliabilityOf, type Outcome } from "#confidence/reliability";
import type { TrainingRow } from "./training-rows.ts";

/** What calibration is worth on one half of the labelled answers, learned from the other. */
export interface Evaluated {
  readonly scope: string;
  /** Labels learned from, and judged by. */
  readonly learned: number;
  readonly judged: number;
  /** Share of the judged that is right. */
  readonly accuracy: number;
  readonly raw: Gated;
  readonly calibrated: Gated;
  /** A threshold for the pool, from the labels learned from; absent: they certify none. */
  readonly pool?: Accepted;
  readonly eceFloor: number;
  /** Of the calibrated scores; absent where all labels are alike. */
  readonly auroc?: number;
}

/** A share of the answers, and how many of those were right; absent: none was accepted. */
export interface Accepted {
  readonly share: number;
  readonly accuracy?: number;
}

interface Gated extends Accepted {
  readonly ece: number;
  readonly brier: number;
}

const delta = 0.05;

/** One for each key of the rows, in halves that depend on the seed alone. */
export function evaluateOwn(
  rows: readonly TrainingRow[],
  { min, seed }: { readonly min: number; readonly seed: number },
): readonly Evaluated[] {
  const byKey = Map.groupBy(rows, ({ keyText }) => keyText);
  return [...byKey.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined || same.length < 2) return [];
    const samples = shuffled(same, seed).map(({ features, correct }) => ({ features, correct, weight: 1 }));
    const half = Math.floor(samples.length / 2);
    return [{ scope: scopeName(first.key), ...judge(samples.slice(0, half), samples.slice(half), min) }];
  });
}

function judge(
  learned: readonly LabelledSample[],
  judged: readonly LabelledSample[],
  min: number,
): Omit<Evaluated, "scope"> {
  const fit = fitCalibrator({ samples: learned, promises: [{ accuracy: min, delta }] });
  const told = (probability: (features: readonly number[]) => number): readonly Outcome[] =>
    judged.map(({ features, correct }) => ({ probability: probability(features), correct }));
  const raw = told(([score = 0]) => probabilityOf(score));
  const calibrated = fit === undefined ? raw : told((features) => calibrate(fit.calibrator, features));
  const [pool] = fit?.pools ?? [];
  const { eceFloor = 0, auroc } = reliabilityOf(calibrated) ?? {};
  return {
    learned: learned.length,
    judged: judged.length,
    accuracy: judged.reduce((sum, { correct }) => sum + correct, 0) / judged.length,
    raw: gated(raw, min),
    calibrated: gated(calibrated, min),
    ...(pool === undefined ? {} : { pool: accepted(calibrated, pool.threshold) }),
    eceFloor,
    ...(auroc === undefined ? {} : { auroc }),
  };
}

function gated(outcomes: readonly Outcome[], min: number): Gated {
  const { ece = 0, brier = 0 } = reliabilityOf(outcomes) ?? {};
  return { ...accepted(outcomes, min), ece, brier };
}

function accepted(outcomes: readonly Outcome[], least: number): Accepted {
  const { share, accuracy } = acceptedAt(outcomes, least);
  return { share, ...(accuracy === undefined ? {} : { accuracy }) };
}

/** Fisher and Yates, by a small generator of its own (mulberry32), so that a seed means the same everywhere. */
function shuffled<Row>(rows: readonly Row[], seed: number): readonly Row[] {
  const mixed = [...rows];
  let state = seed >>> 0;
  for (let at = mixed.length - 1; at > 0; at -= 1) {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    const other = Math.floor((((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296) * (at + 1));
    const [one, two] = [mixed[at], mixed[other]];
    if (one === undefined || two === undefined) continue;
    mixed[at] = two;
    mixed[other] = one;
  }
  return mixed;
}
