import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { CallRecord } from "#domain/record";
import { parseSegmentFile } from "#ledger/journal-line";
import { readJournal } from "#ledger/read-journal";
import type { JournalDamage } from "#ledger/read-journal";
import { forgetJournalFile, ingestRecords, ingestedPosition } from "./ingest.ts";
import type { Store } from "./sqlite.ts";

export interface JournalIngest {
  /** Records that were not in the store before. */
  readonly fresh: number;
  /** Lines that are not what was written; the file's name with each. */
  readonly damage: readonly (JournalDamage & { readonly file: string })[];
}

/**
 * Brings everything the journal folder holds into the store. May run beside the writers and beside another ingest:
 * each record arrives once, and is told of when it is there. A folder that does not exist is an empty one. Rejects where a file cannot be read.
 */
export async function ingestJournal(
  store: Store,
  folder: string,
  onStored: (file: string, records: readonly CallRecord[]) => void = () => {},
): Promise<JournalIngest> {
  const files = await segmentFiles(folder);
  forgetRemoved(store, files);
  const damage: (JournalDamage & { readonly file: string })[] = [];
  let fresh = 0;
  for (const file of files) {
    for (;;) {
      const from = ingestedPosition(store, file);
      const read = await readJournal(join(folder, file), from);
      damage.push(...read.damage.map((each) => ({ ...each, file })));
      const { position } = read;
      if (position === undefined || position.offset === (from?.offset ?? 0)) break;
      const piece = { file, fromOffset: from?.offset ?? 0, toOffset: position.offset, chainHash: position.hash };
      const ingested = ingestRecords(store, piece, read.records);
      if (ingested.kind === "ingested") {
        fresh += ingested.fresh.length;
        onStored(file, ingested.fresh);
      }
      if (!read.more) break;
    }
  }
  return { fresh, damage };
}

async function segmentFiles(folder: string): Promise<readonly string[]> {
  try {
    const names = await readdir(folder);
    return names.filter((name) => parseSegmentFile(name) !== undefined).toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Names of files are never used twice, so what is gone can be forgotten. */
function forgetRemoved(store: Store, files: readonly string[]): void {
  const present = new Set(files);
  for (const row of store.all("SELECT file FROM journal_files")) {
    const file = String(row["file"]);
    if (!present.has(file)) forgetJournalFile(store, file);
  }
}
