import type { CallRecord } from "#domain/record";
import { putIntoOutbox } from "./outbox.ts";
import { countAttempts } from "./service-buckets.ts";
import { countSpend } from "./spend-buckets.ts";
import { countTraffic } from "./traffic-counts.ts";
import type { Store } from "./sqlite.ts";
import { writeCall } from "./write-call.ts";

/** A piece of a journal file, in bytes: `[fromOffset, toOffset)`, both at line ends. */
export interface JournalPiece {
  /** The file's name, without a folder. */
  readonly file: string;
  readonly fromOffset: number;
  readonly toOffset: number;
  /** The chain's hash at `toOffset`, with which a reader goes on. */
  readonly chainHash: string;
}

/** Where a reader of a journal file goes on. */
export interface IngestedPosition {
  readonly offset: number;
  readonly hash: string;
}

export type Ingested =
  /** The records that were not there before. */
  | { readonly kind: "ingested"; readonly fresh: readonly CallRecord[] }
  /** The piece begins behind what was ingested: go on from `ingestedBytes`, or records would be lost. */
  | { readonly kind: "gap"; readonly ingestedBytes: number };

/** Puts records into the store; a record that is already there stays as it is. Rows and offset move together or not. Nothing leaves for them. */
export function ingestRecords(store: Store, piece: JournalPiece, records: readonly CallRecord[]): Ingested {
  return store.transaction((): Ingested => {
    const done = ingestedPosition(store, piece.file)?.offset ?? 0;
    if (piece.fromOffset > done) return { kind: "gap", ingestedBytes: done };
    const news = records.filter((record) => writeCall(store, record));
    countAttempts(store, news);
    countSpend(store, news);
    countTraffic(store, news);
    putIntoOutbox(store, news);
    store.run(noteFile, piece.file, piece.toOffset, piece.chainHash);
    return { kind: "ingested", fresh: news };
  });
}

/** How far a file was read: never back. */
export const noteFile = `INSERT INTO journal_files (file, ingested_bytes, chain_hash) VALUES (?, ?, ?)
  ON CONFLICT (file) DO UPDATE SET ingested_bytes = excluded.ingested_bytes, chain_hash = excluded.chain_hash
  WHERE excluded.ingested_bytes > journal_files.ingested_bytes`;

/** How far the file is in the store; undefined for a file it has not seen. */
export function ingestedPosition(store: Store, file: string): IngestedPosition | undefined {
  const row = store.get("SELECT ingested_bytes, chain_hash FROM journal_files WHERE file = ?", file);
  return row === undefined ? undefined : { offset: Number(row["ingested_bytes"]), hash: String(row["chain_hash"]) };
}

/** Called when a journal file was removed, so that the list of files does not grow for ever. */
export function forgetJournalFile(store: Store, file: string): void {
  store.run("DELETE FROM journal_files WHERE file = ?", file);
}
