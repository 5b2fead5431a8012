import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import type { AccountKind } from "#domain/account";
import type { AttemptRecord, CallRecord } from "#domain/record";
import { ingestRecords } from "#control/store/ingest";
import { keepWithin } from "#control/store/retention";
import { defaultRetention } from "#domain/retention";
import { countSpend } from "#control/store/spend-buckets";
import { spendMigration } from "#control/store/spend-migration";
import { hoursOf, spansOf } from "#control/store/spend-span";
import { readSpent, spentSince } from "#control/store/read-spent";
import { openStore, type Row, type Store } from "#control/store/sqlite";
import { attemptRecord, callRecord, sampleJudgement } from "../world/sample-record.ts";
import { anyCalls } from "../world/spend-records.ts";

const folder = mkdtempSync(join(tmpdir(), "hedgerow-spend-"));
afterAll(() => rmSync(folder, { recursive: true }));

function opened(path = ":memory:"): Store {
  const found = openStore(path);
  if (found.kind === "refused") throw new Error(found.message);
  return found.store;
}

const ingest = (store: Store, records: readonly CallRecord[], toOffset = 1) =>
  ingestRecords(store, { file: `w1-${toOffset}-000001.jsonl`, fromOffset: 0, toOffset, chainHash: "h" }, records);

const rowsOf = (store: Store, table: string, span: number) =>
  store.all(`SELECT * FROM ${table} WHERE span = ${span} ORDER BY bucket, 3, 4, 5, 6, 7, 8, 9`);

const sum = (rows: readonly Row[], column: string) => rows.reduce((total, row) => total + Number(row[column]), 0);

const costOf = (attempts: readonly AttemptRecord[]) =>
  attempts.reduce((total, { costNanoUsd = 0 }) => total + costNanoUsd, 0);

/** The first step that made these sums counted fewer calls as gated, and not their money. */
function ungated(rows: readonly Row[]): readonly Row[] {
  return rows.map((row) => ({ ...row, gated: 0, gated_nano_usd: 0 }));
}

describe("sums of money", () => {
  it("hold each attempt's money and each call once, by hour and by day, over whatever names they are summed", () => {
    fc.assert(
      fc.property(anyCalls, (records) => {
        const store = opened();
        ingest(store, records);
        const attempts = records.flatMap((each) => each.attempts);
        for (const span of [1, 24]) {
          const rows = rowsOf(store, "spend_buckets", span);
          expect(sum(rows, "cost_nano_usd")).toBe(costOf(attempts));
          expect(sum(rows, "attempts")).toBe(attempts.length);
          expect(sum(rows, "calls")).toBe(records.filter(({ decision }) => decision !== "shadow").length);
          for (const provider of ["openai", "xai", "bedrock"]) {
            const there = rows.filter((row) => row["provider"] === provider);
            expect(sum(there, "cost_nano_usd")).toBe(costOf(attempts.filter((each) => each.provider === provider)));
          }
          for (const caller of ["alice", "bob"]) {
            const own = records.filter((each) => each.caller === caller);
            const theirs = rows.filter((row) => row["caller"] === caller);
            expect(sum(theirs, "cost_nano_usd")).toBe(costOf(own.flatMap((each) => each.attempts)));
          }
          const named = rowsOf(store, "spend_names", span);
          const all = named.filter((row) => row["kind"] === "tag" && row["name"] === "all");
          const tagged = records.filter(({ tags }) => tags !== undefined);
          expect(sum(all, "cost_nano_usd")).toBe(costOf(tagged.flatMap((each) => each.attempts)));
        }
        store.close();
      }),
      { numRuns: 60 },
    );
  });

  it("are the same however the records are cut into pieces, and whatever comes twice", () => {
    fc.assert(
      fc.property(anyCalls, fc.nat({ max: 12 }), (records, cut) => {
        const [whole, pieces] = [opened(), opened()];
        ingest(whole, records);
        ingest(pieces, records.slice(0, cut), 1);
        ingest(pieces, records.slice(Math.max(0, cut - 2)), 2);
        for (const table of ["spend_buckets", "spend_names", "service_buckets"]) {
          const all = (store: Store) => new Set(store.all(`SELECT * FROM ${table}`).map((row) => JSON.stringify(row)));
          expect(all(pieces)).toEqual(all(whole));
        }
        whole.close();
        pieces.close();
      }),
      { numRuns: 40 },
    );
  });

  it("are made of the calls of an older store exactly as when those come in", () => {
    const path = join(folder, "older.sqlite");
    fc.assert(
      fc.property(anyCalls, (records) => {
        const store = opened(path);
        ingest(store, records);
        const counted = [1, 24].map((span) => ungated(rowsOf(store, "spend_buckets", span)));
        store.close();
        const database = new DatabaseSync(path);
        database.exec(`DROP TABLE spend_buckets; DROP TABLE spend_names; ${spendMigration}`);
        for (const table of ["spend_buckets", "spend_names"]) {
          database.exec(`ALTER TABLE ${table} ADD COLUMN gated_nano_usd INTEGER NOT NULL DEFAULT 0`);
        }
        database.close();
        const again = opened(path);
        expect([1, 24].map((span) => ungated(rowsOf(again, "spend_buckets", span)))).toEqual(counted);
        again.close();
        rmSync(path);
      }),
      { numRuns: 40 },
    );
  });

  it("tell what the money went to", () => {
    const store = opened();
    const own = (more: Partial<AttemptRecord>) => attemptRecord({ costNanoUsd: 1, ...more });
    const doubted = own({ outcome: "doubted", costNanoUsd: 2, judgement: sampleJudgement() });
    const accepted = own({ judgement: sampleJudgement({ verdict: "accepted" }) });
    const gone = own({ outcome: "failed", failure: "client_gone", costNanoUsd: 64 });
    ingest(store, [
      callRecord("a", { decision: "escalated", attempts: [doubted, own({ role: "judge", costNanoUsd: 4 }), accepted] }),
      callRecord("b", { attempts: [own({ outcome: "outrun", costNanoUsd: 8 }), own({})] }),
      callRecord("c", { attempts: [own({ costNanoUsd: 16 }), own({})] }),
      callRecord("d", { decision: "shadow", committed: false, attempts: [own({ costNanoUsd: 32 })] }),
      callRecord("e", { decision: "aborted", committed: false, attempts: [gone] }),
      callRecord("f", { decision: "refused", committed: false, attempts: [] }),
    ]);
    const parts = store.all(
      `SELECT part, sum(calls) AS calls, sum(answered) AS answered, sum(gated) AS gated, sum(accepted) AS accepted,
         sum(cost_nano_usd) AS cost FROM spend_buckets WHERE span = 1 GROUP BY part ORDER BY part`,
    );
    const part = (name: string, calls: number, more: object) => ({
      part: name,
      calls,
      answered: 0,
      gated: 0,
      accepted: 0,
      ...more,
    });
    expect(parts).toEqual([
      part("abandoned", 1, { cost: 64 }),
      part("answered", 3, { answered: 3, gated: 1, accepted: 1, cost: 3 }),
      part("aside", 0, { cost: 4 }),
      part("doubted", 0, { cost: 2 }),
      part("failed", 0, { cost: 16 }),
      part("none", 1, { cost: 0 }),
      part("outrun", 0, { cost: 8 }),
      part("shadow", 0, { cost: 32 }),
    ]);
  });

  it("count what nobody priced apart, and nothing where nothing is billed", () => {
    const store = opened();
    const { costNanoUsd: _cost, ...unpriced } = attemptRecord();
    const { usage: _usage, ...unused } = unpriced;
    ingest(store, [
      callRecord("a", { attempts: [unpriced, { ...unused, outcome: "failed", failure: "connection_lost" }] }),
      callRecord("b", { operation: "count-tokens", attempts: [unused] }),
      callRecord("c", { attempts: [unused] }),
    ]);
    expect(sum(rowsOf(store, "spend_buckets", 1), "unpriced")).toBe(2);
    expect(sum(rowsOf(store, "spend_buckets", 1), "cost_nano_usd")).toBe(0);
  });

  it("write a row once for a piece of journal, however many of its calls are alike", () => {
    const store = opened();
    let written = 0;
    const counting = Object.assign(Object.create(store) as Store, {
      run(): number {
        written += 1;
        return 1;
      },
    });
    countSpend(
      counting,
      Array.from({ length: 500 }, (_, index) => callRecord(`req_${index}`)),
    );
    expect(written).toBe(2);
  });
});

describe("what accounts have spent", () => {
  const kinds: readonly AccountKind[] = ["key", "team", "organisation", "user", "route", "provider", "model"];

  it("is what their calls' attempts cost since the hour, of each account and of all of a kind", () => {
    fc.assert(
      fc.property(anyCalls, fc.integer({ min: -1, max: 73 }), (records, hours) => {
        const store = opened();
        ingest(store, records);
        const sinceMs = hours < 0 ? 0 : Date.UTC(2026, 10, 20) + hours * 3_600_000;
        const expected = new Map<string, number>();
        const pay = (account: string, nano: number) => expected.set(account, (expected.get(account) ?? 0) + nano);
        for (const { at, caller, team, organisation, user, route, attempts } of records) {
          if (Date.parse(at) < sinceMs) continue;
          for (const { provider, model, costNanoUsd = 0 } of attempts) {
            pay(`key:${caller}`, costNanoUsd);
            pay(`route:${route}`, costNanoUsd);
            pay(`provider:${provider}`, costNanoUsd);
            pay(`model:${provider}/${model}`, costNanoUsd);
            if (team !== undefined) pay(`team:${team}`, costNanoUsd);
            if (organisation !== undefined) pay(`organisation:${organisation}`, costNanoUsd);
            if (user !== undefined) pay(`user:${organisation ?? team ?? caller}/${user}`, costNanoUsd);
          }
        }
        const found = new Map<string, number>();
        for (const kind of kinds) {
          for (const [name, nano] of readSpent(store, { kind, sinceMs })) {
            found.set(`${kind}:${name}`, nano);
            expect(spentSince(store, `${kind}:${name}`, sinceMs)).toBe(nano);
          }
        }
        const paid = (all: ReadonlyMap<string, number>) => new Map([...all].filter(([, nano]) => nano > 0));
        expect(paid(found)).toEqual(paid(expected));
        store.close();
      }),
      { numRuns: 60 },
    );
  });

  it("outlives the calls, and what is older than days are kept stays in sums without end", () => {
    const store = opened();
    const first = Date.UTC(2026, 0, 1);
    const at = (ms: number, id: string) => callRecord(id, { at: new Date(first + ms).toISOString(), user: "u" });
    const spent = (sinceMs: number) => [
      spentSince(store, "key:app", sinceMs),
      readSpent(store, { kind: "user", sinceMs }).get("app/u"),
    ];
    ingest(store, [at(0, "first"), at(1, "second")]);
    ingest(store, [at(defaultRetention.callsMs + 2 * 86_400_000, "later")], 2);
    keepWithin(store, () => Number.MAX_SAFE_INTEGER).remove(defaultRetention);
    expect(store.get("SELECT count(*) AS calls FROM calls")).toEqual({ calls: 1 });
    expect(spent(first)).toEqual([3_000_000, 3_000_000]);
    expect(sum(rowsOf(store, "spend_buckets", 1), "calls")).toBe(1);
    ingest(store, [at(defaultRetention.sumsMs + 2 * 86_400_000, "last")], 3);
    keepWithin(store, () => Number.MAX_SAFE_INTEGER).remove(defaultRetention);
    expect(spent(first)).toEqual([2_000_000, 2_000_000]);
    expect(spent(0)).toEqual([4_000_000, 4_000_000]);
    ingest(store, [at(2 * defaultRetention.sumsMs, "very last")], 4);
    keepWithin(store, () => Number.MAX_SAFE_INTEGER).remove(defaultRetention);
    ingest(store, [at(2 * defaultRetention.sumsMs + 1, "very last but one")], 5);
    keepWithin(store, () => Number.MAX_SAFE_INTEGER).remove(defaultRetention);
    expect(spent(0)).toEqual([6_000_000, 6_000_000]);
  });
});

it("a window is read from days where it holds whole ones, every hour once", () => {
  fc.assert(
    fc.property(fc.nat({ max: 2000 }), fc.nat({ max: 2000 }), (from, length) => {
      const spans = spansOf({ from, until: from + length });
      const hours = spans.flatMap((each) =>
        Array.from({ length: each.until - each.from }, (_, index) => each.from + index),
      );
      expect(hours).toEqual(Array.from({ length }, (_, index) => from + index));
      expect(spans.filter(({ span }) => span === 1).every((each) => each.until - each.from < 48)).toBe(true);
      for (const each of spans) if (each.span === 24) expect([each.from % 24, each.until % 24]).toEqual([0, 0]);
    }),
  );
  expect(hoursOf({ fromMs: 3_600_001, untilMs: 7_200_001 })).toEqual({ from: 1, until: 3 });
});
