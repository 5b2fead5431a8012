import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPostgres } from "#control/store/postgres";
import type { SqlStore } from "#control/store/sql";
import { Secret } from "#domain/secret";
import { PostgresServer, postgresPrograms } from "./postgres.ts";

const insert = "INSERT INTO things (name, amount) VALUES (?, ?)";

describe.skipIf(postgresPrograms() === undefined)("a PostgreSQL database", { timeout: 120_000 }, () => {
  let server: PostgresServer;
  let store: SqlStore;
  let name: string;

  beforeAll(async () => {
    server = await PostgresServer.start();
    const database = server.database();
    name = database.name;
    store = await openPostgres({ url: new Secret(database.url()), answerMs: 1_000, connectMs: 1_000 });
    await store.run("CREATE TABLE things (name TEXT NOT NULL PRIMARY KEY, amount BIGINT)");
  }, 120_000);

  afterAll(async () => {
    await store?.close();
    await server?.stop();
  }, 60_000);

  it("takes values as they are and gives them back", async () => {
    expect(await store.run(insert, "it's; DROP TABLE things", 9_007_199_254_740_991)).toBe(1);
    expect(await store.all("SELECT name, amount FROM things")).toEqual([
      { name: "it's; DROP TABLE things", amount: 9_007_199_254_740_991 },
    ]);
    expect(await store.run("DELETE FROM things")).toBe(1);
    await expect(store.all("SELECT CAST(9007199254740993 AS BIGINT) AS amount")).rejects.toThrow("more than a number");
  });

  it("does all of a transaction or none", async () => {
    const failed = store.transaction(async (sql) => {
      await sql.run(insert, "a", 1);
      await sql.run(insert, "a", 2);
    });
    await expect(failed).rejects.toThrow("duplicate key");
    expect(await store.all("SELECT name FROM things")).toEqual([]);
    await store.transaction((sql) => sql.run(insert, "b", 3));
    expect(await store.all("SELECT name, amount FROM things")).toEqual([{ name: "b", amount: 3 }]);
  });

  it("that is paused is given up after its bound, and asked again when it goes on", async () => {
    server.pause();
    const askedAtMs = performance.now();
    await expect(Promise.all([1, 2, 3, 4, 5, 6].map(() => store.all("SELECT 1 AS one")))).rejects.toThrow();
    expect(performance.now() - askedAtMs).toBeLessThan(6_000);
    server.resume();
    await eventually(async () => expect(await store.all("SELECT 1 AS one")).toEqual([{ one: 1 }]));
  });

  it("that is killed and comes back is found again, with all it had", async () => {
    await server.kill();
    await expect(store.all("SELECT 1 AS one")).rejects.toThrow();
    await server.run();
    await eventually(async () => expect(await store.all("SELECT name FROM things")).toEqual([{ name: "b" }]));
    expect(server.query(name, "SELECT amount FROM things")).toEqual(["3"]);
  });
});

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

describe.skipIf(postgresPrograms() === undefined || !hasOpenssl)("PostgreSQL over TLS", { timeout: 120_000 }, () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start({ tls: true });
  }, 120_000);
  afterAll(async () => server?.stop(), 60_000);

  async function asked(host: string, more: string): Promise<unknown> {
    const url = `postgres://hedgerow:x@${host}:${server.port}/postgres${more}`;
    const store = await openPostgres({ url: new Secret(url) });
    try {
      const rows = await store.all("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
      return rows[0]?.["ssl"];
    } catch (error) {
      return (error as Error).message;
    } finally {
      await store.close();
    }
  }

  it("is what sslmode says: encrypted, with a known authority, for this name", async () => {
    const authority = `&sslrootcert=${server.certificate}`;
    expect(await asked("localhost", "")).toBe(false);
    expect(await asked("localhost", "?sslmode=disable")).toBe(false);
    expect(await asked("127.0.0.1", "?sslmode=require")).toBe(true);
    expect(await asked("127.0.0.1", `?sslmode=verify-ca${authority}`)).toBe(true);
    expect(await asked("localhost", `?sslmode=verify-full${authority}`)).toBe(true);
    expect(await asked("localhost", "?sslmode=verify-full")).toMatch(/self-signed/u);
    expect(await asked("127.0.0.1", `?sslmode=verify-full${authority}`)).toMatch(/altnames|IP: 127/u);
  });
});

async function eventually(check: () => Promise<void>): Promise<void> {
  for (const untilMs = performance.now() + 30_000; ;) {
    try {
      await check();
      return;
    } catch (error) {
      if (performance.now() > untilMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
