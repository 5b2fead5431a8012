import { describe, expect, it } from "vitest";
import { RecentlyUsed } from "./recently-used.ts";

describe("what was used of late", () => {
  it("is found, and found anew after it was set anew", () => {
    const kept = new RecentlyUsed<number>(3);
    kept.set("a", 1);
    kept.set("a", 2);
    expect([kept.use("a"), kept.peek("a"), kept.use("b"), kept.size]).toEqual([2, 2, undefined, 1]);
    kept.clear();
    expect([kept.use("a"), kept.size]).toEqual([undefined, 0]);
  });

  it("pushes out what was not used for longest; a look is no use", () => {
    const forgotten: number[] = [];
    const kept = new RecentlyUsed<number>(3, (value) => forgotten.push(value));
    for (const [key, value] of [
      ["a", 1],
      ["b", 2],
      ["c", 3],
    ] as const)
      kept.set(key, value);
    kept.use("a");
    kept.peek("b");
    kept.set("d", 4);
    expect([forgotten, kept.values()]).toEqual([[2], [1, 3, 4]]);
    kept.set("a", 5);
    kept.set("e", 6);
    expect([forgotten, kept.size]).toEqual([[2, 3], 3]);
  });

  it("is never more than the bound, and of many a few are forgotten at once", () => {
    const kept = new RecentlyUsed<number>(1_000);
    for (let at = 0; at < 5_000; at += 1) {
      kept.set(`k${at}`, at);
      expect(kept.size).toBeLessThanOrEqual(1_000);
    }
    expect(kept.size).toBeGreaterThan(980);
    expect([kept.peek("k4999"), kept.peek("k4100"), kept.peek("k3900")]).toEqual([4_999, 4_100, undefined]);
  });
});
