import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { labelWeight, type LabelOrigin } from "./decay.ts";

const dayMs = 24 * 60 * 60_000;
const fresh: LabelOrigin = { ageMs: 0, newerLabels: 0, source: "human" };

describe("what a label is worth", () => {
  test("halves in 30 days or 2,000 labels, whichever is sooner", () => {
    expect(labelWeight(fresh, 0)).toBe(1);
    expect(labelWeight({ ...fresh, ageMs: 30 * dayMs }, 0)).toBe(0.5);
    expect(labelWeight({ ...fresh, newerLabels: 4000 }, 0)).toBe(0.25);
    expect(labelWeight({ ...fresh, ageMs: 60 * dayMs, newerLabels: 2000 }, 0)).toBe(0.25);
  });

  test("is half where it is silver, and nothing once 200 true ones are there", () => {
    const silver: LabelOrigin = { ...fresh, source: "silver" };
    expect([0, 100, 200, 900].map((count) => labelWeight(silver, count))).toEqual([0.5, 0.25, 0, 0]);
    expect(labelWeight({ ...fresh, source: "review" }, 900)).toBe(1);
  });

  test("makes up for how rarely such an answer was picked, up to fifty times", () => {
    expect([1, 0.5, 0.02, 0.001, 0].map((propensity) => labelWeight({ ...fresh, propensity }, 0))).toEqual([
      1, 2, 50, 50, 50,
    ]);
  });

  test("stays between nothing and fifty", () => {
    const origin = fc.record({
      ageMs: fc.double({ min: -dayMs, max: 1e4 * dayMs, noNaN: true }),
      newerLabels: fc.nat(),
      source: fc.constantFrom("human", "verifier", "silver", "review"),
      propensity: fc.double({ min: 0, max: 1, noNaN: true }),
      weight: fc.double({ min: -1, max: 3, noNaN: true }),
    });
    fc.assert(
      fc.property(origin, fc.nat({ max: 1000 }), (each, trueLabels) => {
        const weight = labelWeight(each, trueLabels);
        expect(weight >= 0 && weight <= 50).toBe(true);
      }),
    );
  });
});
