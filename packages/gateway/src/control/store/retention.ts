import type { Retention } from "#domain/retention";
import { bucketMs } from "./service-buckets.ts";
import { removeOldSpend } from "./spend-retention.ts";
import { dayBefore, hoursOfDay } from "./spend-span.ts";
import type { Store } from "./sqlite.ts";
import { countTables } from "./traffic-counts.ts";

/** Calls that leave in one transaction: some 40 µs each, and nobody else is served meanwhile. */
export const removedAtOnce = 500;

/**
 * What is kept, counted back from the newest call, so that a clock put back removes nothing; of calls from the future, from now,
 * so that a clock that was ahead once does not go on removing.
 */
export interface Keeping {
  /**
   * Removes a bounded part of what is older, or more, than is kept: calls with their attempts, intervals, sums by hours and days.
   * True where there may be more. Throws where the store does.
   */
  remove(retention: Retention): boolean;
  /** So many calls came. */
  came(calls: number): void;
}

/** A counting reads every call's index entry: a tenth of a second for a million. Others may bring calls, too, so it is repeated. */
const callsBetweenCounts = 1_000_000;

/** For whoever alone removes from the store. Reports, which also bring records into it, remove nothing. */
export function keepWithin(store: Store, wallMs: () => number = Date.now): Keeping {
  /** As last counted, and what came and left since; undefined as long as there cannot be too many. */
  let calls: number | undefined;
  let cameSince = 0;

  function tooMany(maxCalls: number): number {
    // Row numbers are given in order: their span says, without counting, that there cannot be more.
    const span = store.get("SELECT (SELECT max(rowid) FROM calls) - (SELECT min(rowid) FROM calls) + 1 AS calls");
    if (Number(span?.["calls"] ?? 0) <= maxCalls) {
      calls = undefined;
      return 0;
    }
    if (calls === undefined || cameSince > callsBetweenCounts) {
      calls = Number(store.get("SELECT count(*) AS calls FROM calls")?.["calls"] ?? 0);
      cameSince = 0;
    }
    return Math.max(0, calls - maxCalls);
  }

  function remove({ callsMs, sumsMs, maxCalls }: Retention): boolean {
    const newest = store.get("SELECT max(at_ms) AS newest FROM calls")?.["newest"];
    if (newest === null || newest === undefined) return false;
    const newestMs = Math.min(Number(newest), wallMs());
    const old = removeCalls(store, newestMs - callsMs, removedAtOnce);
    if (calls !== undefined) calls -= old;
    const excess = Math.min(tooMany(maxCalls), removedAtOnce - old);
    const more = excess === 0 ? 0 : removeCalls(store, Number(newest) + 1, excess);
    if (calls !== undefined) calls -= more;
    store.run("DELETE FROM service_buckets WHERE bucket < ?", Math.floor((newestMs - sumsMs) / bucketMs));
    for (const table of countTables) {
      store.run(`DELETE FROM ${table} WHERE span = 1 AND bucket < ?`, dayBefore(newestMs - callsMs));
      store.run(`DELETE FROM ${table} WHERE span = ? AND bucket < ?`, hoursOfDay, dayBefore(newestMs - sumsMs));
    }
    removeOldSpend(store, newestMs, { hoursMs: callsMs, daysMs: sumsMs });
    return old + more >= removedAtOnce;
  }

  return {
    remove(retention) {
      try {
        return store.transaction(() => remove(retention));
      } catch (error) {
        // Nothing has left: what was counted is no longer true.
        calls = undefined;
        throw error;
      }
    },
    came(fresh) {
      cameSince += fresh;
      if (calls !== undefined) calls += fresh;
    },
  };
}

/** The oldest calls before a time, and their attempts. */
function removeCalls(store: Store, beforeMs: number, most: number): number {
  return store.run(
    "DELETE FROM calls WHERE id IN (SELECT id FROM calls WHERE at_ms < ? ORDER BY at_ms LIMIT ?)",
    beforeMs,
    most,
  );
}
