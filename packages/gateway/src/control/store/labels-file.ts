import { chmodSync, closeSync, fdatasync, fdatasyncSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Label, LabelSource } from "#domain/confidence";
import type { LabelIntake, Labels } from "#domain/ports";
import { fairShare } from "#control/confidence/fair-share";
import type { Row } from "./sqlite.ts";

/** The file of labels inside the data folder. People's work: what is in it survives a crash and a power cut. */
export const labelsFile = "labels.sqlite";

export interface LabelsFileOptions {
  readonly path: string;
  /** Told of each kind of trouble once a minute at most. */
  readonly onTrouble: (why: string) => void;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  readonly maxLabels?: number;
}

/** A label and its place in the order of their coming. */
export interface KeptLabel extends Label {
  readonly seq: number;
}

export interface LabelsState {
  /** Labels ever kept, replaced and forgotten ones included: it only grows. */
  readonly kept: number;
  /** When the newest was given, wall clock; absent: there is none. */
  readonly newestAtMs?: number;
}

export interface LabelsFile extends Labels, LabelIntake {
  state(): LabelsState;
  /** At most `limit` labels that came before `beforeSeq`, of one caller or of all, the newest first. */
  page(beforeSeq: number, limit: number, caller?: string): readonly KeptLabel[];
  /** How many labels there are of each caller. */
  callers(): ReadonlyMap<string, number>;
  close(): void;
}

/** Two million labels are about 300 MB. */
const defaultMaxLabels = 2_000_000;
/** Of the bound: so many labels lie between two looks at whether there are too many. */
const trimShare = 0.01;
/** Another worker waits for the disk: a label is worth waiting for it a little. */
const busyTimeoutMs = 200;
/** Only at the start: of workers that open a new file at once, one makes it. */
const openTimeoutMs = 5_000;
const troubleEveryMs = 60_000;

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS labels (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    call_id TEXT NOT NULL, target TEXT NOT NULL, source TEXT NOT NULL, caller TEXT NOT NULL,
    correct REAL NOT NULL, weight REAL NOT NULL, propensity REAL NOT NULL, at_ms INTEGER NOT NULL, note TEXT,
    UNIQUE (call_id, target, source, caller)
  );
  CREATE INDEX IF NOT EXISTS labels_by_caller ON labels (caller, seq);
`;

/**
 * Labels in a file that workers, the supervisor and commands open alike. Of one caller, source and answer the later
 * verdict replaces the earlier. Bounded: the oldest of the caller with the most leave. Throws where the file cannot be opened at all.
 */
export function openLabelsFile(options: LabelsFileOptions): LabelsFile {
  if (options.path !== ":memory:") mkdirSync(dirname(options.path), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(options.path, { timeout: openTimeoutMs });
  if (options.path !== ":memory:") chmodSync(options.path, 0o600);
  database.exec(schema);
  database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
  return new SqliteLabels(database, options);
}

class SqliteLabels implements LabelsFile {
  readonly #database: DatabaseSync;
  readonly #options: LabelsFileOptions;
  readonly #maxLabels: number;
  readonly #insert;
  readonly #span;
  readonly #page;
  readonly #pageOf;
  readonly #callers;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  /** Of the write-ahead log, which stays the same file as long as the database is open. */
  #log: number | undefined;
  /** Written, and waiting for the disk: told together. As many as there are calls at once, at most. */
  #waiting: ((kept: boolean) => void)[] = [];
  #syncing = false;

  constructor(database: DatabaseSync, options: LabelsFileOptions) {
    this.#database = database;
    this.#options = options;
    this.#maxLabels = options.maxLabels ?? defaultMaxLabels;
    // A replaced label gets a new place in the order: whoever learned from the old one has to look again.
    this.#insert = database.prepare(
      `INSERT OR REPLACE INTO labels (call_id, target, source, caller, correct, weight, propensity, at_ms, note)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#span = database.prepare(
      `SELECT (SELECT seq FROM sqlite_sequence WHERE name = 'labels') AS kept,
         (SELECT at_ms FROM labels ORDER BY seq DESC LIMIT 1) AS newest_at_ms`,
    );
    this.#page = database.prepare("SELECT * FROM labels WHERE seq < ? ORDER BY seq DESC LIMIT ?");
    this.#pageOf = database.prepare("SELECT * FROM labels WHERE caller = ? AND seq < ? ORDER BY seq DESC LIMIT ?");
    this.#callers = database.prepare("SELECT caller, count(*) AS labels FROM labels GROUP BY caller");
  }

  add(label: Label): boolean {
    if (!this.#write(label)) return false;
    try {
      const log = this.#openLog();
      if (log !== undefined) fdatasyncSync(log);
      return true;
    } catch (error) {
      this.#tell(error);
      return false;
    }
  }

  take(label: Label, then: (kept: boolean) => void): void {
    if (!this.#write(label)) return then(false);
    this.#waiting.push(then);
    if (!this.#syncing) this.#sync();
  }

  /**
   * SQLite's own sync would hold up everything in this process for as long as the disk takes. A commit of a write-ahead
   * log is durable once the log's bytes are (https://sqlite.org/wal.html), whoever asks the disk for it.
   */
  #sync(): void {
    const group = this.#waiting;
    if (group.length === 0) return;
    this.#waiting = [];
    this.#syncing = true;
    const done = (error?: Error | null): void => {
      const isKept = (error ?? undefined) === undefined;
      if (!isKept) this.#tell(error);
      this.#syncing = false;
      for (const then of group) then(isKept);
      this.#sync();
    };
    try {
      const log = this.#openLog();
      if (log === undefined) setImmediate(done);
      else fdatasync(log, done);
    } catch (error) {
      setImmediate(done, error as Error);
    }
  }

  #openLog(): number | undefined {
    const { path } = this.#options;
    if (path !== ":memory:") this.#log ??= openSync(`${path}-wal`, "r+");
    return this.#log;
  }

  #write(label: Label): boolean {
    try {
      const { changes, lastInsertRowid } = this.#insert.run(
        label.callId,
        label.target ?? "",
        label.source,
        label.caller,
        label.correct,
        label.weight,
        label.propensity,
        Math.round(label.atMs),
        label.note ?? null,
      );
      if (Number(lastInsertRowid) % Math.max(1, Math.floor(this.#maxLabels * trimShare)) === 0) this.#trim();
      return Number(changes) > 0;
    } catch (error) {
      this.#tell(error);
      return false;
    }
  }

  state(): LabelsState {
    const row = this.#span.get();
    const at = row?.["newest_at_ms"];
    return { kept: Number(row?.["kept"] ?? 0), ...(at === null || at === undefined ? {} : { newestAtMs: Number(at) }) };
  }

  page(beforeSeq: number, limit: number, caller?: string): readonly KeptLabel[] {
    const rows = caller === undefined ? this.#page.all(beforeSeq, limit) : this.#pageOf.all(caller, beforeSeq, limit);
    return rows.map(labelOf);
  }

  callers(): ReadonlyMap<string, number> {
    return new Map(this.#callers.all().map((row) => [String(row["caller"]), Number(row["labels"])]));
  }

  close(): void {
    if (this.#log !== undefined) closeSync(this.#log);
    this.#log = undefined;
    this.#database.close();
  }

  /**
   * What is beyond the bound leaves, the oldest first of whoever has the most: one caller who posts millions does not push
   * out the others'. A failure costs space, not the label that was just kept.
   */
  #trim(): void {
    try {
      const callers = this.callers();
      const total = callers.values().reduce((sum, count) => sum + count, 0);
      if (total <= this.#maxLabels) return;
      const each = Math.floor(fairShare([...callers.values()], this.#maxLabels));
      const forget = this.#database.prepare(
        "DELETE FROM labels WHERE seq IN (SELECT seq FROM labels WHERE caller = ? ORDER BY seq LIMIT ?)",
      );
      for (const [caller, count] of callers) if (count > each) forget.run(caller, count - each);
    } catch (error) {
      this.#tell(error);
    }
  }

  #tell(error: unknown): void {
    const nowMs = this.#options.nowMs();
    if (nowMs - this.#toldAtMs < troubleEveryMs) return;
    this.#toldAtMs = nowMs;
    this.#options.onTrouble(error instanceof Error ? error.message : String(error));
  }
}

function labelOf(row: Row): KeptLabel {
  return {
    seq: Number(row["seq"]),
    callId: String(row["call_id"]),
    ...(row["target"] === "" ? {} : { target: String(row["target"]) }),
    source: String(row["source"]) as LabelSource,
    caller: String(row["caller"]),
    correct: Number(row["correct"]),
    weight: Number(row["weight"]),
    propensity: Number(row["propensity"]),
    atMs: Number(row["at_ms"]),
    ...(row["note"] === null ? {} : { note: String(row["note"]) }),
  };
}
