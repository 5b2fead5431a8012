import { describe, expect, it } from "vitest";
import { failure } from "#domain/failure";
import { Health, type Place } from "./health.ts";

const place: Place = { provider: "a", model: "m", credential: "a#1" };
const other: Place = { provider: "a", model: "m", credential: "a#2" };
const fault = failure("upstream_failed", "500");

function until(health: Health, at: Place, nowMs: number): number | undefined {
  const state = health.readiness(at, nowMs);
  return state.kind === "parked" ? state.untilMs : undefined;
}

describe("Health", () => {
  it("opens at the fifth hard failure in a row and lets a probe through after a second", () => {
    const health = new Health();
    for (let n = 0; n < 4; n += 1) health.failed(place, fault, 0);
    expect(health.readiness(place, 0).kind).toBe("ready");
    health.failed(place, fault, 0);
    expect(until(health, place, 0)).toBe(1_000);
    expect(health.readiness(place, 1_000).kind).toBe("ready");
  });

  it("lets one probe at a time through, and frees its slot at first content without clearing the count", () => {
    const health = new Health();
    for (let n = 0; n < 5; n += 1) health.failed(place, fault, 0);
    health.begin(place, 0);
    expect(health.readiness(place, 5_000).kind).toBe("parked");
    health.release(place);
    expect(health.readiness(place, 5_000).kind).toBe("ready");
    health.failed(place, fault, 5_000);
    expect(until(health, place, 5_000)).toBe(7_000);
  });

  it("never leaks the probe slot on a rate limit", () => {
    const health = new Health();
    for (let n = 0; n < 5; n += 1) health.failed(place, fault, 0);
    health.begin(place, 0);
    health.failed(place, failure("rate_limited", "429", { retryAfterMs: 3_000 }), 2_000);
    expect(until(health, place, 2_000)).toBe(5_000);
    expect(health.readiness(place, 5_000).kind).toBe("ready");
  });

  it("clears everything at a clean end and only then", () => {
    const health = new Health();
    for (let n = 0; n < 4; n += 1) health.failed(place, fault, 0);
    health.release(place);
    health.failed(place, fault, 0);
    expect(health.readiness(place, 0).kind).toBe("parked");
    health.succeeded(place, 0);
    expect(health.readiness(place, 0).kind).toBe("ready");
  });

  it("parks one credential for one model on a rate limit, and leaves its other models and other credentials", () => {
    const health = new Health();
    health.failed(place, failure("rate_limited", "429", { retryAfterMs: 3_000 }), 0);
    expect(until(health, place, 0)).toBe(3_000);
    expect(health.readiness(other, 0).kind).toBe("ready");
    expect(health.readiness({ ...place, model: "n" }, 0).kind).toBe("ready");
  });

  it("parks a whole credential whose account is dead, and doubles the wait", () => {
    const health = new Health();
    health.failed(place, failure("quota_exhausted", "no credit"), 0);
    expect(until(health, { ...place, model: "n" }, 0)).toBe(600_000);
    health.failed(place, failure("quota_exhausted", "no credit"), 600_000);
    expect(until(health, place, 600_000)).toBe(1_800_000);
  });

  it("waits 5, 10, 20, 40 and then 60 seconds after rate limits that name no time", () => {
    const health = new Health();
    const waits: number[] = [];
    let nowMs = 0;
    for (let n = 0; n < 6; n += 1) {
      health.failed(place, failure("rate_limited", "429"), nowMs);
      const untilMs = until(health, place, nowMs) ?? 0;
      waits.push(untilMs - nowMs);
      nowMs = untilMs;
    }
    expect(waits).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  });

  it("extends a wait and never shortens it", () => {
    const health = new Health();
    health.failed(place, failure("rate_limited", "429", { retryAfterMs: 30_000 }), 0);
    health.failed(place, failure("rate_limited", "429", { retryAfterMs: 1_000 }), 0);
    expect(until(health, place, 0)).toBe(30_000);
  });

  it("is not moved by what the caller did wrong", () => {
    const health = new Health();
    for (let n = 0; n < 100; n += 1) health.failed(place, failure("upstream_rejected", "400"), 0);
    expect(health.readiness(place, 0).kind).toBe("ready");
  });

  it("keeps a bounded number of scopes", () => {
    const health = new Health();
    for (let n = 0; n < 10_000; n += 1) {
      health.failed({ ...place, credential: `c${n}` }, failure("quota_exhausted", "x"), 0);
    }
    expect(health.readiness({ ...place, credential: "c0" }, 0).kind).toBe("ready");
    expect(health.readiness({ ...place, credential: "c9999" }, 0).kind).toBe("parked");
  });
});

describe("Health under concurrent calls", () => {
  const limited = failure("rate_limited", "429", { retryAfterMs: 30_000 });

  it("opens once, however many calls in flight fail in the same moment", () => {
    const health = new Health();
    for (let n = 0; n < 50; n += 1) health.failed(place, fault, 0);
    expect(until(health, place, 0)).toBe(1_000);
  });

  it("takes many refusals of one moment for one, and doubles no wait for them", () => {
    const health = new Health();
    for (let n = 0; n < 50; n += 1) health.failed(place, failure("rate_limited", "429"), 0);
    expect(until(health, place, 0)).toBe(5_000);
    const dead = new Health();
    for (let n = 0; n < 50; n += 1) dead.failed(place, failure("credential_rejected", "401"), 0);
    expect(until(dead, place, 0)).toBe(600_000);
  });

  it("keeps a provider's wait though a call that was sent before it ends well", () => {
    const health = new Health();
    health.failed(place, limited, 0);
    health.succeeded(place, 1);
    expect(until(health, place, 1)).toBe(30_000);
    health.succeeded(place, 30_000);
    health.failed(place, failure("rate_limited", "429"), 30_000);
    expect(until(health, place, 30_000)).toBe(35_000);
  });

  it("forgets the scopes that were quiet for longest, not those still in trouble", () => {
    const health = new Health();
    const others = (from: number): void => {
      for (let n = 0; n < 4000; n += 1) health.failed({ ...place, credential: `c${from + n}` }, limited, 0);
    };
    health.failed(place, limited, 0);
    others(0);
    health.failed(place, limited, 0);
    others(4000);
    expect(health.readiness(place, 0).kind).toBe("parked");
  });
});

describe("Health of what fails slowly", () => {
  const late = failure("first_byte_timeout", "late");

  /** Calls one after another, each sent and ended within `everyMs`. */
  function play(health: Health, outcomes: readonly boolean[], everyMs: number): number {
    let nowMs = 0;
    for (const good of outcomes) {
      health.begin(place, nowMs);
      nowMs += everyMs;
      if (good) health.succeeded(place, nowMs);
      else health.failed(place, late, nowMs);
    }
    return nowMs;
  }
  const times = (count: number, good: boolean): boolean[] => Array.from({ length: count }, () => good);

  it("opens where more than half of at least twenty calls of two minutes failed, though none of them hard", () => {
    const few = new Health();
    expect(few.readiness(place, play(few, times(19, false), 100)).kind).toBe("ready");
    const many = new Health();
    expect(until(many, place, play(many, times(20, false), 100))).toBe(3_000);
    const half = new Health();
    expect(half.readiness(place, play(half, [...times(20, true), ...times(20, false)], 100)).kind).toBe("ready");
  });

  it("counts a call when it is sent: calls that still run are calls", () => {
    const health = new Health();
    for (let n = 0; n < 60; n += 1) health.begin(place, 0);
    for (let n = 0; n < 20; n += 1) health.failed(place, late, 0);
    expect(health.readiness(place, 0).kind).toBe("ready");
  });

  it("forgets what is older than two minutes", () => {
    const health = new Health();
    for (let n = 0; n < 19; n += 1) {
      health.begin(place, 0);
      health.failed(place, late, 0);
    }
    health.begin(place, 130_000);
    health.failed(place, late, 130_000);
    expect(health.readiness(place, 130_000).kind).toBe("ready");
  });

  it("opens again for longer where the probe fails as well, and starts anew after one that ends well", () => {
    const health = new Health();
    const openedAtMs = play(health, times(20, false), 100);
    const probeAtMs = openedAtMs + 1_000;
    expect(health.readiness(place, probeAtMs).kind).toBe("ready");
    health.begin(place, probeAtMs);
    health.failed(place, late, probeAtMs);
    expect(until(health, place, probeAtMs)).toBe(probeAtMs + 2_000);
    health.begin(place, probeAtMs + 2_000);
    health.succeeded(place, probeAtMs + 2_000);
    health.begin(place, probeAtMs + 2_000);
    health.failed(place, late, probeAtMs + 2_000);
    expect(health.readiness(place, probeAtMs + 2_000).kind).toBe("ready");
  });
});
