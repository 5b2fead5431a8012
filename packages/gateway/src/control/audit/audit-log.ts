import { existsSync, readFileSync, truncateSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import {
  checkpointText,
  newSigningKey,
  openNote,
  readCheckpoint,
  signerOf,
  signNote,
  verifierOf,
  type Signer,
} from "#ledger/checkpoint";
import { Frontier, leafHash } from "#ledger/merkle";
import type { IngestedPosition } from "#control/store/ingest";
import {
  appendSynced,
  checkpointFile,
  dayOfSegment,
  keyFile,
  linesOf,
  makeAuditFolder,
  replaceSynced,
  segmentPath,
  segmentsIn,
  stateFile,
} from "./audit-folder.ts";
import { makeEntry, type AuditEvent } from "./entry.ts";

/** A segment is begun anew after so many entries: it is read whole by whoever verifies. */
const entriesOfSegment = 50_000;

/** What the writer keeps beside the checkpoint: of the very same moment. */
interface State {
  readonly size: number;
  /** Hex. */
  readonly frontier: readonly string[];
  /** How far each journal file is in the log. */
  readonly positions: Readonly<Record<string, IngestedPosition>>;
  /** The last review decision in the log: milliseconds since 1970, and its review. */
  readonly reviews?: readonly [atMs: number, id: string];
}

const nothing: State = { size: 0, frontier: [], positions: {} };

export type OpenedAudit =
  | { readonly kind: "opened"; readonly log: AuditLog }
  | { readonly kind: "refused"; readonly message: string };

/**
 * Events in an order that cannot be changed afterwards: lines in files, a Merkle tree over them, and a checkpoint signed after
 * each batch. One process writes it. What stands behind the last checkpoint was never promised to anybody: it is taken away
 * at the next start, and written again from where it came.
 */
export class AuditLog {
  readonly folder: string;
  readonly signer: Signer;
  #state: State;
  #frontier: Frontier;
  #segmentFirst: number;
  /** Of its first entry, `2026-11-01`: a later day begins another file, so that days can be erased. */
  #segmentDay: string | undefined;
  /** A write failed: what of it is on disk is not known. */
  #isTorn = false;

  private constructor(folder: string, signer: Signer, state: State) {
    [this.folder, this.signer, this.#state] = [folder, signer, state];
    this.#frontier = frontierOf(state);
    this.#segmentFirst = segmentsIn(folder, "entries").at(-1)?.first ?? 0;
  }

  /** `origin`: the log's name, for ever. */
  static open(folder: string, origin: string): OpenedAudit {
    makeAuditFolder(folder);
    const keyPath = join(folder, keyFile);
    if (!existsSync(keyPath)) {
      if (existsSync(join(folder, checkpointFile))) {
        return {
          kind: "refused",
          message: `the audit log ${folder} has lost ${keyFile}: put it back, or move the folder away`,
        };
      }
      replaceSynced(keyPath, newSigningKey());
    }
    const signer = signerOf(origin, readFileSync(keyPath, "utf8"));
    const state = readState(folder);
    const log = new AuditLog(folder, signer, state);
    const trouble = log.#trouble();
    if (trouble !== undefined) return { kind: "refused", message: `the audit log ${folder}: ${trouble}` };
    log.#takeAwayTail();
    return { kind: "opened", log };
  }

  get size(): number {
    return this.#state.size;
  }

  get positions(): State["positions"] {
    return this.#state.positions;
  }

  get reviews(): State["reviews"] {
    return this.#state.reviews;
  }

  /** All of them are on disk and under a signed checkpoint when it returns, with what the log knows of its sources. */
  append(events: readonly AuditEvent[], know: Partial<Pick<State, "positions" | "reviews">> = {}): void {
    if (this.#isTorn) this.#beginAnew();
    // Only what is seen to have come to its end is gone on from.
    this.#isTorn = true;
    try {
      this.#put(events, know);
    } catch (error) {
      // What is on disk is what the sources are asked to go on from.
      this.#state = readState(this.folder);
      throw error;
    }
    this.#isTorn = false;
  }

  #put(
    events: readonly AuditEvent[],
    { positions = this.#state.positions, reviews = this.#state.reviews }: Partial<Pick<State, "positions" | "reviews">>,
  ): void {
    if (events.length > 0) this.#write(events);
    const size = this.#frontier.size;
    const frontier = this.#frontier.roots.map((root) => root.toString("hex"));
    const state = { size, frontier, positions, ...(reviews === undefined ? {} : { reviews }) };
    // The state first: a checkpoint that is older than it is brought up to it at the next start.
    replaceSynced(join(this.folder, stateFile), JSON.stringify(state));
    this.#state = state;
    this.#sign();
  }

  /** As at a start: the state on disk says what was written, and what stands behind it is taken away. */
  #beginAnew(): void {
    this.#state = readState(this.folder);
    this.#frontier = frontierOf(this.#state);
    this.#takeAwayTail();
  }

  #sign(): void {
    const text = checkpointText({ origin: this.signer.name, size: this.#frontier.size, root: this.#frontier.root() });
    replaceSynced(join(this.folder, checkpointFile), signNote(text, this.signer));
  }

  #write(events: readonly AuditEvent[]): void {
    const next = new Frontier(this.#frontier.size, this.#frontier.roots);
    let [lines, openings] = ["", ""];
    const flush = (): void => {
      // Openings before their entries: what is in the log can always be opened.
      appendSynced(segmentPath(this.folder, "openings", this.#segmentFirst), openings);
      appendSynced(segmentPath(this.folder, "entries", this.#segmentFirst), lines);
      [lines, openings] = ["", ""];
    };
    for (const event of events) {
      const day = event.at.slice(0, 10);
      if (next.size - this.#segmentFirst >= entriesOfSegment || day > (this.#segmentDay ?? "")) {
        if (lines !== "") flush();
        [this.#segmentFirst, this.#segmentDay] = [next.size, day];
      }
      const made = makeEntry(event, next.size);
      openings += `${JSON.stringify({ index: next.size, openings: made.openings })}\n`;
      lines += `${made.line}\n`;
      next.push(leafHash(Buffer.from(made.line, "utf8")));
    }
    flush();
    this.#frontier = next;
  }

  /** The checkpoint must be ours and of this tree or of its beginning: the writer goes on from nothing that was tampered with. */
  #trouble(): string | undefined {
    const path = join(this.folder, checkpointFile);
    if (!existsSync(path)) return this.#state.size === 0 ? undefined : `there is no ${checkpointFile}`;
    const note = openNote(readFileSync(path, "utf8"), verifierOf(this.signer));
    if (note.kind === "wrong") return `its checkpoint is not what was signed: ${note.why}`;
    const checkpoint = readCheckpoint(note.text);
    if (checkpoint === undefined) return "its checkpoint is none";
    const isOfState = checkpoint.size === this.#state.size && checkpoint.root.equals(this.#frontier.root());
    if (isOfState || checkpoint.size < this.#state.size) return undefined;
    return `its checkpoint has ${checkpoint.size} entries and its state ${this.#state.size}: run \`hedgerow audit verify\``;
  }

  /** Lines that came after the last state, whole or torn. */
  #takeAwayTail(): void {
    for (const kind of ["entries", "openings"] as const) {
      const segments = segmentsIn(this.folder, kind);
      for (const [at, { path, first }] of segments.entries()) {
        // What another follows is whole.
        if ((segments[at + 1]?.first ?? Number.POSITIVE_INFINITY) <= this.#state.size) continue;
        if (first >= this.#state.size && first > 0) unlinkSync(path);
        else cutAfter(path, this.#state.size - first);
      }
    }
    const last = segmentsIn(this.folder, "entries").at(-1);
    this.#segmentFirst = last?.first ?? 0;
    this.#segmentDay = last === undefined ? undefined : dayOfSegment(last.path);
    if (this.#state.size > 0) this.#sign();
  }
}

/** Keeps so many lines of a file. */
function cutAfter(path: string, count: number): void {
  const lines = linesOf(path);
  const kept = lines.slice(0, Math.max(0, count));
  const bytes = kept.reduce((sum, line) => sum + Buffer.byteLength(line, "utf8") + 1, 0);
  if (readFileSync(path).length > bytes) truncateSync(path, bytes);
}

function frontierOf({ size, frontier }: State): Frontier {
  return new Frontier(
    size,
    frontier.map((root) => Buffer.from(root, "hex")),
  );
}

function readState(folder: string): State {
  const path = join(folder, stateFile);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as State) : nothing;
}
