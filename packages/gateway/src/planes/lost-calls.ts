import { ingestJournal } from "#control/store/ingest-journal";
import type { Store } from "#control/store/sqlite";
import { closeDeadJournals } from "#ledger/close-journal";
import type { Log } from "./log.ts";

export interface LostCallsOptions {
  /** It has all that was in the journals when those that still grow were asked for. */
  readonly store: Store;
  readonly folder: string;
  /** Whether a journal of this name may still grow. */
  readonly grows: (journal: string) => boolean;
  readonly log: Pick<Log, "warn">;
}

/**
 * What workers had under way when they were killed gets its records. True where there are some in the journals now, which are
 * not in the store yet. Rejects where the journals' folder cannot be read or written.
 */
export async function recordLostCalls({ store, folder, grows, log }: LostCallsOptions): Promise<boolean> {
  const isRecorded = (id: string): boolean => store.get("SELECT 1 FROM calls WHERE id = ?", id) !== undefined;
  const closed = await closeDeadJournals({ folder, grows, isRecorded });
  for (const { journal, lost } of closed) {
    log.warn("a worker died with calls under way; they are recorded with what they may have cost", {
      journal,
      calls: lost.length,
    });
  }
  return closed.length > 0;
}

/**
 * What an earlier supervisor left in the journals comes into the store before anybody is served, so that budgets begin with
 * it. A failure is told, and holds nobody up.
 */
export async function bringEarlierRecords(options: LostCallsOptions & { readonly log: Log }): Promise<void> {
  const { store, folder, log } = options;
  try {
    await ingestJournal(store, folder);
    if (await recordLostCalls(options)) await ingestJournal(store, folder);
  } catch (error) {
    log.error("records of an earlier run are not in the store yet; budgets do not know of them", {
      why: (error as Error).message,
    });
  }
}
