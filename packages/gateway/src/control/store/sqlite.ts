import { chmodSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { SQLInputValue, StatementSync } from "node:sqlite";
import { migrations } from "./migrations.ts";

/** The store's file inside the data folder. */
export const storeFile = "hedgerow.sqlite";

export type Row = Readonly<Record<string, string | number | bigint | null | Uint8Array>>;

/** Pages of a large store that are written again and again: with SQLite's own 2 MB they are read anew each time. */
const cacheKib = 32 * 1024;

/** Another process holds the store while it writes: a reader waits so long and no longer. */
const busyTimeoutMs = 5_000;

/** Where rows are put, one statement for each; gives the number of rows changed. */
export interface Writes {
  run(sql: string, ...values: readonly SQLInputValue[]): number;
}

/** One SQLite database: the only place where statements are prepared, so that every value travels as a parameter. */
export class Store {
  readonly #database: DatabaseSync;
  /** One for each statement text of the code, of which there are a few dozen. */
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  all(sql: string, ...values: readonly SQLInputValue[]): readonly Row[] {
    return this.#prepare(sql).all(...values);
  }

  /** Row by row, for answers that need not fit into memory; nothing else is asked of the store meanwhile. */
  each(visit: (row: Row) => void, sql: string, ...values: readonly SQLInputValue[]): void {
    for (const row of this.#prepare(sql).iterate(...values)) visit(row);
  }

  get(sql: string, ...values: readonly SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...values);
  }

  /** The number of rows changed. */
  run(sql: string, ...values: readonly SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  /** All of it or none: an exception rolls back and goes on. */
  transaction<T>(work: () => T): T {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  /** The same for work that lasts; whoever holds the store sees to it that nothing else is asked of it meanwhile. */
  async transactionOver<T>(work: () => Promise<T>): Promise<T> {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = await work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#database.prepare(sql)));
    return statement;
  }
}

export type OpenedStore =
  | { readonly kind: "opened"; readonly store: Store }
  | { readonly kind: "refused"; readonly message: string };

/**
 * Opens the store for writing, creating and migrating it as needed: write-ahead log, and every commit synced, because
 * what was ingested is afterwards forgotten elsewhere. `:memory:` gives one that lives as long as it is open.
 */
export function openStore(path: string): OpenedStore {
  return open(path, "write", () => {
    if (path !== ":memory:") mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const database = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
    if (path !== ":memory:") chmodSync(path, 0o600);
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -${cacheKib};`);
    return database;
  });
}

/** Opens an existing store for reports, beside a gateway that writes it. */
export function openStoreForReading(path: string): OpenedStore {
  return open(path, "read", () => new DatabaseSync(path, { timeout: busyTimeoutMs, readOnly: true }));
}

/** The version of an existing store's schema, which stays as it is; 0 where it has none. Throws where it cannot be read. */
export function schemaOf(path: string): number {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs, readOnly: true });
  try {
    return versionOf(new Store(database));
  } finally {
    database.close();
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB (https://sqlite.org/rescode.html). */
const damagedCodes: ReadonlySet<unknown> = new Set([11, 26]);

function explainOpening(error: Error & { readonly errcode?: number }): string {
  const fix = damagedCodes.has(error.errcode)
    ? "move it away: a new one is begun, with the records that the journal still has"
    : "check its permissions and the space on the disk";
  return `cannot be opened: ${error.message}; ${fix}`;
}

function open(path: string, access: "read" | "write", connect: () => DatabaseSync): OpenedStore {
  let database: DatabaseSync | undefined;
  try {
    database = connect();
    const store = new Store(database);
    const message = access === "write" ? migrate(store, database) : versionComplaint(store);
    if (message === undefined) return { kind: "opened", store };
    database.close();
    return { kind: "refused", message: `the store ${path} ${message}` };
  } catch (error) {
    if (database?.isOpen === true) database.close();
    return { kind: "refused", message: `the store ${path} ${explainOpening(error as Error)}` };
  }
}

/** Brings the schema to this version's. Says why the store cannot be used, or nothing. */
function migrate(store: Store, database: DatabaseSync): string | undefined {
  if (versionOf(store) >= migrations.length) return versionComplaint(store);
  store.transaction(() => {
    // Read again: another process may have migrated while this one waited for the lock.
    const from = versionOf(store);
    database.exec("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)");
    for (const step of migrations.slice(from)) database.exec(step);
    store.run("DELETE FROM schema_version");
    store.run("INSERT INTO schema_version (version) VALUES (?)", Math.max(from, migrations.length));
  });
  return versionComplaint(store);
}

function versionComplaint(store: Store): string | undefined {
  const version = versionOf(store);
  const known = migrations.length;
  if (version > known)
    return `was written by a newer hedgerow (its schema is ${version}, this one knows ${known}); update`;
  if (version < known)
    return `has an older schema (${version} of ${known}); start the gateway once to bring it up to date`;
  return undefined;
}

function versionOf(store: Store): number {
  const table = store.get("SELECT 1 AS found FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'");
  if (table === undefined) return 0;
  return Number(store.get("SELECT version FROM schema_version")?.["version"] ?? 0);
}
