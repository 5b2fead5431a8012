import { seededChance } from "./seeded-chance.ts";
import type { Day, Replayed } from "./replay-model.ts";

/** A figure with its 95 % interval. */
export interface Figure {
  readonly value: number;
  readonly interval: readonly [lo: number, hi: number];
}

/** One policy over all models it has somebody to offer for. */
export interface Summary {
  readonly policy: string;
  readonly models: number;
  readonly calls: number;
  /** Shares, mean over models of the mean over calls; the interval from whole days drawn with replacement. */
  readonly failing: Figure;
  /** The same from what was drawn: the check of it. */
  readonly drawnFailing: number;
  readonly attemptsPerCall: number;
  /** Against the ordered list's, over models whose answers' prices are known for both; undefined: for none. */
  readonly cost: { readonly ratio: number; readonly models: number } | undefined;
  /** Against the ordered list and the oracle over the same models; NaN where these had other calls than it. */
  readonly toList: Figure;
  readonly toOracle: Figure;
  readonly left: {
    readonly times: number;
    readonly stayed: number;
    readonly medianS: number | undefined;
    readonly p90S: number | undefined;
    readonly medianCalls: number | undefined;
  };
  readonly falseTripsPer1000: number;
}

/** By model. */
export type PolicyRuns = ReadonlyMap<string, Replayed>;

const unknown: Figure = { value: Number.NaN, interval: [Number.NaN, Number.NaN] };
const draws = 1000;
const leastPriced = 0.9;

export interface Summing {
  readonly runs: ReadonlyMap<string, PolicyRuns>;
  readonly list: string;
  readonly oracle: string;
  readonly seed: number;
}

export function summarise({ runs, list, oracle, seed }: Summing): readonly Summary[] {
  return [...runs].map(([policy, own]) => {
    const models = [...own.keys()];
    const daysOf = (name: string) => models.map((model) => runs.get(name)?.get(model)?.days ?? []);
    const of = { own: daysOf(policy), list: daysOf(list), oracle: daysOf(oracle) };
    const all = of.own.flat();
    const calls = total(all, "calls");
    const drawn = drawDays(Math.max(0, ...of.own.map((days) => days.length)), seededChance(seed));
    const means = {
      own: meansOf(of.own, "expected", drawn),
      list: meansOf(of.list, "expected", drawn),
      oracle: meansOf(of.oracle, "expected", drawn),
    };
    const isLike = (other: readonly (readonly Day[])[]): boolean => total(other.flat(), "calls") === calls;
    const replayed = [...own.values()];
    return {
      policy,
      models: models.length,
      calls,
      failing: figureOf(means.own),
      drawnFailing: meansOf(of.own, "failed", [])[0] ?? Number.NaN,
      attemptsPerCall: meansOf(of.own, "attempts", [])[0] ?? Number.NaN,
      cost: costOf(of.own, of.list),
      toList: isLike(of.list) ? figureOf(ratios(means.own, means.list)) : unknown,
      toOracle: isLike(of.oracle) ? figureOf(ratios(means.own, means.oracle)) : unknown,
      left: leavingOf(replayed),
      falseTripsPer1000: (1000 * replayed.reduce((sum, { falseTrips }) => sum + falseTrips, 0)) / Math.max(1, calls),
    };
  });
}

function leavingOf(replayed: readonly Replayed[]): Summary["left"] {
  const afterMs = replayed.flatMap((each) => each.leftAfterMs).toSorted((a, b) => a - b);
  const afterCalls = replayed.flatMap((each) => each.leftAfterCalls).toSorted((a, b) => a - b);
  const seconds = (share: number) => {
    const ms = at(afterMs, share);
    return ms === undefined ? undefined : ms / 1000;
  };
  return {
    times: afterMs.length,
    stayed: replayed.reduce((sum, { stayed }) => sum + stayed, 0),
    medianS: seconds(0.5),
    p90S: seconds(0.9),
    medianCalls: at(afterCalls, 0.5),
  };
}

function costOf(own: readonly (readonly Day[])[], list: readonly (readonly Day[])[]): Summary["cost"] {
  const ratios = own.flatMap((days, at) => {
    const prices = [days, list[at] ?? []].map((each) => {
      const calls = total(each, "calls");
      const priced = total(each, "priced");
      return priced > 0 && priced >= calls * leastPriced ? total(each, "paid") / priced : undefined;
    });
    const [ours, theirs] = prices;
    return ours === undefined || theirs === undefined || theirs === 0 ? [] : [ours / theirs];
  });
  if (ratios.length === 0) return undefined;
  return { ratio: ratios.reduce((sum, each) => sum + each, 0) / ratios.length, models: ratios.length };
}

/** The mean over models of a share of their calls: over all days first, then over each choice of days. */
function meansOf(models: readonly (readonly Day[])[], key: keyof Day, drawn: readonly Choice[]): readonly number[] {
  const all = models.reduce<readonly number[]>(
    (most, days) => (days.length > most.length ? [...days.keys()] : most),
    [],
  );
  return [all, ...drawn].map((chosen) => {
    let sum = 0;
    let count = 0;
    for (const days of models) {
      let calls = 0;
      let share = 0;
      for (const day of chosen) {
        calls += days[day]?.calls ?? 0;
        share += days[day]?.[key] ?? 0;
      }
      if (calls === 0) continue;
      sum += share / calls;
      count += 1;
    }
    return count === 0 ? Number.NaN : sum / count;
  });
}

function ratios(own: readonly number[], other: readonly number[]): readonly number[] {
  return own.map((each, at) => each / (other[at] ?? Number.NaN));
}

function figureOf([value = Number.NaN, ...drawn]: readonly number[]): Figure {
  const sorted = drawn.filter((each) => !Number.isNaN(each)).toSorted((a, b) => a - b);
  return { value, interval: [at(sorted, 0.025) ?? Number.NaN, at(sorted, 0.975) ?? Number.NaN] };
}

function total(days: readonly Day[], key: keyof Day): number {
  let sum = 0;
  for (const day of days) sum += day[key];
  return sum;
}

/** Numbers of days, some of them twice. */
type Choice = readonly number[];

function drawDays(count: number, chance: () => number): readonly Choice[] {
  return Array.from({ length: draws }, () => Array.from({ length: count }, () => Math.floor(chance() * count)));
}

function at(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
