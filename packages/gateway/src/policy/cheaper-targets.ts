import type { Price, Rates } from "#domain/model";
import type { Attempt } from "#domain/plan";
import type { Route, Snapshot } from "#domain/snapshot";

const known = new WeakMap<Route, Snapshot>();

/** The configuration in which a route has nobody but those it asks where a budget is spent; undefined where it has none. */
export function whereSpent(route: Route | undefined, snapshot: Snapshot): Snapshot | undefined {
  if (route?.whenSpent === undefined) return undefined;
  const made = known.get(route);
  if (made !== undefined && made.version === snapshot.version) return made;
  const { whenSpent: targets, ...rest } = route;
  const cheaper = { ...snapshot, routes: new Map([[route.name, { ...rest, targets }]]) };
  known.set(route, cheaper);
  return cheaper;
}

/** A hard budget of the call's own accounts has not enough for it: whoever costs as much cannot be asked either. */
export function isUnpaid({ outcome }: Attempt): boolean {
  return outcome.kind === "failed" && outcome.failure.kind === "budget_exceeded";
}

/** Somebody could not be asked for want of money, or of a price. */
export function lacksMoney(attempt: Attempt): boolean {
  const { outcome } = attempt;
  return isUnpaid(attempt) || (outcome.kind === "failed" && outcome.failure.kind === "not_affordable");
}

const rates: readonly (keyof Rates)[] = [
  "input",
  "output",
  "reasoning",
  "cacheRead",
  "cacheWrite",
  "inputAudio",
  "outputAudio",
];

/** Somebody wrote that it costs nothing: input and output are zero, and nothing else that is known is more. */
export function isFree(price: Price | undefined): boolean {
  if (price?.input !== 0 || price.output !== 0 || (price.request ?? 0) !== 0) return false;
  const all: readonly Rates[] = [price, ...(price.tiers ?? []), ...(price.modes ?? [])];
  return all.every((each) => rates.every((rate) => (each[rate] ?? 0) === 0));
}
