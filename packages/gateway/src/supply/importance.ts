import type { RiskGroup, ShareInterval } from "#domain/supply";
import { groupText } from "./graph.ts";

/** A route, or another chain of targets that are asked one after another. */
export interface Chain {
  readonly name: string;
  /** How much of the traffic goes over it, in any unit. */
  readonly weight: number;
  readonly targets: readonly ChainTarget[];
}

interface ChainTarget {
  readonly target: string;
  readonly groups: readonly RiskGroup[];
  /** Probability that it fails for reasons of its own. */
  readonly own: number;
}

/**
 * Each figure twice: with all shares at their least, and at their most. Failure grows with every share, so that its two
 * ends are bounds; the importances need not, and their two ends are two cases.
 */
export interface Importance {
  readonly group: string;
  /** Share of the expected failure that would not be without this group's: 1 − Q(q=0)/Q. */
  readonly fussellVesely: ShareInterval;
  /** What its failing costs: Q(q=1) − Q(q=0). */
  readonly birnbaum: ShareInterval;
  /** Expected failure that would be saved if it never failed: Q − Q(q=0). */
  readonly gain: ShareInterval;
}

export interface ImportanceTable {
  /** Expected share of the traffic that fails. */
  readonly failure: ShareInterval;
  /** The greatest Fussell–Vesely importance first. */
  readonly rows: readonly Importance[];
  /** False where a chain shares more groups than can be gone through: the least likely then count as unshared. */
  readonly exact: boolean;
}

/** 2^12 states of the groups that targets of a chain share. */
const mostShared = 12;

/**
 * Which groups' failures matter most: Birnbaum 1969, and Fussell 1975 after Vesely, as risk reduction (NUREG/CR-3385).
 * `failing` gives the probability that a group is down, 0 to 1. Groups fail independently of each other; a call fails when
 * every target of its chain does; while a group is down, a target fails for as much of its traffic as hangs on it,
 * independently of the others.
 */
export function importance(chains: readonly Chain[], failing: (group: string) => number): ImportanceTable {
  const total = chains.reduce((sum, { weight }) => sum + weight, 0);
  if (total <= 0) return { failure: [0, 0], rows: [], exact: true };
  const known = new Map<string, number>();
  for (const group of chains.flatMap(({ targets }) => targets.flatMap(({ groups }) => groups))) {
    const text = groupText(group);
    if (!known.has(text)) known.set(text, failing(text));
  }
  const cases = ([0, 1] as const).map((end) => chains.map((chain) => new FaultTree(chain, end, known)));
  const expected = (end: 0 | 1, probabilities: ReadonlyMap<string, number>, group?: string): number => {
    const trees = (cases[end] ?? []).filter((tree) => group === undefined || tree.has(group));
    return trees.reduce((sum, tree) => sum + (tree.weight / total) * tree.failure(probabilities), 0);
  };
  const failure = pairOf((end) => expected(end, known));
  const rows = [...known.keys()].map((group): Importance => {
    const at = (end: 0 | 1, probability: number) => expected(end, new Map([...known, [group, probability]]), group);
    const now = pairOf((end) => expected(end, known, group));
    const never = pairOf((end) => at(end, 0));
    const always = pairOf((end) => at(end, 1));
    const gain = pairOf((end) => Math.max(0, now[end] - never[end]));
    return {
      group,
      gain: ordered(gain),
      birnbaum: ordered(pairOf((end) => Math.max(0, always[end] - never[end]))),
      fussellVesely: ordered(pairOf((end) => (failure[end] === 0 ? 0 : gain[end] / failure[end]))),
    };
  });
  return {
    failure,
    rows: rows.toSorted((a, b) => b.fussellVesely[1] - a.fussellVesely[1] || (a.group < b.group ? -1 : 1)),
    exact: cases.every((trees) => trees.every((tree) => tree.exact)),
  };
}

function pairOf(value: (end: 0 | 1) => number): readonly [number, number] {
  return [value(0), value(1)];
}

function ordered([a, b]: readonly [number, number]): ShareInterval {
  return a <= b ? [a, b] : [b, a];
}

/** The chance that all targets of one chain fail, with all shares at their least (0) or at their most (1). */
class FaultTree {
  readonly weight: number;
  readonly exact: boolean;
  /** Groups of several targets: their states are gone through. */
  readonly #shared: readonly string[];
  readonly #targets: readonly { readonly own: number; readonly shares: ReadonlyMap<string, number> }[];

  constructor({ weight, targets }: Chain, end: 0 | 1, probabilities: ReadonlyMap<string, number>) {
    this.weight = weight;
    this.#targets = targets.map(({ own, groups }) => ({
      own,
      shares: new Map(
        groups.filter(({ share }) => share[end] > 0).map((group) => [groupText(group), group.share[end]]),
      ),
    }));
    const counts = new Map<string, number>();
    for (const { shares } of this.#targets)
      for (const text of shares.keys()) counts.set(text, (counts.get(text) ?? 0) + 1);
    const shared = [...counts].filter(([, count]) => count > 1).map(([text]) => text);
    const likely = shared.toSorted((a, b) => (probabilities.get(b) ?? 0) - (probabilities.get(a) ?? 0));
    this.#shared = likely.slice(0, mostShared);
    this.exact = shared.length <= mostShared;
  }

  has(group: string): boolean {
    return this.#targets.some(({ shares }) => shares.has(group));
  }

  failure(probabilities: ReadonlyMap<string, number>): number {
    if (this.#targets.length === 0) return 1;
    let failure = 0;
    for (let state = 0; state < 2 ** this.#shared.length; state += 1) {
      const down = new Set(this.#shared.filter((_, at) => (state & (1 << at)) !== 0));
      let chance = 1;
      for (const group of this.#shared) {
        const probability = probabilities.get(group) ?? 0;
        chance *= down.has(group) ? probability : 1 - probability;
      }
      if (chance > 0) failure += chance * this.#allFail(down, probabilities);
    }
    return failure;
  }

  #allFail(down: ReadonlySet<string>, probabilities: ReadonlyMap<string, number>): number {
    let all = 1;
    for (const { own, shares } of this.#targets) {
      let works = 1 - own;
      for (const [group, share] of shares) {
        const probability = this.#shared.includes(group) ? Number(down.has(group)) : (probabilities.get(group) ?? 0);
        works *= 1 - probability * share;
      }
      all *= 1 - works;
    }
    return all;
  }
}
