import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { failure, failureTraits, type FailureKind } from "#domain/failure";
import { Health, type Place } from "./health.ts";
import type { Visit } from "./visit.ts";

const place: Place = { provider: "a", model: "m", credential: "a#1" };
const requests = (remaining: number, resetMs: number) => [{ name: "requests", remaining, resetMs }];

/** Calls until first content comes five times as late as it used to. */
function crowd(health: Health, at: Place): readonly Visit[] {
  let nowMs = 0;
  for (let n = 0; n < 60; n += 1) {
    const visits = Array.from({ length: 20 }, () => health.begin(at, nowMs));
    nowMs += 1_100;
    for (const each of visits) each.content(nowMs - 800);
    for (const each of visits) each.succeeded(nowMs);
  }
  const waiting: Visit[] = [];
  for (let n = 0; n < 4; n += 1) {
    waiting.push(...Array.from({ length: 30 }, () => health.begin(at, nowMs)));
    nowMs += 3_000;
    for (const each of waiting.slice(-30)) each.content(nowMs);
  }
  return waiting;
}

describe("calls in flight", () => {
  it("are told once each, however a call ends, and never leave a limit behind", () => {
    const kinds = Object.keys(failureTraits) as FailureKind[];
    const end = fc.oneof(
      fc.constantFrom("succeeded" as const, "left" as const),
      fc.constantFrom(...kinds).map((kind) => ({ kind })),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(end, fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 40 }), (ends) => {
        const health = new Health();
        const visits = ends.map(() => health.begin(place, 0));
        for (const [at, [how, content, twice]] of ends.entries()) {
          const visit = visits[at]!;
          if (content) visit.content(1);
          const finish = (): void => {
            if (how === "succeeded") visit.succeeded(2);
            else if (how === "left") visit.left();
            else visit.failed(failure(how.kind, "x"), 2, 0.5);
          };
          finish();
          if (twice) finish();
        }
        expect(health.inFlight(place)).toBe(0);
      }),
    );
  });

  it("beyond what is served without waiting are sent elsewhere, with the number in words", () => {
    const health = new Health();
    const waiting = crowd(health, place);
    const state = health.readiness(place, 100_000);
    expect(state).toMatchObject({
      kind: "parked",
      by: "full",
      why: expect.stringMatching(/\d+ calls in flight; at more than \d+/),
    });
    for (const each of waiting) each.left();
    expect(health.readiness(place, 100_000).kind).toBe("ready");
  });

  it("are no more than a worker has sockets for", () => {
    const health = new Health();
    for (let n = 0; n < 16_383; n += 1) health.begin(place, 0);
    expect(health.readiness(place, 0).kind).toBe("ready");
    const last = health.begin(place, 0);
    expect(health.readiness(place, 0)).toMatchObject({ by: "packed", cause: "overloaded" });
    last.left();
    expect(health.readiness(place, 0).kind).toBe("ready");
  });
});

describe("what is left of an account's limits", () => {
  it("keeps a credential known to be empty from being asked before its reset", () => {
    const health = new Health();
    health.begin(place, 0).learned(requests(0, 1_500), 100);
    expect(health.readiness(place, 1_599)).toMatchObject({
      by: "asked",
      untilMs: 1_600,
      cause: "rate_limited",
      why: expect.stringContaining("nothing left"),
    });
    expect(health.readiness(place, 1_600).kind).toBe("ready");
    expect(health.readiness({ ...place, model: "n" }, 200).kind).toBe("ready");
    expect(health.readiness({ ...place, credential: "a#2" }, 200).kind).toBe("ready");
  });

  it("counts requests sent since, but not what tokens they take", () => {
    const health = new Health();
    health.begin(place, 0).learned([...requests(2, 9_000), { name: "tokens", remaining: 2, resetMs: 9_000 }], 0);
    health.begin(place, 0);
    expect(health.readiness(place, 0).kind).toBe("ready");
    health.begin(place, 0);
    expect(health.readiness(place, 0).kind).toBe("parked");
    health.begin(place, 0).learned([{ name: "tokens", remaining: 0, resetMs: 20_000 }, ...requests(5, 9_000)], 10);
    expect(health.readiness(place, 10)).toMatchObject({ untilMs: 20_010 });
  });

  it("believes the latest word of each limit, of eight at most", () => {
    const health = new Health();
    const visit = health.begin(place, 0);
    visit.learned(requests(0, 60_000), 0);
    visit.learned(requests(40, 30_000), 10);
    expect(health.readiness(place, 10).kind).toBe("ready");
    for (let n = 0; n < 20; n += 1) visit.learned([{ name: `limit-${n}`, remaining: 0, resetMs: 1_000 + n }], 10);
    expect(health.readiness(place, 10)).toMatchObject({ untilMs: 1_010 + 6 });
  });
});
