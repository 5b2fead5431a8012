import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openNote, readCheckpoint, type Checkpoint, type Verifier } from "#ledger/checkpoint";
import { Frontier, leafHash, rootOfInclusion } from "#ledger/merkle";
import { checkpointFile, linesOf, segmentsIn } from "./audit-folder.ts";
import { opens, readEntry, type AuditEntry, type Opening } from "./entry.ts";

/** What lies beside an entry, as it was written. */
interface OpeningsLine {
  readonly index: number;
  readonly openings: Readonly<Record<string, Opening>>;
}

export interface ReadEntry {
  readonly line: string;
  readonly entry: AuditEntry;
  /** Those that were not erased. */
  readonly openings: Readonly<Record<string, Opening>>;
}

export interface Verified {
  readonly entries: number;
  /** Behind the checkpoint: a gateway that runs signs them within milliseconds. */
  readonly unsigned: number;
  readonly checkpoint: Checkpoint | undefined;
  /** Nothing is wrong where there are none. */
  readonly findings: readonly string[];
}

const mostFindings = 20;

interface Named {
  readonly name: string;
  readonly checkpoint: Checkpoint;
}

/**
 * Reads a log from its first entry to its last, and compares it with its checkpoint and with others that somebody kept. Says of
 * each thing that is wrong where it is. Whoever has no signing key can change nothing that this does not find; who has it, can
 * not contradict a checkpoint that somebody else kept.
 */
export function verifyLog(
  folder: string,
  verifier: Verifier,
  {
    kept = [],
    onProgress = () => {},
  }: { readonly kept?: readonly string[]; readonly onProgress?: (entries: number) => void } = {},
): Verified {
  const findings: string[] = [];
  const find = (what: string): void => {
    if (findings.length < mostFindings) findings.push(what);
  };
  const own = ownCheckpoint(folder, verifier, find);
  const wanted: Named[] = own === undefined ? [] : [{ name: "the checkpoint", checkpoint: own }];
  for (const [at, note] of kept.entries()) {
    const checkpoint = checkpointOf({ note, name: `kept checkpoint ${at + 1}` }, verifier, find);
    if (checkpoint !== undefined) wanted.push({ name: `a kept checkpoint of ${checkpoint.size} entries`, checkpoint });
  }
  const frontier = new Frontier();
  const compare = (): void => {
    for (const { name, checkpoint } of wanted) {
      const { size, root } = checkpoint;
      if (size !== frontier.size || frontier.root().equals(root)) continue;
      find(
        `the first ${size} entries are not those of ${name}: one of them was changed, or another history was signed`,
      );
    }
  };
  compare();
  for (const { line, entry, openings } of readLog(folder, find)) {
    if (entry !== undefined) {
      for (const [name, opening] of Object.entries(openings)) {
        if (!opens(entry, name, opening)) find(`entry ${frontier.size}: its ${name} is not what was hashed`);
      }
      if (entry.index !== frontier.size) {
        find(`entry ${frontier.size} says that it is ${entry.index}: something was taken out, put in, or moved`);
      }
    } else find(`entry ${frontier.size} is none`);
    frontier.push(leafHash(Buffer.from(line, "utf8")));
    compare();
    if (frontier.size % 10_000 === 0) onProgress(frontier.size);
  }
  for (const { name, checkpoint } of wanted) {
    const { size } = checkpoint;
    if (size > frontier.size) find(`${name} has ${size} entries and the log ${frontier.size}: its end was cut off`);
  }
  const unsigned = Math.max(0, frontier.size - signedNow(folder, verifier, own));
  if (unsigned > 0)
    find(
      `${unsigned} entries stand behind the checkpoint and are not signed: an old one was put back, or these were put in`,
    );
  return { entries: frontier.size, unsigned, checkpoint: own, findings };
}

/** A log that is written to meanwhile has signed more by now. */
function signedNow(folder: string, verifier: Verifier, before: Checkpoint | undefined): number {
  if (before === undefined) return 0;
  return Math.max(before.size, ownCheckpoint(folder, verifier, () => {})?.size ?? 0);
}

/** In order; `entry` is undefined where a line is none. */
export function* readLog(
  folder: string,
  find: (what: string) => void = () => {},
): Iterable<Omit<ReadEntry, "entry"> & { readonly entry: AuditEntry | undefined }> {
  let next = 0;
  for (const { path, first } of segmentsIn(folder, "entries")) {
    if (first !== next)
      find(`a file of entries begins with ${first}, and ${next} comes next: one is missing, or was put in`);
    const openings = openingsFrom(folder, first);
    for (const line of linesOf(path)) {
      yield { line, entry: readEntry(line), openings: openings.get(next) ?? {} };
      next += 1;
    }
  }
}

function openingsFrom(folder: string, first: number): ReadonlyMap<number, OpeningsLine["openings"]> {
  const found = segmentsIn(folder, "openings").find((segment) => segment.first === first);
  const openings = new Map<number, OpeningsLine["openings"]>();
  for (const line of found === undefined ? [] : linesOf(found.path)) {
    const read = parsed(line) as Partial<OpeningsLine> | undefined;
    if (typeof read?.index === "number" && typeof read.openings === "object" && read.openings !== null) {
      openings.set(read.index, read.openings);
    }
  }
  return openings;
}

function ownCheckpoint(folder: string, verifier: Verifier, find: (what: string) => void): Checkpoint | undefined {
  const path = join(folder, checkpointFile);
  if (existsSync(path))
    return checkpointOf({ note: readFileSync(path, "utf8"), name: "the checkpoint" }, verifier, find);
  find("there is no checkpoint: nobody signed this log");
  return undefined;
}

function checkpointOf(
  { note, name }: { readonly note: string; readonly name: string },
  verifier: Verifier,
  find: (what: string) => void,
): Checkpoint | undefined {
  const opened = openNote(note, verifier);
  const checkpoint = opened.kind === "signed" ? readCheckpoint(opened.text) : undefined;
  if (opened.kind === "wrong") find(`${name}: ${opened.why}`);
  else if (checkpoint === undefined) find(`${name}: what was signed is no checkpoint`);
  else if (checkpoint.origin !== verifier.name) find(`${name} is of another log: ${checkpoint.origin}`);
  else return checkpoint;
  return undefined;
}

/** That one entry is in a log, for somebody who has nothing but the log's key. */
export interface Proof {
  readonly version: 1;
  /** The entry's exact text. */
  readonly entry: string;
  readonly openings: Readonly<Record<string, Opening>>;
  /** Base64, from the leaf on. */
  readonly path: readonly string[];
  /** A signed note. */
  readonly checkpoint: string;
}

/** Whether something read from a file has a proof's shape: it may come from anybody. */
export function isProof(read: unknown): read is Proof {
  if (typeof read !== "object" || read === null) return false;
  const { version, entry, openings, path, checkpoint } = read as Partial<Record<keyof Proof, unknown>>;
  if (version !== 1 || typeof entry !== "string" || typeof checkpoint !== "string") return false;
  if (typeof openings !== "object" || openings === null) return false;
  return Array.isArray(path) && path.every((each) => typeof each === "string");
}

/** What is wrong with a proof; empty where it proves. */
export function verifyProof(proof: Proof, verifier: Verifier): readonly string[] {
  const findings: string[] = [];
  const find = (what: string): void => void findings.push(what);
  const checkpoint = checkpointOf({ note: proof.checkpoint, name: "the checkpoint" }, verifier, find);
  const entry = readEntry(proof.entry);
  if (entry === undefined) find("the entry is none");
  if (checkpoint === undefined || entry === undefined) return findings;
  const root = rootOfInclusion({
    leaf: leafHash(Buffer.from(proof.entry, "utf8")),
    index: entry.index,
    size: checkpoint.size,
    path: proof.path.map((each) => Buffer.from(each, "base64")),
  });
  if (root?.equals(checkpoint.root) !== true) find("the entry is not in the log that was signed");
  for (const [name, opening] of Object.entries(proof.openings)) {
    if (!opens(entry, name, opening)) find(`its ${name} is not what was hashed`);
  }
  return findings;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
