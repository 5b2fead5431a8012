import type { Claim, RiskGroup, SupplyNodeId } from "#domain/supply";
import { countPair, estimateBeta, placeOf, type BetaEstimate, type PairCounts, type Series } from "./co-failure.ts";
import { groupText } from "./graph.ts";
import { sharedGroups, sharesKind } from "./overlap.ts";

/** How a target did, interval by interval. */
export interface OutcomeSeries {
  readonly target: string;
  readonly groups: readonly RiskGroup[];
  readonly bad: Series;
}

/** Two places that failed together more than chance explains, though nobody claims that they share what they should. */
export interface ProposedEdge {
  readonly a: string;
  readonly b: string;
  readonly targets: { readonly a: readonly string[]; readonly b: readonly string[] };
  readonly counts: PairCounts;
  /** Joint intervals over what independence expects. */
  readonly lift: number;
  /** How likely as much would be by chance, were one series moved against the other: the exact circular-shift test. */
  readonly pValue: number;
  /** Of A's failures, how many take B along; with what is expected of different operators as prior. */
  readonly beta: BetaEstimate;
  /** Both sell models of one vendor. */
  readonly isOneVendor: boolean;
  /** What claims say they have in common, certainly or possibly. */
  readonly shares: readonly string[];
  /** Other places of the same vendor's models that did not fail then: the more, the less it was demand for the model. */
  readonly spared: readonly string[];
  /** For a person to confirm; neither this nor `declare` where nobody says who operates either of them. */
  readonly claim?: Claim;
  /** Where the place has no shop in the graph: what the configuration would say of the provider. */
  readonly declare?: { readonly provider: string; readonly operator: string };
  /** In words. */
  readonly why: string;
}

export interface MiningOptions {
  /** ISO date that stands in the proposed claims. */
  readonly onDate: string;
  /** Bad intervals that two places must have had together; by default 3. */
  readonly minJoint?: number;
  /** Of the proposals, at most so many are expected to be chance (Benjamini and Hochberg 1995); by default 0.1. */
  readonly falseDiscovery?: number;
}

/** Pairs beyond these are not looked at: 100 places have 4,950. */
const mostPlaces = 150;
const leastLift = 2;

interface Place {
  readonly key: string;
  readonly vendor: string;
  readonly targets: readonly string[];
  readonly groups: readonly RiskGroup[];
  readonly bad: Series;
}

/**
 * Finds what the graph does not know: places (a vendor's models in one shop) that fail together though no claim says that
 * one operator runs both. Intervals in which most operators failed at once are left out: that was the gateway's own
 * network. Every proposal has its numbers, and none changes anything before a person has confirmed it.
 */
export function mineEdges(series: readonly OutcomeSeries[], options: MiningOptions): readonly ProposedEdge[] {
  const { onDate, minJoint = 3, falseDiscovery = 0.1 } = options;
  const places = withoutOwnTrouble(pooled(series)).slice(0, mostPlaces);
  const tested: ProposedEdge[] = [];
  for (const [at, a] of places.entries()) {
    for (const b of places.slice(at + 1)) {
      if (
        sharesKind(a.groups, b.groups, "operator") === "certain" ||
        sharesKind(a.groups, b.groups, "provider") === "certain"
      )
        continue;
      const counts = countPair(a.bad, b.bad);
      // Only what could be found at all counts as tried.
      if (Math.min(counts.badA, counts.badB) < minJoint) continue;
      const lift = (counts.joint * counts.intervals) / (counts.badA * counts.badB);
      const pValue = shiftTest(a.bad, b.bad);
      tested.push(proposal([a, b], { counts, lift, pValue, places, onDate }));
    }
  }
  // Shops of one vendor's models are few and likelier to hide something than any two places of the world.
  const families = [tested.filter(({ isOneVendor }) => isOneVendor), tested.filter(({ isOneVendor }) => !isOneVendor)];
  const kept = families.flatMap((family) => discoveries(family, falseDiscovery));
  return kept.filter(({ counts, lift }) => counts.joint >= minJoint && lift >= leastLift);
}

/** The largest p that is at most its rank's part of the rate, and everything below it. */
function discoveries(tested: readonly ProposedEdge[], rate: number): readonly ProposedEdge[] {
  const sorted = tested.toSorted((a, b) => a.pValue - b.pValue || b.counts.joint - a.counts.joint);
  const last = sorted.findLastIndex(({ pValue }, at) => pValue <= ((at + 1) / sorted.length) * rate);
  return sorted.slice(0, last + 1);
}

/** One series for all targets of a vendor in one shop: bad where at least half of those asked were. */
function pooled(series: readonly OutcomeSeries[]): readonly Place[] {
  const byPlace = Map.groupBy(series, ({ groups }) => placeOf(groups));
  return [...byPlace].flatMap(([key, all]): readonly Place[] => {
    const [first] = all;
    if (first === undefined) return [];
    const length = Math.max(...all.map(({ bad }) => bad.length));
    const bad = Array.from({ length }, (_, at) => {
      const failed = all.filter((each) => each.bad[at] === true).length;
      const total = all.filter((each) => each.bad[at] !== undefined).length;
      return total === 0 ? undefined : failed * 2 >= total;
    });
    const model = first.groups.find(({ kind }) => kind === "model")?.name ?? "";
    const vendor = model.includes("/") ? model.slice(0, model.indexOf("/")) : model;
    const groups = first.groups.filter(({ kind }) => kind !== "model");
    return [{ key, vendor, targets: all.map(({ target }) => target), groups, bad }];
  });
}

/** At fewer operators than these an outage of most of them is no sign of our own. */
const leastOperators = 4;

/** Without the intervals in which more than two thirds of at least four operators failed: what failed was the way there. */
export function withoutOwnTrouble<P extends Pick<Place, "key" | "groups" | "bad">>(places: readonly P[]): readonly P[] {
  const length = Math.max(0, ...places.map(({ bad }) => bad.length));
  const own = new Set<number>();
  for (let at = 0; at < length; at += 1) {
    const operators = new Map<string, boolean>();
    for (const { bad, groups, key } of places) {
      const isBad = bad[at];
      if (isBad === undefined) continue;
      const operator = operatorOf(groups)?.name ?? key;
      operators.set(operator, (operators.get(operator) ?? true) && isBad);
    }
    const failed = [...operators.values()].filter(Boolean).length;
    if (operators.size >= leastOperators && failed * 3 > operators.size * 2) own.add(at);
  }
  return places.map((place) => ({ ...place, bad: place.bad.map((isBad, at) => (own.has(at) ? undefined : isBad)) }));
}

/**
 * How many of all moves of one series against the other, in a circle, give at least as many joint intervals. What lasts is
 * moved as a whole, so that one long outage is not taken for many. Never less than one in the number of intervals.
 */
function shiftTest(a: Series, b: Series): number {
  const both = a.flatMap((isBad, at) => (isBad === undefined || b[at] === undefined ? [] : [at]));
  const size = both.length;
  if (size === 0) return 1;
  const [left, right] = [a, b].map((of) => both.flatMap((at, index) => (of[at] === true ? [index] : [])));
  const joint = new Map<number, number>();
  for (const one of left ?? []) {
    for (const other of right ?? []) {
      const shift = (other - one + size) % size;
      joint.set(shift, (joint.get(shift) ?? 0) + 1);
    }
  }
  const observed = joint.get(0) ?? 0;
  if (observed === 0) return 1;
  return [...joint.values()].filter((count) => count >= observed).length / size;
}

interface Judging {
  readonly counts: PairCounts;
  readonly lift: number;
  readonly pValue: number;
  readonly places: readonly Place[];
  readonly onDate: string;
}

function proposal([a, b]: readonly [Place, Place], { counts, lift, pValue, places, onDate }: Judging): ProposedEdge {
  const isOneVendor = a.vendor === b.vendor && a.vendor !== "";
  const beta = estimateBeta({ relation: isOneVendor ? "operator" : "vendor", counts });
  const spared = isOneVendor ? sparedOf([a, b], places) : [];
  const measured = `${counts.joint} of ${counts.badA} and ${counts.badB} bad intervals together, ${counts.intervals} looked at`;
  const demand = spared.length > 0 ? `; ${spared.join(", ")} did not fail with them` : "";
  const doubt = isOneVendor && spared.length === 0 ? "; it may be demand for the same models" : "";
  return {
    a: a.key,
    b: b.key,
    targets: { a: a.targets, b: b.targets },
    counts,
    lift,
    pValue,
    beta,
    isOneVendor,
    shares: sharedGroups(a.groups, b.groups).map((group) => groupText(group)),
    spared,
    ...wordFor([a, b], `measured: ${measured}`, onDate),
    why: `${measured}, where chance expects ${((counts.badA * counts.badB) / counts.intervals).toFixed(2)}${demand}${doubt}`,
  };
}

/** Asked in at least half of the joint intervals, and good in most of those. */
function sparedOf([a, b]: readonly [Place, Place], places: readonly Place[]): readonly string[] {
  const joint = a.bad.flatMap((isBad, at) => (isBad === true && b.bad[at] === true ? [at] : []));
  return places
    .filter((place) => place !== a && place !== b && place.vendor === a.vendor)
    .filter(({ bad }) => {
      const asked = joint.filter((at) => bad[at] !== undefined);
      const good = asked.filter((at) => bad[at] === false);
      return asked.length * 2 >= joint.length && good.length * 2 > asked.length;
    })
    .map(({ key }) => key);
}

/** The maker's own serving is the likelier operator of both; else the one that is known. */
function wordFor(
  [a, b]: readonly [Place, Place],
  source: string,
  seen: string,
): Pick<ProposedEdge, "claim" | "declare"> {
  const isMakers = (place: Place) => operatorOf(place.groups)?.name === place.vendor;
  const [from, to] = isMakers(b) || (!isMakers(a) && operatorOf(a.groups) === undefined) ? [a, b] : [b, a];
  const operator = operatorOf(to.groups)?.name;
  if (operator === undefined) return {};
  const named = (wanted: RiskGroup["kind"]) => from.groups.find(({ kind }) => kind === wanted)?.name;
  const [shop, provider] = [named("storefront"), named("provider")];
  if (shop === undefined) return provider === undefined ? {} : { declare: { provider, operator } };
  const suffix = shop.endsWith(`/${from.vendor}`) || from.vendor === "" ? "" : `/${from.vendor}`;
  const subject: SupplyNodeId = `storefront:${shop}${suffix}`;
  const object: SupplyNodeId = `operator:${operator}`;
  return { claim: { subject, relation: "operated-by", object, share: [0, 1], status: "unverified", source, seen } };
}

function operatorOf(groups: readonly RiskGroup[]): RiskGroup | undefined {
  return groups.find(({ kind, share }) => kind === "operator" && share[0] > 0);
}
