import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ShareInterval } from "#domain/supply";
import { concentration, exposuresAt, type Exposure } from "#supply/concentration";

const of = (weight: number, shares: Readonly<Record<string, ShareInterval>>): Exposure => ({
  weight,
  shares: Object.entries(shares).map(([name, share]) => ({ name, share })),
});
const sureOf = (shares: Readonly<Record<string, number>>): readonly Exposure[] =>
  Object.entries(shares).map(([name, weight]) => of(weight, { [name]: [1, 1] }));

describe("concentration where every share is known", () => {
  it("is the sum of squares, and one over it the number of equal ones", () => {
    const { hhi, effective, unknown, top, exact } = concentration(sureOf({ grok: 40, claude: 40, gemini: 20 }));
    expect(hhi[0]).toBeCloseTo(0.36, 12);
    expect(hhi[1]).toBeCloseTo(0.36, 12);
    expect(effective[0]).toBeCloseTo(2.777_777, 5);
    expect([unknown, exact]).toEqual([0, true]);
    expect(top[0]).toBeCloseTo(0.4, 12);
  });

  it("is that of any shares", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 1, maxLength: 10 }),
        (weights) => {
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          const expected = weights.reduce((sum, weight) => sum + (weight / total) ** 2, 0);
          const { hhi } = concentration(weights.map((weight, at) => of(weight, { [`n${at}`]: [1, 1] })));
          expect(hhi[0]).toBeCloseTo(expected, 9);
          expect(hhi[1]).toBeCloseTo(expected, 9);
        },
      ),
    );
  });
});

describe("the worked example: Grok, Claude and Gemini, and what of them may hang on one owner", () => {
  const vendors = concentration(sureOf({ xai: 0.4, anthropic: 0.4, google: 0.2 }));
  const owners = concentration([
    of(0.4, { spacex: [1, 1] }),
    of(0.4, { spacex: [0, 1], "anthropic's others": [0, 1] }),
    of(0.2, { spacex: [0, 0.3], google: [0.7, 1] }),
  ]);

  it("looks like 2.8 vendors, and may be as few as 1.3 owners", () => {
    expect(vendors.hhi[1] * 10_000).toBeCloseTo(3600, 6);
    expect(vendors.effective[0]).toBeCloseTo(2.8, 1);
    expect(owners.members.find(({ name }) => name === "spacex")?.share[0]).toBeCloseTo(0.4, 12);
    expect(owners.members.find(({ name }) => name === "spacex")?.share[1]).toBeCloseTo(0.86, 12);
    expect(owners.hhi[0] * 10_000).toBeCloseTo(3600, 6);
    // 0.86² + 0.14²
    expect(owners.hhi[1] * 10_000).toBeCloseTo(7592, 6);
    expect(owners.effective[0]).toBeCloseTo(1.3, 1);
    expect(owners.effective[1]).toBeCloseTo(2.8, 1);
    expect(owners.exact).toBe(true);
  });
});

describe("what nobody is named for", () => {
  it("may be one stranger, anybody else, or many", () => {
    const { hhi, unknown, effective, members } = concentration([of(0.5, { aws: [1, 1] }), of(0.5, {})]);
    expect(unknown).toBeCloseTo(0.5, 12);
    expect(hhi[0]).toBeCloseTo(0.25, 12);
    expect(hhi[1]).toBeCloseTo(1, 12);
    expect(effective).toEqual([1, 4]);
    expect(members).toEqual([{ name: "aws", share: [0.5, 0.5] }]);
  });

  it("is not whoever has a most that is reached", () => {
    const { hhi, unknown } = concentration([of(0.6, { aws: [1, 1] }), of(0.4, { aws: [0, 0.25] })]);
    expect(unknown).toBeCloseTo(0.3, 12);
    expect(hhi[1]).toBeCloseTo(0.7 ** 2 + 0.3 ** 2, 12);
    expect(hhi[0]).toBeCloseTo(0.7 ** 2, 12);
  });

  it("makes the number of them endless where nobody is named at all", () => {
    expect(concentration([of(1, {})])).toMatchObject({ hhi: [0, 1], effective: [1, Number.POSITIVE_INFINITY] });
    expect(concentration([])).toMatchObject({ hhi: [0, 0], members: [] });
  });
});

/** Ways to give one exposure's mass to the names: corners of what is allowed, and mixtures of them. */
function fillings({ shares }: Exposure, orders: readonly (readonly number[])[]): readonly (readonly number[])[] {
  return orders.map((order) => {
    const filled = shares.map(({ share }) => share[0]);
    let left = 1 - filled.reduce((sum, share) => sum + share, 0);
    for (const at of order) {
      const interval = shares[at]?.share ?? [0, 0];
      const more = Math.min(left, interval[1] - interval[0]);
      filled[at] = (filled[at] ?? 0) + more;
      left -= more;
    }
    return filled;
  });
}

const orders = (size: number): readonly (readonly number[])[] =>
  size === 0
    ? [[]]
    : orders(size - 1).flatMap((order) =>
        Array.from({ length: size }, (_, at) => [...order.slice(0, at), size - 1, ...order.slice(at)]),
      );

const names = ["a", "b", "c"];

/** Three names whose shares can add up to one. */
const arbitraryExposure = fc
  .tuple(
    fc.integer({ min: 1, max: 10 }),
    fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 10 })), { minLength: 3, maxLength: 3 }),
  )
  .map(([weight, parts]) => {
    const shares = parts.map(([least, more]): ShareInterval => [least / 10, Math.min(1, (least + more) / 10)]);
    const most = shares.reduce((sum, share) => sum + share[1], 0);
    const wide = most < 1 ? shares.map(([least]): ShareInterval => [least, 1]) : shares;
    return of(weight, Object.fromEntries(names.map((name, at) => [name, wide[at] ?? [0, 1]])));
  });

describe("the bounds of unknown shares", () => {
  it("are the greatest of all corners, which are tried one by one here", () => {
    fc.assert(
      fc.property(fc.array(arbitraryExposure, { minLength: 1, maxLength: 3 }), (exposures) => {
        const total = exposures.reduce((sum, { weight }) => sum + weight, 0);
        let sums: (readonly number[])[] = [[0, 0, 0]];
        for (const exposure of exposures) {
          const corners = fillings(exposure, orders(3));
          sums = sums.flatMap((sum) =>
            corners.map((corner) => sum.map((mass, at) => mass + (exposure.weight / total) * (corner[at] ?? 0))),
          );
        }
        const squares = sums.map((sum) => sum.reduce((all, mass) => all + mass * mass, 0));
        const found = concentration(exposures);
        expect(found.hhi[1]).toBeCloseTo(Math.max(...squares), 9);
        expect(found.top[1]).toBeCloseTo(Math.max(...sums.flat()), 9);
        expect(found.exact).toBe(true);
      }),
    );
  });

  it("are the least of all mixtures, which descent step by step finds here", () => {
    fc.assert(
      fc.property(fc.array(arbitraryExposure, { minLength: 1, maxLength: 3 }), (exposures) => {
        const total = exposures.reduce((sum, { weight }) => sum + weight, 0);
        // Pairwise exchange: what can be moved from a larger name to a smaller one is moved, until nothing helps.
        const filled = exposures.map((exposure) => [...(fillings(exposure, [[0, 1, 2]])[0] ?? [])]);
        const massOf = (at: number) =>
          exposures.reduce((sum, { weight }, row) => sum + (weight / total) * (filled[row]?.[at] ?? 0), 0);
        for (let round = 0; round < 400; round += 1) {
          for (const [row, { weight, shares }] of exposures.entries()) {
            for (const [from, to] of [
              [0, 1],
              [1, 0],
              [0, 2],
              [2, 0],
              [1, 2],
              [2, 1],
            ] as const) {
              const share = filled[row];
              if (share === undefined) continue;
              const even = (massOf(from) - massOf(to)) / 2 / (weight / total);
              const room = Math.min(
                (share[from] ?? 0) - (shares[from]?.share[0] ?? 0),
                (shares[to]?.share[1] ?? 0) - (share[to] ?? 0),
              );
              const moved = Math.max(0, Math.min(even, room));
              share[from] = (share[from] ?? 0) - moved;
              share[to] = (share[to] ?? 0) + moved;
            }
          }
        }
        const squares = [0, 1, 2].reduce((sum, at) => sum + massOf(at) ** 2, 0);
        expect(concentration(exposures).hhi[0]).toBeCloseTo(squares, 5);
      }),
      { numRuns: 60 },
    );
  });

  it("still hold, if wider, where there are too many names to go through", () => {
    const many = Array.from({ length: 40 }, (_, at) =>
      of(1, { [`n${at}`]: [0.5, 1], [`n${(at + 1) % 40}`]: [0, 0.5] }),
    );
    const { hhi, exact, members } = concentration(many);
    expect(exact).toBe(false);
    expect(members).toHaveLength(40);
    expect(hhi[0]).toBeLessThanOrEqual(1 / 40 + 1e-9);
    // Every second name takes all it can.
    const most = 20 * (1.5 / 40) ** 2 + 20 * (0.5 / 40) ** 2;
    expect(hhi[1]).toBeGreaterThanOrEqual(most - 1e-9);
  });
});

describe("exposures", () => {
  it("are taken of one kind of group", () => {
    const groups = [
      { kind: "operator", name: "aws", share: [1, 1], status: "fact" },
      { kind: "owner", name: "aws", share: [0, 1], status: "report" },
    ] as const;
    expect(exposuresAt("owner", [{ weight: 3, groups }])).toEqual([
      { weight: 3, shares: [{ name: "aws", share: [0, 1] }] },
    ]);
    expect(exposuresAt("chip", [{ weight: 3, groups }])).toEqual([{ weight: 3, shares: [] }]);
  });

  it("that contradict each other share what there is", () => {
    const { hhi } = concentration([of(1, { a: [1, 1], b: [1, 1] })]);
    expect(hhi[0]).toBeCloseTo(0.5, 12);
    expect(hhi[1]).toBeCloseTo(0.5, 12);
  });
});
