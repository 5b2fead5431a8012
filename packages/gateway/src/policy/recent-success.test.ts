import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { RecentSuccess } from "./recent-success.ts";

const hourMs = 60 * 60_000;

describe("how often a target fails of late", () => {
  test("is a guess of one in fifty before anything is known", () => {
    expect(new RecentSuccess().outlook(0)).toEqual({ calls: 0, failures: 0, failing: 0.02 });
  });

  test("follows a bad hour within tens of calls, whatever the record before", () => {
    const recent = new RecentSuccess();
    recent.learn({ calls: 10_000, failures: 10 }, 0);
    expect(recent.outlook(0).failing).toBeCloseTo(0.001, 4);
    for (let call = 0; call < 20; call += 1) recent.note(true, hourMs);
    expect(recent.outlook(hourMs).failing).toBeGreaterThan(0.6);
  });

  test("goes back to what is usual when nobody asks any more", () => {
    const recent = new RecentSuccess();
    recent.learn({ calls: 10_000, failures: 10 }, 0);
    for (let call = 0; call < 20; call += 1) recent.note(true, 0);
    const after = [0, 1, 4, 12].map((hours) => recent.outlook(hours * hourMs).failing);
    expect(after).toEqual(after.toSorted((a, b) => b - a));
    expect(after[3]).toBeLessThan(0.01);
  });

  test("halves the weight of a call in an hour", () => {
    const recent = new RecentSuccess();
    recent.note(true, 5 * hourMs);
    const { calls, failures } = recent.outlook(6 * hourMs);
    expect([calls, failures]).toEqual([0.5, 0.5]);
  });

  test("does not get lighter by a clock that stands still or goes back", () => {
    const recent = new RecentSuccess();
    recent.note(true, hourMs);
    recent.note(false, hourMs - 1);
    expect(recent.outlook(0).calls).toBe(2);
  });

  test("stays a probability for any history", () => {
    const step = fc.record({ failed: fc.boolean(), sinceMs: fc.nat({ max: 30 * 24 * hourMs }) });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const recent = new RecentSuccess();
        let nowMs = 0;
        for (const { failed, sinceMs } of steps) recent.note(failed, (nowMs += sinceMs));
        const { failing, calls, failures } = recent.outlook(nowMs);
        expect(failing).toBeGreaterThan(0);
        expect(failing).toBeLessThan(1);
        expect(failures).toBeLessThanOrEqual(calls);
      }),
    );
  });
});
