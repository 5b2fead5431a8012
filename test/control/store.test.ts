import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { chainHash, genesisOf, markLine, recordLine, segmentFile } from "#ledger/journal-line";
import { attemptRecord, callRecord, sampleJudgement } from "../world/sample-record.ts";
import { ingestJournal } from "#control/store/ingest-journal";
import { ingestRecords, ingestedPosition } from "#control/store/ingest";
import { migrations } from "#control/store/migrations";
import { callTotals, listCalls, maxListedCalls } from "#control/store/read-calls";
import { openStore, openStoreForReading } from "#control/store/sqlite";
import type { Store } from "#control/store/sqlite";

const folder = mkdtempSync(join(tmpdir(), "hedgerow-store-"));
afterAll(() => rmSync(folder, { recursive: true }));

function opened(path = ":memory:"): Store {
  const found = openStore(path);
  if (found.kind === "refused") throw new Error(found.message);
  return found.store;
}

const piece = (fromOffset: number, toOffset: number, file = "w1-1-000001.jsonl") => ({
  file,
  fromOffset,
  toOffset,
  chainHash: `hash-${toOffset}`,
});

describe("opening the store", () => {
  it("creates it for its owner only, in the durable modes", () => {
    const path = join(folder, "new", "hedgerow.sqlite");
    const store = opened(path);
    expect(store.get("PRAGMA journal_mode")).toEqual({ journal_mode: "wal" });
    expect(store.get("PRAGMA synchronous")).toEqual({ synchronous: 2 });
    expect(store.get("PRAGMA foreign_keys")).toEqual({ foreign_keys: 1 });
    if (process.platform !== "win32") expect(statSync(path).mode & 0o777).toBe(0o600);
    store.close();
  });

  it("opens an existing one again and keeps what is in it", async () => {
    const path = join(folder, "again.sqlite");
    const first = opened(path);
    ingestRecords(first, piece(0, 10), [callRecord("req_1")]);
    first.close();
    const second = opened(path);
    expect((await listCalls(second, {}, 10)).map(({ id }) => id)).toEqual(["req_1"]);
    second.close();
  });

  it("brings one of the first version up to date, keeps its calls, and has room for plans and groups then", () => {
    const path = join(folder, "first.sqlite");
    const old = new DatabaseSync(path);
    old.exec(`CREATE TABLE schema_version (version INTEGER NOT NULL); INSERT INTO schema_version VALUES (1)`);
    old.exec(migrations[0] ?? "");
    old.exec(`INSERT INTO calls (id, at_ms, snapshot, caller, dialect, operation, route, requested_model, streamed,
      decision, committed, status, request_bytes, answer_bytes, duration_ms, warnings)
      VALUES ('req_old', 1795255200000, 's', 'c', 'd', 'o', 'r', 'm', 0, 'answered', 1, 200, 1, 1, 1, '[]')`);
    old.close();
    const store = opened(path);
    const plan = { chosen: [{ target: "a/m", why: "first" }], skipped: [{ target: "b/m", why: "shares operator:x" }] };
    const attempts = [attemptRecord({ groups: ["provider:a", "operator:x"] })];
    ingestRecords(store, piece(0, 10), [callRecord("req_new", { graph: "0123456789ab", plan, attempts })]);
    expect(store.all("SELECT id, graph, plan FROM calls ORDER BY id")).toEqual([
      { id: "req_new", graph: "0123456789ab", plan: JSON.stringify(plan) },
      { id: "req_old", graph: null, plan: null },
    ]);
    expect(store.all("SELECT risk_groups FROM attempts")).toEqual([
      { risk_groups: JSON.stringify(["provider:a", "operator:x"]) },
    ]);
    store.close();
  });

  it("keeps how answers were judged, and has nothing of it for calls of before", async () => {
    const path = join(folder, "unjudged.sqlite");
    const old = new DatabaseSync(path);
    old.exec(`CREATE TABLE schema_version (version INTEGER NOT NULL); INSERT INTO schema_version VALUES (4)`);
    for (const step of migrations.slice(0, 4)) old.exec(step);
    old.exec(`INSERT INTO calls (id, at_ms, snapshot, caller, dialect, operation, route, requested_model, streamed,
      decision, committed, status, request_bytes, answer_bytes, duration_ms, warnings)
      VALUES ('req_old', 1795255200000, 's', 'c', 'd', 'o', 'r', 'm', 0, 'answered', 1, 200, 1, 1, 1, '[]')`);
    old.exec(`INSERT INTO attempts (call_id, number, target, provider, model, credential, outcome, started_ms, ended_ms)
      VALUES ('req_old', 1, 'a/m', 'a', 'm', 'a#1', 'answered', 0, 1)`);
    old.close();
    const store = opened(path);
    const judged = attemptRecord({ outcome: "doubted", judgement: sampleJudgement(), agrees: false });
    const attempts = [judged, attemptRecord({ role: "second" }), attemptRecord()];
    const shadow = { of: "req_new", propensity: 0.02 };
    ingestRecords(store, piece(0, 10), [
      callRecord("req_new", { decision: "doubted", review: "rev_1", attempts }),
      callRecord("req_shadow", { decision: "shadow", shadow, attempts: [attemptRecord({ agrees: true })] }),
    ]);
    expect(store.all("SELECT id, review, shadow_of, propensity FROM calls ORDER BY id")).toEqual([
      { id: "req_new", review: "rev_1", shadow_of: null, propensity: null },
      { id: "req_old", review: null, shadow_of: null, propensity: null },
      { id: "req_shadow", review: null, shadow_of: "req_new", propensity: 0.02 },
    ]);
    expect(
      store.all(`SELECT role, agrees, judged_at_ms, score, raw, estimator, features, calibration_key, calibration_state,
        threshold, verdict FROM attempts WHERE call_id = 'req_new' ORDER BY number LIMIT 2`),
    ).toEqual([
      {
        role: null,
        agrees: 0,
        judged_at_ms: Date.parse("2026-11-21T10:00:00.000Z"),
        score: 0.625,
        raw: 0.9,
        estimator: "logprobs",
        features: "[2.2,0.5]",
        calibration_key:
          '{"tenant":"","route":"default","model":"openai/gpt-5.4","tier":0,"shape":"label","signals":"logprobs"}',
        calibration_state: "prior",
        threshold: 0.85,
        verdict: "doubted",
      },
      expect.objectContaining({ role: "second", agrees: null, judged_at_ms: null, score: null, verdict: null }),
    ]);
    expect(store.all("SELECT role, verdict FROM attempts WHERE call_id = 'req_old'")).toEqual([
      { role: null, verdict: null },
    ]);
    expect((await listCalls(store, {}, 10)).find(({ id }) => id === "req_new")).toMatchObject({ attempts: 2 });
    store.close();
  });

  it("refuses one that a newer version wrote", () => {
    const path = join(folder, "newer.sqlite");
    const store = opened(path);
    store.run("UPDATE schema_version SET version = 99");
    store.close();
    for (const open of [openStore, openStoreForReading]) {
      expect(open(path)).toMatchObject({ kind: "refused", message: expect.stringContaining("newer hedgerow") });
    }
  });

  it("refuses to read what has no schema yet, and what is no store", () => {
    const empty = join(folder, "empty.sqlite");
    writeFileSync(empty, "");
    expect(openStoreForReading(empty)).toMatchObject({
      message: expect.stringContaining(`older schema (0 of ${migrations.length})`),
    });
    const other = join(folder, "other.sqlite");
    writeFileSync(other, "this is no database, and long enough to be looked at ".repeat(20));
    expect(openStore(other)).toMatchObject({ message: expect.stringContaining("cannot be opened") });
    expect(openStoreForReading(join(folder, "none.sqlite")).kind).toBe("refused");
  });

  it("rolls a failed transaction back and can go on", () => {
    const store = opened();
    expect(() =>
      store.transaction(() => {
        store.run("INSERT INTO journal_files VALUES ('x', 1, 'h')");
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(ingestedPosition(store, "x")).toBeUndefined();
    store.transaction(() => store.run("INSERT INTO journal_files VALUES ('x', 1, 'h')"));
    expect(ingestedPosition(store, "x")).toEqual({ offset: 1, hash: "h" });
  });
});

describe("ingesting records", () => {
  it("moves rows and offset together, and counts a record once however often it comes", async () => {
    const store = opened();
    expect(ingestRecords(store, piece(0, 100), [callRecord("a"), callRecord("b")])).toEqual({
      kind: "ingested",
      fresh: [callRecord("a"), callRecord("b")],
    });
    expect(ingestRecords(store, piece(0, 100), [callRecord("a"), callRecord("b")])).toEqual({
      kind: "ingested",
      fresh: [],
    });
    expect(ingestRecords(store, piece(50, 150), [callRecord("b"), callRecord("c")])).toEqual({
      kind: "ingested",
      fresh: [callRecord("c")],
    });
    expect(await callTotals(store, {})).toMatchObject({ calls: 3, attempts: 3 });
    expect(ingestedPosition(store, "w1-1-000001.jsonl")).toEqual({ offset: 150, hash: "hash-150" });
  });

  it("never moves an offset back, and refuses to jump over bytes", async () => {
    const store = opened();
    ingestRecords(store, piece(0, 100), [callRecord("a")]);
    ingestRecords(store, piece(0, 50), [callRecord("a")]);
    expect(ingestedPosition(store, "w1-1-000001.jsonl")?.offset).toBe(100);
    expect(ingestRecords(store, piece(120, 200), [callRecord("b")])).toEqual({ kind: "gap", ingestedBytes: 100 });
    expect((await callTotals(store, {})).calls).toBe(1);
  });

  it("keeps neither rows nor offset where one record cannot be stored", async () => {
    const store = opened();
    const broken = { ...callRecord("b"), route: null as unknown as string };
    expect(() => ingestRecords(store, piece(0, 100), [callRecord("a"), broken])).toThrow();
    expect((await callTotals(store, {})).calls).toBe(0);
    expect(ingestedPosition(store, "w1-1-000001.jsonl")).toBeUndefined();
  });

  it("gives the same store for the same records, however they are cut into pieces and repeated", async () => {
    const records = Array.from({ length: 12 }, (_, at) => callRecord(`req_${at}`));
    const step = fc.tuple(fc.integer({ min: 0, max: 11 }), fc.integer({ min: 1, max: 12 }));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const store = opened();
        for (const [from, length] of [...steps, [0, 12] as const]) {
          const to = Math.min(12, from + length);
          ingestRecords(store, piece(from * 10, to * 10), records.slice(from, to));
        }
        expect((await callTotals(store, {})).calls).toBe(12);
        expect(ingestedPosition(store, "w1-1-000001.jsonl")?.offset).toBe(120);
        store.close();
      }),
      { numRuns: 40 },
    );
  });

  it("takes names as values, never as SQL", async () => {
    const store = opened();
    const nasty = "x'); DROP TABLE calls; --";
    ingestRecords(store, piece(0, 10), [callRecord(nasty, { route: nasty, session: nasty, tags: [nasty] })]);
    expect(await listCalls(store, { route: nasty }, 10)).toMatchObject([{ id: nasty, route: nasty }]);
    expect(await listCalls(store, { provider: "' OR 1=1 --" }, 10)).toEqual([]);
  });
});

describe("reading calls", () => {
  const store = opened();
  const failed = attemptRecord({
    target: "xai/grok-4.6",
    provider: "xai",
    outcome: "failed",
    failure: "upstream_failed",
    firstContentMs: 5,
  });
  const { usage, costNanoUsd, ...unpriced } = callRecord("4", { at: "2026-11-21T13:00:00.000Z" });
  ingestRecords(store, piece(0, 10), [
    callRecord("1"),
    callRecord("2", { at: "2026-11-21T11:00:00.000Z", decision: "recovered", attempts: [failed, attemptRecord()] }),
    callRecord("3", {
      at: "2026-11-21T12:00:00.000Z",
      route: "other",
      decision: "failed",
      committed: false,
      code: "upstream_error",
      status: 502,
      attempts: [],
    }),
    unpriced,
  ]);
  const ids = async (filter: Parameters<typeof listCalls>[1], limit = 10) =>
    (await listCalls(store, filter, limit)).map(({ id }) => id);

  it("lists the newest first, with who answered and when content came", async () => {
    expect(await ids({})).toEqual(["4", "3", "2", "1"]);
    expect(await listCalls(store, { decision: "recovered" }, 1)).toEqual([
      {
        id: "2",
        at: "2026-11-21T11:00:00.000Z",
        caller: "app",
        route: "default",
        requestedModel: "default",
        streamed: true,
        decision: "recovered",
        status: 200,
        durationMs: 912.5,
        attempts: 2,
        snapshot: "0123456789ab",
        target: "openai/gpt-5.4",
        firstContentMs: 250,
        promptTokens: 124,
        completionTokens: 50,
        costNanoUsd: 1_000_000,
      },
    ]);
  });

  it("filters by time, route, provider and decision, together too", async () => {
    expect(await ids({ sinceMs: Date.parse("2026-11-21T11:00:00Z") })).toEqual(["4", "3", "2"]);
    expect(await ids({ route: "other" })).toEqual(["3"]);
    expect(await ids({ provider: "xai" })).toEqual(["2"]);
    expect(await ids({ decision: "answered" })).toEqual(["4", "1"]);
    expect(await ids({ decision: "answered", sinceMs: Date.parse("2026-11-21T11:00:00Z") })).toEqual(["4"]);
  });

  it("bounds the listing whatever is asked for", async () => {
    expect(await ids({}, 2)).toEqual(["4", "3"]);
    expect(await ids({}, -1)).toEqual([]);
    expect(await ids({}, maxListedCalls * 10)).toHaveLength(4);
  });

  it("sums what is known and counts what is not", async () => {
    expect(await callTotals(store, {})).toEqual({
      calls: 4,
      attempts: 4,
      byDecision: { answered: 2, recovered: 1, failed: 1 },
      promptTokens: 372,
      completionTokens: 150,
      costNanoUsd: 3_000_000,
      unpriced: 1,
    });
    expect(await callTotals(store, { route: "nobody" })).toMatchObject({ calls: 0, costNanoUsd: 0, byDecision: {} });
  });

  it("gives an unknown cost as absent, never as zero", async () => {
    expect(usage).toBeDefined();
    expect(costNanoUsd).toBeDefined();
    expect((await listCalls(store, {}, 1))[0]).not.toHaveProperty("costNanoUsd");
  });
});

describe("ingesting a journal folder", () => {
  /** A segment as the journal writes it. */
  function segment(name: string, ids: readonly string[]): string {
    const begin = markLine(genesisOf(name), { kind: "begin", format: 1, name, segment: 1, previous: genesisOf(name) });
    let { line: text, hash } = begin;
    for (const id of ids) {
      const json = JSON.stringify(callRecord(id));
      hash = chainHash(hash, json);
      text += recordLine(hash, json);
    }
    return text;
  }

  it("takes every whole line once, goes on where it stopped, and forgets removed files", async () => {
    const journal = join(folder, "journal");
    mkdirSync(journal);
    const name = "w1-1";
    const file = join(journal, segmentFile(name, 1));
    const whole = segment(name, ["a", "b", "c"]);
    const afterTwo = segment(name, ["a", "b"]).length;
    const store = opened();
    writeFileSync(file, whole.slice(0, afterTwo + 7));
    expect(await ingestJournal(store, journal)).toEqual({ fresh: 2, damage: [], unread: [] });
    writeFileSync(file, whole);
    expect(await ingestJournal(store, journal)).toEqual({ fresh: 1, damage: [], unread: [] });
    expect(await ingestJournal(store, journal)).toEqual({ fresh: 0, damage: [], unread: [] });
    expect(await listCalls(store, {}, 10)).toHaveLength(3);
    rmSync(file);
    await ingestJournal(store, journal);
    expect(store.all("SELECT * FROM journal_files")).toEqual([]);
    expect(await listCalls(store, {}, 10)).toHaveLength(3);
  });

  it("tells of a line that was changed", async () => {
    const journal = join(folder, "damaged");
    mkdirSync(journal);
    writeFileSync(
      join(journal, segmentFile("w1-1", 1)),
      segment("w1-1", ["a"]).replace('"status":200', '"status":201'),
    );
    const { fresh, damage } = await ingestJournal(opened(), journal);
    expect(fresh).toBe(0);
    expect(damage).toMatchObject([{ file: "w1-1-000001.jsonl", why: expect.stringContaining("chain") }]);
  });

  it("finds nothing in a folder that does not exist", async () => {
    expect(await ingestJournal(opened(), join(folder, "nowhere"))).toEqual({ fresh: 0, damage: [], unread: [] });
  });
});
