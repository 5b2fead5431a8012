import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ingestJournal } from "#control/store/ingest-journal";
import type { Store } from "#control/store/sqlite";
import { closeDeadJournals } from "#ledger/close-journal";
import { parseSegmentFile, segmentsOf } from "#ledger/journal-line";
import { openCallsFile, parseOpenCallsFile, readOpenCalls } from "#ledger/open-calls";
import { readJournal, type JournalPosition } from "#ledger/read-journal";
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
 * Rejects where the journals' folder cannot be read, or the store.
 */
export async function recordLostCalls({ store, folder, grows, log }: LostCallsOptions): Promise<LostCalls> {
  const isStored = (id: string): boolean => store.get("SELECT 1 FROM calls WHERE id = ?", id) !== undefined;
  const failed = new Map<string, string>();
  let came = false;
  const files = await readdir(folder);
  for (const file of files) {
    const name = parseOpenCallsFile(file);
    if (name === undefined || grows(name)) continue;
    const open = await readOpenCalls(join(folder, file)).catch((error: Error) => error);
    if (open instanceof Error) {
      failed.set(name, open.message);
      continue;
    }
    const missing = new Set(open.map(({ id }) => id).filter((id) => !isStored(id)));
    try {
      const written = await writtenCalls({ folder, files, journal: name }, missing);
      const isRecorded = (id: string): boolean => written.has(id) || !missing.has(id);
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
 * An ended call stands among the open ones for ten seconds at most, and a worker writes a fraction of this in that time. It
 * takes a second to read, and only after a worker was killed with calls under way.
 */
const searchedBytes = 128 * 1024 * 1024;
/** While a piece is checked nobody else is served. */
const pieceBytes = 512 * 1024;

/**
 * Those of the calls that have their record in the newest segments of their journal: one that has left the store (it keeps a
 * bounded number of calls) must not be taken for lost.
 */
async function writtenCalls(
  { folder, files, journal }: { readonly folder: string; readonly files: readonly string[]; readonly journal: string },
  calls: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const written = new Set<string>();
  let searched = 0;
  for (const { file } of segmentsOf(journal, files)) {
    if (written.size === calls.size || searched >= searchedBytes) break;
    let position: JournalPosition | undefined;
    for (let more = true; more;) {
      const read = await readJournal(join(folder, file), position, pieceBytes);
      for (const { id } of read.records) if (calls.has(id)) written.add(id);
      more = read.more && read.position?.offset !== position?.offset;
      position = read.position;
    }
    searched += position?.offset ?? 0;
  }
  return written;
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
