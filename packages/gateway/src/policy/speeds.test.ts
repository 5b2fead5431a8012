import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Speeds } from "./speeds.ts";

function told(waits: readonly number[], more: { tokensPerS?: number } = {}): Speeds {
  const speeds = new Speeds();
  for (const firstContentMs of waits) speeds.note("a/m", { firstContentMs, ...more }, 0);
  return speeds;
}

describe("Speeds", () => {
  it("says nothing of fewer than twenty calls, nor of calls half an hour ago", () => {
    const waits = Array.from({ length: 20 }, (_, at) => at + 1);
    expect(told(waits.slice(1)).of("a/m", 0)).toBeUndefined();
    expect(told(waits).of("b/m", 0)).toBeUndefined();
    const speeds = told(waits);
    expect(speeds.of("a/m", 0)).toEqual({ p50Ms: 10, p95Ms: 19, calls: 20 });
    expect(speeds.of("a/m", 30 * 60_000)).toBeUndefined();
  });

  it("forgets all but the last two hundred calls", () => {
    const waits = [...Array.from({ length: 500 }, () => 9000), ...Array.from({ length: 200 }, () => 100)];
    expect(told(waits).of("a/m", 0)).toEqual({ p50Ms: 100, p95Ms: 100, calls: 200 });
  });

  it("knows the middle rate of tokens where enough calls had one", () => {
    const waits = Array.from({ length: 30 }, () => 5);
    expect(told(waits, { tokensPerS: 80 }).of("a/m", 0)).toMatchObject({ tokensPerS: 80 });
    expect(told(waits).of("a/m", 0)).not.toHaveProperty("tokensPerS");
  });

  it("gives the nearest-rank percentiles", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 20, maxLength: 200 }), (waits) => {
        const { p50Ms = -1, p95Ms = -1 } = told(waits).of("a/m", 0) ?? {};
        const notAbove = (value: number) => waits.filter((wait) => wait <= value).length;
        expect(notAbove(p50Ms)).toBeGreaterThanOrEqual(waits.length * 0.5);
        expect(waits.filter((wait) => wait < p50Ms).length).toBeLessThan(waits.length * 0.5);
        expect(notAbove(p95Ms)).toBeGreaterThanOrEqual(waits.length * 0.95);
        expect(waits.filter((wait) => wait < p95Ms).length).toBeLessThan(waits.length * 0.95);
      }),
    );
  });

  it("is up to date within ten calls or ten seconds", () => {
    const speeds = told(Array.from({ length: 100 }, () => 100));
    expect(speeds.of("a/m", 0)?.p95Ms).toBe(100);
    for (let call = 0; call < 9; call += 1) speeds.note("a/m", { firstContentMs: 900 }, 1);
    expect(speeds.of("a/m", 1)?.p95Ms).toBe(100);
    expect(speeds.of("a/m", 10_000)?.p95Ms).toBe(900);
  });

  it("remembers a bounded number of targets", () => {
    const speeds = told(Array.from({ length: 20 }, () => 1));
    for (let at = 0; at < 1024; at += 1) speeds.note(`t${at}/m`, { firstContentMs: 1 }, 0);
    expect(speeds.of("a/m", 0)).toBeUndefined();
  });
});
