import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ingestRecords } from "#control/store/ingest";
import { migrateSql, pendingMigration, statementsOf } from "#control/store/migrate-sql";
import { migrations } from "#control/store/migrations";
import { openPostgres } from "#control/store/postgres";
import { forgetShared, ingestShared, sharedPosition } from "#control/store/shared-ingest";
import type { SqlStore } from "#control/store/sql";
import { openStore, type Row, type Store } from "#control/store/sqlite";
import { Secret } from "#domain/secret";
import { PostgresServer, postgresPrograms } from "../servers/postgres.ts";
import { attemptRecord, callRecord, sampleJudgement } from "../world/sample-record.ts";
import { anyCalls } from "../world/spend-records.ts";

const tables = [
  "calls",
  "attempts",
  "service_buckets",
  "spend_buckets",
  "spend_names",
  "call_counts",
  "target_counts",
  "first_content_counts",
];

describe.skipIf(postgresPrograms() === undefined)("both databases", { timeout: 240_000 }, () => {
  let server: PostgresServer;
  const stores: SqlStore[] = [];

  beforeAll(async () => {
    server = await PostgresServer.start();
  }, 120_000);

  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await server?.stop();
  }, 60_000);

  async function empty(): Promise<{ store: SqlStore; name: string }> {
    const database = server.database();
    const store = await openPostgres({ url: new Secret(database.url()) });
    stores.push(store);
    return { store, name: database.name };
  }

  async function migrated(): Promise<SqlStore> {
    const { store } = await empty();
    await migrateSql(store);
    return store;
  }

  const piece = (toOffset: number, fromOffset = 0) => ({
    node: "n1",
    piece: { file: "w1-000001.jsonl", fromOffset, toOffset, chainHash: "h" },
  });

  it("have the same tables with the same columns", async () => {
    const store = await migrated();
    const own = local();
    const columns = await store.all(
      `SELECT table_name AS name, column_name AS column_name, is_nullable AS nullable FROM information_schema.columns
       WHERE table_schema = 'public' ORDER BY table_name, column_name`,
    );
    const theirs = columns.map(
      (row) =>
        `${String(row["name"])}.${String(row["column_name"])} ${row["nullable"] === "YES" ? "null" : "not null"}`,
    );
    const ours = own
      .all("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
      .flatMap(({ name }) =>
        own
          .all(`SELECT name, "notnull" FROM pragma_table_info('${String(name)}')`)
          .map(
            (column) => `${String(name)}.${String(column["name"])} ${column["notnull"] === 1 ? "not null" : "null"}`,
          ),
      );
    expect(theirs.toSorted()).toEqual(ours.toSorted());
    expect(theirs.length).toBeGreaterThan(100);
  });

  it("are brought up to date once, by whoever comes first, and tell beforehand what would be done", async () => {
    const { store } = await empty();
    const to = migrations.length;
    expect(await pendingMigration(store)).toEqual({ from: 0, to });
    const done = await Promise.all([migrateSql(store), migrateSql(store), migrateSql(store)]);
    expect(done.map(({ from }) => from).toSorted((a, b) => a - b)).toEqual([0, to, to]);
    expect(await pendingMigration(store)).toEqual({ from: to, to });
    // A version of later steps is left alone.
    await store.run("UPDATE schema_version SET version = ?", to + 1);
    expect(await migrateSql(store)).toEqual({ from: to + 1, to: to + 1 });
  });

  it("are brought up to date once also where everybody looked before, and found nothing", async () => {
    const { store: one, name } = await empty();
    const other = await openPostgres({ url: new Secret(server.url(name)) });
    stores.push(other);
    // Each on a connection that remembers that there was no table.
    await Promise.all([pendingMigration(one), pendingMigration(other)]);
    const done = await Promise.all([migrateSql(one), migrateSql(other)]);
    expect(done.map(({ from }) => from).toSorted((a, b) => a - b)).toEqual([0, migrations.length]);
  });

  it("make the same of a store of every older version", async () => {
    // What the first steps left, with calls in it, is carried on by the later ones.
    const { store, name } = await empty();
    const file = new DatabaseSync(":memory:");
    const before = 4;
    const insert = `INSERT INTO calls (id, at_ms, snapshot, caller, dialect, operation, route, requested_model, streamed,
      decision, committed, status, request_bytes, answer_bytes, duration_ms, warnings)
      VALUES ('c1', 1767225600000, 's', 'alice', 'openai-chat', 'generate', 'main', 'main', 0, 'answered', 1, 200, 1, 1, 2.5, '[]')`;
    const attempt = `INSERT INTO attempts (call_id, number, target, provider, model, credential, outcome, started_ms, ended_ms,
      input_uncached, output, cost_nano_usd)
      VALUES ('c1', 1, 'p/m', 'p', 'm', 'p#1', 'answered', 0, 1.5, 10, 20, 12345)`;
    for (const step of migrations.slice(0, before)) {
      file.exec(step);
      for (const statement of statementsOf(step)) await store.run(statement);
    }
    for (const statement of [insert, attempt]) {
      file.exec(statement);
      await store.run(statement);
    }
    await store.run("CREATE TABLE schema_version (version BIGINT NOT NULL)");
    await store.run("INSERT INTO schema_version (version) VALUES (?)", before);
    await migrateSql(store);
    for (const step of migrations.slice(before)) file.exec(step);
    for (const table of tables) {
      const theirs = await rowsOf(store, table);
      expect([table, theirs]).toEqual([table, rowsIn(file.prepare(`SELECT * FROM ${table}`).all() as Row[])]);
    }
    expect(server.query(name, "SELECT sum(cost_nano_usd) FROM spend_buckets WHERE span = 24")).toEqual(["12345"]);
    file.close();
  });

  it("hold the same of any records, however they are cut and whatever comes twice", async () => {
    const store = await migrated();
    await fc.assert(
      fc.asyncProperty(anyCalls, fc.nat(20), async (records, cut) => {
        for (const table of tables.toReversed()) await store.run(`DELETE FROM ${table}`);
        await store.run("DELETE FROM journal_files");
        const own = local();
        ingestRecords(own, { ...piece(2).piece }, records);
        const some = records.slice(0, cut);
        await ingestShared(store, piece(1), some);
        // What was sent and not heard of is sent again, by itself and with what came after it.
        await ingestShared(store, piece(1), some);
        await ingestShared(store, piece(2), records);
        for (const table of tables) {
          expect([table, await rowsOf(store, table)]).toEqual([table, rowsIn(own.all(`SELECT * FROM ${table}`))]);
        }
        own.close();
      }),
      { numRuns: 15 },
    );
  });

  it("know how far each node's files are, and forget those that are gone", async () => {
    const store = await migrated();
    const [a, b] = [callRecord("a"), callRecord("b")];
    await ingestShared(store, piece(10), [a]);
    expect(await ingestShared(store, piece(30, 20), [b])).toEqual({ kind: "gap", ingestedBytes: 10 });
    expect(await sharedPosition(store, "n1", "w1-000001.jsonl")).toEqual({ offset: 10, hash: "h" });
    expect(await sharedPosition(store, "n2", "w1-000001.jsonl")).toBeUndefined();
    await ingestShared(store, { ...piece(10), node: "n%" }, [b]);
    await forgetShared(store, "n1", []);
    expect(await sharedPosition(store, "n1", "w1-000001.jsonl")).toBeUndefined();
    expect(await sharedPosition(store, "n%", "w1-000001.jsonl")).toEqual({ offset: 10, hash: "h" });
  });

  it("take whatever callers write", async () => {
    const store = await migrated();
    const record = callRecord("odd", {
      requestedModel: "a\0b'; DROP TABLE calls; --",
      tags: ["\0", "😀", "x".repeat(100_000)],
      attempts: [attemptRecord({ judgement: sampleJudgement() })],
    });
    await ingestShared(store, piece(1), [record]);
    expect(await store.all("SELECT requested_model FROM calls")).toEqual([
      { requested_model: "a\uFFFDb'; DROP TABLE calls; --" },
    ]);
  });
});

function local(): Store {
  const opened = openStore(":memory:");
  if (opened.kind === "refused") throw new Error(opened.message);
  return opened.store;
}

async function rowsOf(store: SqlStore, table: string): Promise<readonly unknown[]> {
  return rowsIn(await store.all(`SELECT * FROM ${table}`));
}

/** In an order of their own: two databases sort texts by different rules. */
function rowsIn(rows: readonly Row[]): readonly unknown[] {
  const texts = rows.map((row) => JSON.stringify(Object.entries(row).toSorted(([x], [y]) => (x < y ? -1 : 1))));
  return texts.toSorted();
}
