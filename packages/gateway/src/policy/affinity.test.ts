import { describe, expect, it } from "vitest";
import { Affinity } from "./affinity.ts";

describe("Affinity", () => {
  it("knows who served last, until that is worth nothing any more", () => {
    const affinity = new Affinity();
    affinity.serve("s", "a/m", 100);
    affinity.serve("s", "b/m", 200);
    expect(affinity.servedBy("s", 199)).toBe("b/m");
    expect(affinity.servedBy("s", 200)).toBeUndefined();
    expect(affinity.servedBy("other", 0)).toBeUndefined();
  });

  it("forgets those that were unused for longest first, at ten thousand, a few at once", () => {
    const affinity = new Affinity();
    for (let at = 0; at < 10_000; at += 1) affinity.serve(`s${at}`, "a/m", 100);
    affinity.serve("s0", "a/m", 100);
    affinity.serve("new", "a/m", 100);
    expect(affinity.servedBy("s0", 0)).toBe("a/m");
    expect(affinity.servedBy("s1", 0)).toBeUndefined();
    expect(affinity.servedBy("s9999", 0)).toBe("a/m");
  });
});
