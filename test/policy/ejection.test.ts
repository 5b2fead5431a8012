import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { failure, type FailureKind } from "#domain/failure";
import type { Attempt, Plan } from "#domain/plan";
import { CallRetries } from "#policy/call-retries";
import { Health, type Danger, type Place } from "#policy/health";
import { isPlan, makePlan } from "#policy/make-plan";
import { nextCandidate, type Step } from "#policy/next-candidate";
import { RetryBudget } from "#policy/retry-budget";
import { targetGroups } from "#supply/target-groups";
import { sampleProvider, sampleRoute, sampleSnapshot } from "../world/sample-snapshot.ts";

const names = ["a", "b", "c", "d"];
const snapshot = sampleSnapshot(
  names.map((name) => sampleProvider(name, { operator: name })),
  [
    sampleRoute("main", ["a/m", "b/m", "c/m"]),
    sampleRoute("four", ["a/m", "b/m", "c/m", "d/m"]),
    sampleRoute("solo", ["a/m"]),
  ],
);
const shared = { traitsOf: () => undefined, groupsOf: targetGroups(snapshot, "2026-11-25") };
const placeAt = (provider: string): Place => ({ provider, model: "m", credential: `${provider}#1` });

function planFor(route: string, health: Health, nowMs: number): Plan {
  const made = makePlan({ model: route, options: { metadata: false } }, snapshot, { ...shared, health, nowMs });
  if (!isPlan(made)) throw new Error(made.message);
  return made;
}

function next(
  plan: Plan,
  attempts: readonly Attempt[],
  more: { health: Health; nowMs: number; danger?: Danger; mayRetry?: () => boolean },
): Step {
  const { health, nowMs, danger, mayRetry = () => true } = more;
  return nextCandidate({
    plan,
    attempts,
    snapshot,
    view: { ...shared, health, nowMs },
    deadlineAtMs: nowMs + 600_000,
    chance: 0.5,
    turn: 0,
    mayRetry,
    ...(danger === undefined ? {} : { danger }),
  });
}

function failedAt(provider: string, kind: FailureKind): Attempt {
  return {
    target: { id: `${provider}/m`, provider, model: "m", lastResort: false },
    credential: `${provider}#1`,
    startedAtMs: 0,
    endedAtMs: 0,
    outcome: { kind: "failed", failure: failure(kind, "x") },
  };
}

/** Most of the calls there fail, never five hard ones in a row. */
function ejectByRate(health: Health, provider: string): void {
  for (let n = 0; n < 20; n += 1) {
    health.begin(placeAt(provider), 0).failed(failure("first_byte_timeout", "late"), 0, 0.5);
  }
}

function breakDown(health: Health, provider: string): void {
  for (let n = 0; n < 5; n += 1) health.failed(placeAt(provider), failure("unreachable", "refused"), 0);
}

const ids = (plan: Plan): readonly string[] => plan.targets.map(({ target }) => target.id);

describe("the cap on ejections", () => {
  it("leaves out one of three by rate, and asks a second one after those that are well", () => {
    const health = new Health();
    ejectByRate(health, "a");
    expect(ids(planFor("main", health, 10))).toEqual(["b/m", "c/m"]);
    ejectByRate(health, "b");
    const plan = planFor("main", health, 10);
    expect(ids(plan)).toEqual(["c/m", "a/m"]);
    expect(plan.targets[1]).toMatchObject({ parked: true, why: expect.stringContaining("no more than half") });
    const step = next(plan, [failedAt("c", "upstream_failed")], { health, nowMs: 10 });
    expect(step).toMatchObject({ kind: "try", target: { id: "a/m" }, credential: "a#1" });
  });

  it("holds for any of four targets, however they are parked", () => {
    const ways = fc.constantFrom<"well" | "rate" | "hard" | "asked">("well", "rate", "hard", "asked");
    fc.assert(
      fc.property(fc.tuple(ways, ways, ways, ways), (how) => {
        const health = new Health();
        for (const [at, way] of how.entries()) {
          const name = names[at] ?? "";
          if (way === "rate") ejectByRate(health, name);
          if (way === "hard") breakDown(health, name);
          if (way === "asked") health.failed(placeAt(name), failure("rate_limited", "x"), 0);
        }
        if (how.every((way) => way === "asked")) return;
        const asked = ids(planFor("four", health, 10));
        const rates = names.filter((name, at) => how[at] === "rate" && !asked.includes(`${name}/m`)).length;
        const parked = names.filter((name) => !asked.includes(`${name}/m`)).length;
        if (how.includes("well")) expect(rates === 0 || parked <= 2).toBe(true);
        else expect(asked.length).toBe(1);
      }),
    );
  });

  it("always keeps a sole target, and says that nothing else is left", () => {
    const health = new Health();
    ejectByRate(health, "a");
    expect(planFor("solo", health, 10).targets[0]).toMatchObject({
      parked: true,
      why: expect.stringMatching(/nothing else is left$/),
    });
  });

  it("asks who is being tried by another call once everybody else failed", () => {
    const health = new Health();
    breakDown(health, "a");
    health.begin(placeAt("a"), 1_000);
    const plan = planFor("main", health, 1_500);
    expect(ids(plan)).toEqual(["b/m", "c/m", "a/m"]);
    const attempts = [failedAt("b", "upstream_failed"), failedAt("c", "upstream_failed")];
    expect(next(plan, attempts, { health, nowMs: 1_500 })).toMatchObject({ kind: "try", target: { id: "a/m" } });
  });
});

describe("the panic rule", () => {
  it("asks the one that is back soonest, and nobody who asked for patience", () => {
    const health = new Health();
    health.failed(placeAt("a"), failure("rate_limited", "x", { retryAfterMs: 500 }), 0);
    breakDown(health, "c");
    for (let n = 0; n < 6; n += 1) breakDown(health, "b");
    expect(ids(planFor("main", health, 10))).toEqual(["b/m"]);
  });

  it("tells a caller how long an overloaded provider wants to be left alone", () => {
    const health = new Health();
    health.failed(placeAt("a"), failure("upstream_overloaded", "x", { retryAfterMs: 7_000 }), 0);
    const made = makePlan({ model: "solo", options: { metadata: false } }, snapshot, {
      ...shared,
      health,
      nowMs: 1_000,
    });
    expect(made).toMatchObject({ kind: "upstream_overloaded", retryAfterMs: 6_000 });
  });
});

describe("targets with more calls than they serve without waiting", () => {
  /** First content of the last calls came three times as late as before, and `waiting` more run. */
  function crowd(health: Health, provider: string, waiting: number): void {
    let nowMs = 0;
    for (let n = 0; n < 40; n += 1) {
      const visits = Array.from({ length: 20 }, () => health.begin(placeAt(provider), nowMs));
      nowMs += 1_100;
      for (const each of visits) each.content(nowMs);
      for (const each of visits) each.succeeded(nowMs);
    }
    for (let n = 0; n < 3; n += 1) {
      const visits = Array.from({ length: 30 }, () => health.begin(placeAt(provider), nowMs));
      nowMs += 4_000;
      for (const each of visits) each.content(nowMs);
      for (const each of visits) each.succeeded(nowMs);
    }
    for (let n = 0; n < waiting; n += 1) health.begin(placeAt(provider), nowMs);
  }

  it("are asked after those that are free, with the number in words", () => {
    const health = new Health();
    crowd(health, "a", 100);
    const plan = planFor("main", health, 60_000);
    expect(ids(plan)).toEqual(["b/m", "c/m", "a/m"]);
    expect(plan.targets[2]?.why).toMatch(/100 calls in flight; at more than \d+ .* asked after those that are free/);
  });

  it("are asked all the same where it is so everywhere, the idlest first", () => {
    const health = new Health();
    for (const [provider, waiting] of [
      ["a", 120],
      ["b", 100],
      ["c", 110],
    ] as const)
      crowd(health, provider, waiting);
    expect(ids(planFor("main", health, 60_000))).toEqual(["b/m", "c/m", "a/m"]);
    expect(next(planFor("main", health, 60_000), [], { health, nowMs: 60_000 })).toMatchObject({
      target: { id: "b/m" },
    });
    expect(ids(planFor("solo", health, 60_000))).toEqual(["a/m"]);
  });

  it("are asked before a last resort: busy is not broken", () => {
    const route = sampleRoute("r", ["a/m", "b/m"]);
    const [first, last] = route.targets;
    if (first === undefined || last === undefined) throw new Error("two targets");
    const routed = {
      ...snapshot,
      routes: new Map([["r", { ...route, targets: [first, { ...last, lastResort: true }] }]]),
    };
    const health = new Health();
    crowd(health, "a", 100);
    const made = makePlan({ model: "r", options: { metadata: false } }, routed, { ...shared, health, nowMs: 60_000 });
    expect(isPlan(made) && ids(made)).toEqual(["a/m", "b/m"]);
  });

  it("are refused only where there is room for no more, with a time to come back", () => {
    const health = new Health();
    for (let n = 0; n < 16_384; n += 1) health.begin(placeAt("a"), 0);
    const made = makePlan({ model: "solo", options: { metadata: false } }, snapshot, { ...shared, health, nowMs: 0 });
    expect(made).toMatchObject({ kind: "overloaded", retryAfterMs: 1_000 });
    expect(ids(planFor("main", health, 0))).toEqual(["b/m", "c/m"]);
  });
});

describe("a healthy world", () => {
  it("never refuses a call, however many run and however long they take", () => {
    const step = fc.record({
      gapMs: fc.nat(400),
      ttftMs: fc.integer({ min: 50, max: 20_000 }),
      holdMs: fc.integer({ min: 0, max: 60_000 }),
      leaves: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 50, maxLength: 400, size: "max" }), (steps) => {
        const health = new Health();
        const later: { readonly atMs: number; readonly run: (nowMs: number) => void }[] = [];
        let nowMs = 0;
        for (const { gapMs, ttftMs, holdMs, leaves } of steps) {
          nowMs += gapMs;
          const due = later.filter(({ atMs }) => atMs <= nowMs).toSorted((a, b) => a.atMs - b.atMs);
          for (const { atMs, run } of due) run(atMs);
          later.splice(0, later.length, ...later.filter(({ atMs }) => atMs > nowMs));
          const started = next(planFor("main", health, nowMs), [], { health, nowMs });
          if (started.kind === "stop") throw new Error("refused in a healthy world");
          const visit = health.begin(placeAt(started.target.provider), nowMs);
          later.push({ atMs: nowMs + ttftMs, run: (at) => visit.content(at) });
          later.push({ atMs: nowMs + ttftMs + holdMs, run: (at) => (leaves ? visit.left() : visit.succeeded(at)) });
        }
      }),
      { numRuns: 15 },
    );
  });
});

describe("requests that kill connections", () => {
  const plan = planFor("main", new Health(), 0);

  it("stops where the second of two providers lost it in an earlier call", () => {
    const danger = { killers: ["a", "b"], proven: false };
    const step = next(plan, [failedAt("b", "connection_lost")], { health: new Health(), nowMs: 0, danger });
    expect(step).toMatchObject({ kind: "stop", why: { kind: "query_of_death" } });
  });

  it("goes on where the providers lose the connections of others as well", () => {
    const danger = { killers: [], proven: false };
    const attempts = [failedAt("a", "connection_lost"), failedAt("b", "connection_lost")];
    expect(next(plan, attempts, { health: new Health(), nowMs: 0, danger })).toMatchObject({ target: { id: "c/m" } });
  });

  it("tries such a request again only where it was lost before", () => {
    const danger = { killers: ["b", "c"], proven: true };
    expect(next(plan, [], { health: new Health(), nowMs: 0, danger })).toMatchObject({ target: { id: "b/m" } });
  });
});

describe("a total outage", () => {
  /** Calls at an even rate, each over as many attempts as policy allows; all fail at once. */
  function outage(
    kinds: readonly FailureKind[],
    calls: number,
  ): { readonly sent: number; readonly lastHealth: Health; readonly endMs: number } {
    const health = new Health();
    const budget = new RetryBudget();
    let sent = 0;
    let nowMs = 0;
    for (let call = 0; call < calls; call += 1) {
      nowMs += 20;
      const made = makePlan({ model: "main", options: { metadata: false } }, snapshot, { ...shared, health, nowMs });
      if (!isPlan(made)) continue;
      const retries = new CallRetries(budget, nowMs);
      const attempts: Attempt[] = [];
      for (;;) {
        const step = next(made, attempts, { health, nowMs, mayRetry: () => retries.mayRetry(nowMs) });
        if (step.kind === "stop") break;
        sent += 1;
        const kind = kinds[(call + attempts.length) % kinds.length] ?? "upstream_failed";
        const place = placeAt(step.target.provider);
        health.begin(place, nowMs, () => `${call}`).failed(failure(kind, "x"), nowMs, (call % 10) / 10);
        attempts.push(failedAt(step.target.provider, kind));
      }
      retries.settle(false);
    }
    return { sent, lastHealth: health, endMs: nowMs };
  }

  it.each<[string, readonly FailureKind[]]>([
    ["faults", ["upstream_failed"]],
    ["refused connections", ["unreachable"]],
    ["lost connections", ["connection_lost"]],
    ["late answers", ["first_byte_timeout"]],
    [
      "everything in turn",
      ["upstream_failed", "rate_limited", "connection_lost", "first_byte_timeout", "upstream_overloaded"],
    ],
  ])("costs at most 1.2 calls upstream for each request: %s", (_what, kinds) => {
    expect(outage(kinds, 1_000).sent).toBeLessThanOrEqual(1_200);
  });

  it("is over for callers with the first call after the world has healed", () => {
    const { lastHealth: health, endMs } = outage(["upstream_failed"], 1_000);
    const plan = planFor("main", health, endMs + 1);
    expect(next(plan, [], { health, nowMs: endMs + 1 }).kind).toBe("try");
  });
});
