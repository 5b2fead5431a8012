import { expect, test } from "vitest";
import { openSqlFile, type SqlStore } from "./sql.ts";

function open(): SqlStore {
  const opened = openSqlFile(":memory:");
  if (opened.kind === "refused") throw new Error(opened.message);
  return opened.store;
}

const insert = "INSERT INTO journal_files (file, ingested_bytes, chain_hash) VALUES (?, ?, ?)";

test("what is asked beside a transaction comes after it, and a failed one leaves nothing", async () => {
  const store = open();
  const failed = store.transaction(async (sql) => {
    await sql.run(insert, "a", 1, "x");
    await new Promise((done) => setImmediate(done));
    throw new Error("no");
  });
  const seen = store.all("SELECT file FROM journal_files");
  await expect(failed).rejects.toThrow("no");
  expect(await seen).toEqual([]);

  const written = store.transaction(async (sql) => {
    await sql.run(insert, "b", 1, "x");
    await new Promise((done) => setImmediate(done));
    return sql.all("SELECT file FROM journal_files");
  });
  const beside = store.run(insert, "c", 2, "y");
  expect(await written).toEqual([{ file: "b" }]);
  expect(await beside).toBe(1);
  expect(await store.all("SELECT file FROM journal_files ORDER BY file")).toEqual([{ file: "b" }, { file: "c" }]);
  await store.close();
});

test("a statement that fails does not stop those after it", async () => {
  const store = open();
  await expect(store.all("SELECT x FROM nowhere")).rejects.toThrow("nowhere");
  expect(await store.all("SELECT 1 AS one")).toEqual([{ one: 1 }]);
  await store.close();
});
