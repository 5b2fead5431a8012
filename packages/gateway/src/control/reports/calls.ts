import { callTotals, listCalls, maxListedCalls } from "#control/store/read-calls";
import type { CallFilter, CallTotals, StoredCall } from "#control/store/read-calls";
import type { LedgerReader } from "#control/store/sql";

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
export async function callsReport(reader: LedgerReader, filter: CallFilter, limit = usualLimit): Promise<CallsReport> {
  const calls = await listCalls(reader, filter, Math.min(limit, maxListedCalls));
  const totals = await callTotals(reader, filter);
  return { calls, totals, leftOut: Math.max(0, totals.calls - calls.length) };
}
