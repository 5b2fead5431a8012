import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { CallRecord } from "#domain/record";
import { parseSegmentFile } from "#ledger/journal-line";
import { readJournal } from "#ledger/read-journal";
import type { JournalDamage } from "#ledger/read-journal";
import {
  forgetJournalFile,
  ingestRecords,
  ingestedPosition,
  type Ingested,
  type IngestedPosition,
  type JournalPiece,
} from "./ingest.ts";
import type { Store } from "./sqlite.ts";

export interface JournalIngest {
  /** Records that were not in the store before. */
  readonly fresh: number;
  /** Lines that are not what was written; the file's name with each. */
  readonly damage: readonly (JournalDamage & { readonly file: string })[];
}

/** Where records are brought: a node's own store, or the one that all share. */
export interface Ledger {
  /** How much is brought at once, bytes; absent: as much as is read at once. */
  readonly pieceBytes?: number;
  position(file: string): IngestedPosition | undefined | Promise<IngestedPosition | undefined>;
  /** Records and position together, or neither. */
  put(piece: JournalPiece, records: readonly CallRecord[]): Ingested | Promise<Ingested>;
  /** Names of files are never used twice, so what is gone can be forgotten. */
  forgetBut(files: readonly string[]): void | Promise<void>;
}

/**
 * While a piece goes in nobody else is served: a worker that wants to borrow waits for one at most, some 20 ms (4 MiB: 200). Each is
 * synced by itself: smaller ones cost a busy supervisor more than the calls they make room for.
 */
const ownPieceBytes = 512 * 1024;

function ownLedger(store: Store): Ledger {
  return {
    pieceBytes: ownPieceBytes,
    position: (file) => ingestedPosition(store, file),
    put: (piece, records) => ingestRecords(store, piece, records),
    forgetBut(files) {
      const present = new Set(files);
      for (const row of store.all("SELECT file FROM journal_files")) {
        const file = String(row["file"]);
        if (!present.has(file)) forgetJournalFile(store, file);
      }
    },
  };
}

/**
 * Brings everything the journal folder holds into the store. May run beside the writers and beside another ingest:
 * each record arrives once, and is told of when it is there. A folder that does not exist is an empty one. Rejects where a file cannot be read.
 */
export function ingestJournal(
  store: Store,
  folder: string,
  onStored: (file: string, records: readonly CallRecord[]) => void = () => {},
): Promise<JournalIngest> {
  return carryJournal(ownLedger(store), folder, ({ file }, fresh) => onStored(file, fresh));
}

/** The same into any ledger. `onPut` is told where in its file each piece ended. */
export async function carryJournal(
  ledger: Ledger,
  folder: string,
  onPut: (piece: Pick<JournalPiece, "file" | "toOffset">, fresh: readonly CallRecord[]) => void,
): Promise<JournalIngest> {
  const files = await segmentFiles(folder);
  await ledger.forgetBut(files);
  const damage: (JournalDamage & { readonly file: string })[] = [];
  let fresh = 0;
  for (const file of files) {
    for (;;) {
      const from = await ledger.position(file);
      const read = await readJournal(join(folder, file), from, ledger.pieceBytes);
      damage.push(...read.damage.map((each) => ({ ...each, file })));
      const { position } = read;
      if (position === undefined || position.offset === (from?.offset ?? 0)) break;
      const piece = { file, fromOffset: from?.offset ?? 0, toOffset: position.offset, chainHash: position.hash };
      const ingested = await ledger.put(piece, read.records);
      if (ingested.kind === "ingested") {
        fresh += ingested.fresh.length;
        onPut(piece, ingested.fresh);
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
