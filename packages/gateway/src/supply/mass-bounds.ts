import type { ShareInterval } from "#domain/supply";
import type { Mass } from "./concentration.ts";

export interface MassBounds {
  /** Least and greatest sum of squares. */
  readonly squares: ShareInterval;
  /** Least and greatest share of the largest. */
  readonly top: ShareInterval;
  readonly exact: boolean;
}

/** 2^14 sets of names take some milliseconds; more names than that have bounds that are not exact. */
const mostNames = 14;

/** How much of all can be, and has to be, each name's by what claims say. */
export function shareBounds(masses: readonly Mass[], names: number): readonly ShareInterval[] {
  return Array.from({ length: names }, (_, at): ShareInterval => {
    let [least, most] = [0, 0];
    for (const mass of masses) {
      const own = mass.most[at] ?? 0;
      const others = sum(mass.most) - own;
      most += mass.weight * own;
      least += mass.weight * Math.max(mass.least[at] ?? 0, mass.rest > 0 ? 0 : Math.min(own, 1 - others));
    }
    return [clamp(least), clamp(most)];
  });
}

/** Undefined where there are too many names. */
export function exactBounds(masses: readonly Mass[], names: number): MassBounds | undefined {
  const hasRest = masses.some(({ rest }) => rest > 0);
  // What nobody is named for may all be one more, a stranger's.
  const strangers = hasRest ? 1 : 0;
  if (names + strangers > mostNames) return undefined;
  const greatest = mostMasses(masses, names + strangers, true);
  const level = levels(mostMasses(masses, names, false), names);
  let top = 0;
  for (let at = 0; at < names + strangers; at += 1) top = Math.max(top, greatest[1 << at] ?? 0);
  return {
    squares: [clamp(sum(level.map((share) => share * share))), clamp(greatestSquares(greatest, names + strangers))],
    top: [clamp(Math.max(0, ...level)), clamp(top)],
    exact: true,
  };
}

/**
 * For each set of names (as bits) the most that can be theirs together. `strangely`: with what nobody is named for, which
 * can be anybody's that is not named.
 */
function mostMasses(masses: readonly Mass[], names: number, strangely: boolean): Float64Array {
  const most = new Float64Array(1 << names);
  for (const mass of masses) {
    const { weight, named, rest } = mass;
    for (let set = 1; set < most.length; set += 1) {
      let [inside, outside] = [0, 0];
      for (let at = 0; at < names; at += 1) {
        if ((set & (1 << at)) === 0) outside += mass.least[at] ?? 0;
        else inside += mass.most[at] ?? 0;
      }
      const own = rest > 0 ? inside : Math.min(inside, 1 - outside);
      const more = strangely && (set & ~named) !== 0 ? rest : 0;
      most[set] = (most[set] ?? 0) + weight * (own + more);
    }
  }
  return most;
}

/** The greatest sum of squares over all orders in which names take as much as they can get. */
function greatestSquares(most: Float64Array, names: number): number {
  const best = new Float64Array(most.length);
  for (let set = 1; set < most.length; set += 1) {
    let found = 0;
    for (let at = 0; at < names; at += 1) {
      const bit = 1 << at;
      if ((set & bit) === 0) continue;
      const gain = (most[set] ?? 0) - (most[set ^ bit] ?? 0);
      found = Math.max(found, (best[set ^ bit] ?? 0) + gain * gain);
    }
    best[set] = found;
  }
  return best.at(-1) ?? 0;
}

/** The shares that are as even as can be: again and again the largest set with the least average gets that average. */
function levels(most: Float64Array, names: number): readonly number[] {
  const level = Array.from({ length: names }, () => 0);
  const all = (1 << names) - 1;
  let done = 0;
  while (done !== all) {
    let [lowest, chosen] = [Number.POSITIVE_INFINITY, 0];
    for (let set = 1; set <= all; set += 1) {
      if ((set & done) !== 0) continue;
      const size = bits(set);
      const average = ((most[done | set] ?? 0) - (most[done] ?? 0)) / size;
      const isLower = average < lowest - 1e-12;
      if (isLower || (average < lowest + 1e-12 && size > bits(chosen)))
        [lowest, chosen] = [Math.min(average, lowest), set];
    }
    for (let at = 0; at < names; at += 1) if ((chosen & (1 << at)) !== 0) level[at] = lowest;
    done |= chosen;
  }
  return level;
}

/**
 * Bounds that hold and may be too wide: each name's share for itself, whatever that leaves the others. Evenly filled from
 * below it is least; Σ s² ≤ Σ s·most, which is greatest where those with the greatest bound have all they can.
 */
export function looseBounds(masses: readonly Mass[], shares: readonly ShareInterval[]): MassBounds {
  const unknown = sum(masses.map(({ weight, rest }) => weight * rest));
  const highest = shares.map(([, most], at) =>
    clamp(
      most + sum(masses.map(({ weight, rest, named }) => ((named & (1 << at)) === 0 || at > 30 ? weight * rest : 0))),
    ),
  );
  let left = 1;
  let greatest = 0;
  for (const bound of [...highest, unknown].toSorted((a, b) => b - a)) {
    const taken = Math.min(bound, left);
    greatest += taken * bound;
    left -= taken;
  }
  const level = evenLevel(shares, 1 - unknown);
  const filled = shares.map(([least, most]) => Math.min(most, Math.max(least, level)));
  return {
    squares: [clamp(sum(filled.map((share) => share * share))), clamp(greatest)],
    top: [clamp(Math.max(0, ...filled)), clamp(Math.max(unknown, ...highest))],
    exact: false,
  };
}

/** The height to which all are filled, within their bounds, when so much is poured in. */
function evenLevel(shares: readonly ShareInterval[], mass: number): number {
  let [low, high] = [0, 1];
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    const poured = sum(shares.map(([least, most]) => Math.min(most, Math.max(least, middle))));
    if (poured > mass) high = middle;
    else low = middle;
  }
  return low;
}

function bits(set: number): number {
  let count = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0);
}

/** Sums of many shares miss 0 and 1 by a rounding. */
function clamp(share: number): number {
  return Math.min(1, Math.max(0, share));
}
