import type { LabelSource } from "#domain/confidence";

/** What decides how much a label counts. */
export interface LabelOrigin {
  /** 0 or more. */
  readonly ageMs: number;
  /** Labels of the same key that came after it. */
  readonly newerLabels: number;
  /** `silver` is agreement with a better model; all others are as good as a person's word. */
  readonly source: LabelSource;
  /** Chance with which this answer was picked to be labelled, more than 0; 1 where absent: it would have been in any case. */
  readonly propensity?: number;
  /** What the sender gave it, 0 to 1. 1 where absent. */
  readonly weight?: number;
}

const halfLifeMs = 30 * 24 * 60 * 60_000;
const halfLifeLabels = 2000;
/** A silver label says what a stronger model would have said, which is not always right. */
const silverWeight = 0.5;
/** So many true labels of the key, and silver ones are not needed any more. */
const trueLabelsThatSuffice = 200;
/**
 * The most that a rare pick stands for: shares of shadow calls of 2 % and more are undone exactly. Rarer ones count for less
 * than they should, so that one label never outweighs all others.
 */
const highestPropensityWeight = 50;

/**
 * What a label is worth in a fit, 0 or more: its sender's weight, halved every 30 days or every 2,000 newer labels, whichever
 * is sooner; silver counts half, and fades to nothing as true labels arrive; what was picked by chance stands for 1 ÷ chance
 * answers, up to 50.
 *
 * @param trueLabels how many labels that are not silver there are for the same key
 */
export function labelWeight(origin: LabelOrigin, trueLabels: number): number {
  const { ageMs, newerLabels, source, propensity = 1, weight = 1 } = origin;
  const halves = Math.max(0, ageMs / halfLifeMs, newerLabels / halfLifeLabels);
  const trust = source === "silver" ? silverWeight * Math.max(0, 1 - trueLabels / trueLabelsThatSuffice) : 1;
  const standsFor = propensity > 0 ? Math.min(highestPropensityWeight, 1 / propensity) : highestPropensityWeight;
  return Math.min(1, Math.max(0, weight)) * trust * 2 ** -halves * standsFor;
}
