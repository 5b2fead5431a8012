import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { errorClassOf } from "#control/store/error-class";
import { ingestRecords } from "#control/store/ingest";
import { callTotals, listCalls, type CallFilter } from "#control/store/read-calls";
import { firstContentCounts, targetCounts } from "#control/store/read-traffic";
import { hourMs } from "#control/store/spend-span";
import { openStore, type Store } from "#control/store/sqlite";
import { countTables } from "#control/store/traffic-counts";
import { trafficMigration } from "#control/store/traffic-migration";
import type { CallRecord } from "#domain/record";
import { completionTokens, promptTokens } from "#domain/usage";
import { attemptRecord, callRecord } from "../world/sample-record.ts";
import { anyCalls } from "../world/spend-records.ts";

const folder = mkdtempSync(join(tmpdir(), "hedgerow-traffic-"));
afterAll(() => rmSync(folder, { recursive: true }));

function opened(path = ":memory:"): Store {
  const found = openStore(path);
  if (found.kind === "refused") throw new Error(found.message);
  return found.store;
}

const ingest = (store: Store, records: readonly CallRecord[], toOffset = 1) =>
  ingestRecords(store, { file: `w1-${toOffset}-000001.jsonl`, fromOffset: 0, toOffset, chainHash: "h" }, records);

const rowsOf = (store: Store) =>
  countTables.map((table) => store.all(`SELECT * FROM ${table} ORDER BY span, bucket, 3, 4, 5, 6`));

const sum = <T>(all: readonly T[], of: (each: T) => number) => all.reduce((total, each) => total + of(each), 0);

/** From the records themselves. */
function totalsByHand(records: readonly CallRecord[], { sinceMs = 0, route, provider, decision }: CallFilter) {
  const passed = records.filter(
    (each) =>
      Date.parse(each.at) >= sinceMs &&
      (route === undefined || each.route === route) &&
      (decision === undefined || each.decision === decision) &&
      (provider === undefined || each.attempts.some((attempt) => attempt.provider === provider)),
  );
  const byDecision: Record<string, number> = {};
  for (const each of passed) byDecision[each.decision] = (byDecision[each.decision] ?? 0) + 1;
  return {
    calls: passed.length,
    attempts: sum(passed, ({ attempts }) => attempts.filter(({ role }) => role === undefined).length),
    byDecision,
    promptTokens: sum(passed, ({ usage }) => (usage === undefined ? 0 : promptTokens(usage))),
    completionTokens: sum(passed, ({ usage }) => (usage === undefined ? 0 : completionTokens(usage))),
    costNanoUsd: sum(passed, ({ costNanoUsd = 0 }) => costNanoUsd),
    unpriced: passed.filter(({ costNanoUsd, committed }) => costNanoUsd === undefined && committed).length,
  };
}

const anyFilter = fc.record(
  {
    sinceMs: fc.integer({ min: Date.UTC(2026, 10, 19), max: Date.UTC(2026, 10, 23) }),
    route: fc.constantFrom("default", "other", "none"),
    provider: fc.constantFrom("openai", "xai", "nobody"),
    decision: fc.constantFrom("answered" as const, "failed" as const, "shadow" as const),
  },
  { requiredKeys: [] },
);

describe("counts of traffic", () => {
  it("give the totals that counting the records gives, whatever is asked, and the same calls", async () => {
    await fc.assert(
      fc.asyncProperty(anyCalls, anyFilter, fc.nat(12), async (records, filter, cut) => {
        const store = opened();
        ingest(store, records.slice(0, cut));
        ingest(store, records.slice(cut), 2);
        // What is there already is not counted again.
        ingest(store, records, 3);
        const byHand = totalsByHand(records, filter);
        expect(await callTotals(store, filter)).toEqual(byHand);
        expect(await listCalls(store, filter, 100)).toHaveLength(byHand.calls);
        store.close();
      }),
      { numRuns: 200 },
    );
  });

  it("tell of targets and first contents what the attempts of the window's hours tell", async () => {
    await fc.assert(
      fc.asyncProperty(anyCalls, fc.nat(72), fc.nat(72), async (records, from, length) => {
        const store = opened();
        ingest(store, records);
        const fromMs = Date.UTC(2026, 10, 20) + from * hourMs;
        const window = { fromMs, untilMs: fromMs + length * hourMs };
        const inside = records
          .filter(({ at }) => Date.parse(at) >= window.fromMs && Date.parse(at) < window.untilMs)
          .flatMap(({ attempts }) => attempts);
        const answered = inside.filter((each) => errorClassOf(each) === undefined);
        const counts = await targetCounts(store, window);
        expect({
          attempts: sum(counts, (each) => each.answered + each.failed + each.excused),
          answered: sum(counts, (each) => each.answered),
          tokens: sum(counts, ({ tokens }) => tokens),
          untold: sum(counts, ({ untold }) => untold),
          cost: sum(counts, ({ costNanoUsd }) => costNanoUsd),
          unpriced: sum(counts, ({ unpriced }) => unpriced),
        }).toEqual({
          attempts: inside.length,
          answered: answered.length,
          tokens: sum(answered, ({ usage }) =>
            usage === undefined ? 0 : promptTokens(usage) + completionTokens(usage),
          ),
          untold: answered.filter(({ usage }) => usage === undefined).length,
          cost: sum(answered, ({ costNanoUsd = 0 }) => costNanoUsd),
          unpriced: answered.filter(({ costNanoUsd }) => costNanoUsd === undefined).length,
        });
        const firsts = [...(await firstContentCounts(store, window)).values()].flat();
        expect(sum(firsts, ({ answers }) => answers)).toBe(
          answered.filter(({ firstContentMs }) => firstContentMs !== undefined).length,
        );
        store.close();
      }),
      { numRuns: 100 },
    );
  });

  it("keep every time of a first content within 1.3 %", async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 1, max: 600_000, noNaN: true }), async (ms) => {
        const store = opened();
        const attempt = attemptRecord({ startedMs: 0, firstContentMs: ms, endedMs: ms });
        ingest(store, [callRecord("a", { attempts: [attempt] })]);
        const atMs = Date.parse(callRecord("a").at);
        const [[counted] = []] = [...(await firstContentCounts(store, { fromMs: atMs, untilMs: atMs + 1 })).values()];
        expect(Math.abs((counted?.ms ?? 0) / ms - 1)).toBeLessThan(0.013);
        store.close();
      }),
      { numRuns: 50 },
    );
  });

  it("are made of calls that are there already as of calls that come in", () => {
    fc.assert(
      fc.property(anyCalls, (records) => {
        const path = join(folder, "migrated.sqlite");
        const store = opened(path);
        ingest(store, records);
        const counted = rowsOf(store);
        store.close();
        const database = new DatabaseSync(path);
        for (const table of countTables) database.exec(`DROP TABLE ${table}`);
        database.exec(`DROP INDEX calls_by_decision; ${trafficMigration}`);
        database.close();
        const again = opened(path);
        expect(rowsOf(again)).toEqual(counted);
        again.close();
        rmSync(path);
      }),
      { numRuns: 40 },
    );
  });
});
