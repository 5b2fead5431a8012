import { spendMeasures } from "./spend-buckets.ts";
import { hourMs, hoursOfDay, wholePast } from "./spend-span.ts";
import type { Store } from "./sqlite.ts";

export interface SpendRetention {
  /** How long hours are kept apart. */
  readonly hoursMs: number;
  /** How long days are. */
  readonly daysMs: number;
}

export const spendTables = ["spend_buckets", "spend_names"] as const;
type SpendTable = (typeof spendTables)[number];

/** So many hours' rows leave at once, so that a shorter retention does not hold up the calls of the moment it begins in. */
const hoursAtOnce = 48;

/**
 * What is older than the newest call by more than is kept. Hours leave, for their days hold the same. Days become the whole
 * past, one row for each of what they name, so that a budget without end knows what was spent before; tags, and users who
 * spent nothing, are forgotten.
 */
export function removeOldSpend(store: Store, newestMs: number, { hoursMs, daysMs }: SpendRetention): void {
  for (const table of spendTables) {
    const hours = oldOnes(store, { table, span: 1, beforeMs: newestMs - hoursMs });
    if (hours !== undefined) store.run(`DELETE FROM ${table} WHERE span = 1 AND bucket < ?`, hours);
    const days = oldOnes(store, { table, span: hoursOfDay, beforeMs: newestMs - daysMs });
    if (days === undefined) continue;
    for (const statement of foldDays(table)) store.run(statement, days);
  }
}

/** Before which hour the rows are that leave now; undefined where there are none. */
function oldOnes(
  store: Store,
  { table, span, beforeMs }: { readonly table: string; readonly span: number; readonly beforeMs: number },
): number | undefined {
  const oldest = store.get(`SELECT min(bucket) AS oldest FROM ${table} WHERE span = ?`, span)?.["oldest"];
  if (oldest === null || oldest === undefined) return undefined;
  // Whole days, so that no day is ever known in part.
  const before = Math.floor(beforeMs / hourMs / hoursOfDay) * hoursOfDay;
  return Number(oldest) >= before ? undefined : Math.min(before, Number(oldest) + hoursAtOnce);
}

/** Days before an hour become the whole past: two statements, each given that hour. */
export function foldDays(table: SpendTable): readonly [fold: string, remove: string] {
  return [fold(table), `DELETE FROM ${table} WHERE span = ${hoursOfDay} AND bucket < ?`];
}

function fold(table: SpendTable): string {
  const isNames = table === "spend_names";
  const names = isNames
    ? "kind, name, provider, model, part"
    : "caller, organisation, team, route, provider, model, part";
  const only = isNames ? "AND kind = 'user' AND cost_nano_usd > 0" : "";
  return `INSERT INTO ${table} (span, bucket, ${names}, ${spendMeasures.join(", ")})
    SELECT ${wholePast}, 0, ${names}, ${spendMeasures.map((name) => `sum(${name})`).join(", ")}
    FROM ${table} WHERE span = ${hoursOfDay} AND bucket < ? ${only} GROUP BY ${names}
    ON CONFLICT (span, bucket, ${names}) DO UPDATE SET
    ${spendMeasures.map((name) => `${name} = ${table}.${name} + excluded.${name}`).join(", ")}`;
}
