import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { ingestRecords } from "#control/store/ingest";
import { keepWithin, removedAtOnce } from "#control/store/retention";
import { openStore, type Store } from "#control/store/sqlite";
import { defaultRetention } from "#domain/retention";
import { callRecord } from "../world/sample-record.ts";

const open: Store[] = [];
afterAll(() => {
  for (const store of open) store.close();
});

function opened(): Store {
  const found = openStore(":memory:");
  if (found.kind === "refused") throw new Error(found.message);
  open.push(found.store);
  return found.store;
}

const first = Date.parse("2026-11-21T10:00:00Z");
const dayMs = 86_400_000;
/** Whatever this machine's own clock says. */
const later = () => first + 10_000 * dayMs;
let files = 0;
function bring(store: Store, calls: readonly { readonly id: string; readonly ms: number }[]): number {
  const records = calls.map(({ id, ms }) => callRecord(id, { at: new Date(first + ms).toISOString() }));
  files += 1;
  const file = `w1-${files}-000001.jsonl`;
  const put = ingestRecords(store, { file, fromOffset: 0, toOffset: 1, chainHash: "h" }, records);
  return put.kind === "ingested" ? put.fresh.length : 0;
}

const many = (from: number, count: number) =>
  Array.from({ length: count }, (_, at) => ({ id: `c${from + at}`, ms: from + at }));
const idsOf = (store: Store) => store.all("SELECT id FROM calls ORDER BY at_ms").map(({ id }) => String(id));
const countOf = (store: Store, table: string) => Number(store.get(`SELECT count(*) AS n FROM ${table}`)?.["n"]);

describe("what is kept of calls", () => {
  it("is what the setting says, counted back from the newest, with the attempts; sums know what left", () => {
    const store = opened();
    const calls = [0, 1, 2, 3].map((day) => ({ id: `day ${day}`, ms: day * dayMs }));
    bring(store, calls);
    const keeping = keepWithin(store, later);
    keeping.remove(defaultRetention);
    expect(idsOf(store)).toEqual(["day 0", "day 1", "day 2", "day 3"]);
    keeping.remove({ ...defaultRetention, callsMs: 2 * dayMs });
    expect(idsOf(store)).toEqual(["day 1", "day 2", "day 3"]);
    expect(countOf(store, "attempts")).toBe(3);
    expect(store.get("SELECT sum(calls) AS n FROM spend_buckets WHERE span = 24")).toEqual({ n: 4 });
  });

  it("does not go on leaving because of a call from the future, once the clock is right again", () => {
    const store = opened();
    bring(store, [{ id: "of today", ms: 0 }]);
    bring(store, [{ id: "ahead", ms: 1000 * dayMs }]);
    keepWithin(store, () => first + 60_000).remove(defaultRetention);
    expect(idsOf(store)).toEqual(["of today", "ahead"]);
    expect(countOf(store, "spend_buckets WHERE span = 1")).toBe(2);
  });

  it("counts anew after a removal that the store took back", () => {
    const store = opened();
    bring(store, many(0, 40));
    const keeping = keepWithin(store, later);
    const few = { ...defaultRetention, maxCalls: 30 };
    bring(store, many(40, 10));
    store.run("CREATE TRIGGER refused BEFORE DELETE ON spend_buckets BEGIN SELECT RAISE(ABORT, 'full'); END");
    bring(store, [{ id: "old", ms: -1000 * dayMs }]);
    expect(() => keeping.remove({ ...few, sumsMs: dayMs, callsMs: 500 * dayMs })).toThrow("full");
    store.run("DROP TRIGGER refused");
    keeping.remove(few);
    expect(countOf(store, "calls")).toBe(30);
  });

  it("nothing leaves for a report that brings records", () => {
    const store = opened();
    bring(store, [{ id: "old", ms: -1000 * dayMs }]);
    bring(store, [{ id: "new", ms: 0 }]);
    expect(idsOf(store)).toEqual(["old", "new"]);
  });

  it("leaves a bounded number at a time, and says that there is more", () => {
    const store = opened();
    bring(store, many(-10 * dayMs, removedAtOnce + 3));
    bring(store, [{ id: "new", ms: 0 }]);
    const keeping = keepWithin(store, later);
    const short = { ...defaultRetention, callsMs: dayMs };
    expect(keeping.remove(short)).toBe(true);
    expect(countOf(store, "calls")).toBe(4);
    expect(keeping.remove(short)).toBe(false);
    expect(idsOf(store)).toEqual(["new"]);
  });

  it("an empty store has nothing to remove", () => {
    expect(keepWithin(opened()).remove(defaultRetention)).toBe(false);
  });

  it("is never more than the most calls once nothing more is to be removed, whoever brings them; the oldest leave", () => {
    const calls = fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 120 });
    fc.assert(
      fc.property(calls, fc.integer({ min: 1, max: 60 }), fc.nat({ max: 119 }), (all, maxCalls, seen) => {
        const store = opened();
        const keeping = keepWithin(store, later);
        const named = all.map((ms) => ({ id: `c${ms}`, ms }));
        // Some come by the follower, which tells of them, the others by a report beside it.
        keeping.came(bring(store, named.slice(0, seen)));
        keeping.remove({ ...defaultRetention, maxCalls });
        bring(store, named.slice(seen));
        const again = keepWithin(store, later);
        while (again.remove({ ...defaultRetention, maxCalls }));
        const kept = named.toSorted((a, b) => a.ms - b.ms).slice(-maxCalls);
        expect(countOf(store, "calls")).toBe(Math.min(maxCalls, all.length));
        // What left at the first look was the oldest of what was there.
        const newest = kept.at(-1);
        expect(idsOf(store).at(-1)).toBe(newest?.id);
        if (seen === 0 || seen >= all.length) expect(idsOf(store)).toEqual(kept.map(({ id }) => id));
      }),
      { numRuns: 100 },
    );
  });

  it("is counted on, call by call, without walking the table each time", () => {
    const store = opened();
    const keeping = keepWithin(store, later);
    const most = { ...defaultRetention, maxCalls: 10 };
    for (let from = 0; from < 200; from += 7) {
      keeping.came(bring(store, many(from, 7)));
      while (keeping.remove(most));
      expect(countOf(store, "calls")).toBe(Math.min(10, from + 7));
    }
    expect(idsOf(store).at(0)).toBe("c193");
  });
});
