import type { HealthRow, HealthState, LoadRow } from "#domain/health";
import type { RateLimit } from "#domain/rate-limit";
import { isGated, readyAtMs, type Entry } from "./health-entry.ts";

const maxRows = 500;

/** Scopes in trouble first, then those in use; at most 500. */
export function healthRows(entries: Iterable<Entry>, nowMs: number): readonly HealthRow[] {
  const rows: HealthRow[] = [];
  for (const entry of entries) {
    const state = stateOf(entry, nowMs);
    // An endpoint or an account that is well is no news beside what is asked through it.
    if (state === "closed" && entry.load === undefined && entry.openings === 0) continue;
    rows.push(rowOf(entry, state, nowMs));
  }
  return rows.toSorted((a, b) => rankOf(b.state) - rankOf(a.state)).slice(0, maxRows);
}

/** One row for each scope from those of several processes: the worst state, the latest end, the calls of all. */
export function mergeRows(all: readonly (readonly HealthRow[])[]): readonly HealthRow[] {
  const merged = new Map<string, HealthRow>();
  for (const row of all.flat()) {
    const known = merged.get(row.name);
    merged.set(row.name, known === undefined ? row : joined(known, row));
  }
  return [...merged.values()].toSorted(
    (a, b) => rankOf(b.state) - rankOf(a.state) || (a.name < b.name ? -1 : Number(a.name > b.name)),
  );
}

/** From closed to dead: what several workers say is as bad as the worst of them. */
function rankOf(state: HealthState): number {
  return states.indexOf(state);
}

const states: readonly HealthState[] = ["closed", "full", "half-open", "empty", "cooling", "open", "dead"];

function stateOf(entry: Entry, nowMs: number): HealthState {
  if (entry.dead) return "dead";
  if (entry.openUntilMs > nowMs) return "open";
  if (entry.coolUntilMs > nowMs) return "cooling";
  if ((entry.load?.headroom.emptyUntilMs(nowMs) ?? 0) > nowMs) return "empty";
  if (isGated(entry)) return "half-open";
  return entry.load?.isFull === true ? "full" : "closed";
}

function rowOf(entry: Entry, state: HealthState, nowMs: number): HealthRow {
  const { scope, key: name, openings, load } = entry;
  const untilMs = state === "empty" ? (load?.headroom.emptyUntilMs(nowMs) ?? 0) : readyAtMs(entry);
  const isParked = state !== "closed" && state !== "full";
  return {
    scope,
    name,
    state,
    openings,
    ...(isParked && state !== "empty" ? { cause: entry.cause, sinceAgoMs: Math.round(nowMs - entry.sinceMs) } : {}),
    ...(isParked && untilMs > nowMs ? { untilInMs: Math.round(untilMs - nowMs) } : {}),
    ...(load === undefined
      ? {}
      : {
          load: {
            inFlight: load.inFlight,
            limit: load.limit.calls,
            headroom: load.headroom.left(nowMs),
            ...(load.limit.usualMs === 0 ? {} : { firstContentMs: Math.round(load.limit.usualMs) }),
          },
        }),
  };
}

function joined(a: HealthRow, b: HealthRow): HealthRow {
  const [worse, better] = rankOf(b.state) > rankOf(a.state) ? [b, a] : [a, b];
  const load = joinedLoad(worse.load, better.load);
  return {
    ...worse,
    openings: a.openings + b.openings,
    ...latest("sinceAgoMs", a, b),
    ...latest("untilInMs", a, b),
    ...(load === undefined ? {} : { load }),
  };
}

function latest<Name extends "sinceAgoMs" | "untilInMs">(
  name: Name,
  a: HealthRow,
  b: HealthRow,
): { [key in Name]?: number } {
  const values = [a[name], b[name]].filter((each) => each !== undefined);
  return values.length === 0 ? {} : ({ [name]: Math.max(...values) } as { [key in Name]?: number });
}

function joinedLoad(a: LoadRow | undefined, b: LoadRow | undefined): LoadRow | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  // Each limit as the one says who has seen least left of it: both have the same account.
  const headroom = new Map<string, RateLimit>();
  for (const limit of [...a.headroom, ...b.headroom]) {
    const known = headroom.get(limit.name);
    if (known === undefined || limit.remaining < known.remaining) headroom.set(limit.name, limit);
  }
  return { ...b, ...a, inFlight: a.inFlight + b.inFlight, limit: a.limit + b.limit, headroom: [...headroom.values()] };
}
