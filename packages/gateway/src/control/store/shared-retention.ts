import { retention } from "./ingest.ts";
import { bucketMs, bucketRetentionMs } from "./service-buckets.ts";
import { foldDays, spendTables } from "./spend-retention.ts";
import { hourMs, hoursOfDay } from "./spend-span.ts";
import type { Sql, SqlStore } from "./sql.ts";

/** Any number: one node at a time removes. */
const lock = 4_727_733_902;
/** Nobody is kept waiting meanwhile but those who would remove the same. */
const removedAtOnce = 5_000;

/**
 * What is older than a node's own ledger keeps leaves the ledger of all nodes: calls and hours after 90 days, days and
 * intervals after 400, counted back from the newest call. A bounded number at a time, by one node at a time: true where there
 * may be more. How many calls there are within that time has no bound but the database's disk.
 */
export async function removeOldShared(store: SqlStore): Promise<boolean> {
  return store.transaction(async (sql) => {
    const [locked] = await sql.all("SELECT CASE WHEN pg_try_advisory_xact_lock(?) THEN 1 ELSE 0 END AS mine", lock);
    const [newest] = await sql.all("SELECT max(at_ms) AS newest FROM calls");
    if (locked?.["mine"] !== 1 || typeof newest?.["newest"] !== "number") return false;
    const newestMs = newest["newest"];
    const removed = await sql.run(
      "DELETE FROM calls WHERE id IN (SELECT id FROM calls WHERE at_ms < ? ORDER BY at_ms LIMIT ?)",
      newestMs - retention.maxAgeMs,
      removedAtOnce,
    );
    await sql.run(
      "DELETE FROM service_buckets WHERE bucket < ?",
      Math.floor((newestMs - bucketRetentionMs) / bucketMs),
    );
    await removeOldSpend(sql, newestMs);
    return removed === removedAtOnce;
  });
}

/** The hour that a day begins with: no day is ever known in part. */
function dayBefore(ms: number): number {
  return Math.floor(ms / hourMs / hoursOfDay) * hoursOfDay;
}

async function removeOldSpend(sql: Sql, newestMs: number): Promise<void> {
  const days = dayBefore(newestMs - bucketRetentionMs);
  for (const table of spendTables) {
    await sql.run(`DELETE FROM ${table} WHERE span = 1 AND bucket < ?`, dayBefore(newestMs - retention.maxAgeMs));
    for (const statement of foldDays(table)) await sql.run(statement, days);
  }
}
