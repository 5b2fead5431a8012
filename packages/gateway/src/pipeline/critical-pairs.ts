import type { Target } from "#domain/plan";
import type { Snapshot } from "#domain/snapshot";
import { criticalBackup } from "#policy/chain-compatibility";
import { groupsOfTargets } from "./groups-of.ts";

type IsCritical = (primary: Target, backup: Target) => string | undefined;

/** As long as a snapshot is served: what was once found holds, for traits and providers do not change in it. */
const bySnapshot = new WeakMap<Snapshot, Map<string, string | undefined>>();

/** Names are callers' making at the most; beyond so many pairs, all is found anew. */
const maxPairs = 4096;

/** Why a backup is a critical change from a route's first target, in words; undefined where it is not. */
export function criticalPairs(snapshot: Snapshot, wallMs: number): IsCritical {
  return (primary, backup) => {
    let pairs = bySnapshot.get(snapshot);
    if (pairs === undefined || pairs.size >= maxPairs) {
      pairs = new Map();
      bySnapshot.set(snapshot, pairs);
    }
    const key = `${primary.id} ${backup.id}`;
    if (!pairs.has(key)) {
      const groupsOf = groupsOfTargets(snapshot, wallMs);
      pairs.set(key, criticalBackup(primary, backup, { snapshot, groupsOf }));
    }
    return pairs.get(key);
  };
}
