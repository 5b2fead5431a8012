import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyPriorities } from "#domain/gateway-key";
import { LagMeter, LoadShedding, type Pressure } from "./load-shedding.ts";

const calm: Pressure = { calls: 0, mostCalls: 100, lagMs: 0, mostLagMs: 1_000 };
const at = (more: Partial<Pressure>): Pressure => ({ ...calm, ...more });

describe("load shedding", () => {
  it.each([
    ["low", 80],
    ["normal", 95],
    ["high", 100],
  ] as const)("lets the class %s in up to %d of 100 calls", (priority, most) => {
    const shedding = new LoadShedding();
    expect(shedding.refuses(priority, at({ calls: most - 1 }))).toBeUndefined();
    expect(shedding.refuses(priority, at({ calls: most }))).toBe("calls");
  });

  it("lets a class in again only where there is a tenth of the bound less, and the high class as soon as a call ends", () => {
    const shedding = new LoadShedding();
    shedding.refuses("low", at({ calls: 80 }));
    expect(shedding.refuses("low", at({ calls: 70 }))).toBe("calls");
    expect(shedding.refuses("low", at({ calls: 69 }))).toBeUndefined();
    expect(shedding.refuses("low", at({ calls: 79 }))).toBeUndefined();
    shedding.refuses("high", at({ calls: 100 }));
    expect(shedding.refuses("high", at({ calls: 99 }))).toBeUndefined();
  });

  it.each(keyPriorities)("lets one call of the class %s in where one is the bound", (priority) => {
    const shedding = new LoadShedding();
    for (let round = 0; round < 3; round += 1) {
      expect(shedding.refuses(priority, at({ calls: 0, mostCalls: 1 }))).toBeUndefined();
      expect(shedding.refuses(priority, at({ calls: 1, mostCalls: 1 }))).toBe("calls");
    }
  });

  it("looks at how late the worker is and at its memory, where that is bounded", () => {
    const shedding = new LoadShedding();
    const full = { memoryBytes: 90, mostMemoryBytes: 100 };
    expect(shedding.refuses("low", at({ lagMs: 850 }))).toBe("lag");
    expect(shedding.refuses("normal", at({ lagMs: 850 }))).toBeUndefined();
    expect(shedding.refuses("low", at(full))).toBe("memory");
    expect(shedding.refuses("low", at({ ...full, memoryBytes: 75 }))).toBe("memory");
    expect(shedding.refuses("low", at({ ...full, memoryBytes: 69 }))).toBeUndefined();
    expect(shedding.refuses("high", at({ memoryBytes: 1e12 }))).toBeUndefined();
  });

  it("counts whom it refused and for what", () => {
    const shedding = new LoadShedding();
    for (let call = 0; call < 3; call += 1) shedding.refuses("low", at({ calls: 90 }));
    shedding.refuses("normal", at({ lagMs: 2_000 }));
    expect(shedding.counts).toEqual([
      { priority: "low", cause: "calls", calls: 3 },
      { priority: "normal", cause: "lag", calls: 1 },
    ]);
  });

  it("never refuses a class while it lets a lower one in, and never passes a bound", () => {
    const pressures = fc.array(
      fc.record({
        calls: fc.nat(30),
        mostCalls: fc.constant(20),
        lagMs: fc.nat(1_500),
        mostLagMs: fc.constant(1_000),
      }),
      { minLength: 1, maxLength: 60 },
    );
    fc.assert(
      fc.property(pressures, (seen) => {
        const shedding = new LoadShedding();
        for (const pressure of seen) {
          const [high, normal, low] = keyPriorities.map((each) => shedding.refuses(each, pressure) === undefined);
          expect(Number(high)).toBeGreaterThanOrEqual(Number(normal));
          expect(Number(normal)).toBeGreaterThanOrEqual(Number(low));
          if (pressure.calls >= 20 || pressure.lagMs >= 1_000) expect(high).toBe(false);
          if (pressure.calls < 14 && pressure.lagMs < 700) expect(low).toBe(true);
        }
      }),
    );
  });
});

describe("how late an event loop is", () => {
  it("grows with looks that are late one after another, and not with one pause, however long", () => {
    const meter = new LagMeter(100);
    meter.look(0, 1_000);
    meter.look(60_000, 1_000);
    expect(meter.lagMs).toBeLessThan(800);
    let nowMs = 60_000;
    for (let look = 0; look < 12; look += 1) meter.look((nowMs += 1_600), 1_000);
    expect(meter.lagMs).toBeGreaterThan(1_000);
    for (let look = 0; look < 20; look += 1) meter.look((nowMs += 100), 1_000);
    expect(meter.lagMs).toBeLessThan(10);
  });
});
