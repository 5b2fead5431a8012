import type { CallRecord } from "#domain/record";
import type { Store } from "./sqlite.ts";

/** A record on its way to a collector. */
export interface WaitingRecord {
  /** Its place in the order in which records came into the store. */
  readonly seq: number;
  /** The record as it stands in the journal: one line of JSON. */
  readonly line: string;
}

/**
 * From now on every record that comes into the store also waits here, whoever brings it in, until a collector has it. Of
 * those that wait the last `kept` are kept. What a collector refused before is tried again.
 */
export function openOutbox(store: Store, kept: number): void {
  store.transaction(() => {
    if (store.run("UPDATE outbox_state SET kept = ?", kept) === 0) {
      store.run("INSERT INTO outbox_state (kept) VALUES (?)", kept);
    }
    store.run("UPDATE outbox SET refused = 0 WHERE refused <> 0");
  });
}

/** Nobody collects records any more: those that wait are in the store all the same. */
export function closeOutbox(store: Store): void {
  store.transaction(() => {
    store.run("DELETE FROM outbox");
    store.run("DELETE FROM outbox_state");
  });
}

/** Part of the transaction that puts the same records into the store. */
export function putIntoOutbox(store: Store, records: readonly CallRecord[]): void {
  const kept = store.get("SELECT kept FROM outbox_state")?.["kept"];
  if (kept === undefined || records.length === 0) return;
  let seq = lastSeq(store);
  for (const record of records) {
    seq += 1;
    store.run("INSERT INTO outbox (seq, record) VALUES (?, ?)", seq, JSON.stringify(record));
  }
  const dropped = store.run("DELETE FROM outbox WHERE seq <= ?", seq - Number(kept));
  if (dropped > 0) store.run("UPDATE outbox_state SET dropped = dropped + ?", dropped);
}

/** The oldest that were not refused, at most `limit`. */
export function waitingRecords(store: Store, limit: number): readonly WaitingRecord[] {
  const rows = store.all("SELECT seq, record FROM outbox WHERE refused = 0 ORDER BY seq LIMIT ?", limit);
  return rows.map((row) => ({ seq: Number(row["seq"]), line: String(row["record"]) }));
}

/** A collector has them. */
export function takeFromOutbox(store: Store, records: readonly WaitingRecord[]): void {
  store.transaction(() => {
    for (const { seq } of records) store.run("DELETE FROM outbox WHERE seq = ?", seq);
  });
}

/** A collector will not have it: it waits aside, within the same bound, until the outbox is opened anew. */
export function setAside(store: Store, { seq }: WaitingRecord): void {
  store.run("UPDATE outbox SET refused = 1 WHERE seq = ?", seq);
}

/** Whether somebody collects records. */
export function isOutboxOpen(store: Store): boolean {
  return store.get("SELECT kept FROM outbox_state") !== undefined;
}

export interface OutboxCount {
  readonly waiting: number;
  readonly refused: number;
  /** Left the outbox without a collector, for want of room; in the store all the same. */
  readonly dropped: number;
}

export function countOutbox(store: Store): OutboxCount {
  const row = store.get(
    "SELECT (SELECT count(*) FROM outbox) AS held, (SELECT count(*) FROM outbox WHERE refused = 1) AS refused",
  );
  const refused = Number(row?.["refused"] ?? 0);
  const dropped = Number(store.get("SELECT dropped FROM outbox_state")?.["dropped"] ?? 0);
  return { waiting: Number(row?.["held"] ?? 0) - refused, refused, dropped };
}

function lastSeq(store: Store): number {
  return Number(store.get("SELECT max(seq) AS last FROM outbox")?.["last"] ?? 0);
}
