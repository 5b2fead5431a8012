import type { Target } from "#domain/plan";
import type { Snapshot } from "#domain/snapshot";
import type { RiskGroup } from "#domain/supply";
import { targetGroups } from "#supply/target-groups";

type GroupsOf = (target: Target) => readonly RiskGroup[];

interface Cached {
  readonly day: number;
  readonly groupsOf: GroupsOf;
}

/** As long as a snapshot is served. */
const bySnapshot = new WeakMap<Snapshot, Cached>();

const dayMs = 86_400_000;

/** The shared-risk groups of a snapshot's targets on the UTC day of `wallMs`; the graph is made once a day. */
export function groupsOfTargets(snapshot: Snapshot, wallMs: number): GroupsOf {
  const day = Math.floor(wallMs / dayMs);
  const cached = bySnapshot.get(snapshot);
  if (cached?.day === day) return cached.groupsOf;
  const groupsOf = targetGroups(snapshot, new Date(day * dayMs).toISOString().slice(0, 10));
  bySnapshot.set(snapshot, { day, groupsOf });
  return groupsOf;
}
