import { DatabaseSync } from "node:sqlite";
import type { ReviewDecision } from "#domain/review";

/** A decision that is written down. */
export interface DecidedReview {
  readonly id: string;
  readonly decidedMs: number;
  readonly callId: string;
  readonly route: string;
  /** Without the words of models and people. */
  readonly decision: Pick<ReviewDecision, "kind" | "target">;
  readonly by: string;
}

const mostAtOnce = 500;

/** Those after one that was seen, oldest first, from the file beside whoever writes it; at most 500. */
export function decidedReviews(
  path: string,
  [afterMs, afterId]: readonly [atMs: number, id: string] = [0, ""],
): readonly DecidedReview[] {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 1_000 });
  try {
    const rows = database
      .prepare(
        `SELECT id, decided_ms, brief, decision FROM reviews WHERE status = 'decided'
         AND (decided_ms > ? OR (decided_ms = ? AND id > ?)) ORDER BY decided_ms, id LIMIT ?`,
      )
      .all(afterMs, afterMs, afterId, mostAtOnce);
    return rows.map((row) => {
      const { callId, route } = JSON.parse(String(row["brief"])) as { readonly callId: string; readonly route: string };
      const { kind, target, reviewer } = JSON.parse(String(row["decision"])) as ReviewDecision;
      const decision = { kind, ...(target === undefined ? {} : { target }) };
      return { id: String(row["id"]), decidedMs: Number(row["decided_ms"]), callId, route, decision, by: reviewer };
    });
  } finally {
    database.close();
  }
}
