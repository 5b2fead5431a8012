import { migrations } from "./migrations.ts";
import type { Sql, SqlReader, SqlStore } from "./sql.ts";

export interface Migration {
  /** The schema's version before, and what it is, or would be, afterwards. */
  readonly from: number;
  readonly to: number;
}

/** Any number: of all that share a database, one at a time brings its schema up to date. */
const lock = 4_727_733_901;

/**
 * Brings a PostgreSQL database to this version's schema: all steps or none, one node at a time. A newer schema stays as
 * it is: steps only add, so that an older version goes on writing what it knows.
 */
export async function migrateSql(store: SqlStore): Promise<Migration> {
  return store.transaction(async (sql) => {
    await sql.all("SELECT pg_advisory_xact_lock(?)", lock);
    const from = await versionIn(sql);
    if (from >= migrations.length) return { from, to: from };
    await sql.run("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)");
    for (const step of migrations.slice(from)) {
      for (const statement of statementsOf(step)) await sql.run(statement);
    }
    await sql.run("DELETE FROM schema_version");
    await sql.run("INSERT INTO schema_version (version) VALUES (?)", migrations.length);
    return { from, to: migrations.length };
  });
}

/** What `migrateSql` would do. */
export async function pendingMigration(store: SqlReader): Promise<Migration> {
  const from = await versionIn(store);
  return { from, to: Math.max(from, migrations.length) };
}

/** The statements of a step, as PostgreSQL reads them: its INTEGER holds half of what SQLite's does, its REAL as well. */
export function statementsOf(step: string): readonly string[] {
  return step
    .replaceAll(/\bINTEGER\b/gu, "BIGINT")
    .replaceAll(/\bREAL\b/gu, "DOUBLE PRECISION")
    .split(";")
    .map((statement) => statement.trim())
    .filter(Boolean);
}

async function versionIn(sql: SqlReader | Sql): Promise<number> {
  // Not to_regclass(): a connection that saw no table remembers that, while it waits for whoever makes it.
  const [table] = await sql.all(
    "SELECT tablename FROM pg_tables WHERE schemaname = ANY (current_schemas(false)) AND tablename = 'schema_version'",
  );
  if (table === undefined) return 0;
  const [row] = await sql.all("SELECT version FROM schema_version");
  return Number(row?.["version"] ?? 0);
}
