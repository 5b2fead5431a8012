import { open, type FileHandle } from "node:fs/promises";
import { basename } from "node:path";
import type { CallRecord } from "#domain/record";
import { parseLine, parseSegmentFile } from "./journal-line.ts";

/** Where a reader has come to: the byte after the last line it took, and that line's hash. */
export interface JournalPosition {
  readonly offset: number;
  readonly hash: string;
}

export interface JournalRead {
  /** In the order they were written. Only lines that continue the chain; the others are in `damage`. */
  readonly records: readonly CallRecord[];
  /** Where to read on. Undefined while the file holds no whole line. */
  readonly position: JournalPosition | undefined;
  /** Bytes after the last newline that are not room: a line still being written, or torn by a crash. Never an error. */
  readonly tornBytes: number;
  /** Lines that are not what was written, at most {@link maxDamageListed} of them. */
  readonly damage: readonly JournalDamage[];
  readonly damagedLines: number;
  /** The writer closed the segment: nothing more will come. */
  readonly ended: boolean;
  /** There is more to read from `position`: the answer was cut at `maxBytes`. */
  readonly more: boolean;
}

export interface JournalDamage {
  readonly offset: number;
  readonly why: string;
}

const maxDamageListed = 100;
const defaultReadBytes = 4 * 1024 * 1024;
const newline = 0x0a;

/**
 * Reads a segment from its start or from where an earlier read came to, and checks the chain. Reads about `maxBytes`
 * (at least one whole line). Rejects only where the file cannot be opened or read.
 */
export async function readJournal(
  path: string,
  from?: JournalPosition,
  maxBytes = defaultReadBytes,
): Promise<JournalRead> {
  const start = from?.offset ?? 0;
  const { bytes, reachedEnd } = await readWindow(path, start, maxBytes);
  const wholeEnd = bytes.lastIndexOf(newline) + 1;
  const taken = takeLines(bytes.subarray(0, wholeEnd), { path, start, previous: from?.hash });
  return {
    records: taken.records,
    position: wholeEnd === 0 || taken.hash === undefined ? from : { offset: start + wholeEnd, hash: taken.hash },
    tornBytes: reachedEnd ? bytes.length - wholeEnd : 0,
    damage: taken.damage,
    damagedLines: taken.damagedLines,
    ended: taken.ended,
    more: !reachedEnd,
  };
}

interface Taken {
  readonly records: CallRecord[];
  readonly damage: JournalDamage[];
  damagedLines: number;
  hash: string | undefined;
  ended: boolean;
}

function takeLines(
  bytes: Buffer,
  where: { readonly path: string; readonly start: number; readonly previous: string | undefined },
): Taken {
  const taken: Taken = { records: [], damage: [], damagedLines: 0, hash: where.previous, ended: false };
  let at = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf(newline, at);
    const parsed = parseLine(bytes.toString("utf8", at, end), taken.hash);
    const why = parsed.kind === "damaged" ? parsed.why : misplaced(parsed.entry, where.path);
    if (why !== undefined) {
      taken.damagedLines += 1;
      if (taken.damage.length < maxDamageListed) taken.damage.push({ offset: where.start + at, why });
    }
    // Taking the chain up again from what a damaged line claims keeps one bad line from condemning all after it.
    taken.hash = parsed.hash ?? taken.hash ?? "";
    if (parsed.kind === "line" && parsed.entry.kind === "record") taken.records.push(parsed.entry.record);
    if (parsed.kind === "line" && parsed.entry.kind === "mark") taken.ended = parsed.entry.mark.kind === "end";
    at = end + 1;
  }
  return taken;
}

/** A whole segment under another segment's name has a good chain, so the name is checked against the `begin` mark. */
function misplaced(entry: { readonly kind: string; readonly mark?: unknown }, path: string): string | undefined {
  const mark = entry.mark as { readonly kind: string; readonly name?: string; readonly segment?: number } | undefined;
  if (mark?.kind !== "begin") return undefined;
  const file = parseSegmentFile(basename(path));
  if (file === undefined || (file.name === mark.name && file.segment === mark.segment)) return undefined;
  return `the file was written as segment ${mark.segment} of ${mark.name}`;
}

interface Window {
  readonly bytes: Buffer;
  readonly reachedEnd: boolean;
}

/** Bytes from `start`: about `maxBytes`, more where no line ends within them, fewer at the end of what is written. */
async function readWindow(path: string, start: number, maxBytes: number): Promise<Window> {
  const file = await open(path, "r");
  try {
    const read = await readWritten(file, start, maxBytes);
    // Lines are written in their order: where one stood behind zeros, these are lines as well by now. If not, they never will be.
    return read ?? (await readWritten(file, start, maxBytes)) ?? (await readBytes(file, start, maxBytes));
  } finally {
    await file.close();
  }
}

/** What stands before the zeros of a segment's room (see {@link RoomAhead}). Undefined where a line ends behind zeros. */
async function readWritten(file: FileHandle, start: number, maxBytes: number): Promise<Window | undefined> {
  const read = await readBytes(file, start, maxBytes);
  const written = read.bytes.indexOf(0);
  if (written === -1) return read;
  if (read.bytes.lastIndexOf(newline) > written) return undefined;
  return { bytes: read.bytes.subarray(0, written), reachedEnd: true };
}

async function readBytes(file: FileHandle, start: number, maxBytes: number): Promise<Window> {
  const { size } = await file.stat();
  const available = Math.max(0, size - start);
  let wanted = Math.min(maxBytes, available);
  for (;;) {
    const buffer = Buffer.allocUnsafe(wanted);
    const { bytesRead } = await file.read(buffer, 0, wanted, start);
    const bytes = buffer.subarray(0, bytesRead);
    if (bytesRead < wanted || wanted === available) return { bytes, reachedEnd: true };
    if (bytes.includes(newline)) return { bytes, reachedEnd: false };
    wanted = Math.min(wanted * 2, available);
  }
}

/** How much of a segment is written: its size without the room behind it, bytes. Rejects where it cannot be read. */
export async function writtenBytes(path: string): Promise<number> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const buffer = Buffer.allocUnsafe(64 * 1024);
    for (let end = size; end > 0;) {
      // Where there is no room, the last byte says so.
      const wanted = end === size ? 1 : Math.min(buffer.length, end);
      const { bytesRead } = await file.read(buffer, 0, wanted, end - wanted);
      const last = buffer.subarray(0, bytesRead).findLastIndex((byte) => byte !== 0);
      if (last !== -1) return end - wanted + last + 1;
      end -= wanted;
    }
    return 0;
  } finally {
    await file.close();
  }
}
