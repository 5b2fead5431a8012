import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { CallRecord } from "#domain/record";
import { parseSegmentFile } from "#ledger/journal-line";
import { readJournal } from "#ledger/read-journal";
import type { JournalDamage, JournalPosition, JournalRead } from "#ledger/read-journal";
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
  /** Files that could not be read, or not to their end: what is left of them is tried again the next time. */
  readonly unread: readonly UnreadFile[];
}

export interface UnreadFile {
  readonly file: string;
  readonly why: string;
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
 * each record arrives once, and is told of when it is there. A folder that does not exist is an empty one. Rejects where the store fails; a
 * file that cannot be read keeps no other from it.
 */
export function ingestJournal(
  store: Store,
  folder: string,
  onStored: (file: string, records: readonly CallRecord[]) => void = () => {},
): Promise<JournalIngest> {
  return carryJournal(ownLedger(store), folder, ({ file }, fresh) => onStored(file, fresh));
}

type OnPut = (piece: Pick<JournalPiece, "file" | "toOffset">, fresh: readonly CallRecord[]) => void;

/** The same into any ledger. `onPut` is told where in its file each piece ended. */
export async function carryJournal(ledger: Ledger, folder: string, onPut: OnPut): Promise<JournalIngest> {
  const files = await segmentFiles(folder);
  await ledger.forgetBut(files);
  const damage: (JournalDamage & { readonly file: string })[] = [];
  const unread: UnreadFile[] = [];
  let fresh = 0;
  for (const file of files) {
    for await (const part of partsOf(ledger, folder, file)) {
      if (part.kind === "unread") {
        unread.push({ file, why: part.why });
        break;
      }
      damage.push(...part.read.damage.map((each) => ({ ...each, file })));
      if (part.piece === undefined) break;
      const ingested = await ledger.put(part.piece, part.read.records);
      if (ingested.kind !== "ingested") continue;
      fresh += ingested.fresh.length;
      onPut(part.piece, ingested.fresh);
    }
  }
  return { fresh, damage, unread };
}

type FilePart =
  /** `piece`: absent where nothing is new. */
  | { readonly kind: "read"; readonly read: JournalRead; readonly piece?: JournalPiece }
  | { readonly kind: "unread"; readonly why: string };

/** What a file has that the ledger does not, piece by piece: each is to be in the ledger before the next is asked for. */
async function* partsOf(ledger: Ledger, folder: string, file: string): AsyncGenerator<FilePart> {
  for (;;) {
    const from = await ledger.position(file);
    const read = await readOrWhy(join(folder, file), from, ledger.pieceBytes);
    if (read === undefined) return;
    if (typeof read === "string") return yield { kind: "unread", why: read };
    const { position } = read;
    const fromOffset = from?.offset ?? 0;
    if (position === undefined || position.offset === fromOffset) return yield { kind: "read", read };
    const piece = { file, fromOffset, toOffset: position.offset, chainHash: position.hash };
    yield { kind: "read", read, piece };
    if (!read.more) return;
  }
}

/** Why it cannot be read; undefined for a file that is gone: whoever had all of it has removed it meanwhile. */
async function readOrWhy(
  path: string,
  from: JournalPosition | undefined,
  maxBytes: number | undefined,
): Promise<JournalRead | string | undefined> {
  try {
    return await readJournal(path, from, maxBytes);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ENOENT" ? undefined : message;
  }
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
