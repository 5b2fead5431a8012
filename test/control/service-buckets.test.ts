import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, it } from "vitest";
import { failureTraits, type FailureKind } from "#domain/failure";
import type { CallRecord } from "#domain/record";
import { ingestRecords } from "#control/store/ingest";
import { keepWithin } from "#control/store/retention";
import { defaultRetention } from "#domain/retention";
import { serviceBuckets, type ServiceBucket } from "#control/store/service-buckets";
import { migrations } from "#control/store/migrations";
import { openStore, type Store } from "#control/store/sqlite";
import { attemptRecord, callRecord } from "../world/sample-record.ts";

const folder = mkdtempSync(join(tmpdir(), "hedgerow-buckets-"));
afterAll(() => rmSync(folder, { recursive: true }));

function opened(path: string): Store {
  const found = openStore(path);
  if (found.kind === "refused") throw new Error(found.message);
  return found.store;
}

const ingest = (store: Store, records: readonly CallRecord[], toOffset = 1) =>
  ingestRecords(store, { file: `w1-${toOffset}-000001.jsonl`, fromOffset: 0, toOffset, chainHash: "h" }, records);

const always = { fromMs: 0, untilMs: Date.parse("2030-01-01") };

/** One failed attempt of each kind, then an answer, and one that was outrun. */
const everyKind = (Object.keys(failureTraits) as FailureKind[]).map((failure, at) =>
  callRecord(`req_${at}`, {
    at: new Date(Date.parse("2026-11-21T10:00:00Z") + at * 60_000).toISOString(),
    attempts: [attemptRecord({ outcome: "failed", failure }), attemptRecord({ outcome: "outrun" }), attemptRecord()],
  }),
);

const sums = (buckets: readonly ServiceBucket[]) =>
  buckets.reduce(
    (sum, { answered, capacity, fault, timeout, client }) => ({
      answered: sum.answered + answered,
      capacity: sum.capacity + capacity,
      fault: sum.fault + fault,
      timeout: sum.timeout + timeout,
      client: sum.client + client,
    }),
    { answered: 0, capacity: 0, fault: 0, timeout: 0, client: 0 },
  );

describe("intervals of five minutes", () => {
  it("count every attempt once, whatever is ingested twice", async () => {
    const store = opened(":memory:");
    ingest(store, everyKind);
    ingest(store, everyKind, 2);
    const found = sums(await serviceBuckets(store, always));
    expect(found).toMatchObject({ answered: everyKind.length, capacity: 4, timeout: 6, fault: 10 });
    expect(found.client).toBe(everyKind.length - 20 + everyKind.length);
  });

  it("are counted from calls that an older store holds exactly as when they are ingested", async () => {
    const path = join(folder, "older.sqlite");
    const store = opened(path);
    ingest(store, everyKind);
    const before = await serviceBuckets(store, always);
    store.close();
    const database = new DatabaseSync(path);
    const step = migrations.find((sql) => sql.includes("CREATE TABLE service_buckets"));
    database.exec(`DROP TABLE service_buckets; ${step}`);
    database.close();
    const again = opened(path);
    expect(await serviceBuckets(again, always)).toEqual(before);
    again.close();
  });

  it("outlive the calls they were counted from, for thirteen months", async () => {
    const store = opened(":memory:");
    const first = Date.parse("2026-01-01T00:00:00Z");
    const at = (ms: number, id: string) => callRecord(id, { at: new Date(first + ms).toISOString() });
    ingest(store, [at(0, "old")]);
    ingest(store, [at(defaultRetention.callsMs + 86_400_000, "later")], 2);
    keepWithin(store, () => Number.MAX_SAFE_INTEGER).remove(defaultRetention);
    expect(store.all("SELECT id FROM calls").map((row) => row["id"])).toEqual(["later"]);
    expect(await serviceBuckets(store, always)).toHaveLength(2);
    ingest(store, [at(defaultRetention.sumsMs + 86_400_000, "newest")], 3);
    keepWithin(store, () => Number.MAX_SAFE_INTEGER).remove(defaultRetention);
    expect(await serviceBuckets(store, always)).toHaveLength(2);
  });
});
