import type { Retention } from "#domain/retention";
import { bucketMs } from "./service-buckets.ts";
import { foldDays, spendTables } from "./spend-retention.ts";
import { dayBefore, hoursOfDay } from "./spend-span.ts";
import type { Sql, SqlStore } from "./sql.ts";
import { countTables } from "./traffic-counts.ts";

/** Any number: one node at a time removes. */
const lock = 4_727_733_902;
/** Nobody is kept waiting meanwhile but those who would remove the same. */
const removedAtOnce = 5_000;

/** `maxCalls` is of a node's own store: here, how many calls there are within that time has no bound but the database's disk. */
export type SharedRetention = Pick<Retention, "callsMs" | "sumsMs">;

/**
 * What is older than is kept leaves the ledger of all nodes, counted back from the newest call that is not from the database's
 * future. A bounded number at a time, by one node at a time: true where there may be more. Where nodes say different things, the shortest holds.
 */
export async function removeOldShared(store: SqlStore, { callsMs, sumsMs }: SharedRetention): Promise<boolean> {
  return store.transaction(async (sql) => {
    const [locked] = await sql.all("SELECT CASE WHEN pg_try_advisory_xact_lock(?) THEN 1 ELSE 0 END AS mine", lock);
    const [newest] = await sql.all(
      "SELECT LEAST(max(at_ms), CAST(EXTRACT(EPOCH FROM now()) * 1000 AS BIGINT)) AS newest FROM calls",
    );
    if (locked?.["mine"] !== 1 || typeof newest?.["newest"] !== "number") return false;
    const newestMs = newest["newest"];
    const removed = await sql.run(
      "DELETE FROM calls WHERE id IN (SELECT id FROM calls WHERE at_ms < ? ORDER BY at_ms LIMIT ?)",
      newestMs - callsMs,
      removedAtOnce,
    );
    await sql.run("DELETE FROM service_buckets WHERE bucket < ?", Math.floor((newestMs - sumsMs) / bucketMs));
    for (const table of countTables) {
      await sql.run(`DELETE FROM ${table} WHERE span = 1 AND bucket < ?`, dayBefore(newestMs - callsMs));
      await sql.run(`DELETE FROM ${table} WHERE span = ? AND bucket < ?`, hoursOfDay, dayBefore(newestMs - sumsMs));
    }
    await removeOldSpend(sql, { hoursBefore: newestMs - callsMs, daysBefore: newestMs - sumsMs });
    return removed === removedAtOnce;
  });
}

async function removeOldSpend(
  sql: Sql,
  { hoursBefore, daysBefore }: { readonly hoursBefore: number; readonly daysBefore: number },
): Promise<void> {
  const days = dayBefore(daysBefore);
  for (const table of spendTables) {
    await sql.run(`DELETE FROM ${table} WHERE span = 1 AND bucket < ?`, dayBefore(hoursBefore));
    for (const statement of foldDays(table)) await sql.run(statement, days);
  }
}
