import type { HealthRow, HealthState } from "#domain/health";
import { cleanLabel, type FamilyName, type SampledFamily } from "./metrics.ts";

const numbers: Readonly<Record<HealthState, number>> = {
  closed: 0,
  full: 1,
  "half-open": 2,
  empty: 3,
  cooling: 3,
  open: 4,
  dead: 5,
};

/** Providers' health as families of metrics, a series for each scope. */
export function healthFamilies(rows: readonly HealthRow[]): readonly SampledFamily[] {
  return [
    family("hedgerow_breaker_state", rows, ({ state }) => numbers[state]),
    family("hedgerow_breaker_openings_total", rows, ({ openings }) => (openings > 0 ? openings : undefined)),
    family("hedgerow_credential_in_flight", rows, ({ load }) => load?.inFlight),
    family("hedgerow_credential_limit", rows, ({ load }) => load?.limit),
  ].filter(({ series }) => series.length > 0);
}

function family(
  name: FamilyName,
  rows: readonly HealthRow[],
  valueOf: (row: HealthRow) => number | undefined,
): SampledFamily {
  const series = rows.flatMap((row) => {
    const value = valueOf(row);
    return value === undefined ? [] : [{ labels: [cleanLabel(row.name)], values: [value] }];
  });
  return { name, series };
}
