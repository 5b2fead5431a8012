import { chmodSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Memory, MemoryPlace } from "#domain/ports";

/** The memory's file inside the data folder. Losing it loses conversations, never money or records. */
export const memoryFile = "memory.sqlite";

export interface MemoryFileOptions {
  readonly path: string;
  readonly wallMs: () => number;
  /** Told of each kind of trouble once a minute at most. */
  readonly onTrouble: (why: string) => void;
  readonly maxValueBytes?: number;
  readonly maxTotalBytes?: number;
}

const defaultMaxValueBytes = 8 * 1024 * 1024;
const defaultMaxTotalBytes = 512 * 1024 * 1024;
/** Another worker writes for some microseconds; nothing here waits longer than this. */
const busyTimeoutMs = 50;
/** Only at the start: of workers that open a new file at once, one makes it and the others have to wait for that. */
const openTimeoutMs = 5_000;
/** How many writes of this process, or bytes, lie between two looks at what is to be forgotten. */
const writesPerTrim = 256;
const bytesPerTrim = 64 * 1024 * 1024;
const troubleEveryMs = 60_000;
/** After a renewal that met a locked file. */
const renewalRestMs = 1_000;

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS kept (
    space TEXT NOT NULL, owner TEXT NOT NULL, id TEXT NOT NULL,
    value TEXT NOT NULL, bytes INTEGER NOT NULL, ttl_ms INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL,
    PRIMARY KEY (space, owner, id)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS kept_by_expiry ON kept (expires_at_ms, bytes);
`;

export interface MemoryFile extends Memory {
  close(): void;
}

/** A memory in a file that all workers of a node open. Throws where the file cannot be opened at all. */
export function openMemoryFile(options: MemoryFileOptions): MemoryFile {
  if (options.path !== ":memory:") mkdirSync(dirname(options.path), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(options.path, { timeout: openTimeoutMs });
  if (options.path !== ":memory:") chmodSync(options.path, 0o600);
  database.exec(schema);
  database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
  return new SqliteMemory(database, options);
}

class SqliteMemory implements MemoryFile {
  readonly #database: DatabaseSync;
  readonly #options: MemoryFileOptions;
  readonly #maxValueBytes: number;
  readonly #maxTotalBytes: number;
  readonly #select;
  readonly #insert;
  readonly #touch;
  readonly #remove;
  #writes = 0;
  #bytes = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #noRenewalUntilMs = 0;

  constructor(database: DatabaseSync, options: MemoryFileOptions) {
    this.#database = database;
    this.#options = options;
    this.#maxValueBytes = options.maxValueBytes ?? defaultMaxValueBytes;
    this.#maxTotalBytes = options.maxTotalBytes ?? defaultMaxTotalBytes;
    const place = "space = ? AND owner = ? AND id = ?";
    this.#select = database.prepare(`SELECT value, ttl_ms, expires_at_ms FROM kept WHERE ${place}`);
    this.#insert = database.prepare("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?, ?, ?, ?)");
    this.#touch = database.prepare(`UPDATE kept SET expires_at_ms = ? WHERE ${place}`);
    this.#remove = database.prepare(`DELETE FROM kept WHERE ${place}`);
  }

  get(place: MemoryPlace): string | undefined {
    return this.#careful(() => this.#read(place)?.value, undefined);
  }

  put(place: MemoryPlace, value: string, ttlMs: number): boolean {
    return this.#careful(() => this.#write(place, value, ttlMs), false);
  }

  change(place: MemoryPlace, change: (value: string) => string): boolean {
    return this.#careful(() => {
      this.#database.exec("BEGIN IMMEDIATE");
      try {
        const found = this.#read(place);
        const done = found !== undefined && this.#write(place, change(found.value), found.ttlMs);
        this.#database.exec("COMMIT");
        return done;
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
        throw error;
      }
    }, false);
  }

  delete(place: MemoryPlace): boolean {
    return this.#careful(() => {
      const there = this.#read(place) !== undefined;
      this.#remove.run(place.space, place.owner, place.id);
      return there;
    }, false);
  }

  close(): void {
    this.#database.close();
  }

  #read({ space, owner, id }: MemoryPlace): { readonly value: string; readonly ttlMs: number } | undefined {
    const row = this.#select.get(space, owner, id);
    const nowMs = this.#options.wallMs();
    const expiresAtMs = Number(row?.["expires_at_ms"] ?? 0);
    const ttlMs = Number(row?.["ttl_ms"] ?? 0);
    const value = row?.["value"];
    if (typeof value !== "string" || expiresAtMs <= nowMs) return undefined;
    // What is in use stays; a write for every reading would be too dear.
    if (expiresAtMs - nowMs < ttlMs / 2 && nowMs >= this.#noRenewalUntilMs) {
      // Where that cannot be written now, what was read is as good; nor is it tried for each of many readings.
      const renewed = this.#careful(() => this.#touch.run(nowMs + ttlMs, space, owner, id), undefined);
      if (renewed === undefined) this.#noRenewalUntilMs = nowMs + renewalRestMs;
    }
    return { value, ttlMs };
  }

  #write({ space, owner, id }: MemoryPlace, value: string, ttlMs: number): boolean {
    const bytes = Buffer.byteLength(value);
    if (bytes > this.#maxValueBytes) return false;
    this.#insert.run(space, owner, id, value, bytes, ttlMs, this.#options.wallMs() + ttlMs);
    this.#writes += 1;
    this.#bytes += bytes;
    if (this.#writes >= writesPerTrim || this.#bytes >= bytesPerTrim) {
      this.#writes = 0;
      this.#bytes = 0;
      this.#trim();
    }
    return true;
  }

  /** Forgets what has expired, then what would expire first, until the rest fits. */
  #trim(): void {
    this.#database.prepare("DELETE FROM kept WHERE expires_at_ms <= ?").run(this.#options.wallMs());
    const total = Number(this.#database.prepare("SELECT total(bytes) AS total FROM kept").get()?.["total"] ?? 0);
    if (total <= this.#maxTotalBytes) return;
    let excess = total - this.#maxTotalBytes;
    let upTo = 0;
    for (const row of this.#database
      .prepare("SELECT expires_at_ms, bytes FROM kept ORDER BY expires_at_ms")
      .iterate()) {
      if (excess <= 0) break;
      excess -= Number(row["bytes"]);
      upTo = Number(row["expires_at_ms"]);
    }
    this.#database.prepare("DELETE FROM kept WHERE expires_at_ms <= ?").run(upTo);
  }

  /** A locked, full or broken file costs the memory, not the call. */
  #careful<T>(work: () => T, otherwise: T): T {
    try {
      return work();
    } catch (error) {
      const nowMs = this.#options.wallMs();
      if (nowMs - this.#toldAtMs >= troubleEveryMs) {
        this.#toldAtMs = nowMs;
        this.#options.onTrouble(error instanceof Error ? error.message : String(error));
      }
      return otherwise;
    }
  }
}
