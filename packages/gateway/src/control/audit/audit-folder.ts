import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** The log's folder inside the data folder. */
export const auditFolder = "audit";
export const checkpointFile = "checkpoint";
export const stateFile = "state.json";
export const keyFile = "signing-key.pem";

/** Entries are named by the first index in them: `entries-000000000000.jsonl`, and their openings likewise. */
const segment = /^(entries|openings)-(\d{12})\.jsonl$/u;
export type SegmentKind = "entries" | "openings";

export interface Segment {
  readonly path: string;
  /** Of its first line. */
  readonly first: number;
}

export function segmentPath(folder: string, kind: SegmentKind, first: number): string {
  return join(folder, `${kind}-${String(first).padStart(12, "0")}.jsonl`);
}

/** In the order of the log. */
export function segmentsIn(folder: string, kind: SegmentKind): readonly Segment[] {
  if (!existsSync(folder)) return [];
  const found: Segment[] = [];
  for (const name of readdirSync(folder)) {
    const [, of, first] = segment.exec(name) ?? [];
    if (of === kind) found.push({ path: join(folder, name), first: Number(first) });
  }
  return found.toSorted((a, b) => a.first - b.first);
}

/** The lines of a segment, without line ends. A torn last one is left out. */
export function linesOf(path: string): readonly string[] {
  const text = readFileSync(path, "utf8");
  const end = text.lastIndexOf("\n");
  return end === -1 ? [] : text.slice(0, end).split("\n");
}

/** More than any entry has: names of fields and hashes. */
const firstBytes = 16_384;

/** The day of its first entry, `2026-11-01`: no entry of it is of a later one. Undefined where none is whole. */
export function dayOfSegment(path: string): string | undefined {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(firstBytes);
    const text = bytes.toString("utf8", 0, readSync(file, bytes, 0, firstBytes, 0));
    const [line = ""] = text.split("\n", 1);
    return /"at":"(\d{4}-\d\d-\d\d)T/u.exec(line)?.[1];
  } finally {
    closeSync(file);
  }
}

/** On disk when it returns; only its owner may read it. */
export function appendSynced(path: string, text: string): void {
  writeSynced(path, "a", text);
}

/** All of it or what was there before. */
export function replaceSynced(path: string, text: string): void {
  const temporary = `${path}.new`;
  writeSynced(temporary, "w", text);
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

/** So that after a power cut no checkpoint stands there whose state does not. Windows opens no folder, and needs none of it. */
function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function writeSynced(path: string, flags: "a" | "w", text: string): void {
  const file = openSync(path, flags, 0o600);
  try {
    const bytes = Buffer.from(text, "utf8");
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

export function makeAuditFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}
