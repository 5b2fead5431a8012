import type { FailureKind } from "#domain/failure";
import { isGated, readyAtMs, type Entry } from "./health-entry.ts";
import { entriesOf, type Site } from "./site.ts";

/**
 * Why a place is not to be asked. `asked`: it asked for patience, has nothing left of its limits or is out of use until
 * a slow probe. `packed`: it has as many calls as can be. `full`: at more calls than it has, its answers come later.
 * `resting`: it was
 * overloaded, and the wait is our guess. `open`: it failed several times in a row. `rate`: too large a share failed.
 * `probing`: one call is finding out whether it is back.
 */
type Parking = "asked" | "packed" | "full" | "resting" | "open" | "rate" | "probing";

export type Readiness =
  | { readonly kind: "ready" }
  | {
      readonly kind: "parked";
      readonly untilMs: number;
      readonly cause: FailureKind;
      readonly why: string;
      readonly by: Parking;
      /** How near it is to as many calls as it takes: 1 at the limit. */
      readonly load: number;
    };

/** How long a caller is to wait where there is no room for more calls. */
const packedMs = 1_000;
const ready: Readiness = { kind: "ready" };

/** Whether an attempt there makes sense now. */
export function readinessAt(site: Site, nowMs: number): Readiness {
  const { endpoint, model, account, share, load } = site;
  const isWell = isFree(endpoint, nowMs) && isFree(model, nowMs) && isFree(account, nowMs) && isFree(share, nowMs);
  const takesMore = !load.isFull && !load.isPacked && load.headroom.emptyUntilMs(nowMs) === 0;
  return isWell && takesMore ? ready : parked(site, nowMs);
}

function isFree(entry: Entry, nowMs: number): boolean {
  return readyAtMs(entry) <= nowMs && (entry.probe === undefined || !isGated(entry));
}

/** Of several reasons the strictest counts, and the latest moment. */
function parked(site: Site, nowMs: number): Readiness {
  const { load, share } = site;
  let strictest: Entry | undefined;
  let untilMs = 0;
  for (const entry of entriesOf(site)) {
    if (isFree(entry, nowMs)) continue;
    untilMs = Math.max(untilMs, readyAtMs(entry));
    if (strictest === undefined || rank(entry, nowMs) > rank(strictest, nowMs)) strictest = entry;
  }
  const emptyUntilMs = load.headroom.emptyUntilMs(nowMs);
  const state = { kind: "parked", load: load.share } as const;
  if (strictest !== undefined && (parkingOf(strictest, nowMs) === "asked" || (emptyUntilMs === 0 && !load.isPacked))) {
    const by = parkingOf(strictest, nowMs);
    untilMs = Math.max(untilMs, emptyUntilMs);
    return { ...state, untilMs, cause: strictest.cause, why: wording(strictest, by), by };
  }
  if (emptyUntilMs > 0) {
    untilMs = Math.max(untilMs, emptyUntilMs);
    return {
      ...state,
      untilMs,
      cause: "rate_limited",
      why: `${share.key} has nothing left of its limits`,
      by: "asked",
    };
  }
  const why = `${share.key} has ${load.inFlight} calls in flight`;
  const retryMs = nowMs + packedMs;
  if (load.isPacked) return { ...state, untilMs: Math.max(untilMs, retryMs), cause: "overloaded", why, by: "packed" };
  const limit = `${why}; at more than ${load.limit.calls} its answers come later`;
  return { ...state, untilMs: nowMs, cause: "overloaded", why: limit, by: "full" };
}

/** Asked for before anything else, then by the moment. */
function rank(entry: Entry, nowMs: number): number {
  return parkingOf(entry, nowMs) === "asked" ? Number.POSITIVE_INFINITY : readyAtMs(entry);
}

function parkingOf(entry: Entry, nowMs: number): Parking {
  if (entry.coolUntilMs > nowMs && entry.asked) return "asked";
  if (entry.openUntilMs > nowMs) return entry.byRate ? "rate" : "open";
  return entry.coolUntilMs > nowMs ? "resting" : "probing";
}

function wording({ key, cause }: Entry, by: Parking): string {
  const words = cause.replaceAll("_", " ");
  switch (by) {
    case "probing":
      return `${key} is being tried by one call after ${words}`;
    case "rate":
      return `${key} is parked: most of its calls of the last two minutes failed, the last with ${words}`;
    default:
      return `${key} is parked after ${words}`;
  }
}
