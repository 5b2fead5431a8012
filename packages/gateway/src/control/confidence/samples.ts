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
  for (const [newerLabels, row] of newestFirst.entries()) {
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
  return withoutDrifted(sampled.toReversed(), driftedAtMs);
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
