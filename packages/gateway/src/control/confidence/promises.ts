import type { PoolPromise } from "#confidence/pool-threshold";
import { defaultConfidence, irreversibleMin } from "#domain/confidence";
import type { Snapshot } from "#domain/snapshot";

/** What a route promises of its accepted answers. Plain data: it goes to another thread. */
export interface RoutePromise {
  readonly min: number;
  readonly delta: number;
  /** Each of so many targets may accept by a certificate, so that the chance to be wrong is divided among them. */
  readonly tiers: number;
}

/** By route. */
export type RoutePromises = ReadonlyMap<string, RoutePromise>;

export function routePromises({ routes }: Pick<Snapshot, "routes">): RoutePromises {
  return new Map(
    [...routes.values()].map(({ name, targets, confidence = defaultConfidence }) => [
      name,
      { min: confidence.min, delta: confidence.delta, tiers: Math.max(1, targets.length) },
    ]),
  );
}

/** What callers ask for most, beside what their routes say. */
const usualPromises = [0.8, 0.85, 0.9, 0.95];

/** The promises that certificates are made for: what the route says, the usual ones, and what cannot be undone. */
export function promisesOf(route: string, promises: RoutePromises): readonly PoolPromise[] {
  const { min, delta, tiers } = promises.get(route) ?? {
    min: defaultConfidence.min,
    delta: defaultConfidence.delta,
    tiers: 1,
  };
  const all = new Set([...usualPromises, irreversibleMin, min]);
  return [...all]
    .filter((accuracy) => accuracy > 0 && accuracy < 1)
    .toSorted((a, b) => a - b)
    .map((accuracy) => ({ accuracy, delta, tiers }));
}
