import { openStore, type Row, type Store } from "./sqlite.ts";

export type SqlValue = string | number | bigint | null | Uint8Array;

/** `?` stands for each value, in order. Rejects where the database cannot answer. */
export interface SqlReader {
  all(sql: string, ...values: readonly SqlValue[]): Promise<readonly Row[]>;
}

/** Whatever tells what was recorded: a node's own store at once, the database of all nodes later. */
export interface LedgerReader {
  all(sql: string, ...values: readonly (string | number | null)[]): readonly Row[] | Promise<readonly Row[]>;
  /** Row by row, for answers that need not fit into memory; nothing else is asked meanwhile. */
  each(visit: (row: Row) => void, sql: string, ...values: readonly (string | number | null)[]): void | Promise<void>;
}

export interface Sql extends SqlReader {
  /** The number of rows changed. */
  run(sql: string, ...values: readonly SqlValue[]): Promise<number>;
}

/** A database that may be elsewhere: a file of this node, or a server that several nodes share. */
export interface SqlStore extends Sql {
  /** All of it or none: a rejection rolls back and goes on. `work` asks what it is given, and nothing else. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export type OpenedSqlStore =
  | { readonly kind: "opened"; readonly store: SqlStore }
  | { readonly kind: "refused"; readonly message: string };

/** A file of this node, with a connection of its own: a transaction here may last over several turns of the loop. */
export function openSqlFile(path: string): OpenedSqlStore {
  const opened = openStore(path);
  return opened.kind === "refused" ? opened : { kind: "opened", store: new SqlFile(opened.store) };
}

class SqlFile implements SqlStore {
  readonly #store: Store;
  /** One thing at a time: what is asked beside a transaction would be part of it. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: Store) {
    this.#store = store;
  }

  all(sql: string, ...values: readonly SqlValue[]): Promise<readonly Row[]> {
    return this.#next(() => this.#store.all(sql, ...values));
  }

  run(sql: string, ...values: readonly SqlValue[]): Promise<number> {
    return this.#next(() => this.#store.run(sql, ...values));
  }

  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    const store = this.#store;
    const within: Sql = {
      all: async (sql, ...values) => store.all(sql, ...values),
      run: async (sql, ...values) => store.run(sql, ...values),
    };
    return this.#next(() => store.transactionOver(() => work(within)));
  }

  close(): Promise<void> {
    return this.#next(() => this.#store.close());
  }

  #next<T>(work: () => T | Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}
