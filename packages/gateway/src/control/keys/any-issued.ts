import { existsSync } from "node:fs";
import { openStoreForReading } from "#control/store/sqlite";

/** Whether a node's own store has a key that is not revoked. False where there is no store, or none that can be read. */
export function anyIssued(path: string): boolean {
  if (!existsSync(path)) return false;
  const opened = openStoreForReading(path);
  if (opened.kind === "refused") return false;
  try {
    return opened.store.get("SELECT 1 AS one FROM issued_keys WHERE revoked_at_ms IS NULL LIMIT 1") !== undefined;
  } catch {
    return false;
  } finally {
    opened.store.close();
  }
}
