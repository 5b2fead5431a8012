import type { RiskGroup, RiskKind } from "#domain/supply";
import { groupText, weaker } from "./graph.ts";
import { both } from "./share.ts";

/**
 * The groups two targets have in common. `share`: how much of both hangs on it at once, between the Fréchet bounds of the
 * two shares; `status`: of the claim that is borne out less. Sorted by what is certain, then by what is possible.
 */
export function sharedGroups(a: readonly RiskGroup[], b: readonly RiskGroup[]): readonly RiskGroup[] {
  const other = new Map(b.map((group) => [groupText(group), group]));
  const shared = a.flatMap((group) => {
    const twin = other.get(groupText(group));
    if (twin === undefined) return [];
    const share = both(group.share, twin.share);
    return share[1] === 0 ? [] : [{ ...group, share, status: weaker(group.status, twin.status) }];
  });
  return shared.toSorted((x, y) => y.share[0] - x.share[0] || y.share[1] - x.share[1]);
}

/** `unknown`: nobody said of one of them who it is. That is no reason to think them apart. */
export type Sharing = "certain" | "possible" | "none" | "unknown";

/** Whether two targets have a group of this kind in common. */
export function sharesKind(a: readonly RiskGroup[], b: readonly RiskGroup[], kind: RiskKind): Sharing {
  const ofKind = (groups: readonly RiskGroup[]) => groups.filter((group) => group.kind === kind);
  const [left, right] = [ofKind(a), ofKind(b)];
  if (left.length === 0 || right.length === 0) return "unknown";
  const [most] = sharedGroups(left, right);
  if (most === undefined) return "none";
  return most.share[0] > 0 ? "certain" : "possible";
}
