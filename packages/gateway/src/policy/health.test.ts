import { describe, expect, it } from "vitest";
import { failure, type FailureKind } from "#domain/failure";
import { Health, type Place } from "./health.ts";
import type { Readiness } from "./readiness.ts";
import type { Visit } from "./visit.ts";

const place: Place = { provider: "a", model: "m", credential: "a#1" };
const other: Place = { provider: "a", model: "m", credential: "a#2" };
const fault = failure("upstream_failed", "500");
const limited = failure("rate_limited", "429");
const middle = 0.5;

function parking(health: Health, at: Place, nowMs: number): Extract<Readiness, { kind: "parked" }> | undefined {
  const state = health.readiness(at, nowMs);
  return state.kind === "parked" ? state : undefined;
}

const until = (health: Health, at: Place, nowMs: number): number | undefined => parking(health, at, nowMs)?.untilMs;
const isReady = (health: Health, at: Place, nowMs: number): boolean => health.readiness(at, nowMs).kind === "ready";

function open(at = place, nowMs = 0): Health {
  const health = new Health();
  for (let n = 0; n < 5; n += 1) health.failed(at, fault, nowMs);
  return health;
}

describe("Health: a breaker for each scope", () => {
  it("opens at the fifth hard failure in a row and lets a probe through after a second", () => {
    const health = new Health();
    for (let n = 0; n < 4; n += 1) health.failed(place, fault, 0);
    expect(isReady(health, place, 0)).toBe(true);
    health.failed(place, fault, 0);
    expect(parking(health, place, 0)).toMatchObject({ untilMs: 1_000, by: "open", cause: "upstream_failed" });
    expect(isReady(health, place, 1_000)).toBe(true);
  });

  it("doubles an opening each time the probe fails, to a minute at most", () => {
    const health = open();
    const waits: number[] = [];
    let nowMs = 1_000;
    for (let n = 0; n < 8; n += 1) {
      health.begin(place, nowMs).failed(fault, nowMs, middle);
      const untilMs = until(health, place, nowMs) ?? 0;
      waits.push(untilMs - nowMs);
      nowMs = untilMs;
    }
    expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it("spreads openings by a fifth to either side, as chance has it", () => {
    const waits = [0, 1].map((chance) => {
      const health = new Health();
      for (let n = 0; n < 5; n += 1) health.begin(place, 0).failed(fault, 0, chance);
      return until(health, place, 0);
    });
    expect(waits).toEqual([800, 1_200]);
  });

  it("lets one probe at a time through, frees its slot at first content and keeps the count", () => {
    const health = open();
    const probe = health.begin(place, 5_000);
    expect(parking(health, place, 5_000)).toMatchObject({ by: "probing", why: expect.stringContaining("tried") });
    probe.content(5_100);
    expect(isReady(health, place, 5_100)).toBe(true);
    probe.failed(fault, 5_200, middle);
    expect(until(health, place, 5_200)).toBe(7_200);
  });

  it("does not free a probe's slot for a call that was sent before", () => {
    const health = new Health();
    const old = health.begin(place, 0);
    for (let n = 0; n < 5; n += 1) health.failed(place, fault, 0);
    health.begin(place, 1_000);
    old.content(1_100);
    old.left();
    expect(parking(health, place, 1_100)?.by).toBe("probing");
  });

  it.each<[string, (probe: Visit) => void]>([
    ["its client leaves", (probe) => probe.left()],
    ["the caller's request was at fault", (probe) => probe.failed(failure("upstream_rejected", "400"), 1_500, 0)],
    ["the whole time was up", (probe) => probe.failed(failure("total_timeout", "late"), 1_500, 0)],
  ])("gives the slot back without a verdict where %s", (_what, end) => {
    const health = open();
    end(health.begin(place, 1_500));
    expect(isReady(health, place, 1_500)).toBe(true);
    health.begin(place, 1_500).failed(fault, 1_500, middle);
    expect(until(health, place, 1_500)).toBe(3_500);
  });

  it("clears the count at a clean end and only then", () => {
    const health = new Health();
    for (let n = 0; n < 4; n += 1) health.failed(place, fault, 0);
    health.begin(place, 0).content(0);
    health.begin(place, 0).left();
    health.failed(place, fault, 0);
    expect(isReady(health, place, 0)).toBe(false);
    health.begin(place, 1_000).succeeded(1_000);
    for (let n = 0; n < 4; n += 1) health.failed(place, fault, 1_000);
    expect(isReady(health, place, 1_000)).toBe(true);
  });

  it("is not closed by the end of a call that was sent before it opened", () => {
    const health = new Health();
    const stream = health.begin(place, 0);
    for (let n = 0; n < 5; n += 1) health.failed(place, fault, 10);
    stream.succeeded(20);
    expect(until(health, place, 20)).toBe(1_010);
    const late = health.begin(place, 1_010);
    late.succeeded(1_020);
    expect(isReady(health, place, 1_020)).toBe(true);
  });

  it("does not open for longer because calls sent before the opening fail after it", () => {
    const health = new Health();
    const slow = [1, 2, 3].map(() => health.begin(place, 0));
    for (let n = 0; n < 5; n += 1) health.failed(place, fault, 0);
    for (const each of slow) each.failed(fault, 1_500, middle);
    expect(isReady(health, place, 1_500)).toBe(true);
  });

  it("is not opened by a probe that fails after another call has closed it", () => {
    const health = open();
    const early = health.begin(place, 500);
    const probe = health.begin(place, 1_000);
    early.succeeded(1_200);
    probe.failed(failure("first_byte_timeout", "late"), 1_300, middle);
    expect(isReady(health, place, 1_300)).toBe(true);
  });

  it("gives each opening a probe of its own: one that still runs from before blocks nobody", () => {
    const health = open();
    const slow = health.begin(place, 1_000);
    for (let n = 0; n < 5; n += 1) health.failed(place, fault, 1_500);
    expect(isReady(health, place, 3_500)).toBe(true);
    slow.failed(fault, 3_500, middle);
    expect(isReady(health, place, 3_500)).toBe(true);
  });

  it("opens once, however many calls in flight fail in the same moment", () => {
    const health = new Health();
    const calls = Array.from({ length: 50 }, () => health.begin(place, 0));
    for (const each of calls) each.failed(fault, 0, middle);
    expect(until(health, place, 0)).toBe(1_000);
  });

  it("stays open as long as the provider asks, and for longer when it asks again", () => {
    const patient = failure("upstream_failed", "503", { retryAfterMs: 30_000 });
    const health = new Health();
    for (let n = 0; n < 5; n += 1) health.failed(place, patient, 0);
    expect(until(health, place, 0)).toBe(30_000);
    health.failed(place, patient, 10_000);
    expect(until(health, place, 10_000)).toBe(40_000);
  });

  it("parks the endpoint with all its models after five lost connections, and one model after its own faults", () => {
    expect(isReady(open(), { ...place, model: "n" }, 0)).toBe(true);
    const health = new Health();
    for (let n = 0; n < 5; n += 1) health.failed(place, failure("unreachable", "refused"), 0);
    expect(isReady(health, { ...other, model: "n" }, 0)).toBe(false);
  });

  it("ends a call once: what is said of it afterwards is void", () => {
    const health = open();
    const probe = health.begin(place, 1_000);
    probe.succeeded(1_000);
    probe.failed(fault, 1_000, middle);
    probe.left();
    expect(isReady(health, place, 1_000)).toBe(true);
  });

  it("is not moved by what the caller did wrong", () => {
    const health = new Health();
    for (let n = 0; n < 100; n += 1) health.failed(place, failure("upstream_rejected", "400"), 0);
    expect(isReady(health, place, 0)).toBe(true);
  });
});

describe("Health: waits that count for nothing", () => {
  it("leaves the breaker as it was after any number of rate limits", () => {
    const health = new Health();
    for (let n = 0; n < 4; n += 1) health.failed(place, fault, 0);
    for (let n = 0; n < 50; n += 1) health.begin(other, 0).failed(limited, 0, middle);
    expect(isReady(health, place, 0)).toBe(true);
    health.failed(place, fault, 0);
    expect(isReady(health, place, 0)).toBe(false);
  });

  it("takes a rate limit of a probe for a failed probe, frees its slot and counts nothing", () => {
    const health = open();
    health.begin(place, 2_000).failed(failure("rate_limited", "429", { retryAfterMs: 3_000 }), 2_000, middle);
    expect(until(health, place, 2_000)).toBe(5_000);
    expect(parking(health, other, 2_000)).toMatchObject({ untilMs: 4_000, by: "open" });
    expect(isReady(health, place, 5_000)).toBe(true);
  });

  it("parks one credential for one model, and leaves its other models and other credentials", () => {
    const health = new Health();
    health.failed(place, failure("rate_limited", "429", { retryAfterMs: 3_000 }), 0);
    expect(parking(health, place, 0)).toMatchObject({ untilMs: 3_000, by: "asked" });
    expect(isReady(health, other, 0)).toBe(true);
    expect(isReady(health, { ...place, model: "n" }, 0)).toBe(true);
  });

  it("parks one model for one credential where that is refused, and may ask again where nobody else is left", () => {
    const health = new Health();
    health.failed(place, failure("upstream_forbidden", "403"), 0);
    expect(parking(health, place, 0)?.by).toBe("resting");
    expect(isReady(health, other, 0)).toBe(true);
  });

  it("parks a whole credential whose account is dead, and doubles the wait to six hours", () => {
    const health = new Health();
    const waits: number[] = [];
    let nowMs = 0;
    for (let n = 0; n < 7; n += 1) {
      health.begin(place, nowMs).failed(failure("quota_exhausted", "no credit"), nowMs, middle);
      const untilMs = until(health, { ...place, model: "n" }, nowMs) ?? 0;
      waits.push((untilMs - nowMs) / 60_000);
      nowMs = untilMs;
    }
    expect(waits).toEqual([10, 20, 40, 80, 160, 320, 360]);
  });

  it("lets one slow probe at a time find out whether a dead credential works again", () => {
    const health = new Health();
    health.failed(place, failure("credential_rejected", "401"), 0);
    const probe = health.begin(place, 600_000);
    expect(isReady(health, place, 600_000)).toBe(false);
    probe.succeeded(600_000);
    health.begin(place, 600_000);
    expect(isReady(health, place, 600_000)).toBe(true);
  });

  it("waits 5, 10, 20, 40 and then 60 seconds after rate limits that name no time", () => {
    const health = new Health();
    const waits: number[] = [];
    let nowMs = 0;
    for (let n = 0; n < 6; n += 1) {
      health.failed(place, limited, nowMs);
      const untilMs = until(health, place, nowMs) ?? 0;
      waits.push(untilMs - nowMs);
      nowMs = untilMs;
    }
    expect(waits).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  });

  it("rests an overloaded model for a moment, and for as long as it asks where it asks", () => {
    const health = new Health();
    health.failed(place, failure("upstream_overloaded", "529"), 0);
    expect(parking(health, place, 0)).toMatchObject({ untilMs: 2_000, by: "resting" });
    health.failed(place, failure("upstream_overloaded", "529", { retryAfterMs: 9_000 }), 0);
    expect(parking(health, place, 0)).toMatchObject({ untilMs: 9_000, by: "asked" });
  });

  it("extends a wait and never shortens it", () => {
    const health = new Health();
    health.failed(place, failure("rate_limited", "429", { retryAfterMs: 30_000 }), 0);
    health.failed(place, failure("rate_limited", "429", { retryAfterMs: 1_000 }), 0);
    expect(until(health, place, 0)).toBe(30_000);
  });

  it.each<[FailureKind, number]>([
    ["rate_limited", 5_000],
    ["credential_rejected", 600_000],
  ])("takes many refusals of one moment (%s) for one, and doubles no wait for them", (kind, waitMs) => {
    const health = new Health();
    for (let n = 0; n < 50; n += 1) health.failed(place, failure(kind, "x"), 0);
    expect(until(health, place, 0)).toBe(waitMs);
  });

  it("keeps a provider's wait though a call that was sent before it ends well", () => {
    const health = new Health();
    const early = health.begin(place, 0);
    health.failed(place, failure("rate_limited", "429", { retryAfterMs: 30_000 }), 0);
    early.succeeded(1);
    expect(until(health, place, 1)).toBe(30_000);
    health.begin(place, 30_000).succeeded(30_000);
    health.failed(place, limited, 30_000);
    expect(until(health, place, 30_000)).toBe(35_000);
  });
});

describe("Health: bounds", () => {
  it("keeps a bounded number of scopes", () => {
    const health = new Health();
    for (let n = 0; n < 5_000; n += 1) {
      health.failed({ ...place, credential: `c${n}` }, failure("quota_exhausted", "x"), 0);
    }
    expect(isReady(health, { ...place, credential: "c0" }, 0)).toBe(true);
    expect(isReady(health, { ...place, credential: "c4999" }, 0)).toBe(false);
  });

  it("forgets scopes that are well before those in trouble, however many names callers invent", () => {
    const health = new Health();
    health.failed(place, failure("quota_exhausted", "x"), 0);
    for (let n = 0; n < 6_000; n += 1) health.begin({ ...other, model: `m${n}` }, 0).left();
    expect(isReady(health, place, 0)).toBe(false);
  });
});

describe("Health of what fails slowly", () => {
  const late = failure("first_byte_timeout", "late");

  /** Calls one after another, each sent and ended within `everyMs`. */
  function play(health: Health, outcomes: readonly boolean[], everyMs: number): number {
    let nowMs = 0;
    for (const good of outcomes) {
      const visit = health.begin(place, nowMs);
      nowMs += everyMs;
      if (good) visit.succeeded(nowMs);
      else visit.failed(late, nowMs, middle);
    }
    return nowMs;
  }
  const times = (count: number, good: boolean): boolean[] => Array.from({ length: count }, () => good);

  it("opens where more than half of at least twenty calls of two minutes failed, though none of them hard", () => {
    const few = new Health();
    expect(isReady(few, place, play(few, times(19, false), 100))).toBe(true);
    const many = new Health();
    expect(parking(many, place, play(many, times(20, false), 100))).toMatchObject({ untilMs: 3_000, by: "rate" });
    const half = new Health();
    expect(isReady(half, place, play(half, [...times(20, true), ...times(20, false)], 100))).toBe(true);
  });

  it("counts a call when it is sent: calls that still run are calls", () => {
    const health = new Health();
    const running = Array.from({ length: 60 }, () => health.begin(place, 0));
    for (const each of running.slice(0, 20)) each.failed(late, 0, middle);
    expect(isReady(health, place, 0)).toBe(true);
  });

  it("forgets what is older than two minutes", () => {
    const health = new Health();
    for (let n = 0; n < 19; n += 1) health.begin(place, 0).failed(late, 0, middle);
    health.begin(place, 130_000).failed(late, 130_000, middle);
    expect(isReady(health, place, 130_000)).toBe(true);
  });

  it("opens again for longer where the probe fails as well, and starts anew after one that ends well", () => {
    const health = new Health();
    const probeAtMs = play(health, times(20, false), 100) + 1_000;
    expect(isReady(health, place, probeAtMs)).toBe(true);
    health.begin(place, probeAtMs).failed(late, probeAtMs, middle);
    expect(until(health, place, probeAtMs)).toBe(probeAtMs + 2_000);
    health.begin(place, probeAtMs + 2_000).succeeded(probeAtMs + 2_000);
    health.begin(place, probeAtMs + 2_000).failed(late, probeAtMs + 2_000, middle);
    expect(isReady(health, place, probeAtMs + 2_000)).toBe(true);
  });
});
