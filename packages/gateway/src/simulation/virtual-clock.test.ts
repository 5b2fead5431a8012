import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "./virtual-clock.ts";

describe("VirtualClock", () => {
  it("fires timers by due time, and in the order they were set where due together", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 30 }), (delays) => {
        const clock = new VirtualClock();
        const fired: { delay: number; index: number; atMs: number }[] = [];
        for (const [index, delay] of delays.entries()) {
          clock.timer(delay, () => fired.push({ delay, index, atMs: clock.nowMs() }));
        }
        clock.advance(20);
        const expected = delays.map((delay, index) => ({ delay, index, atMs: delay }));
        expect(fired).toEqual(expected.toSorted((a, b) => a.delay - b.delay || a.index - b.index));
        expect(clock.pending).toBe(0);
      }),
    );
  });

  it("stands still until it is moved, and fires nothing that is not due or was cancelled", () => {
    const clock = new VirtualClock(1_000);
    const fired: string[] = [];
    clock.timer(10, () => fired.push("late"));
    clock.timer(5, () => fired.push("cancelled"))();
    clock.advance(9);
    expect({ fired, nowMs: clock.nowMs(), wallMs: clock.wallMs() }).toEqual({ fired: [], nowMs: 9, wallMs: 1_009 });
    expect(clock.pending).toBe(1);
  });

  it("fires in the same advance what a firing timer sets, where it falls due", () => {
    const clock = new VirtualClock();
    const fired: number[] = [];
    const tick = (): void => {
      fired.push(clock.nowMs());
      clock.timer(3, tick);
    };
    clock.timer(3, tick);
    clock.advance(10);
    expect(fired).toEqual([3, 6, 9]);
    expect(clock.nowMs()).toBe(10);
  });

  it("lets promises run between timers when asked to", async () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    const sleep = (ms: number): Promise<void> =>
      new Promise((resolve) => {
        clock.timer(ms, resolve);
      });
    void (async () => {
      for (let times = 0; times < 3; times += 1) {
        await sleep(4);
        seen.push(clock.nowMs());
      }
    })();
    await clock.advanceAsync(12);
    expect(seen).toEqual([4, 8, 12]);
  });
});
