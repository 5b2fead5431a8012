import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { migrate } from "#cli/commands/migrate";
import { migrations } from "#control/store/migrations";
import { openPostgres } from "#control/store/postgres";
import { ingestShared } from "#control/store/shared-ingest";
import { schemaOf, storeFile } from "#control/store/sqlite";
import { Secret } from "#domain/secret";
import { PostgresServer, postgresPrograms } from "../servers/postgres.ts";
import { runCommand } from "../world/run-command.ts";
import { callRecord } from "../world/sample-record.ts";

const root = mkdtempSync(join(tmpdir(), "hedgerow-migrate-"));
let cwd = root;
let number = 0;
beforeEach(() => {
  cwd = join(root, String((number += 1)));
  mkdirSync(cwd);
});
afterAll(() => rmSync(root, { recursive: true }));

const hedgerow = (...args: string[]) => runCommand(["migrate", ...args], [migrate], { cwd });
const newest = migrations.length;

/** As a version that knew so many steps left it. */
function olderFile(steps: number): string {
  const folder = join(cwd, ".hedgerow");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, storeFile);
  const database = new DatabaseSync(path);
  for (const step of migrations.slice(0, steps)) database.exec(step);
  database.exec(
    `CREATE TABLE schema_version (version INTEGER NOT NULL); INSERT INTO schema_version VALUES (${steps});`,
  );
  database.close();
  return path;
}

describe("hedgerow migrate", { timeout: 120_000 }, () => {
  it("tells the steps and changes nothing with --dry-run, then runs them, then has nothing to do", async () => {
    const path = olderFile(newest - 2);
    const dry = await hedgerow("--dry-run");
    expect(dry).toMatchObject({ code: 0, err: "" });
    expect(dry.out).toContain(`schema ${newest - 2}, would be brought to ${newest}\n`);
    expect(dry.out).toMatch(new RegExp(`^ {2}${newest - 1}: (?:CREATE|ALTER|INSERT|UPDATE) `, "mu"));
    expect(dry.out).not.toContain(`  ${newest - 2}: `);
    expect(schemaOf(path)).toBe(newest - 2);
    expect((await hedgerow()).out).toContain(`is brought to ${newest}`);
    expect(schemaOf(path)).toBe(newest);
    expect(await hedgerow()).toEqual({ code: 0, err: "", out: `${path}: schema ${newest}, up to date\n` });
  });

  it("begins nothing where nothing is, and leaves a newer ledger alone", async () => {
    expect((await hedgerow()).out).toContain("nothing is kept there yet");
    const path = olderFile(newest);
    const database = new DatabaseSync(path);
    database.exec(`UPDATE schema_version SET version = ${newest + 1}`);
    database.close();
    expect(await hedgerow()).toMatchObject({ code: 0, out: expect.stringContaining("left as it is") });
    expect(schemaOf(path)).toBe(newest + 1);
  });

  it("says which file is none", async () => {
    mkdirSync(join(cwd, ".hedgerow"));
    writeFileSync(
      join(cwd, ".hedgerow", storeFile),
      "not a database, but long enough to be looked at as one".repeat(40),
    );
    expect(await hedgerow()).toMatchObject({ code: 1, err: expect.stringContaining("not a database") });
  });
});

describe.skipIf(postgresPrograms() === undefined)("hedgerow migrate at PostgreSQL", { timeout: 240_000 }, () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start();
  }, 120_000);
  afterAll(async () => server?.stop(), 60_000);

  const configure = (url: string): void =>
    writeFileSync(
      join(cwd, "hedgerow.yaml"),
      `store: ${url}\nproviders: { p: { kind: openai, key: sk-test } }\nroutes: { main: { targets: [p/gpt-5.4] } }\n`,
    );

  it("brings the database of all nodes up to date as well, and shows no password", async () => {
    const database = server.database();
    configure(database.url());
    const version = () => server.query(database.name, "SELECT to_regclass('calls') IS NULL");
    const dry = await hedgerow("--dry-run");
    expect(dry).toMatchObject({ code: 0, err: "" });
    expect(dry.out).toContain(`/${database.name}: schema 0, would be brought to ${newest}\n  1: CREATE TABLE calls\n`);
    expect(version()).toEqual(["t"]);
    const done = await hedgerow();
    expect(done.code).toBe(0);
    expect(version()).toEqual(["f"]);
    const again = await hedgerow();
    expect(again.out).toContain(`/${database.name}: schema ${newest}, up to date\n`);
    for (const { out } of [dry, done, again]) expect(out).not.toContain("test-only");
  });

  it("says that a database cannot be reached, without its password", async () => {
    configure("postgres://hedgerow:test-only@127.0.0.1:1/nothing");
    const ran = await hedgerow();
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining("postgres://127.0.0.1:1/nothing: ") });
    expect(ran.err + ran.out).not.toContain("test-only");
  });

  it("leaves a newer one alone, into which a gateway of this version goes on writing", async () => {
    const database = server.database();
    configure(database.url());
    await hedgerow();
    // What a version to come might add.
    server.query(database.name, "ALTER TABLE calls ADD COLUMN to_come BIGINT NOT NULL DEFAULT 0");
    server.query(database.name, "CREATE TABLE still_to_come (name TEXT)");
    server.query(database.name, `UPDATE schema_version SET version = ${newest + 1}`);
    expect(await hedgerow()).toMatchObject({ code: 0, out: expect.stringContaining("left as it is") });
    const store = await openPostgres({ url: new Secret(database.url()) });
    const piece = { file: "w1-000001.jsonl", fromOffset: 0, toOffset: 9, chainHash: "h" };
    await ingestShared(store, { node: "n1", piece }, [callRecord("c1")]);
    await store.close();
    expect(server.query(database.name, "SELECT id, to_come FROM calls")).toEqual(["c1|0"]);
  });
});
