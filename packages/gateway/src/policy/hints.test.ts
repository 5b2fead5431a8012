import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { failure, failureTraits, type FailureKind } from "#domain/failure";
import { Health, type Place } from "./health.ts";
import { mergeRows } from "./health-rows.ts";
import { agedHint } from "./hints.ts";

const place: Place = { provider: "a", model: "m", credential: "a#1" };

type At = readonly [health: Health, nowMs: number];

/** What the first found out reaches the second, whose clock shows another time. */
function tell([from, fromMs]: At, [to, toMs]: At): number {
  const hints = from.takeHints(fromMs);
  to.hear(JSON.parse(JSON.stringify(hints)), toMs);
  return hints.length;
}

function opened(): Health {
  const health = new Health();
  for (let n = 0; n < 5; n += 1) health.begin(place, 1_000).failed(failure("upstream_failed", "500"), 1_000, 0.5);
  return health;
}

describe("hints between workers", () => {
  it("carry an opening to a worker whose clock shows another time", () => {
    const other = new Health();
    expect(tell([opened(), 1_400], [other, 77_000])).toBe(1);
    expect(other.readiness(place, 77_000)).toMatchObject({ by: "open", cause: "upstream_failed", untilMs: 77_600 });
    other.begin(place, 77_600).failed(failure("upstream_failed", "500"), 77_600, 0.5);
    expect(other.readiness(place, 77_600)).toMatchObject({ untilMs: 79_600 });
  });

  it.each<[FailureKind, number | undefined, number]>([
    ["rate_limited", 9_000, 9_000],
    ["credential_rejected", undefined, 600_000],
    ["upstream_overloaded", undefined, 2_000],
  ])("carry a wait after %s", (kind, retryAfterMs, waitMs) => {
    const [one, other] = [new Health(), new Health()];
    one.begin(place, 0).failed(failure(kind, "x", retryAfterMs === undefined ? {} : { retryAfterMs }), 0, 0.5);
    tell([one, 0], [other, 5_000]);
    expect(other.readiness(place, 5_000)).toMatchObject({ untilMs: 5_000 + waitMs, cause: kind });
  });

  it("carry that a credential has nothing left of its limits", () => {
    const [one, other] = [new Health(), new Health()];
    one.begin(place, 0).learned([{ name: "requests", remaining: 0, resetMs: 4_000 }], 0);
    tell([one, 1_000], [other, 50_000]);
    expect(other.readiness(place, 52_999)).toMatchObject({ by: "asked", untilMs: 53_000 });
    expect(other.readiness(place, 53_000).kind).toBe("ready");
  });

  it("carry a clean end, which closes what the others hold open, and are told no further", () => {
    const [one, other] = [opened(), new Health()];
    tell([one, 1_000], [other, 0]);
    one.begin(place, 2_500).succeeded(2_500);
    tell([one, 2_500], [other, 900]);
    expect(other.readiness(place, 900).kind).toBe("ready");
    expect(other.takeHints(900)).toEqual([]);
  });

  it("never shorten what a worker knows itself", () => {
    const [one, other] = [new Health(), new Health()];
    other.begin(place, 0).failed(failure("rate_limited", "x", { retryAfterMs: 60_000 }), 0, 0.5);
    one.begin(place, 0).failed(failure("rate_limited", "x", { retryAfterMs: 2_000 }), 0, 0.5);
    tell([one, 0], [other, 0]);
    expect(other.readiness(place, 0)).toMatchObject({ untilMs: 60_000 });
  });

  it("are one for each scope, however much happened, and a bounded number at a time", () => {
    const health = new Health();
    for (let n = 0; n < 300; n += 1) {
      const at = { ...place, credential: `a#${n % 100}` };
      health.begin(at, 0).failed(failure("rate_limited", "429"), 0, 0.5);
    }
    expect([health.takeHints(0).length, health.takeHints(0).length, health.takeHints(0).length]).toEqual([64, 36, 0]);
  });

  it("leave a worker parked for no longer than the one that told it, whatever happened there", () => {
    const kinds = Object.keys(failureTraits) as FailureKind[];
    const failures = fc.array(fc.tuple(fc.constantFrom(...kinds), fc.nat(3_000), fc.nat(60_000)), { maxLength: 30 });
    fc.assert(
      fc.property(failures, (steps) => {
        const [one, other] = [new Health(), new Health()];
        let nowMs = 0;
        for (const [kind, gapMs, retryAfterMs] of steps) {
          nowMs += gapMs;
          one.begin(place, nowMs).failed(failure(kind, "x", { retryAfterMs }), nowMs, 0.3);
        }
        tell([one, nowMs], [other, nowMs]);
        const [told, heard] = [one.readiness(place, nowMs), other.readiness(place, nowMs)];
        expect(heard.kind).toBe(told.kind);
        if (told.kind === "parked" && heard.kind === "parked") expect(heard.untilMs).toBe(told.untilMs);
      }),
    );
  });

  it("grow old: what is over is nothing any more", () => {
    const health = new Health();
    health.begin(place, 0).failed(failure("rate_limited", "x", { retryAfterMs: 3_000 }), 0, 0.5);
    const [hint] = health.takeHints(0);
    expect(agedHint(hint!, 1_000)).toMatchObject({ coolForMs: 2_000 });
    expect(agedHint(hint!, 3_000)).toBeUndefined();
  });
});

describe("rows of health", () => {
  it("show scopes in trouble first and what a credential carries, with times before and after now", () => {
    const health = opened();
    health
      .begin({ ...place, model: "n" }, 1_200)
      .learned([{ name: "requests", remaining: 7, limit: 9, resetMs: 800 }], 1_300);
    const [first, ...rest] = health.rows(1_500);
    expect(first).toEqual({
      scope: { kind: "model", provider: "a", model: "m" },
      name: "model a/m",
      state: "open",
      cause: "upstream_failed",
      sinceAgoMs: 500,
      untilInMs: 500,
      openings: 1,
    });
    expect(rest.find(({ name }) => name === "credential a#1 n")).toMatchObject({
      state: "closed",
      load: { inFlight: 1, limit: 20, headroom: [{ name: "requests", remaining: 7, limit: 9, resetMs: 600 }] },
    });
  });

  it("call what waits for a probe half open, and what may never come back dead", () => {
    const health = opened();
    expect(health.rows(3_000)[0]?.state).toBe("half-open");
    health.begin(place, 3_000).failed(failure("quota_exhausted", "x"), 3_000, 0.5);
    expect(health.rows(3_000)[0]).toMatchObject({ name: "credential a#1", state: "dead", untilInMs: 600_000 });
  });

  it("of several workers are one for each scope: the worst state, the calls and limits of all", () => {
    const [one, other] = [opened(), new Health()];
    one.begin(place, 1_000);
    other.begin(place, 0);
    other.begin(place, 0).learned([{ name: "requests", remaining: 3, resetMs: 500 }], 0);
    const rows = mergeRows([one.rows(1_000), other.rows(0)]);
    expect(rows[0]).toMatchObject({ name: "model a/m", state: "open", openings: 1 });
    expect(rows.find(({ name }) => name === "credential a#1 m")?.load).toMatchObject({
      inFlight: 3,
      limit: 40,
      headroom: [{ remaining: 3 }],
    });
  });
});
