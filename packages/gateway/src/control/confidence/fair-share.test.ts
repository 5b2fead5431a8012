import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fairlyFirst, fairShare } from "./fair-share.ts";

describe("a fair share", () => {
  it("leaves alone who has little, and divides the rest evenly", () => {
    expect(fairShare([1000, 10, 20], 100)).toBe(70);
    expect(fairShare([1000, 1000], 100)).toBe(50);
    expect(fairShare([40, 60], 100)).toBe(Number.POSITIVE_INFINITY);
    expect(fairShare([], 0)).toBe(Number.POSITIVE_INFINITY);
  });

  it("fills the room, and no more of it", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1 }), fc.nat(2000), (amounts, room) => {
        const each = fairShare(amounts, room);
        const used = amounts.reduce((sum, amount) => sum + Math.min(amount, each), 0);
        const all = amounts.reduce((sum, amount) => sum + amount, 0);
        expect(used).toBeCloseTo(Math.min(all, room), 6);
      }),
    );
  });

  it("keeps the first rows of each, in their order", () => {
    const rows = "aaaaaabab".split("").map((caller, at) => ({ caller, at }));
    expect(fairlyFirst(rows, 5).map(({ at }) => at)).toEqual([0, 1, 2, 6, 8]);
    expect(fairlyFirst(rows, 9)).toBe(rows);
  });
});
