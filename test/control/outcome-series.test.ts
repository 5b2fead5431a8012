import { expect, it } from "vitest";
import { outcomeSeries } from "#control/reports/outcome-series";
import { ingestRecords } from "#control/store/ingest";
import { openStore, type Store } from "#control/store/sqlite";
import type { FailureKind } from "#domain/failure";
import type { AttemptRecord } from "#domain/record";
import { attemptRecord, callRecord } from "../world/sample-record.ts";

const startMs = Date.UTC(2026, 10, 21, 10);
const minuteMs = 60_000;

/** Attempts at a minute each, by target: `ok`, a failure, or an outcome. */
function storeOf(
  attempts: readonly { readonly minute: number; readonly target: string; readonly end: string }[],
): Store {
  const opened = openStore(":memory:");
  if (opened.kind === "refused") throw new Error(opened.message);
  const records = attempts.map(({ minute, target, end }, at) => {
    const outcome = end === "ok" ? "answered" : end === "doubted" ? "doubted" : "failed";
    const failed: Partial<AttemptRecord> = outcome === "failed" ? { failure: end as FailureKind } : {};
    const [provider = ""] = target.split("/");
    const attempt = attemptRecord({ target, provider, model: "m", startedMs: 0, outcome, ...failed });
    return callRecord(`c${at}`, { at: new Date(startMs + minute * minuteMs).toISOString(), attempts: [attempt] });
  });
  ingestRecords(opened.store, { file: "w1-1-000001.jsonl", fromOffset: 0, toOffset: 1, chainHash: "h" }, records);
  return opened.store;
}

async function seriesOf(store: Store, minutes: number) {
  const wish = {
    sinceMs: startMs,
    untilMs: startMs + minutes * minuteMs,
    intervalMs: 10 * minuteMs,
    groupsOf: () => [],
  };
  return Object.fromEntries((await outcomeSeries(store, wish)).map(({ target, bad }) => [target, bad]));
}

it("calls an interval bad where more than a tenth of a target's attempts failed, and unknown where it was not asked", async () => {
  const store = storeOf([
    { minute: 0, target: "a/m", end: "ok" },
    { minute: 11, target: "a/m", end: "upstream_failed" },
    { minute: 12, target: "a/m", end: "ok" },
    ...Array.from({ length: 9 }, () => ({ minute: 31, target: "a/m", end: "ok" })),
    { minute: 32, target: "a/m", end: "upstream_failed" },
    { minute: 5, target: "b/m", end: "connect_timeout" },
  ]);
  expect(await seriesOf(store, 40)).toEqual({
    "a/m": [false, true, undefined, false],
    "b/m": [true, undefined, undefined, undefined],
  });
});

it("counts neither our account's limits nor what callers got wrong, for or against a target", async () => {
  const store = storeOf(
    ["rate_limited", "quota_exhausted", "credential_rejected", "invalid_request", "client_gone", "doubted"].map(
      (end, at) => ({
        minute: at * 10,
        target: "a/m",
        end,
      }),
    ),
  );
  expect(await seriesOf(store, 60)).toEqual({ "a/m": [undefined, undefined, undefined, undefined, undefined, false] });
});

it("looks at no more than its bound of intervals, the latest ones", async () => {
  const store = storeOf([{ minute: 0, target: "a/m", end: "ok" }]);
  const untilMs = startMs + 10 * minuteMs;
  const wish = { sinceMs: 0, untilMs, intervalMs: 1000, groupsOf: () => [] };
  const [series] = await outcomeSeries(store, wish);
  expect(series?.bad).toHaveLength(3500);
  expect(series?.bad.indexOf(false)).toBe(3500 - 600);
});
