import type { Client, PoolClient, Pool as PgPool, QueryResult } from "pg";
import type { Secret } from "#domain/secret";
import type { LedgerReader, Sql, SqlStore, SqlValue } from "./sql.ts";
import type { Row } from "./sqlite.ts";

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database?sslmode=…` */
  readonly url: Secret;
  /** At most so many connections. */
  readonly connections?: number;
  /** A connection is not waited for any longer, ms. */
  readonly connectMs?: number;
  /** Nor is an answer to a statement; the connection is given up then, because nobody knows where it stands. */
  readonly answerMs?: number;
}

const defaults = { connections: 4, connectMs: 2_000, answerMs: 5_000 };
/** int8 and numeric come as text, because they may pass what a number holds. */
const [int8, numeric] = [20, 1700];
/** Of answers that are told row by row. */
const rowsAtOnce = 2_000;

/**
 * A PostgreSQL database. Nothing is connected before it is asked for, and a connection that was lost is made anew by
 * whoever asks next: a server that comes and goes needs nobody to do anything. The library is loaded here and only here.
 */
export async function openPostgres(options: PostgresOptions): Promise<SqlStore & LedgerReader> {
  const { connections, connectMs, answerMs } = { ...defaults, ...options };
  const { default: pg } = await import("pg");
  const pool = new pg.Pool({
    connectionString: asUnderstood(options.url),
    application_name: "hedgerow",
    max: connections,
    connectionTimeoutMillis: connectMs,
    query_timeout: answerMs,
    // The server gives up as well, so that nothing is done that nobody waits for any more.
    statement_timeout: answerMs,
    idle_in_transaction_session_timeout: 2 * answerMs,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    allowExitOnIdle: true,
    types: { getTypeParser: (oid, format) => parserOf(oid) ?? pg.types.getTypeParser(oid, format) },
  });
  // A connection that dies while nobody uses it: the next question gets another.
  pool.on("error", () => {});
  return new Postgres(pool);
}

/** `sslmode` means what it means to PostgreSQL's own programs: https://www.postgresql.org/docs/current/libpq-ssl.html. */
function asUnderstood(url: Secret): string {
  const written = url.reveal();
  return `${written}${written.includes("?") ? "&" : "?"}uselibpqcompat=true`;
}

/** What of a database's address may be shown: no user, no password. */
export function plainAddress(url: Secret): string {
  const parsed = URL.parse(url.reveal());
  return parsed === null ? "the database" : `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
}

function parserOf(oid: number): ((text: string) => unknown) | undefined {
  if (oid !== int8 && oid !== numeric) return undefined;
  return (text) => {
    const value = Number(text);
    if (oid === int8 && !Number.isSafeInteger(value)) throw new Error(`${text} is more than a number holds`);
    return value;
  };
}

class Postgres implements SqlStore, LedgerReader {
  readonly #pool: PgPool;

  constructor(pool: PgPool) {
    this.#pool = pool;
  }

  async all(sql: string, ...values: readonly SqlValue[]): Promise<readonly Row[]> {
    return this.#with(async (client) => (await ask(client, sql, values)).rows as readonly Row[]);
  }

  async run(sql: string, ...values: readonly SqlValue[]): Promise<number> {
    return this.#with(async (client) => (await ask(client, sql, values)).rowCount ?? 0);
  }

  async each(visit: (row: Row) => void, sql: string, ...values: readonly SqlValue[]): Promise<void> {
    await this.transaction(async (within) => {
      await within.all(`DECLARE told NO SCROLL CURSOR FOR ${sql}`, ...values);
      for (;;) {
        const rows = await within.all(`FETCH ${rowsAtOnce} FROM told`);
        for (const row of rows) visit(row);
        if (rows.length < rowsAtOnce) return;
      }
    });
  }

  async transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.#with(async (client) => {
      await client.query("BEGIN");
      const within: Sql = {
        all: async (sql, ...values) => (await ask(client, sql, values)).rows as readonly Row[],
        run: async (sql, ...values) => (await ask(client, sql, values)).rowCount ?? 0,
      };
      try {
        const result = await work(within);
        await client.query("COMMIT");
        return result;
      } catch (error) {
        // On a connection that is lost nobody would hear of it: it is closed, and the server rolls back.
        if (isRefusal(error)) await client.query("ROLLBACK");
        throw error;
      }
    });
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  /** A connection on which something failed is closed, if that was not the server's own refusal of one statement. */
  async #with<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect().catch(rethrown);
    let lost: Error | undefined;
    const onError = (error: Error): void => void (lost = error);
    client.on("error", onError);
    try {
      return await work(client);
    } catch (error) {
      if (!isRefusal(error)) lost = error as Error;
      throw error;
    } finally {
      client.off("error", onError);
      client.release(lost);
    }
  }
}

/** Where a name has several addresses, what failed at each is in an error without words. */
function rethrown(error: Error & { readonly code?: string }): never {
  if (error.message !== "") throw error;
  throw Object.assign(new Error(`no connection (${error.code ?? error.name})`), { code: error.code });
}

function ask(client: Pick<Client, "query">, sql: string, values: readonly SqlValue[]): Promise<QueryResult> {
  return client.query(numbered(sql), values.map(asParameter));
}

function asParameter(value: SqlValue): SqlValue {
  if (value instanceof Uint8Array) return Buffer.from(value);
  // A text there has no NUL, and callers may send one in a name.
  return typeof value === "string" && value.includes("\0") ? value.replaceAll("\0", "\uFFFD") : value;
}

/** The server answered, with a code of its own: the connection is well. */
function isRefusal(error: unknown): boolean {
  const { code, severity } = error as { readonly code?: unknown; readonly severity?: unknown };
  // A broken socket has a code as well, and no severity.
  return severity !== undefined && typeof code === "string" && !code.startsWith("57P");
}

const texts = new Map<string, string>();

/** `?` as `$1`, `$2`, …; of the code's own statements, which have no `?` in their texts. As many as there are of them. */
function numbered(sql: string): string {
  const found = texts.get(sql);
  if (found !== undefined) return found;
  let count = 0;
  const made = sql.replaceAll("?", () => `$${(count += 1)}`);
  // Those that insert many rows are of any length, and seldom twice the same.
  if (sql.length > 4_000) return made;
  if (texts.size >= 500) texts.clear();
  texts.set(sql, made);
  return made;
}
