import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openStore, type Store } from "#control/store/sqlite";
import type { BegunCall } from "#domain/begun-call";
import type { CallRecord } from "#domain/record";
import { openJournal, type JournalWriter } from "#ledger/journal";
import { followJournals } from "./ingest.ts";

let folder: string;
let store: Store;
const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hedgerow-ingest-"));
  const opened = openStore(":memory:");
  if (opened.kind === "refused") throw new Error(opened.message);
  ({ store } = opened);
});

afterEach(() => {
  vi.clearAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

function record(id: string): CallRecord {
  return {
    version: 1,
    id,
    at: "2026-11-21T12:00:00.000Z",
    snapshot: "0123456789ab",
    caller: "anonymous",
    dialect: "openai-chat",
    operation: "generate",
    route: "default",
    requestedModel: "default",
    streamed: false,
    decision: "answered",
    committed: true,
    status: 200,
    requestBytes: 1,
    answerBytes: 1,
    durationMs: 1,
    warnings: [],
    attempts: [],
  };
}

function begun(id: string): BegunCall {
  const { version, at: _at, snapshot, caller, dialect, operation, route, requestedModel, streamed } = record(id);
  const said = { version, id, snapshot, caller, dialect, operation, route, requestedModel, streamed };
  return { ...said, requestBytes: 1, atMs: Date.parse("2026-11-21T12:00:00.000Z"), elapsedMs: 5, attempts: [] };
}

/** What a file of open calls holds of one. */
function openPage(id: string): string {
  return `${JSON.stringify(begun(id))}\n`;
}

function decisionOf(id: string): unknown {
  return store.get("SELECT decision FROM calls WHERE id = ?", id)?.["decision"];
}

function append(journal: JournalWriter, ...ids: readonly string[]): Promise<unknown> {
  return Promise.all(ids.map((id) => new Promise((resolve) => journal.append(record(id), resolve))));
}

function close(journal: JournalWriter): Promise<unknown> {
  return new Promise((resolve) => journal.close(resolve));
}

/** The file of an ended journal, one of whose lines is not what was written. */
async function changedJournal(ids: readonly string[], changed: string): Promise<string> {
  const journal = await openJournal({ folder, name: "w1-1" });
  await append(journal, ...ids);
  await close(journal);
  const [file = ""] = readdirSync(folder);
  const text = readFileSync(join(folder, file), "utf8");
  writeFileSync(join(folder, file), text.replace(`"id":"${changed}"`, '"id":"x"'));
  return file;
}

function stored(): readonly string[] {
  return store.all("SELECT id FROM calls ORDER BY rowid").map((row) => String(row["id"]));
}

describe("following the journals", () => {
  it("brings records into the store while they are written, in order and once", async () => {
    const journal = await openJournal({ folder, name: "w1-1" });
    const follower = followJournals({ folder, store, log, growing: () => ["w1-1"], everyMs: 10 });
    await append(journal, "a", "b");
    await vi.waitFor(() => expect(stored()).toEqual(["a", "b"]), { timeout: 10_000 });
    await append(journal, "c");
    await vi.waitFor(() => expect(stored()).toEqual(["a", "b", "c"]), { timeout: 10_000 });
    await append(journal, "d");
    await close(journal);
    await follower.finish();
    expect(stored()).toEqual(["a", "b", "c", "d"]);
    expect(log.error).not.toHaveBeenCalled();
  });

  it("leaves room between pieces for whoever wants to be served meanwhile", async () => {
    const journal = await openJournal({ folder, name: "w1-1" });
    await append(journal, ...Array.from({ length: 6_000 }, (_, call) => `req_${String(call).padStart(56, "0")}`));
    await close(journal);
    let [turns, turning] = [0, true];
    const turn = (): void => {
      turns += 1;
      if (turning) setImmediate(turn);
    };
    turn();
    const pieces: { readonly atTurn: number; readonly records: number }[] = [];
    const follower = followJournals({
      folder,
      store,
      log,
      growing: () => [],
      onStored: (_journal, records) => pieces.push({ atTurn: turns, records: records.length }),
    });
    await follower.finish();
    turning = false;
    expect(pieces.reduce((sum, { records }) => sum + records, 0)).toBe(6_000);
    expect(Math.max(...pieces.map(({ records }) => records))).toBeLessThan(2_000);
    expect(new Set(pieces.map(({ atTurn }) => atTurn)).size).toBe(pieces.length);
  });

  it("goes on where an earlier follower ended, and takes what a crash left, torn tail and all", async () => {
    const journal = await openJournal({ folder, name: "w1-1" });
    await append(journal, "a");
    await followJournals({ folder, store, log, growing: () => [] }).finish();
    await append(journal, "b");
    const [file = ""] = readdirSync(folder);
    appendFileSync(join(folder, file), '{"h":"torn');
    await followJournals({ folder, store, log, growing: () => [] }).finish();
    expect(stored()).toEqual(["a", "b"]);
    expect(log.error).not.toHaveBeenCalled();
  });

  it("removes the oldest stored segments beyond the bound, and never one that may still grow", async () => {
    const journal = await openJournal({ folder, name: "w1-1", maxSegmentBytes: 300 });
    for (const id of ["a", "b", "c", "d"]) await append(journal, id);
    await vi.waitFor(() => expect(readdirSync(folder)).toHaveLength(5), { timeout: 10_000 });
    await followJournals({
      folder,
      store,
      log,
      growing: () => ["w1-1"],
      keep: { files: 1, bytes: 1e9 },
    }).finish();
    expect(stored()).toEqual(["a", "b", "c", "d"]);
    expect(readdirSync(folder).toSorted()).toEqual(["w1-1-000004.jsonl", "w1-1-000005.jsonl"]);
    await followJournals({ folder, store, log, growing: () => [], keep: { files: 9, bytes: 0 } }).finish();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("keeps no call for longer than it may: neither in the store nor in files that will not grow", async () => {
    const journal = await openJournal({ folder, name: "w1-1" });
    await append(journal, "a");
    await close(journal);
    const [file = ""] = readdirSync(folder);
    const retention = () => ({ callsMs: 86_400_000, sumsMs: 40 * 86_400_000, maxCalls: 10 });
    await followJournals({ folder, store, log, growing: () => [], retention }).finish();
    expect([stored(), readdirSync(folder)]).toEqual([["a"], [file]]);
    const old = Date.now() / 1_000 - 2 * 86_400;
    utimesSync(join(folder, file), old, old);
    const many = await openJournal({ folder, name: "w1-2" });
    await append(many, ...Array.from({ length: 11 }, (_, call) => `later ${call}`));
    const growing = () => ["w1-2"];
    await followJournals({ folder, store, log, growing, retention: () => ({ ...retention(), maxCalls: 4 }) }).finish();
    expect(stored()).toHaveLength(4);
    expect(readdirSync(folder)).toEqual(["w1-2-000001.jsonl"]);
    await close(many);
  });

  it("removes and sets aside nothing that whoever else reads it does not have wholly", async () => {
    const journal = await openJournal({ folder, name: "w1-1" });
    await append(journal, "a", "b");
    await close(journal);
    const [file = ""] = readdirSync(folder);
    const size = readFileSync(join(folder, file)).length;
    const asked = vi.fn(() => false);
    const options = { folder, store, log, growing: () => [], keep: { files: 0, bytes: 0 } };
    await followJournals({ ...options, isRead: asked }).finish();
    expect(asked).toHaveBeenCalledWith(file, size);
    expect([stored(), readdirSync(folder)]).toEqual([["a", "b"], [file]]);
    // A killed process leaves room behind its last line, which nobody reads.
    appendFileSync(join(folder, file), new Uint8Array(100_000));
    await followJournals({ ...options, isRead: (_file, bytes) => bytes < size }).finish();
    expect(readdirSync(folder)).toEqual([file]);
    await followJournals({ ...options, isRead: (_file, bytes) => bytes <= size }).finish();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("leaves a changed line out, says where it is, and sets the file aside for people", async () => {
    const file = await changedJournal(["a", "b", "c"], "b");
    await followJournals({ folder, store, log, growing: () => [], keep: { files: 0, bytes: 0 } }).finish();
    expect(stored()).toEqual(["a", "c"]);
    expect(log.error).toHaveBeenCalledWith(
      expect.stringContaining("not what was written"),
      expect.objectContaining({ file }),
    );
    expect(readdirSync(folder)).toEqual([`${file}.damaged`]);
  });

  it("puts nothing away that ended only while the pass was under way: its end is read in the next", async () => {
    const file = await changedJournal(["a", "b"], "a");
    const next = join(folder, file.replace("000001", "000002"));
    const follower = followJournals({
      folder,
      store,
      log,
      growing: () => ["w1-1"],
      everyMs: 1_000_000,
      onStored: () => writeFileSync(next, ""),
    });
    await follower.finish();
    expect(stored()).toEqual(["b"]);
    expect(readdirSync(folder).toSorted()).toEqual([file, file.replace("000001", "000002")]);
  });

  it("loses nothing to a store that fails: it complains once and goes on when the store is back", async () => {
    const journal = await openJournal({ folder, name: "w1-1" });
    const broken = vi.spyOn(store, "transaction").mockImplementation(() => {
      throw new Error("disk I/O error");
    });
    const follower = followJournals({
      folder,
      store,
      log,
      growing: () => ["w1-1"],
      everyMs: 5,
      keep: { files: 0, bytes: 0 },
    });
    await append(journal, "a");
    await vi.waitFor(() => expect(broken.mock.calls.length).toBeGreaterThan(3), { timeout: 10_000 });
    expect(log.error).toHaveBeenCalledOnce();
    broken.mockRestore();
    await vi.waitFor(() => expect(stored()).toEqual(["a"]), { timeout: 10_000 });
    await follower.finish();
  });
});

/** A journal whose process was killed: its calls are on their way still, its file has no end. */
async function killedJournal(name: string, open: readonly string[], ended: readonly string[] = []): Promise<void> {
  const journal = await openJournal({ folder, name });
  for (const id of [...ended, ...open]) journal.begin(begun(id));
  await append(journal, ...ended);
}

describe("following journals of which some cannot be read", () => {
  const unreadable = "w0-1-000001.jsonl";
  let elsewhere: string;

  beforeEach(() => {
    elsewhere = mkdtempSync(join(tmpdir(), "hedgerow-ingest-"));
    // Opened, and not read, whoever the tests run as.
    mkdirSync(join(folder, unreadable));
  });

  afterEach(() => rmSync(elsewhere, { recursive: true, force: true }));

  async function mend(ids: readonly string[]): Promise<void> {
    const journal = await openJournal({ folder: elsewhere, name: "w0-1" });
    await append(journal, ...ids);
    await close(journal);
    rmSync(join(folder, unreadable), { recursive: true });
    renameSync(join(elsewhere, unreadable), join(folder, unreadable));
  }

  it("brings the others, tells once of each, and takes it up when it can be read", async () => {
    const journal = await openJournal({ folder, name: "w1-1" });
    await append(journal, "a");
    const passes = vi.fn();
    const everyMs = 5;
    const follower = followJournals({ folder, store, log, growing: () => ["w1-1"], onPass: passes, everyMs });
    await vi.waitFor(() => expect(passes.mock.calls.length).toBeGreaterThan(3), { timeout: 10_000 });
    expect(stored()).toEqual(["a"]);
    expect(log.error.mock.calls).toEqual([
      [expect.stringContaining("make it readable"), { file: join(folder, unreadable), why: expect.any(String) }],
    ]);
    expect(passes).toHaveBeenLastCalledWith(new Set(["w1-1", "w0-1"]));
    await mend(["b"]);
    await vi.waitFor(() => expect(stored()).toEqual(["a", "b"]), { timeout: 10_000 });
    await follower.finish();
    expect(passes).toHaveBeenLastCalledWith(new Set(["w1-1"]));
    expect([log.error.mock.calls.length, log.info.mock.calls.length]).toEqual([1, 1]);
    await close(journal);
  });

  it("puts away what the others no longer need, and nothing of a journal that is not wholly read", async () => {
    await killedJournal("w1-1", [], ["a"]);
    writeFileSync(join(folder, "w0-1-000002.jsonl"), "");
    await followJournals({ folder, store, log, growing: () => [], keep: { files: 0, bytes: 0 } }).finish();
    expect(readdirSync(folder).toSorted()).toEqual([unreadable, "w0-1-000002.jsonl"]);
    expect(log.error).toHaveBeenCalledOnce();
  });

  it("calls nothing lost whose record may be in the file that cannot be read", async () => {
    writeFileSync(join(folder, "w0-1.open"), openPage("ended"));
    await killedJournal("w1-1", ["lost"]);
    const options = { folder, store, log, growing: () => [] };
    await followJournals(options).finish();
    expect(stored()).toEqual(["lost"]);
    await mend(["ended"]);
    await followJournals(options).finish();
    expect([stored(), decisionOf("ended")]).toEqual([["lost", "ended"], "answered"]);
    expect(readdirSync(folder)).not.toContain("w0-1.open");
  });

  it("records lost calls of the others where one file of open calls cannot be read", async () => {
    rmSync(join(folder, unreadable), { recursive: true });
    mkdirSync(join(folder, "w0-1.open"));
    await killedJournal("w1-1", ["lost"]);
    const passes = vi.fn();
    const options = { folder, store, log, growing: () => [], onPass: passes };
    await followJournals(options).finish();
    expect([stored(), decisionOf("lost")]).toEqual([["lost"], "broken"]);
    expect(log.error.mock.calls).toEqual([
      [expect.stringContaining("a dead worker"), { file: join(folder, "w0-1.open"), why: expect.any(String) }],
    ]);
    expect(passes).toHaveBeenLastCalledWith(new Set(["w0-1"]));
  });
});

describe("a killed worker's calls", () => {
  const journals = () => readdirSync(folder).filter((file) => file.startsWith("w1-1") && file.endsWith(".jsonl"));

  it("get no second record where the first has left the store already", async () => {
    const ended = ["e1", "e2", "e3", "e4"];
    await killedJournal("w1-1", ["lost"], ended);
    const retention = () => ({ callsMs: 86_400_000, sumsMs: 40 * 86_400_000, maxCalls: 1 });
    const told = vi.fn();
    const options = { folder, store, log, retention, onStored: told };
    await followJournals({ ...options, growing: () => ["w1-1"] }).finish();
    expect(stored()).toHaveLength(1);
    await followJournals({ ...options, growing: () => [] }).finish();
    const records = told.mock.calls.flatMap(([, brought]) => brought as readonly CallRecord[]);
    expect(records.map(({ id, decision }) => [id, decision])).toEqual([
      ...ended.map((id) => [id, "answered"]),
      ["lost", "broken"],
    ]);
    expect(log.warn).toHaveBeenCalledWith(expect.any(String), { journal: "w1-1", calls: 1 });
    expect(journals()).toHaveLength(2);
  });
});

describe("what fails beside the bringing of records", () => {
  it("is said in its own words: old calls that cannot be removed", async () => {
    await close(await openJournal({ folder, name: "w1-1" }));
    const get = store.get.bind(store);
    vi.spyOn(store, "get").mockImplementation((sql, ...values) => {
      if (sql.includes("max(at_ms)")) throw new Error("disk I/O error");
      return get(sql, ...values);
    });
    await followJournals({ folder, store, log, growing: () => [], keep: { files: 0, bytes: 0 } }).finish();
    expect(log.error.mock.calls).toEqual([
      [expect.stringContaining("old calls could not be removed"), { why: "disk I/O error" }],
    ]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("keeps nothing else from being put away: a segment that is gone, or leads nowhere", async () => {
    await killedJournal("w1-1", [], ["a"]);
    symlinkSync(join(folder, "nowhere"), join(folder, "w0-1-000001.jsonl"));
    await followJournals({ folder, store, log, growing: () => [], keep: { files: 0, bytes: 0 } }).finish();
    expect(readdirSync(folder)).toEqual(["w0-1-000001.jsonl"]);
    expect(log.error).not.toHaveBeenCalled();
  });

  it("is said in its own words: a segment that cannot be put away, which keeps no other", async () => {
    const file = await changedJournal(["a", "b"], "a");
    const inTheWay = `${file}.damaged`;
    mkdirSync(join(folder, inTheWay));
    await close(await openJournal({ folder, name: "w2-1" }));
    await followJournals({ folder, store, log, growing: () => [], keep: { files: 0, bytes: 0 } }).finish();
    expect(log.error).toHaveBeenLastCalledWith(expect.stringContaining("could not be put away"), {
      why: expect.stringContaining("1 of 2"),
    });
    expect(readdirSync(folder).toSorted()).toEqual([file, inTheWay]);
    rmSync(join(folder, inTheWay), { recursive: true });
  });
});
