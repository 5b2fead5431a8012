import { readdir } from "node:fs/promises";
import { ingestJournal } from "#control/store/ingest-journal";
import type { Store } from "#control/store/sqlite";
import { closeDeadJournals } from "#ledger/close-journal";
import { parseSegmentFile } from "#ledger/journal-line";
import { openCallsFile, parseOpenCallsFile } from "#ledger/open-calls";
import type { Log } from "./log.ts";

export interface LostCallsOptions {
  /** It has all that was in the journals when those that still grow were asked for. */
  readonly store: Store;
  readonly folder: string;
  /** Whether a journal of this name may still grow, or is not wholly in the store for another reason. */
  readonly grows: (journal: string) => boolean;
  readonly log: Pick<Log, "warn">;
}

export interface LostCalls {
  /** There are records in the journals now that are not in the store yet. */
  readonly came: boolean;
  /** Journals whose lost calls could not be recorded, and why: it is tried again the next time. */
  readonly failed: ReadonlyMap<string, string>;
}

/**
 * What workers had under way when they were killed gets its records. One journal for which that fails keeps no other from it.
 * Rejects where the journals' folder cannot be read.
 */
export async function recordLostCalls({ store, folder, grows, log }: LostCallsOptions): Promise<LostCalls> {
  const isRecorded = (id: string): boolean => store.get("SELECT 1 FROM calls WHERE id = ?", id) !== undefined;
  const failed = new Map<string, string>();
  let came = false;
  for (const file of await readdir(folder)) {
    const name = parseOpenCallsFile(file);
    if (name === undefined || grows(name)) continue;
    try {
      const closed = await closeDeadJournals({ folder, grows: (journal) => journal !== name, isRecorded });
      for (const { journal, lost } of closed) {
        came = true;
        log.warn("a worker died with calls under way; they are recorded with what they may have cost", {
          journal,
          calls: lost.length,
        });
      }
    } catch (error) {
      failed.set(name, (error as Error).message);
    }
  }
  return { came, failed };
}

/**
 * What an earlier supervisor left in the journals comes into the store before anybody is served, so that budgets begin with
 * it. A failure is told, and holds nobody up.
 */
export async function bringEarlierRecords(options: LostCallsOptions & { readonly log: Log }): Promise<void> {
  const { store, folder, log } = options;
  const tell = (why: string): void =>
    log.error("records of an earlier run are not in the store yet; budgets do not know of them", { why });
  try {
    const { unread } = await ingestJournal(store, folder);
    const isUnread = new Set(unread.map(({ file }) => parseSegmentFile(file)?.name));
    const grows = (journal: string): boolean => isUnread.has(journal) || options.grows(journal);
    const { came, failed } = await recordLostCalls({ ...options, grows });
    if (came) await ingestJournal(store, folder);
    for (const { file, why } of unread) tell(`${file}: ${why}`);
    for (const [journal, why] of failed) tell(`${openCallsFile(journal)}: ${why}`);
  } catch (error) {
    tell((error as Error).message);
  }
}
