import { labelWeight } from "#confidence/decay";
import type { LabelledSample } from "#confidence/platt";
import type { TrainingRow } from "./training-rows.ts";

/** So many labels of accepted answers, and those of doubted ones can be set beside them. */
const fewestAccepted = 10;
/** Below this share of accepted answers, doubted ones are as good as all there are. */
const fewAccepted = 0.05;
/**
 * What labels from before a drift still count: a quarter, and all of them together no more than so many. They are what is
 * known of such answers, as other routes' labels are, and must not outvote the hundred that end the drift.
 */
const beforeDrift = { share: 0.25, most: 25 };

/**
 * What one caller says counts for no more than what all the others say, where there are others: verdicts cannot be checked,
 * and a route's calibration is everybody's. So many labels of one are always heard, which is enough to calibrate by, so that
 * a few words of another do not undo what one caller labelled with care.
 */
const alwaysHeard = 200;

export interface SampledRow {
  readonly row: TrainingRow;
  readonly sample: LabelledSample;
}

/**
 * The rows that may teach: labels of doubted answers alone would say how good the worst answers are, and nothing of those
 * that are given.
 *
 * @param acceptedShare of the answers judged of late; undefined where none was
 */
export function teachingRows(rows: readonly TrainingRow[], acceptedShare: number | undefined): readonly TrainingRow[] {
  const accepted = rows.filter(({ ofDoubted }) => !ofDoubted);
  const areFair = accepted.length >= fewestAccepted || (acceptedShare !== undefined && acceptedShare < fewAccepted);
  return areFair ? rows : accepted;
}

/**
 * Rows with what each counts, the oldest first, as fits take them. Those with another number of features than the newest
 * are from a version that scored otherwise, and are left out; so is what weighs nothing.
 */
export function samplesOf(
  newestFirst: readonly TrainingRow[],
  { nowMs, driftedAtMs = Number.NEGATIVE_INFINITY }: { readonly nowMs: number; readonly driftedAtMs?: number },
): readonly SampledRow[] {
  const features = newestFirst[0]?.features.length;
  const trueLabels = newestFirst.filter(({ source }) => source !== "silver").length;
  const sampled: SampledRow[] = [];
  // Nobody's labels grow old because another caller sends many.
  const newer = new Map<string, number>();
  for (const row of newestFirst) {
    const newerLabels = newer.get(row.caller) ?? 0;
    newer.set(row.caller, newerLabels + 1);
    if (row.features.length !== features) continue;
    const { source, propensity, weight, atMs, correct } = row;
    const origin = {
      ageMs: Math.max(0, nowMs - atMs),
      newerLabels,
      source: source === "review" ? ("human" as const) : source,
      propensity,
      weight,
    };
    const counts = labelWeight(origin, trueLabels);
    if (counts > 0) sampled.push({ row, sample: { features: row.features, correct, weight: counts } });
  }
  return withoutDrifted(withoutLoud(sampled).toReversed(), driftedAtMs);
}

function withoutLoud(sampled: readonly SampledRow[]): readonly SampledRow[] {
  const said = new Map<string, number>();
  for (const { row, sample } of sampled) {
    if (isCallersWord(row)) said.set(row.caller, (said.get(row.caller) ?? 0) + sample.weight);
  }
  const all = said.values().reduce((sum, weight) => sum + weight, 0);
  const [loudest] = [...said].toSorted(([, a], [, b]) => b - a);
  if (loudest === undefined || said.size < 2) return sampled;
  // More than all the others together is said by one at most.
  const [caller, weight] = loudest;
  const share = Math.max(alwaysHeard, all - weight) / weight;
  if (share >= 1) return sampled;
  return sampled.map((each) => {
    const { row, sample } = each;
    return isCallersWord(row) && row.caller === caller
      ? { row, sample: { ...sample, weight: sample.weight * share } }
      : each;
  });
}

/** Decisions of reviewers and agreement between models are nobody's word on his own calls. */
function isCallersWord({ source }: TrainingRow): boolean {
  return source === "human" || source === "verifier";
}

function withoutDrifted(sampled: readonly SampledRow[], driftedAtMs: number): readonly SampledRow[] {
  const old = sampled.reduce((sum, { row, sample }) => (row.atMs < driftedAtMs ? sum + sample.weight : sum), 0);
  if (old === 0) return sampled;
  const share = Math.min(beforeDrift.share, beforeDrift.most / old);
  return sampled.map(({ row, sample }) => {
    const weight = row.atMs < driftedAtMs ? sample.weight * share : sample.weight;
    return { row, sample: { features: sample.features, correct: sample.correct, weight } };
  });
}
