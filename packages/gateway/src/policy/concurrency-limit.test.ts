import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConcurrencyLimit } from "./concurrency-limit.ts";

interface Rounds {
  readonly rounds: number;
  readonly inFlight: number;
  readonly ms: number;
  readonly fromMs?: number;
}

/** Windows of ten calls a second. Returns the time after the last. */
function play(limit: ConcurrencyLimit, { rounds, inFlight, ms, fromMs = 0 }: Rounds): number {
  let nowMs = fromMs;
  for (let n = 0; n < rounds * 11; n += 1) {
    nowMs += 100;
    limit.sample(ms, inFlight, nowMs);
  }
  return nowMs;
}

describe("ConcurrencyLimit", () => {
  it("begins at 20 and holds nobody back before more than that was seen to wait", () => {
    const limit = new ConcurrencyLimit();
    expect(limit.calls).toBe(20);
    expect(limit.isReached(500)).toBe(false);
    play(limit, { rounds: 50, inFlight: 500, ms: 300 });
    expect(limit.calls).toBe(200);
    expect(limit.isReached(500)).toBe(false);
  });

  it("judges no fewer than ten calls of a second at least", () => {
    const limit = new ConcurrencyLimit();
    for (let n = 0; n < 9; n += 1) limit.sample(300, 20, n * 1_000);
    expect(limit.usualMs).toBe(0);
    limit.sample(300, 20, 9_000);
    expect(limit.usualMs).toBe(300);
    for (let n = 0; n < 200; n += 1) limit.sample(900, 20, 9_500);
    expect(limit.usualMs).toBe(300);
  });

  it("shrinks while first content comes half as late again as usual, and holds calls back then", () => {
    const limit = new ConcurrencyLimit();
    const nowMs = play(limit, { rounds: 40, inFlight: 40, ms: 300 });
    const before = limit.calls;
    play(limit, { rounds: 10, inFlight: 100, ms: 1_500, fromMs: nowMs });
    expect(limit.calls).toBeLessThan(before * 0.6);
    expect(limit.isReached(limit.calls)).toBe(true);
    expect(limit.isReached(limit.calls - 1)).toBe(false);
  });

  it("takes half as long again for no sign of anything", () => {
    const limit = new ConcurrencyLimit();
    const nowMs = play(limit, { rounds: 40, inFlight: 40, ms: 300 });
    const before = limit.calls;
    play(limit, { rounds: 10, inFlight: 40, ms: 440, fromMs: nowMs });
    expect(limit.calls).toBeGreaterThanOrEqual(before);
  });

  it("does not grow while less than half of it is used", () => {
    const limit = new ConcurrencyLimit();
    play(limit, { rounds: 100, inFlight: 9, ms: 300 });
    expect(limit.calls).toBe(20);
    play(limit, { rounds: 1, inFlight: 10, ms: 300, fromMs: 200_000 });
    expect(limit.calls).toBeGreaterThan(20);
  });

  it("gives up three tenths when told to slow down, once for many told in a moment, and rests half a minute", () => {
    const limit = new ConcurrencyLimit();
    const nowMs = play(limit, { rounds: 60, inFlight: 100, ms: 300 });
    for (let n = 0; n < 20; n += 1) limit.slowDown(100, nowMs);
    expect(limit.calls).toBe(70);
    const laterMs = play(limit, { rounds: 20, inFlight: 60, ms: 300, fromMs: nowMs });
    expect(limit.calls).toBe(70);
    play(limit, { rounds: 60, inFlight: 69, ms: 300, fromMs: laterMs + 10_000 });
    expect(limit.calls).toBeGreaterThan(85);
  });

  it("finds how many a provider serves at once, and stays near it", () => {
    // Thirty calls are served at once; each more waits its turn.
    const firstContentMs = (inFlight: number): number => 400 * Math.max(1, inFlight / 30);
    const limit = new ConcurrencyLimit();
    let nowMs = play(limit, { rounds: 60, inFlight: 20, ms: 400 });
    const seen: number[] = [];
    for (let round = 0; round < 300; round += 1) {
      const inFlight = limit.isReached(120) ? limit.calls : 120;
      nowMs = play(limit, { rounds: 1, inFlight, ms: firstContentMs(inFlight), fromMs: nowMs });
      if (round > 30) seen.push(limit.calls);
    }
    expect(Math.min(...seen)).toBeGreaterThan(15);
    expect(seen.reduce((sum, each) => sum + each, 0) / seen.length).toBeLessThan(75);
  });

  it("stays between 4 and 200 whatever it is shown", () => {
    const step = fc.record({
      ms: fc.integer({ min: 0, max: 600_000 }),
      inFlight: fc.integer({ min: 1, max: 2_000 }),
      gapMs: fc.nat(5_000),
      slow: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const limit = new ConcurrencyLimit();
        let nowMs = 0;
        for (const { ms, inFlight, gapMs, slow } of steps) {
          nowMs += gapMs;
          if (slow && ms % 50 === 0) limit.slowDown(inFlight, nowMs);
          else limit.sample(ms, inFlight, nowMs);
          expect(limit.calls).toBeGreaterThanOrEqual(4);
          expect(limit.calls).toBeLessThanOrEqual(200);
        }
      }),
    );
  });
});
