import type { RiskGroup, ShareInterval } from "#domain/supply";
import { groupText } from "./graph.ts";
import { sharesKind } from "./overlap.ts";

/**
 * What two targets are to each other, the closest first. `tier`: the same model in the same shop and place. `region`: the
 * same in another region. `storefront`: one operator, another shop. `model`: one operator, another model. `operator`: one
 * model, another operator. `vendor`: neither.
 */
export type PairRelation = "tier" | "region" | "storefront" | "model" | "operator" | "vendor";

/** A Beta distribution: as many earlier joint (`alpha`) and single (`gamma`) failures. */
export interface BetaPrior {
  readonly alpha: number;
  readonly gamma: number;
}

/**
 * What is expected of β before anything is measured: means as measured on OpenRouter's endpoints from July to August 2026
 * (0.9 for tiers of one vendor, 0.1 for regions, 0.5 for storefronts of one operator, 0.06 for its models, 0.05 for
 * operators of one model, 0.01 for the rest), held as firmly as few events deserve.
 */
export const betaPriors: Readonly<Record<PairRelation, BetaPrior>> = {
  tier: { alpha: 4.5, gamma: 0.5 },
  region: { alpha: 0.5, gamma: 4.5 },
  storefront: { alpha: 2, gamma: 2 },
  model: { alpha: 0.6, gamma: 9.4 },
  operator: { alpha: 0.5, gamma: 9.5 },
  vendor: { alpha: 0.5, gamma: 49.5 },
};

/** Per interval of time: whether a target was bad; undefined where it was not asked. */
export type Series = readonly (boolean | undefined)[];

export interface PairCounts {
  /** In which both were asked. */
  readonly intervals: number;
  readonly badA: number;
  readonly badB: number;
  readonly joint: number;
  /** Runs of bad intervals of A: an outage is one event, however long it lasts. */
  readonly events: number;
  /** Of those, in how many B was bad, too. */
  readonly jointEvents: number;
}

export interface BetaEstimate {
  readonly relation: PairRelation;
  /** Part of A's failures that take B down with it, 0 to 1. */
  readonly mean: number;
  /** 95 %, equal tails. */
  readonly interval: ShareInterval;
  /** Runs of A's failures it rests on. None: it is what was expected. */
  readonly events: number;
  readonly joint: number;
  readonly intervals: number;
  readonly prior: BetaPrior;
}

/** What two targets are to each other, as far as claims say it for sure. */
export function relationOf(a: readonly RiskGroup[], b: readonly RiskGroup[]): PairRelation {
  const certain = (kind: RiskGroup["kind"]) => sharesKind(a, b, kind) === "certain";
  const isOneModel = certain("model");
  const isOneShop = certain("storefront") || certain("provider");
  if (isOneModel && isOneShop) return sharesKind(a, b, "region") === "none" ? "region" : "tier";
  const isOneOperator = isOneShop || certain("operator");
  if (isOneOperator) return isOneModel ? "storefront" : "model";
  return isOneModel ? "operator" : "vendor";
}

/** Counts over the intervals in which both were asked. */
export function countPair(a: Series, b: Series): PairCounts {
  const counts = { intervals: 0, badA: 0, badB: 0, joint: 0, events: 0, jointEvents: 0 };
  let running = false;
  let told = false;
  for (const [at, isBad] of a.entries()) {
    const other = b[at];
    if (isBad === undefined || other === undefined) continue;
    counts.intervals += 1;
    if (other) counts.badB += 1;
    if (isBad) {
      counts.badA += 1;
      if (!running) {
        counts.events += 1;
        told = false;
      }
      if (other) {
        counts.joint += 1;
        if (!told) counts.jointEvents += 1;
        told = true;
      }
    }
    running = isBad;
  }
  return counts;
}

/** Steps over which the posterior is summed: the third decimal is right. */
const steps = 4000;

/**
 * β of the β-factor model (Fleming 1975; NUREG/CR-5485): given that A fails, B fails with P(B) + β (1 − P(B)), where P(B)
 * is how often B fails while A does not. Bayes: a Beta prior of the kind of pair, a binomial likelihood, in which the
 * intervals of one run of failures count as one event together, because they are one cause; the posterior is summed
 * numerically. Asymmetric: of A's failures, not of B's.
 */
export function estimateBeta({
  relation,
  counts,
  prior = betaPriors[relation],
}: {
  readonly relation: PairRelation;
  readonly counts: PairCounts;
  readonly prior?: BetaPrior;
}): BetaEstimate {
  const { intervals, badA, badB, joint, events } = counts;
  // Jeffreys' estimate: never having seen B fail alone does not mean that it cannot.
  const base = intervals === badA ? 0 : (badB - joint + 0.5) / (intervals - badA + 1);
  const perInterval = badA === 0 ? 0 : events / badA;
  const hits = joint * perInterval;
  const misses = (badA - joint) * perInterval;
  const weights: number[] = [];
  for (let step = 0; step < steps; step += 1) {
    const given = betaAt(step) + base * (1 - betaAt(step));
    const likelihood = hits * Math.log(given) + misses * Math.log(1 - given);
    // Where alpha or gamma is a half the density has no bound at 0 and 1; over an angle, β = sin², it has one.
    const angle = ((step + 0.5) / steps) * (Math.PI / 2);
    const density =
      (2 * prior.alpha - 1) * Math.log(Math.sin(angle)) + (2 * prior.gamma - 1) * Math.log(Math.cos(angle));
    weights.push(likelihood + density);
  }
  const highest = weights.reduce((most, weight) => Math.max(most, weight), Number.NEGATIVE_INFINITY);
  const masses = weights.map((weight) => Math.exp(weight - highest));
  const total = masses.reduce((sum, mass) => sum + mass, 0);
  const mean = masses.reduce((sum, mass, step) => sum + mass * betaAt(step), 0) / total;
  const interval: ShareInterval = [quantile(masses, 0.025 * total), quantile(masses, 0.975 * total)];
  return { relation, mean, interval, events, joint, intervals, prior };
}

function betaAt(step: number): number {
  return Math.sin(((step + 0.5) / steps) * (Math.PI / 2)) ** 2;
}

function quantile(masses: readonly number[], wanted: number): number {
  let sum = 0;
  for (const [step, mass] of masses.entries()) {
    sum += mass;
    if (sum >= wanted) return betaAt(step);
  }
  return 1;
}

/** `storefront:a/b`-like key under which a target's outcomes are put together with its siblings'. */
export function placeOf(groups: readonly RiskGroup[]): string {
  const named = (kind: RiskGroup["kind"]) => groups.find((group) => group.kind === kind);
  const storefront = named("storefront") ?? named("provider");
  const model = named("model")?.name ?? "";
  const vendor = model.includes("/") ? model.slice(0, model.indexOf("/")) : "";
  const place = storefront === undefined ? "" : groupText(storefront);
  return vendor === "" || place.endsWith(`/${vendor}`) ? place : `${place} ${vendor}`;
}
