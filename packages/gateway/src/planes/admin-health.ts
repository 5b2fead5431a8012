import type { HealthRow, LoadRow } from "#domain/health";
import { mergeRows } from "#policy/health-rows";
import type { AdminReply } from "./admin-reply.ts";

/** How the providers are, as all workers that were heard see it. `atMs` is of the wall clock. */
export function healthReply(
  workers: readonly (readonly HealthRow[])[],
  { version, atMs }: { readonly version: string; readonly atMs: number },
): AdminReply {
  const scopes = mergeRows(workers).map((row) => written(row, atMs));
  return { status: 200, body: { at: dateOf(atMs), version, workers: workers.length, scopes } };
}

function written(row: HealthRow, atMs: number): object {
  const { scope, name, state, cause, sinceAgoMs, untilInMs, openings, load } = row;
  return {
    name,
    ...scope,
    state,
    words: wordsOf(row),
    ...(cause === undefined ? {} : { cause }),
    ...(sinceAgoMs === undefined ? {} : { since: dateOf(atMs - sinceAgoMs) }),
    ...(untilInMs === undefined ? {} : { until: dateOf(atMs + untilInMs) }),
    openings,
    ...(load === undefined ? {} : writtenLoad(load, atMs)),
  };
}

function writtenLoad({ inFlight, limit, firstContentMs, headroom }: LoadRow, atMs: number): object {
  return {
    in_flight: inFlight,
    limit,
    ...(firstContentMs === undefined ? {} : { first_content_ms: firstContentMs }),
    headroom: headroom.map(({ name, remaining, limit: most, resetMs }) => ({
      name,
      remaining,
      ...(most === undefined ? {} : { limit: most }),
      reset: dateOf(atMs + resetMs),
    })),
  };
}

function wordsOf({ state, cause, load }: HealthRow): string {
  const why = cause?.replaceAll("_", " ") ?? "trouble";
  switch (state) {
    case "closed":
      return "well";
    case "full":
      return `as many calls as it serves without waiting (${load?.limit ?? 0})`;
    case "empty":
      return "nothing left of its limits";
    case "half-open":
      return `one call at a time may find out whether it is back, after ${why}`;
    case "cooling":
      return `waits after ${why}`;
    case "open":
      return `not asked after ${why}`;
    case "dead":
      return `out of use after ${why}`;
  }
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString();
}
