import { callTotals, listCalls, maxListedCalls } from "#control/store/read-calls";
import type { CallFilter, CallTotals, StoredCall } from "#control/store/read-calls";
import type { Store } from "#control/store/sqlite";

/** What `hedgerow report calls --json` prints. */
export interface CallsReport {
  /** Newest first. */
  readonly calls: readonly StoredCall[];
  /** Over everything that matches, listed or not. */
  readonly totals: CallTotals;
  /** Matching calls that the limit left out of `calls`. */
  readonly leftOut: number;
}

export const usualLimit = 20;

/** `limit` beyond {@link maxListedCalls} is cut to it, and `leftOut` says so. */
export function callsReport(store: Store, filter: CallFilter, limit = usualLimit): CallsReport {
  const calls = listCalls(store, filter, Math.min(limit, maxListedCalls));
  const totals = callTotals(store, filter);
  return { calls, totals, leftOut: Math.max(0, totals.calls - calls.length) };
}
