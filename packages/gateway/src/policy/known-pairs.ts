import type { RiskGroup, RiskKind } from "#domain/supply";
import { sharedGroups, sharesKind, type Sharing } from "#supply/overlap";

type Groups = readonly RiskGroup[];

/** What two targets have in common, found once for as long as somebody holds their groups. */
export interface KnownPair {
  readonly candidate: Groups;
  readonly failed: Groups;
  /** Every group of both, the surest first. */
  readonly common: Groups;
  shares(kind: RiskKind): Sharing;
}

const known = new WeakMap<Groups, WeakMap<Groups, KnownPair>>();

export function knownPair(candidate: Groups, failed: Groups): KnownPair {
  let ofCandidate = known.get(candidate);
  if (ofCandidate === undefined) known.set(candidate, (ofCandidate = new WeakMap()));
  let pair = ofCandidate.get(failed);
  if (pair === undefined) ofCandidate.set(failed, (pair = findPair(candidate, failed)));
  return pair;
}

function findPair(candidate: Groups, failed: Groups): KnownPair {
  const byKind = new Map<RiskKind, Sharing>();
  return {
    candidate,
    failed,
    common: sharedGroups(candidate, failed),
    shares(kind) {
      let sharing = byKind.get(kind);
      if (sharing === undefined) byKind.set(kind, (sharing = sharesKind(candidate, failed, kind)));
      return sharing;
    },
  };
}
