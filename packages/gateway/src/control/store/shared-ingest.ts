import type { CallRecord } from "#domain/record";
import { noteFile, type Ingested, type IngestedPosition, type JournalPiece } from "./ingest.ts";
import { countAttempts } from "./service-buckets.ts";
import { countSpend } from "./spend-buckets.ts";
import type { Sql, SqlReader, SqlStore, SqlValue } from "./sql.ts";
import type { Writes } from "./sqlite.ts";
import { countTraffic } from "./traffic-counts.ts";
import { writeCall } from "./write-call.ts";

/** PostgreSQL counts parameters of a statement with 16 bits. */
const mostParameters = 60_000;
const mostIds = 1_000;

/** The name of a node's journal file among those of all nodes. */
const fileOf = (node: string, file: string): string => `${node}/${file}`;

/**
 * Puts records of a node's journal into the ledger that nodes share, as `ingestRecords` does into a node's own: each once,
 * whoever brings it, and the file's position with them or not at all.
 */
export async function ingestShared(
  store: SqlStore,
  { node, piece }: { readonly node: string; readonly piece: JournalPiece },
  records: readonly CallRecord[],
): Promise<Ingested> {
  return store.transaction(async (sql): Promise<Ingested> => {
    const done = (await sharedPosition(sql, node, piece.file))?.offset ?? 0;
    if (piece.fromOffset > done) return { kind: "gap", ingestedBytes: done };
    const news = await notThere(sql, records);
    const gathered = new Gathered();
    for (const record of news) writeCall(gathered, record);
    countAttempts(gathered, news);
    countSpend(gathered, news);
    countTraffic(gathered, news);
    await gathered.writeTo(sql);
    await sql.run(noteFile, fileOf(node, piece.file), piece.toOffset, piece.chainHash);
    return { kind: "ingested", fresh: news };
  });
}

/** How far a node's journal file is in the ledger; undefined for a file it has not seen. */
export async function sharedPosition(
  sql: SqlReader,
  node: string,
  file: string,
): Promise<IngestedPosition | undefined> {
  const [row] = await sql.all(
    "SELECT ingested_bytes, chain_hash FROM journal_files WHERE file = ?",
    fileOf(node, file),
  );
  return row === undefined ? undefined : { offset: Number(row["ingested_bytes"]), hash: String(row["chain_hash"]) };
}

/** Names of files are never used twice by a node, so what is gone there can be forgotten. */
export async function forgetShared(sql: Sql, node: string, present: readonly string[]): Promise<void> {
  const prefix = fileOf(node, "");
  const rows = await sql.all("SELECT file FROM journal_files WHERE substr(file, 1, ?) = ?", prefix.length, prefix);
  const kept = new Set(present);
  for (const { file } of rows) {
    const name = String(file);
    if (!kept.has(name.slice(prefix.length))) await sql.run("DELETE FROM journal_files WHERE file = ?", name);
  }
}

async function notThere(sql: Sql, records: readonly CallRecord[]): Promise<readonly CallRecord[]> {
  const byId = new Map(records.map((record) => [record.id, record]));
  const ids = [...byId.keys()];
  for (let from = 0; from < ids.length; from += mostIds) {
    const some = ids.slice(from, from + mostIds);
    const found = await sql.all(`SELECT id FROM calls WHERE id IN (${some.map(() => "?").join(", ")})`, ...some);
    for (const { id } of found) byId.delete(String(id));
  }
  return [...byId.values()];
}

interface Rows {
  readonly sql: string;
  readonly rows: (readonly SqlValue[])[];
}

/** Statements that insert one row each, gathered to be sent as few that insert many: a server is a network away. */
class Gathered implements Writes {
  /** In the order in which their tables were first written: rows come after those they refer to. */
  readonly #byStatement = new Map<string, Rows>();

  run(sql: string, ...values: readonly SqlValue[]): number {
    const found = this.#byStatement.get(sql);
    if (found === undefined) this.#byStatement.set(sql, { sql, rows: [values] });
    else found.rows.push(values);
    return 1;
  }

  async writeTo(sql: Sql): Promise<void> {
    for (const { sql: statement, rows } of this.#byStatement.values()) {
      // Two nodes that count into the same rows take them in the same order, so that neither waits for the other for ever.
      const sorted = rows.map((row) => ({ row, key: JSON.stringify(row, textOfBig) }));
      sorted.sort((a, b) => (a.key < b.key ? -1 : 1));
      const most = Math.floor(mostParameters / Math.max(1, rows[0]?.length ?? 1));
      for (let from = 0; from < sorted.length; from += most) {
        const some = sorted.slice(from, from + most);
        await sql.run(forRows(statement, some.length), ...some.flatMap(({ row }) => row));
      }
    }
  }
}

function textOfBig(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

const oneRow = /VALUES (\([?, ]+\))/u;

function forRows(statement: string, count: number): string {
  if (!oneRow.test(statement)) throw new Error(`not a statement that inserts one row: ${statement.slice(0, 60)}`);
  return statement.replace(
    oneRow,
    (_all, row: string) => `VALUES ${Array.from({ length: count }, () => row).join(", ")}`,
  );
}
