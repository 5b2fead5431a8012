import type { Snapshot } from "#domain/snapshot";
import type { SharedRisk } from "#policy/spread";

type CoFailureOf = NonNullable<SharedRisk["coFailure"]>;

/** As long as a snapshot is served. */
const bySnapshot = new WeakMap<Snapshot, CoFailureOf>();

/** What own traffic showed of two targets failing together, by the file that `hedgerow supply measure` writes. */
export function coFailureOf(snapshot: Snapshot): CoFailureOf {
  const known = bySnapshot.get(snapshot);
  if (known !== undefined) return known;
  const pairs = new Map((snapshot.measured ?? []).map((pair) => [`${pair.failed} ${pair.other}`, pair]));
  const coFailure: CoFailureOf = (failed, candidate) => pairs.get(`${failed.id} ${candidate.id}`);
  bySnapshot.set(snapshot, coFailure);
  return coFailure;
}
