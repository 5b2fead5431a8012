import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { judge, lanes, measureLane, readBaseline } from "../../bench/guard.ts";
import { quantile } from "../../bench/open-loop.ts";
import { figure, table } from "../../bench/report.ts";
import { slope } from "../../bench/soak.ts";

const burn = fileURLToPath(new URL("burn.ts", import.meta.url));

describe("the guard against a slower gateway", () => {
  it("has a baseline for every lane", () => {
    expect(Object.keys(readBaseline()).toSorted()).toEqual(lanes.map(({ name }) => name).toSorted());
  });

  it.each([
    [3, true],
    [3.44, true],
    [3.46, false],
  ])("a lane at %d against 3: right is %s", (best, right) => {
    expect(judge({ lane: "1 KB, whole", best }, { "1 KB, whole": 3 }).right).toBe(right);
  });

  it("sees a slow-down that was planted", { timeout: 120_000 }, async () => {
    const [lane] = lanes;
    if (lane === undefined) throw new Error("there is no lane");
    const short = { ...lane, requests: 800 };
    const [, usual = Number.NaN] = await measureLane(short);
    // Several times what the call costs: also a machine with much else to do shows it.
    const env = { NODE_OPTIONS: `--import ${burn}`, BURN_MICROS: "1500" };
    const [best = 0] = await measureLane(short, { env });
    expect(judge({ lane: lane.name, best }, { [lane.name]: usual })).toMatchObject({ right: false });
  });
});

describe("figures of the benchmark", () => {
  it("are the nearest rank, and nothing where there is none", () => {
    const sorted = Array.from({ length: 100 }, (_, at) => at + 1);
    expect([0.5, 0.99, 0.999, 1].map((q) => quantile(sorted, q))).toEqual([50, 99, 100, 100]);
    expect(quantile([], 0.5)).toBeNaN();
  });

  it("tell a slope by least squares", () => {
    expect(slope([0, 1, 2, 3].map((x) => [x, 100 + 7 * x]))).toBeCloseTo(7);
    expect(
      slope([
        [0, 5],
        [1, 4],
        [2, 6],
        [3, 5],
      ]),
    ).toBeCloseTo(0.2);
  });

  it("are a table with the middle and the ends", () => {
    const rows = [{ subject: "one", figures: { "CPU µs": figure([3, 1, 2]) } }];
    expect(table({ workload: "w", how: "three times", rows, notes: ["a note"] })).toBe(
      "\nw: three times\n| subject | CPU µs |\n|---|---|\n| one | 2.00 (1.00–3.00) |\na note",
    );
  });
});
