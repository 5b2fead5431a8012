import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { goalLine } from "../../bench/goal.ts";
import { workersFor } from "../../bench/open-streams.ts";
import { arrivalMs, quantile } from "../../bench/open-loop.ts";
import { figure } from "../../bench/report.ts";
import { inTurn } from "../../bench/growth.ts";
import { endWatch, stampsIn } from "../../bench/stream-load.ts";

describe("arrivals of an open loop", () => {
  it("are as many a second as was said, at even distances, however long it runs", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 1, max: 1_000 }), (perSecond, second) => {
        expect(arrivalMs(0, perSecond)).toBe(0);
        expect(arrivalMs(perSecond * second, perSecond)).toBe(second * 1000);
        const gap = arrivalMs(perSecond * second + 1, perSecond) - arrivalMs(perSecond * second, perSecond);
        expect(gap).toBeCloseTo(1000 / perSecond, 6);
      }),
    );
  });
});

describe("a quantile", () => {
  it("is one of the numbers, with no fewer than its share at or below it", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer(), { minLength: 1 }),
        fc.integer({ min: 1, max: 1_000 }).map((q) => q / 1_000),
        (numbers, q) => {
          const sorted = numbers.toSorted((a, b) => a - b);
          const found = quantile(sorted, q);
          expect(sorted).toContain(found);
          const below = sorted.filter((each) => each <= found).length;
          expect(below).toBeGreaterThanOrEqual(q * sorted.length - 1e-6);
        },
      ),
    );
  });
});

describe("stamps in a stream", () => {
  it("are read wherever the bytes are cut, but never half of one", () => {
    const text = 'data: {"content":" @1234567 of an answer"}\n\ndata: {"content":" @89 of an answer"}\n\n';
    for (let cut = 0; cut <= text.length; cut += 1) {
      const found = [text.slice(0, cut), text.slice(cut)].flatMap((each) => stampsIn(Buffer.from(each)));
      expect([1_234_567, 89]).toEqual(expect.arrayContaining([...found]));
    }
    expect(stampsIn(Buffer.from(text))).toEqual([1_234_567, 89]);
  });
});

describe("the end of a stream", () => {
  const text = Buffer.from('data: {"content":" @89 of an answer"}\n\ndata: [DONE]\n\n');

  it("is seen however the bytes are cut, once it is whole, and from then on", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: text.length }), { maxLength: 12 }), (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), text.length];
        const isEnd = endWatch();
        for (const [index, from] of at.slice(0, -1).entries()) {
          const to = at[index + 1] ?? 0;
          expect(isEnd(text.subarray(from, to))).toBe(to >= text.indexOf("[DONE]") + "[DONE]".length);
        }
      }),
    );
  });

  it("is not seen in a stream that breaks off in it", () => {
    const isEnd = endWatch();
    expect(["data: [DO", "data: [", "DONE"].map((piece) => isEnd(Buffer.from(piece)))).toEqual([false, false, false]);
  });
});

describe("keys and routes by turns", () => {
  it("are all used in so many calls as there are keys, wherever a round begins", () => {
    const used = { keys: 10_000, routes: 1_000 };
    for (const first of [0, 6_000, 123_457]) {
      const calls = Array.from({ length: used.keys }, (_, at) => inTurn(used, first + at));
      expect(new Set(calls.map(({ key }) => key)).size).toBe(used.keys);
      expect(new Set(calls.slice(0, used.routes).map(({ route }) => route)).size).toBe(used.routes);
    }
    expect(inTurn({ keys: 1, routes: 1 }, 77)).toEqual({ key: 0, route: 0 });
  });
});

describe("workers for open streams", () => {
  it("have descriptors for two sockets of each stream and for themselves", () => {
    expect(workersFor(10_000, 65_536)).toBe(1);
    expect(workersFor(10_000, 20_000)).toBe(2);
    expect(workersFor(10_000, 1_024)).toBe(39);
  });
});

describe("a goal", () => {
  it.each([
    [[1.5, 1.9, 9], "met (1.90)"],
    [[2, 2, 2], "missed (2.00)"],
    [[], "not measured"],
  ])("of less than 2 with %j is %s", (numbers, how) => {
    expect(goalLine("added p99, ms,", figure(numbers), 2)).toBe(`goal: added p99, ms, below 2: ${how}`);
  });
});
