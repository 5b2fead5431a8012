import { expect, it } from "vitest";
import { callRecord } from "../world/sample-record.ts";
import { ingestRecords } from "#control/store/ingest";
import { openStore } from "#control/store/sqlite";
import { callsReport, usualLimit } from "#control/reports/calls";

it("lists the newest calls up to the limit and says how many it left out", async () => {
  const opened = openStore(":memory:");
  if (opened.kind === "refused") throw new Error(opened.message);
  const records = Array.from({ length: 25 }, (_, at) =>
    callRecord(`req_${at}`, { at: new Date(Date.UTC(2026, 10, 21) + at * 1000).toISOString() }),
  );
  ingestRecords(opened.store, { file: "w1-1-000001.jsonl", fromOffset: 0, toOffset: 1, chainHash: "h" }, records);
  const report = await callsReport(opened.store, {});
  expect(report.calls).toHaveLength(usualLimit);
  expect(report.calls[0]?.id).toBe("req_24");
  expect(report.totals.calls).toBe(25);
  expect(report.leftOut).toBe(5);
  expect((await callsReport(opened.store, {}, 100)).leftOut).toBe(0);
});
