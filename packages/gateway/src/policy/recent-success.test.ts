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
    const after = [0, 1, 4, 12, 24].map((hours) => recent.outlook(hours * hourMs).failing);
    expect(after).toEqual(after.toSorted((a, b) => b - a));
    expect(after[3]).toBeLessThan(0.02);
    // What is usual of it now: the bad hour is a part of it.
    expect(after[4]).toBeLessThan(0.004);
  });

  test("halves the weight of few calls in two hours", () => {
    const recent = new RecentSuccess();
    for (let call = 0; call < 4; call += 1) recent.note(call === 0, 5 * hourMs);
    const { calls, failures } = recent.outlook(7 * hourMs);
    expect(calls).toBeGreaterThan(1.5);
    expect(calls).toBeLessThan(2);
    expect(failures / calls).toBeCloseTo(0.25, 10);
  });

  test("holds no more of an hour ago than twenty calls, however many they were", () => {
    const recent = new RecentSuccess();
    for (let call = 0; call < 10_000; call += 1) recent.note(false, 0);
    const { calls } = recent.outlook(hourMs);
    expect(calls).toBeGreaterThan(10);
    expect(calls).toBeLessThanOrEqual(20);
  });

  test("notices a bad hour as soon at any rate of calls", () => {
    for (const before of [20, 200, 2_000, 20_000]) {
      const recent = new RecentSuccess();
      for (let call = 0; call < before; call += 1) recent.note(false, (hourMs / before) * call);
      for (let call = 0; call < 20; call += 1) recent.note(true, 2 * hourMs);
      expect(recent.outlook(2 * hourMs).failing, `${before} calls before`).toBeGreaterThan(0.4);
    }
  });

  test("forgets as much in one step as in many", () => {
    const [one, many] = [new RecentSuccess(), new RecentSuccess()];
    for (const each of [one, many]) each.learn({ calls: 100, failures: 3 }, 0);
    for (const each of [one, many]) for (let call = 0; call < 300; call += 1) each.note(call < 60, hourMs);
    for (let minute = 61; minute <= 180; minute += 1) many.learn({ calls: 0, failures: 0 }, minute * 60_000);
    const [a, b] = [one.outlook(3 * hourMs), many.outlook(3 * hourMs)];
    expect(b.calls).toBeCloseTo(a.calls, 9);
    expect(b.failing).toBeCloseTo(a.failing, 9);
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
