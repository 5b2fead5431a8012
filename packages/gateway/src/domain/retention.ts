const dayMs = 86_400_000;

/** How long the ledger keeps what it knows. */
export interface Retention {
  /** Calls with their attempts, and sums by the hour. */
  readonly callsMs: number;
  /** Sums by the day and by five minutes. What is older is one sum without a date. */
  readonly sumsMs: number;
  /** Most calls of a node's own store, however young. */
  readonly maxCalls: number;
}

/**
 * Three months of calls, two million of them (some 2 GB). Sums outlive them: claims for credits, and questions of auditors,
 * come late.
 */
export const defaultRetention: Retention = { callsMs: 90 * dayMs, sumsMs: 400 * dayMs, maxCalls: 2_000_000 };
