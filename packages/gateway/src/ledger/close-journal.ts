import { open, readdir, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { CallRecord } from "#domain/record";
import { chainHash, genesisOf, markLine, recordLine, segmentFile, segmentsOf } from "./journal-line.ts";
import { realJournalFiles } from "./journal-files.ts";
import { lostRecord } from "./lost-record.ts";
import { openCallsFile, parseOpenCallsFile, readOpenCalls } from "./open-calls.ts";
import { readJournal, type JournalPosition } from "./read-journal.ts";

export interface DeadJournals {
  readonly folder: string;
  /** Whether its process may still write to it. */
  readonly grows: (journal: string) => boolean;
  /** Whether a call's record is where all records of these journals are: they were wholly read before this is asked. */
  readonly isRecorded: (id: string) => boolean;
}

export interface ClosedJournal {
  readonly journal: string;
  /** Records of calls that their process had on their way when it ended. */
  readonly lost: readonly CallRecord[];
}

/**
 * Gives each journal that a process left with calls on their way one segment more, with a record for each of them, so that
 * every call that was sent to a provider has exactly one. May be done again from anywhere: a call that has its record gets no
 * second. Rejects where a file cannot be read or written.
 */
export async function closeDeadJournals({
  folder,
  grows,
  isRecorded,
}: DeadJournals): Promise<readonly ClosedJournal[]> {
  const files = await readdir(folder);
  const closed: ClosedJournal[] = [];
  for (const file of files) {
    const journal = parseOpenCallsFile(file);
    if (journal === undefined || grows(journal)) continue;
    const path = join(folder, file);
    const byId = new Map((await readOpenCalls(path)).map((call) => [call.id, call]));
    const lost = [...byId.values()].filter(({ id }) => !isRecorded(id)).map(lostRecord);
    if (lost.length > 0) {
      await writeLastSegment({ folder, journal, files }, lost);
      closed.push({ journal, lost });
    }
    await unlink(path);
  }
  return closed;
}

interface Journal {
  readonly folder: string;
  readonly journal: string;
  /** What is in the folder. */
  readonly files: readonly string[];
}

async function writeLastSegment({ folder, journal, files }: Journal, records: readonly CallRecord[]): Promise<void> {
  const [last] = segmentsOf(journal, files);
  const previous = last === undefined ? genesisOf(journal) : await lastHash(join(folder, last.file), journal);
  const segment = (last?.segment ?? 0) + 1;
  const begin = markLine(previous, { kind: "begin", format: 1, name: journal, segment, previous });
  let text = begin.line;
  let hash = begin.hash;
  for (const record of records) {
    const json = JSON.stringify(record);
    hash = chainHash(hash, json);
    text += recordLine(hash, json);
  }
  text += markLine(hash, { kind: "end", records: records.length }).line;
  // Under its name it is whole or not there: whoever reads it takes it for closed.
  const unfinished = join(folder, `${openCallsFile(journal)}.closing`);
  const handle = await open(unfinished, "w", 0o600);
  try {
    await handle.writeFile(text);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(unfinished, join(folder, segmentFile(journal, segment)));
  await new Promise<void>((resolve, reject) => {
    realJournalFiles.syncFolder(folder, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** Of the last whole line. */
async function lastHash(path: string, journal: string): Promise<string> {
  let position: JournalPosition | undefined;
  for (;;) {
    const read = await readJournal(path, position);
    position = read.position ?? position;
    if (!read.more) return position?.hash ?? genesisOf(journal);
  }
}
