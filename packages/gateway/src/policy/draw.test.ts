import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PlannedTarget } from "#domain/plan";
import { drawOrder } from "./draw.ts";

/** `a3` has weight 3, `b` none. */
function targets(...written: readonly string[]): readonly PlannedTarget[] {
  return written.map((text) => {
    const weight = Number(text.slice(1));
    const target = { id: text, provider: text, model: "m", lastResort: false };
    return { target: weight > 0 ? { ...target, weight } : target, why: "as written" };
  });
}

const ids = (planned: readonly PlannedTarget[]): readonly string[] => planned.map(({ target }) => target.id);

describe("drawOrder", () => {
  it("gives each neighbour its share of the calls by weight", () => {
    const calls = 20_000;
    const first = new Map<string, number>();
    for (let call = 0; call < calls; call += 1) {
      const [one = ""] = ids(drawOrder(targets("a3", "b1"), `req_${call}`));
      first.set(one, (first.get(one) ?? 0) + 1);
    }
    // Of 20,000 draws at 3/4, 99.99 % lie within 4 standard deviations of 61.
    expect(Math.abs((first.get("a3") ?? 0) - 15_000)).toBeLessThan(245);
  });

  it("draws the same for the same session, whoever else is left out", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 3 }), (session, without) => {
        const all = targets("a3", "b1", "c2", "d5");
        const order = ids(drawOrder(all, session));
        expect(ids(drawOrder(all, session))).toEqual(order);
        const [gone] = ids(all.slice(without, without + 1));
        const rest = ids(drawOrder(all.toSpliced(without, 1), session));
        expect(rest).toEqual(order.filter((id) => id !== gone));
      }),
    );
  });

  it("moves nobody across a target without a weight", () => {
    fc.assert(
      fc.property(fc.string(), (seed) => {
        const order = ids(drawOrder(targets("a", "b1", "c9", "d", "e1", "f1"), seed));
        expect([order[0], order[3]]).toEqual(["a", "d"]);
        expect(order.slice(1, 3).toSorted()).toEqual(["b1", "c9"]);
        expect(order.slice(4).toSorted()).toEqual(["e1", "f1"]);
      }),
    );
  });

  it("stays as it is where nobody has a weight, and says the shares where nothing is drawn", () => {
    const plain = targets("a", "b");
    expect(drawOrder(plain, "seed")).toBe(plain);
    expect(drawOrder(targets("a3", "b1"), undefined).map(({ why }) => why)).toEqual([
      "gets 75 % of the calls by weight",
      "gets 25 % of the calls by weight",
    ]);
  });

  it("prefers whose cache may be warm among equals, and nobody else's", () => {
    const warm = (id: string) => drawOrder(targets("a", "b1", "c1"), "seed", () => id);
    expect(ids(warm("c1"))).toEqual(["a", "c1", "b1"]);
    expect(warm("c1")[1]?.why).toContain("its cache may be warm");
    expect(ids(warm("b1"))).toEqual(["a", "b1", "c1"]);
    expect(ids(warm("x"))[0]).toBe("a");
  });
});
