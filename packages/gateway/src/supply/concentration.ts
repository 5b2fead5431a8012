import type { RiskGroup, RiskKind, ShareInterval } from "#domain/supply";
import { exactBounds, looseBounds, shareBounds } from "./mass-bounds.ts";

/** Traffic and whom it may hang on, at one layer: by operator, by owner, by region. */
export interface Exposure {
  /** Requests, tokens or money: the same for all of a list, and not negative. */
  readonly weight: number;
  /** Empty where nobody is named. */
  readonly shares: readonly { readonly name: string; readonly share: ShareInterval }[];
}

export interface Concentration {
  /** Whoever is named, with the share of all traffic that claims give it; the largest possible share first. */
  readonly members: readonly { readonly name: string; readonly share: ShareInterval }[];
  /** Share of the traffic for which nobody is named. */
  readonly unknown: number;
  /** Herfindahl–Hirschman index, 0 to 1 (US guidelines of 2023 count it to 10,000: above 1,800 is highly concentrated). */
  readonly hhi: ShareInterval;
  /** 1 / HHI: as many equal ones would be as concentrated. Infinite where the index may be 0. */
  readonly effective: readonly [least: number, most: number];
  /** Of the largest. */
  readonly top: ShareInterval;
  /** False where there are too many names to find the bounds exactly: they then are no narrower than the true ones. */
  readonly exact: boolean;
}

/** What each part of the traffic hangs on, of one kind of risk group. */
export function exposuresAt(
  kind: RiskKind,
  traffic: readonly { readonly weight: number; readonly groups: readonly RiskGroup[] }[],
): readonly Exposure[] {
  return traffic.map(({ weight, groups }) => ({
    weight,
    shares: groups.filter((group) => group.kind === kind).map(({ name, share }) => ({ name, share })),
  }));
}

/**
 * Concentration of traffic at a layer: HHI = Σ s², effective number 1 / HHI (Hirschman 1945, Herfindahl 1950; Laakso and
 * Taagepera 1979). Where shares are not known it is bounded, not guessed: every assignment of shares within their
 * intervals that adds up to one for each exposure is possible, and the interval is from the least to the greatest index
 * over all of them. What no claim names may be one stranger, any that is not named for it, or arbitrarily many.
 *
 * Those assignments are the base polytope of a submodular function, for each exposure and therefore for their sum. A convex
 * function is greatest at a vertex, and the vertices are what a greedy filling in some order of the names gives (Edmonds
 * 1970); a dynamic programme over sets of names finds the best order. It is least at the lexicographically optimal base,
 * which falls apart into sets of least average mass (Fujishige 1980).
 */
export function concentration(exposures: readonly Exposure[]): Concentration {
  const total = exposures.reduce((sum, { weight }) => sum + weight, 0);
  if (total <= 0) {
    return { members: [], unknown: 0, hhi: [0, 0], effective: [0, 0], top: [0, 0], exact: true };
  }
  const names = [...new Set(exposures.flatMap(({ shares }) => shares.map(({ name }) => name)))].toSorted();
  const masses = merged(exposures, names, total);
  const shares = shareBounds(masses, names.length);
  const unknown = masses.reduce((sum, { weight, rest }) => sum + weight * rest, 0);
  const bounds = exactBounds(masses, names.length) ?? looseBounds(masses, shares);
  const [least, most] = bounds.squares;
  return {
    members: names
      .map((name, at) => ({ name, share: shares[at] ?? ([0, 0] as const) }))
      .toSorted((a, b) => b.share[1] - a.share[1] || b.share[0] - a.share[0]),
    unknown,
    hhi: [least, most],
    effective: [1 / most, least <= 0 ? Number.POSITIVE_INFINITY : 1 / least],
    top: bounds.top,
    exact: bounds.exact,
  };
}

/** An exposure whose shares stand by number of the name, within bounds that can be had together. */
export interface Mass {
  /** Of all, 0 to 1. */
  readonly weight: number;
  /** By number of the name; both 0 where it is not named. */
  readonly least: readonly number[];
  readonly most: readonly number[];
  /** Bit n: name n is named; of the first 31 names. */
  readonly named: number;
  /** What is left where all that are named have their most. */
  readonly rest: number;
}

/** Exposures with the same shares count as one. */
function merged(exposures: readonly Exposure[], names: readonly string[], total: number): readonly Mass[] {
  const bySame = new Map<string, { weight: number; shares: Exposure["shares"] }>();
  for (const { weight, shares } of exposures) {
    if (weight <= 0) continue;
    const sorted = shares.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const key = JSON.stringify(sorted.map(({ name, share }) => [name, share]));
    const known = bySame.get(key);
    if (known === undefined) bySame.set(key, { weight, shares: sorted });
    else known.weight += weight;
  }
  return [...bySame.values()].map(({ weight, shares }) => massOf({ weight: weight / total, shares }, names));
}

function massOf({ weight, shares }: Exposure, names: readonly string[]): Mass {
  const least = names.map(() => 0);
  const most = names.map(() => 0);
  let named = 0;
  // Claims that together are wholly several ones' contradict each other: each is then held for as much as the others.
  const sum = shares.reduce((all, { share }) => all + share[0], 0);
  const scale = sum > 1 ? 1 / sum : 1;
  for (const { name, share } of shares) {
    const at = names.indexOf(name);
    least[at] = share[0] * scale;
    if (at < 31) named |= 1 << at;
  }
  const needed = least.reduce((all, share) => all + share, 0);
  for (const { name, share } of shares) {
    const at = names.indexOf(name);
    const own = least[at] ?? 0;
    most[at] = Math.max(own, Math.min(share[1], 1 - (needed - own)));
  }
  const rest = Math.max(0, 1 - most.reduce((all, share) => all + share, 0));
  return { weight, least: rest > 0 ? most : least, most, named, rest };
}
