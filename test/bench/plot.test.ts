import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { plot } from "../../bench/plot.ts";
import type { Results } from "../../bench/results.ts";

const at = (name: string) => new URL(`../../docs/${name}`, import.meta.url);
const results = JSON.parse(readFileSync(at("performance-peers.json"), "utf8")) as Results;

describe("the plot of what calls cost", () => {
  it("is drawn from the figures beside it", () => {
    const drawn = plot(results);
    if (process.env["HEDGEROW_REWRITE"] !== undefined) writeFileSync(at("performance.svg"), drawn);
    expect(readFileSync(at("performance.svg"), "utf8")).toBe(drawn);
  });

  it("has a bar for every subject of every workload whose cost was measured, longer where it costs more", () => {
    const drawn = plot(results);
    const measured = results.reports.flatMap(({ rows }) =>
      rows.flatMap(({ subject, figures }) => {
        const cost = figures["CPU µs per request"];
        return cost === undefined ? [] : [{ subject, median: cost.median }];
      }),
    );
    const bars = [...drawn.matchAll(/<rect class="(?:bar|own)"[^>]* width="([\d.]+)"/gu)].map(([, width]) =>
      Number(width),
    );
    expect(bars).toHaveLength(measured.length);
    const sorted = measured.map(({ median }, index) => ({ median, width: bars[index] ?? 0 }));
    for (const [index, one] of sorted.entries()) {
      for (const other of sorted.slice(index + 1)) {
        if (one.median > other.median) expect(one.width).toBeGreaterThanOrEqual(other.width);
      }
    }
    expect(drawn).not.toContain("NaN");
  });
});
