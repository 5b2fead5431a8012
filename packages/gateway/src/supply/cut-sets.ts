import type { RiskGroup } from "#domain/supply";
import { groupText } from "./graph.ts";

/** Failures that together leave a chain without a target. */
export interface CutSet {
  /** One for each failure that has to happen: the groups that would take down the same targets, any one of them. */
  readonly events: readonly (readonly string[])[];
  /** Whether it holds whatever the unknown shares are; else only if some of them are as large as they may be. */
  readonly certain: boolean;
}

/** A target of a chain. */
export interface Link {
  readonly target: string;
  readonly groups: readonly RiskGroup[];
}

/** Targets of a chain as bits; longer chains than this are cut off. */
const mostTargets = 30;

interface Event {
  readonly groups: readonly string[];
  /** Targets it may take down. */
  readonly possible: number;
  /** Targets that hang on it wholly. */
  readonly certain: number;
}

/**
 * Minimal cut sets of the fault tree "every target of the chain fails", each target failing when any of its groups does
 * (Vesely et al., Fault Tree Handbook, NUREG-0492, 1981). Size one are the single points of failure. Certain ones first,
 * then by size.
 */
export function cutSets(chain: readonly Link[], maxSize: 1 | 2 = 2): readonly CutSet[] {
  const links = chain.slice(0, mostTargets);
  if (links.length === 0) return [];
  const all = 2 ** links.length - 1;
  const events = eventsOf(links);
  const cuts = [...cutsBy("certain", events, { all, maxSize })];
  const known = new Set(cuts.map(textOf));
  for (const cut of cutsBy("possible", events, { all, maxSize })) if (!known.has(textOf(cut))) cuts.push(cut);
  return cuts;
}

function cutsBy(
  mode: "certain" | "possible",
  events: readonly Event[],
  { all, maxSize }: { readonly all: number; readonly maxSize: 1 | 2 },
): readonly CutSet[] {
  const certain = mode === "certain";
  const single = events
    .filter((event) => event[mode] === all)
    .map(({ groups }): CutSet => ({ events: [groups], certain }));
  if (maxSize === 1) return single;
  const rest = events.filter((event) => event[mode] !== all && event[mode] !== 0);
  const pairs = rest.flatMap((one, at) =>
    rest
      .slice(at + 1)
      .filter((other) => (one[mode] | other[mode]) === all)
      .map((other): CutSet => ({ events: [one.groups, other.groups], certain })),
  );
  return [...single, ...pairs];
}

/** Groups that take down the same targets are one event: which of them fails makes no difference. */
function eventsOf(links: readonly Link[]): readonly Event[] {
  const masks = new Map<string, { possible: number; certain: number }>();
  for (const [at, { groups }] of links.entries()) {
    for (const group of groups) {
      if (group.share[1] <= 0) continue;
      const mask = masks.get(groupText(group)) ?? { possible: 0, certain: 0 };
      mask.possible |= 1 << at;
      if (group.share[0] >= 1) mask.certain |= 1 << at;
      masks.set(groupText(group), mask);
    }
  }
  const bySame = Map.groupBy(masks, ([, { possible, certain }]) => `${possible} ${certain}`);
  return [...bySame.values()].flatMap((same) => {
    const [first] = same;
    return first === undefined ? [] : [{ groups: same.map(([text]) => text), ...first[1] }];
  });
}

function textOf({ events }: CutSet): string {
  return events.map((groups) => groups.join("|")).join("&");
}
