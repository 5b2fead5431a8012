import { describe, expect, it } from "vitest";
import { FleetCounts } from "./fleet-counts.ts";
import { renderMetrics, type MetricsSample } from "./metrics.ts";

const sample = (records: number): MetricsSample => [
  { name: "hedgerow_journal_records_total", series: [{ labels: [], values: [records] }] },
  { name: "hedgerow_workers", series: [{ labels: [], values: [1] }] },
];
const figures = (of: MetricsSample) =>
  renderMetrics(of)
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));

describe("what workers have counted", () => {
  it("stays counted when they end, and they are no more among the workers", () => {
    const counts = new FleetCounts();
    counts.heard("w1-1", sample(5));
    counts.heard("w2-1", sample(3));
    counts.heard("w1-1", sample(7));
    expect(figures(counts.sum)).toEqual(["hedgerow_journal_records_total 10", "hedgerow_workers 2"]);
    counts.end("w1-1");
    expect(figures(counts.sum)).toEqual(["hedgerow_journal_records_total 10", "hedgerow_workers 1"]);
    expect(figures(counts.ended)).toEqual(["hedgerow_journal_records_total 7"]);
    counts.heard("w1-2", sample(1));
    expect(figures(counts.sum)).toEqual(["hedgerow_journal_records_total 11", "hedgerow_workers 2"]);
    // One that was never heard of has counted nothing.
    counts.end("w3-1");
    expect(figures(counts.sum)).toEqual(["hedgerow_journal_records_total 11", "hedgerow_workers 2"]);
  });
});
