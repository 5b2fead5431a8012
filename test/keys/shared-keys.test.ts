import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KeyStore } from "#control/keys/key-store";
import { migrateSql } from "#control/store/migrate-sql";
import { openPostgres } from "#control/store/postgres";
import type { SqlStore } from "#control/store/sql";
import { Secret } from "#domain/secret";
import { openKeyFeed, type KeyFeed } from "#planes/key-feed";
import { PostgresServer, postgresPrograms } from "../servers/postgres.ts";

describe.skipIf(postgresPrograms() === undefined)("issued keys of several nodes", { timeout: 120_000 }, () => {
  let server: PostgresServer;
  const stores: SqlStore[] = [];

  async function open(url: string): Promise<SqlStore> {
    const store = await openPostgres({ url: new Secret(url) });
    stores.push(store);
    return store;
  }

  beforeAll(async () => {
    server = await PostgresServer.start();
  }, 120_000);

  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await server?.stop();
  }, 60_000);

  async function twoNodes(): Promise<readonly [SqlStore, SqlStore]> {
    const database = server.database();
    const pair = [await open(database.url()), await open(database.url())] as const;
    await migrateSql(pair[0]);
    return pair;
  }

  it("have one of each name, whoever asks at once, and revisions that miss nothing", async () => {
    const nodes = (await twoNodes()).map((sql) => new KeyStore({ sql, wallMs: Date.now }));
    let revision = 0;
    const seen = new Set<string>();
    const follow = async (): Promise<void> => {
      const changes = await (nodes[0] as KeyStore).changes(revision);
      revision = changes.revision;
      for (const { name } of changes.news.keys) seen.add(name);
    };
    const names = Array.from({ length: 40 }, (_, at) => `k${at % 20}`);
    const asking = names.map((name, at) => (nodes[at % 2] as KeyStore).ask({ kind: "create", facts: { name } }));
    const ended = new AbortController();
    const following = (async () => {
      while (!ended.signal.aborted) await follow();
    })();
    const answers = await Promise.all(asking);
    ended.abort();
    await following;
    await follow();
    expect(answers.filter(({ kind }) => kind === "issued")).toHaveLength(20);
    expect(answers.filter(({ kind }) => kind === "taken")).toHaveLength(20);
    expect([...seen].toSorted()).toEqual([...new Set(names)].toSorted());
    const list = await (nodes[1] as KeyStore).ask({ kind: "list", revoked: true, limit: 7 });
    expect(list).toMatchObject({ kind: "keys", more: true });
  });

  it("are issued at one and revoked at the other", async () => {
    const folder = mkdtempSync(join(tmpdir(), "hedgerow-nodes-"));
    const log = { info: () => {}, error: () => {} };
    const feeds: KeyFeed[] = [];
    try {
      for (const [at, sql] of (await twoNodes()).entries()) {
        feeds.push(await openKeyFeed({ sql, path: join(folder, `${at}.sqlite`), log, everyMs: 50 }));
      }
      const [one, two] = feeds as [KeyFeed, KeyFeed];
      const made = await one.ask({ kind: "create", facts: { name: "app" } });
      expect(made.kind).toBe("issued");
      await expect.poll(() => two.current.keys, { timeout: 30_000 }).toMatchObject([{ name: "app" }]);
      await two.ask({ kind: "rotate", key: "app", overlapMs: 60_000 });
      await expect.poll(() => one.current.keys[0]?.secrets, { timeout: 30_000 }).toHaveLength(2);
      await two.ask({ kind: "revoke", key: "app" });
      await expect.poll(() => one.current.keys, { timeout: 30_000 }).toEqual([]);
    } finally {
      await Promise.all(feeds.map((feed) => feed.finish()));
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
