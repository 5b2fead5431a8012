import type { PoolPromise } from "#confidence/pool-threshold";
import { defaultConfidence, irreversibleMin } from "#domain/confidence";
import type { Snapshot } from "#domain/snapshot";

/** What callers ask for most, beside what their routes say. */
const usualPromises = [0.8, 0.85, 0.9, 0.95];

/**
 * The promises that certificates are made for: what the route says, the usual ones, and what cannot be undone. Each of its
 * targets may accept by one, so that the chance to be wrong is divided among them.
 */
export function promisesOf(route: string, { routes }: Pick<Snapshot, "routes">): readonly PoolPromise[] {
  const found = routes.get(route);
  const { min, delta } = found?.confidence ?? defaultConfidence;
  const tiers = Math.max(1, found?.targets.length ?? 1);
  const all = new Set([...usualPromises, irreversibleMin, min]);
  return [...all]
    .filter((accuracy) => accuracy > 0 && accuracy < 1)
    .toSorted((a, b) => a - b)
    .map((accuracy) => ({ accuracy, delta, tiers }));
}
