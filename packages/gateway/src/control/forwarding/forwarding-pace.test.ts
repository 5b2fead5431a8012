import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { endOf, ForwardingPace } from "./forwarding-pace.ts";

describe("How records are forwarded", () => {
  it("takes a status of the content for a refusal, and everything else that is no success for a failure", () => {
    expect(endOf(204)).toEqual({ kind: "taken" });
    for (const status of [400, 413, 422]) expect(endOf(status)).toEqual({ kind: "refused", status });
    for (const status of [301, 401, 403, 404, 429, 500, 503]) expect(endOf(status).kind).toBe("failed");
  });

  it("waits longer after each failure, up to five minutes, and at least as long as the collector asks", () => {
    const pace = new ForwardingPace();
    const waits = Array.from({ length: 12 }, () => pace.after({ kind: "failed", why: "down" }, 10, 1).waitMs);
    expect(waits.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(waits.at(-1)).toBe(300_000);
    pace.after({ kind: "taken" }, 10, 1);
    expect(pace.after({ kind: "failed", why: "down" }, 10, 0).waitMs).toBe(500);
    expect(pace.after({ kind: "failed", why: "busy", waitMs: 60_000 }, 10, 0).waitMs).toBe(60_000);
    expect(pace.after({ kind: "failed", why: "busy", waitMs: 9e9 }, 10, 0).waitMs).toBe(300_000);
  });

  it("finds the records that a collector refuses, sets those aside and no other, and keeps the order of the rest", () => {
    const input = fc.record({
      records: fc.integer({ min: 1, max: 60 }),
      bad: fc.array(fc.integer({ min: 0, max: 59 }), { maxLength: 4 }),
      batch: fc.integer({ min: 1, max: 50 }),
      down: fc.array(fc.boolean(), { maxLength: 30 }),
    });
    fc.assert(
      fc.property(input, ({ records, bad, batch, down }) => {
        const pace = new ForwardingPace();
        let waiting = Array.from({ length: records }, (_, at) => at);
        const taken: number[] = [];
        const aside: number[] = [];
        for (let turn = 0; waiting.length > 0; turn += 1) {
          expect(turn).toBeLessThan(2_000);
          const post = waiting.slice(0, pace.batchOf(batch));
          const status = down[turn] === true ? 503 : post.some((each) => bad.includes(each)) ? 400 : 200;
          const then = pace.after(endOf(status), post.length, 0.5);
          if (then.take) taken.push(...post);
          if (then.aside) aside.push(...post);
          if (then.take || then.aside) waiting = waiting.filter((each) => !post.includes(each));
        }
        expect(aside).toEqual([...new Set(bad)].filter((each) => each < records).toSorted((a, b) => a - b));
        expect(taken).toEqual(Array.from({ length: records }, (_, at) => at).filter((each) => !bad.includes(each)));
      }),
    );
  });
});
