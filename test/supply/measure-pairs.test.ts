import { describe, expect, it } from "vitest";
import { coFailureOf } from "#pipeline/measured-pairs";
import { countPair, estimateBeta } from "#supply/co-failure";
import { measurePairs } from "#supply/measure-pairs";
import type { OutcomeSeries } from "#supply/mine-edges";
import { sampleSnapshot } from "../world/sample-snapshot.ts";

const series = (target: string, marks: string): OutcomeSeries => ({
  target,
  groups: [{ kind: "model", name: target, share: [1, 1], status: "declared" }],
  bad: Array.from(marks, (mark) => (mark === "-" ? undefined : mark === "x")),
});

describe("measuring pairs", () => {
  const world = [series("a", "..xx....x."), series("b", "..xx......"), series("c", "......--..")];

  it("gives the β of each ordered pair whose first ever failed, most events first, and keeps no more than asked for", () => {
    const pairs = measurePairs(world, 10);
    expect(pairs.map(({ failed, other, events, joint }) => [failed, other, events, joint])).toEqual([
      ["a", "b", 2, 1],
      ["a", "c", 2, 0],
      ["b", "a", 1, 1],
      ["b", "c", 1, 0],
    ]);
    const { mean, interval } = estimateBeta({ relation: "vendor", counts: countPair(world[0]!.bad, world[1]!.bad) });
    expect(pairs[0]).toMatchObject({ beta: mean, lo: interval[0], hi: interval[1] });
    expect(measurePairs(world, 2)).toEqual(pairs.slice(0, 2));
  });

  it("leaves out intervals in which nearly everybody failed: that was the way there", () => {
    const all = ["a", "b", "c", "d"].map((name) => series(name, "....xx...."));
    expect(measurePairs(all, 10)).toEqual([]);
  });

  it("reaches the planner by the pair of targets, in its direction", () => {
    const measured = measurePairs(world, 10);
    const coFailure = coFailureOf(sampleSnapshot([], [], { measured }));
    const target = (id: string) => ({ id, provider: id, model: id, lastResort: false });
    expect(coFailure(target("a"), target("b"))).toEqual(measured[0]);
    expect(coFailure(target("c"), target("b"))).toBeUndefined();
    expect(coFailureOf(sampleSnapshot([], []))(target("a"), target("b"))).toBeUndefined();
  });
});
