import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openStore, type Store } from "#control/store/sqlite";
import type { BegunCall } from "#domain/begun-call";
import { openJournal } from "#ledger/journal";
import { bringEarlierRecords, recordLostCalls } from "./lost-calls.ts";

let folder: string;
let store: Store;
const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hedgerow-lost-"));
  const opened = openStore(":memory:");
  if (opened.kind === "refused") throw new Error(opened.message);
  ({ store } = opened);
});

afterEach(() => {
  vi.clearAllMocks();
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

function begun(id: string): BegunCall {
  return {
    version: 1,
    id,
    snapshot: "0123456789ab",
    caller: "anonymous",
    dialect: "openai-chat",
    operation: "generate",
    route: "default",
    requestedModel: "default",
    streamed: false,
    requestBytes: 1,
    atMs: Date.parse("2026-11-21T12:00:00.000Z"),
    elapsedMs: 5,
    attempts: [],
  };
}

describe("what an earlier supervisor left", () => {
  it("is brought but for what cannot be read, and the log says what budgets do not know of", async () => {
    mkdirSync(join(folder, "w0-1-000001.jsonl"));
    mkdirSync(join(folder, "w0-2.open"));
    const killed = await openJournal({ folder, name: "w1-1" });
    killed.begin(begun("lost"));
    await bringEarlierRecords({ store, folder, grows: () => false, log });
    expect(store.all("SELECT id, decision FROM calls").map((row) => Object.values(row))).toEqual([["lost", "broken"]]);
    const told = log.error.mock.calls.map(([, fields]) => (fields as { why: string }).why);
    expect(told).toEqual([expect.stringContaining("w0-1-000001.jsonl: "), expect.stringContaining("w0-2.open: ")]);
  });
});

it("tells of a store that fails as of a store, not as of a journal's file", async () => {
  const killed = await openJournal({ folder, name: "w1-1" });
  killed.begin(begun("lost"));
  vi.spyOn(store, "get").mockImplementation(() => {
    throw new Error("disk I/O error");
  });
  await expect(recordLostCalls({ store, folder, grows: () => false, log })).rejects.toThrow("disk I/O error");
});
