import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, statSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { defaultRetention } from "#domain/retention";
import { migrateSql } from "#control/store/migrate-sql";
import { openPostgres } from "#control/store/postgres";
import { ingestShared } from "#control/store/shared-ingest";
import { removeOldShared } from "#control/store/shared-retention";
import type { SqlStore } from "#control/store/sql";
import { Secret } from "#domain/secret";
import { openJournal, type JournalWriter } from "#ledger/journal";
import { SharedLedger } from "#planes/shared-ledger";
import { FaultProxy } from "../servers/fault-proxy.ts";
import { PostgresServer, postgresPrograms } from "../servers/postgres.ts";
import { callRecord } from "../world/sample-record.ts";

const soon = { timeout: 60_000, interval: 50 };

interface Node {
  readonly folder: string;
  readonly journal: JournalWriter;
  readonly store: SqlStore;
  readonly ledger: SharedLedger;
  readonly log: { readonly info: ReturnType<typeof vi.fn>; readonly error: ReturnType<typeof vi.fn> };
}

describe.skipIf(postgresPrograms() === undefined)("a node's records", { timeout: 240_000 }, () => {
  let server: PostgresServer;
  let proxy: FaultProxy;
  let database: ReturnType<PostgresServer["database"]>;
  const nodes: Node[] = [];

  beforeAll(async () => {
    server = await PostgresServer.start();
  }, 120_000);
  afterAll(async () => server?.stop(), 60_000);

  beforeEach(async () => {
    database = server.database();
    proxy = await FaultProxy.start(server.port);
  });

  afterEach(async () => {
    for (const { ledger, store, folder } of nodes.splice(0)) {
      await ledger.finish();
      await store.close();
      rmSync(folder, { recursive: true });
    }
    await proxy.close();
  }, 60_000);

  async function node(name: string): Promise<Node> {
    const folder = mkdtempSync(join(tmpdir(), "hedgerow-shared-"));
    const store = await openPostgres({ url: new Secret(database.url(proxy.port)), connectMs: 500, answerMs: 3_000 });
    const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const ledger = new SharedLedger({ store, node: name, folder, log, retention: () => defaultRetention, everyMs: 20 });
    const made = { folder, store, ledger, log, journal: await openJournal({ folder, name: "w1-1" }) };
    nodes.push(made);
    return made;
  }

  let written = 0;
  const append = ({ journal }: Node, count: number): Promise<unknown> =>
    Promise.all(
      Array.from({ length: count }, () => {
        written += 1;
        const record = callRecord(`c${written}`, { caller: `k${(written * 7919) % 13}`, tags: [`t${written % 5}`] });
        return new Promise((resolve) => journal.append(record, resolve));
      }),
    );
  const stored = (): readonly [calls: number, counted: number] => {
    const [row = ""] = server.query(
      database.name,
      "SELECT count(*), (SELECT coalesce(sum(calls), 0) FROM spend_buckets WHERE span = 1) FROM calls",
    );
    const [calls, counted] = row.split("|").map(Number);
    return [calls ?? -1, counted ?? -1];
  };
  const once = (count: number) => vi.waitFor(() => expect(stored()).toEqual([count, count]), soon);
  const up = ({ ledger }: Node): unknown => ledger.families().find(({ name }) => name === "hedgerow_store_up")?.series;

  it("are in the ledger of all nodes while they are written, each once, whoever's they are", async () => {
    const [one, other] = [await node("n1"), await node("n2")];
    await Promise.all([one.ledger.start(10_000), other.ledger.start(10_000)]);
    // At the same time, into the same sums: neither has to wait for the other for ever.
    for (let turn = 0; turn < 10; turn += 1) await Promise.all([append(one, 200), append(other, 300)]);
    await once(5_000);
    await append(one, 5);
    await once(5_005);
    expect(server.query(database.name, "SELECT file FROM journal_files ORDER BY file")).toHaveLength(2);
    expect(one.log.error).not.toHaveBeenCalled();
  });

  it("are all there or not, as whoever removes files asks, a torn last line or not", async () => {
    const one = await node("n1");
    await append(one, 3);
    await new Promise((resolve) => one.journal.close(resolve));
    const file = readdirSync(one.folder).find((name) => name.endsWith(".jsonl")) ?? "";
    appendFileSync(join(one.folder, file), '{"h":"torn');
    expect(one.ledger.has(file, 1)).toBe(false);
    await one.ledger.start(30_000);
    await once(3);
    expect(one.ledger.has(file, 100)).toBe(true);
    expect(one.ledger.has(file, 1e9)).toBe(false);
  });

  it("are not there for being as many as the file has bytes: behind its last line there may be room for more", async () => {
    const one = await node("n1");
    await append(one, 3);
    const file = readdirSync(one.folder).find((name) => name.endsWith(".jsonl")) ?? "";
    const written = statSync(join(one.folder, file)).size;
    appendFileSync(join(one.folder, file), new Uint8Array(100_000));
    await one.ledger.start(30_000);
    await once(3);
    expect([one.ledger.has(file, written), one.ledger.has(file, written + 1)]).toEqual([true, false]);
    await append(one, 2);
    await once(5);
  });

  it("are there behind a file that cannot be read, of which nothing is said to be there", async () => {
    const one = await node("n1");
    await append(one, 3);
    const unreadable = "w0-1-000001.jsonl";
    mkdirSync(join(one.folder, unreadable));
    await one.ledger.start(30_000);
    await once(3);
    await append(one, 2);
    await once(5);
    expect([up(one), one.ledger.has(unreadable, 1)]).toEqual([[{ labels: [], values: [1] }], false]);
    expect(one.log.error).not.toHaveBeenCalled();
    // It is looked at every 20 ms, and is never whole.
    const behind = () => one.ledger.families().find(({ name }) => name === "hedgerow_store_behind_seconds");
    await vi.waitFor(() => expect(behind()?.series[0]?.values[0]).toBeGreaterThan(1), soon);
  });

  it("wait for a database that is not there at the start, which holds nobody up", async () => {
    proxy.set({ kind: "refuse" });
    const one = await node("n1");
    await append(one, 10);
    await one.ledger.start(2_000);
    expect(up(one)).toEqual([{ labels: [], values: [0] }]);
    const waiting = one.ledger.families().find(({ name }) => name === "hedgerow_store_waiting_bytes");
    expect(waiting?.series[0]?.values[0]).toBeGreaterThan(1_000);
    proxy.set({ kind: "pass" });
    await once(10);
    await vi.waitFor(() => expect(up(one)).toEqual([{ labels: [], values: [1] }]), soon);
    expect([one.log.error.mock.calls.length, one.log.info.mock.calls.length]).toEqual([1, 2]);
  });

  const faults: Readonly<Record<string, readonly [begin: () => unknown, end: () => unknown]>> = {
    "is killed": [() => server.kill(), () => server.run()],
    "is paused": [() => server.pause(), () => server.resume()],
    "swallows everything": [() => proxy.set({ kind: "blackhole" }), () => (proxy.set({ kind: "pass" }), proxy.drop())],
    "drops every connection": [() => (proxy.set({ kind: "refuse" }), proxy.drop()), () => proxy.set({ kind: "pass" })],
    "ends in the middle of its answers": [
      () => proxy.set({ kind: "cut", afterBytes: 200 }),
      () => proxy.set({ kind: "pass" }),
    ],
  };

  it.each(Object.entries(faults))("are all there, each once, after a database that %s", async (_what, [begin, end]) => {
    const one = await node("n1");
    await one.ledger.start(10_000);
    await append(one, 10);
    await once(10);
    // In the middle of writing.
    const during = append(one, 200);
    await begin();
    await during;
    await append(one, 50);
    await vi.waitFor(() => expect(up(one)).toEqual([{ labels: [], values: [0] }]), soon);
    await append(one, 40);
    await end();
    await once(300);
    await append(one, 10);
    await once(310);
    await vi.waitFor(() => expect(up(one)).toEqual([{ labels: [], values: [1] }]), soon);
    // One line when it goes, one when it is back.
    expect(one.log.error).toHaveBeenCalledTimes(1);
  });

  it("arrive at a database of a second a question, later", async () => {
    const one = await node("n1");
    await one.ledger.start(10_000);
    proxy.set({ kind: "slow", delayMs: 500 });
    await append(one, 30);
    const behind = (): number =>
      Number(one.ledger.families().find(({ name }) => name.includes("behind"))?.series[0]?.values[0]);
    await vi.waitFor(() => expect(behind()).toBeGreaterThan(2), soon);
    await once(30);
    proxy.set({ kind: "pass" });
    await vi.waitFor(() => expect(behind()).toBeLessThan(2), soon);
  });

  it("are brought again, as far as they are kept, to a database that lost them", async () => {
    const one = await node("n1");
    await one.ledger.start(10_000);
    await append(one, 10);
    await once(10);
    server.query(database.name, "DROP SCHEMA public CASCADE");
    server.query(database.name, "CREATE SCHEMA public");
    await append(one, 5);
    await once(15);
  });

  it("wait for a schema that takes longer to make than a gateway waits, and the log says what to do", async () => {
    const one = await node("n1");
    await one.ledger.start(10_000);
    // Whoever brings the schema up to date has to wait for this one.
    server.query(database.name, "UPDATE schema_version SET version = version - 1");
    const holder = await openPostgres({ url: new Secret(database.url()), answerMs: 60_000 });
    const until = Promise.withResolvers<void>();
    const held = holder.transaction(async (sql) => {
      await sql.all("SELECT pg_advisory_xact_lock(?)", 4_727_733_901);
      await until.promise;
      await sql.run("UPDATE schema_version SET version = version + 1");
    });
    const late = await node("n2");
    await append(late, 5);
    await late.ledger.start(30_000);
    expect(late.log.error).toHaveBeenCalledExactlyOnceWith(
      expect.stringContaining("wait in the journal"),
      expect.objectContaining({ why: expect.stringContaining("`hedgerow migrate`") }),
    );
    until.resolve();
    await held;
    await holder.close();
    await once(5);
  });

  it("leave when they are older than a node keeps its own; days become the whole past", async () => {
    const one = await node("n1");
    await migrateSql(one.store);
    const first = Date.parse("2024-06-01T12:00:00Z");
    const put = (id: string, atMs: number, toOffset: number) =>
      ingestShared(
        one.store,
        { node: "n1", piece: { file: "w1-1-000001.jsonl", fromOffset: 0, toOffset, chainHash: "h" } },
        [callRecord(id, { at: new Date(atMs).toISOString() })],
      );
    const count = (what: string) => server.query(database.name, `SELECT count(*) FROM ${what}`)[0];
    await put("old", first, 1);
    await put("later", first + defaultRetention.callsMs + 86_400_000, 2);
    expect(await removeOldShared(one.store, defaultRetention)).toBe(false);
    expect(server.query(database.name, "SELECT id FROM calls")).toEqual(["later"]);
    expect([count("attempts"), count("service_buckets"), count("spend_buckets WHERE span = 1")]).toEqual([
      "1",
      "2",
      "1",
    ]);
    expect(count("spend_buckets WHERE span = 24")).toBe("2");
    await put("newest", first + defaultRetention.sumsMs + 2 * 86_400_000, 3);
    await removeOldShared(one.store, defaultRetention);
    expect([count("service_buckets"), count("spend_buckets WHERE span = 24")]).toEqual(["2", "2"]);
    expect(server.query(database.name, "SELECT sum(calls) FROM spend_buckets WHERE span <> 1")).toEqual(["3"]);
  });

  it("do not leave because of a call from the future: what is kept is counted back from the database's now", async () => {
    const one = await node("n1");
    await migrateSql(one.store);
    const dayMs = 86_400_000;
    // Further ahead than sums by the day are kept: counted back from it, nothing of today would stay.
    const days = { future: defaultRetention.sumsMs / dayMs + 100, today: 0, kept: -60, old: -100 };
    for (const [at, [id, day]] of Object.entries(days).entries()) {
      const piece = { file: "w1-1-000001.jsonl", fromOffset: at, toOffset: at + 1, chainHash: "h" };
      const record = callRecord(id, { at: new Date(Date.now() + day * dayMs).toISOString() });
      await ingestShared(one.store, { node: "n1", piece }, [record]);
    }
    const bucketsOf = (span: number) =>
      Number(server.query(database.name, `SELECT count(*) FROM spend_buckets WHERE span = ${span}`)[0]);
    const before = [bucketsOf(1), bucketsOf(24)];
    expect(before).toEqual([4, 4]);
    for (let time = 0; time < 2; time += 1) expect(await removeOldShared(one.store, defaultRetention)).toBe(false);
    expect(server.query(database.name, "SELECT id FROM calls ORDER BY id")).toEqual(["future", "kept", "today"]);
    expect([bucketsOf(1), bucketsOf(24)]).toEqual([3, 4]);
    expect(server.query(database.name, "SELECT count(*) FROM service_buckets")).toEqual(["4"]);
  });
});
