import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ProviderWish } from "#domain/call";
import { failure, failureTraits, type Failure, type FailureKind } from "#domain/failure";
import type { Attempt, Outcome, Plan, Target } from "#domain/plan";
import type { Snapshot } from "#domain/snapshot";
import type { TraitsOf } from "#policy/find-targets";
import { Health } from "#policy/health";
import { isPlan, makePlan, type Wanted } from "#policy/make-plan";
import { nextCandidate, type Step } from "#policy/next-candidate";
import { targetGroups } from "#supply/target-groups";
import { sampleProvider, sampleRoute, sampleSnapshot, sampleTraits } from "../world/sample-snapshot.ts";

const traitsOf: TraitsOf = (spec, model) => spec.models.get(model);
const day = "2026-11-21";
const models = (name: string, context: number) => ({ models: new Map([[name, sampleTraits(`v/${name}`, context)]]) });

const snapshot = sampleSnapshot(
  [
    sampleProvider("a", { ...models("m", 8_000), vendor: "v" }),
    sampleProvider("b", models("m", 200_000)),
    sampleProvider("c", models("n", 128_000)),
  ],
  [sampleRoute("main", ["a/m", "b/m", "c/n"]), sampleRoute("solo", ["a/m"])],
  { aliases: new Map([["gpt", "main"]]), defaultRoute: "main" },
);

const groupsOf = targetGroups(snapshot, day);

function plan(wanted: Partial<Wanted> & { model: string }, health = new Health(), nowMs = 0): Plan | Failure {
  const call = { options: { metadata: false }, ...wanted };
  return makePlan(call, snapshot, { health, traitsOf, groupsOf, nowMs });
}

function targets(made: Plan | Failure): readonly string[] {
  return isPlan(made) ? made.targets.map(({ target }) => target.id) : [`failed: ${made.kind}`];
}

describe("makePlan", () => {
  it.each([
    ["a route's name", "main", ["a/m", "b/m", "c/n"]],
    ["an alias", "gpt", ["a/m", "b/m", "c/n"]],
    ["a pinned provider/model, which nobody else may answer", "b/m", ["b/m"]],
    ["a pinned model that no catalogue knows", "c/brand-new", ["c/brand-new"]],
    ["vendor/model at whoever serves it", "v/m", ["a/m"]],
    ["a plain model name at whoever serves it", "m", ["a/m", "b/m"]],
    ["nothing at all", "", ["a/m", "b/m", "c/n"]],
    ["auto", "auto", ["a/m", "b/m", "c/n"]],
  ])("finds targets by %s", (_what, model, expected) => {
    expect(targets(plan({ model }))).toEqual(expected);
  });

  it("says which names are near when it knows none", () => {
    const made = plan({ model: "mein" });
    expect(isPlan(made)).toBe(false);
    expect(made).toMatchObject({ kind: "model_not_found", message: expect.stringContaining("main") });
  });

  it("appends the request's chain and names each target once", () => {
    expect(targets(plan({ model: "c/n", options: { metadata: false, chain: ["a/m", "c/n"] } }))).toEqual([
      "c/n",
      "a/m",
    ]);
  });

  it("honours only, ignore, order and allow_fallbacks", () => {
    const wish = (provider: object) => targets(plan({ model: "main", options: { metadata: false, provider } }));
    expect(wish({ only: ["b", "c"] })).toEqual(["b/m", "c/n"]);
    expect(wish({ ignore: ["a"] })).toEqual(["b/m", "c/n"]);
    expect(wish({ order: ["c"] })).toEqual(["c/n", "a/m", "b/m"]);
    expect(wish({ allowFallbacks: false })).toEqual(["a/m"]);
    expect(wish({ only: ["zzz"] })).toEqual(["failed: model_not_found"]);
  });

  it("sorts by price and keeps below a ceiling, unknown prices last and above every ceiling", () => {
    const priced = (input: number) => ({
      models: new Map([
        [
          "m",
          { ...sampleTraits("v/m", 1), price: { input, output: input, from: { source: "test", date: "2026-11-21" } } },
        ],
      ]),
    });
    const shop = sampleSnapshot(
      [sampleProvider("a"), sampleProvider("b", priced(3e9)), sampleProvider("c", priced(1e9))],
      [sampleRoute("main", ["a/m", "b/m", "c/m"])],
    );
    const view = { health: new Health(), traitsOf, groupsOf: targetGroups(shop, day), nowMs: 0 };
    const wish = (provider: ProviderWish) =>
      targets(makePlan({ model: "main", options: { metadata: false, provider } }, shop, view));
    expect(wish({ sort: "price" })).toEqual(["c/m", "b/m", "a/m"]);
    expect(wish({ maxPrice: { prompt: 2e9 } })).toEqual(["c/m"]);
  });

  it("leaves out what is parked and says why", () => {
    const health = new Health();
    health.failed(
      { provider: "a", model: "m", credential: "a#1" },
      failure("rate_limited", "x", { retryAfterMs: 9 }),
      0,
    );
    const made = plan({ model: "main" }, health);
    expect(targets(made)).toEqual(["b/m", "c/n"]);
    expect(isPlan(made) && made.skipped).toEqual([{ target: "a/m", why: expect.stringContaining("rate limited") }]);
  });

  it("tries somebody broken rather than nobody, but never whoever asked us to wait", () => {
    const health = new Health();
    const place = { provider: "a", model: "m", credential: "a#1" };
    for (let n = 0; n < 5; n += 1) health.failed(place, failure("upstream_failed", "x"), 0);
    expect(targets(plan({ model: "solo" }, health))).toEqual(["a/m"]);
    const limited = new Health();
    limited.failed(place, failure("rate_limited", "x", { retryAfterMs: 7_000 }), 0);
    expect(plan({ model: "solo" }, limited, 1_000)).toMatchObject({ kind: "rate_limited", retryAfterMs: 6_000 });
  });

  it.each(["credential_rejected", "quota_exhausted", "tls_rejected"] as const)(
    "tells the same of a parked %s as of the call that met it: no use in asking again",
    (kind) => {
      const health = new Health();
      health.failed({ provider: "a", model: "m", credential: "a#1" }, failure(kind, "x"), 0);
      const made = plan({ model: "solo" }, health, 1_000);
      expect(made).toMatchObject({ kind });
      expect(made).not.toHaveProperty("retryAfterMs");
    },
  );

  it("names the wait of whoever is limited where another has no credit", () => {
    const health = new Health();
    const place = (provider: string, model: string) => ({ provider, model, credential: `${provider}#1` });
    health.failed(place("a", "m"), failure("quota_exhausted", "x"), 0);
    health.failed(place("b", "m"), failure("rate_limited", "x", { retryAfterMs: 7_200_000 }), 0);
    health.failed(place("c", "n"), failure("rate_limited", "x", { retryAfterMs: 7_100_000 }), 0);
    expect(plan({ model: "main" }, health, 0)).toMatchObject({ kind: "rate_limited", retryAfterMs: 7_100_000 });
  });

  it("names every route and model it draws from, so that a key can be held to its routes", () => {
    const uses = (model: string, chain: readonly string[] = []) => {
      const made = plan({ model, options: { metadata: false, chain } });
      return isPlan(made) ? made.uses : [];
    };
    expect(uses("gpt")).toEqual(["main"]);
    expect(uses("b/m", ["solo", "main"])).toEqual(["b/m", "solo", "main"]);
  });

  it("asks a last resort last, whatever its place in the list", () => {
    const route = sampleRoute("r", ["a/m", "b/m"]);
    const [first, second] = route.targets;
    const last = { ...route, targets: [{ ...first!, lastResort: true }, second!] };
    const made = makePlan(
      { model: "r", options: { metadata: false } },
      sampleSnapshot([...snapshot.providers.values()], [last]),
      {
        health: new Health(),
        traitsOf,
        groupsOf,
        nowMs: 0,
      },
    );
    expect(targets(made)).toEqual(["b/m", "a/m"]);
  });

  it("lets a request shorten the whole time and never lengthen it", () => {
    const total = (timeoutMs: number) => {
      const made = plan({ model: "main", options: { metadata: false, timeoutMs } });
      return isPlan(made) ? made.timeouts.totalMs : 0;
    };
    expect(total(2_000)).toBe(2_000);
    expect(total(10_000_000)).toBe(600_000);
  });
});

function step(
  made: Plan | Failure,
  outcomes: readonly (Outcome & { target: string; credential?: string })[],
  more: Partial<Parameters<typeof nextCandidate>[0]> = {},
): Step {
  if (!isPlan(made)) throw new Error(made.message);
  const byId = new Map<string, Target>(made.targets.map(({ target }) => [target.id, target]));
  const attempts: Attempt[] = outcomes.map((outcome) => ({
    target: byId.get(outcome.target)!,
    credential: outcome.credential ?? `${outcome.target.slice(0, 1)}#1`,
    startedAtMs: 0,
    endedAtMs: 0,
    outcome,
  }));
  return nextCandidate({
    plan: made,
    attempts,
    snapshot,
    view: { health: new Health(), traitsOf, groupsOf, nowMs: 0 },
    deadlineAtMs: 600_000,
    chance: 0.5,
    turn: 0,
    mayRetry: () => true,
    ...more,
  });
}

const failed = (target: string, kind: FailureKind, more: object = {}) =>
  ({ kind: "failed", target, failure: failure(kind, "x", more) }) as const;
const name = (made: Step): string => (made.kind === "try" ? made.target.id : "stop");

/** The snapshot with these credentials for provider `a`. */
function withCredentials(...ids: readonly string[]): Snapshot {
  const secret = sampleProvider("a").credentials[0]!.secret;
  const wider = sampleProvider("a", { credentials: ids.map((id) => ({ id, secret })) });
  return { ...snapshot, providers: new Map([...snapshot.providers, ["a", wider]]) };
}

describe("nextCandidate", () => {
  const main = plan({ model: "main" });
  const solo = plan({ model: "solo" });

  it("starts with the first target and goes on to the next after a fault", () => {
    expect(name(step(main, []))).toBe("a/m");
    expect(name(step(main, [failed("a/m", "upstream_failed")]))).toBe("b/m");
  });

  it("stops at what no other target can do better", () => {
    expect(name(step(main, [failed("a/m", "upstream_rejected")]))).toBe("stop");
    expect(name(step(main, [{ kind: "broken", target: "a/m", failure: failure("truncated_response", "x") }]))).toBe(
      "stop",
    );
  });

  it("stops at that too where another attempt at the same time ended otherwise before it", () => {
    for (const kind of ["upstream_failed", "not_translatable", "rate_limited"] as const) {
      expect(name(step(main, [failed("a/m", "upstream_rejected"), failed("b/m", kind)]))).toBe("stop");
    }
  });

  it("goes to a larger window only, when the prompt was too long", () => {
    expect(name(step(main, [failed("a/m", "context_length_exceeded")]))).toBe("b/m");
    expect(name(step(main, [failed("b/m", "context_length_exceeded")]))).toBe("stop");
  });

  it("uses another credential of the same provider before it leaves", () => {
    const wider = withCredentials("a#1", "a#2");
    const next = step(main, [failed("a/m", "rate_limited")], { snapshot: wider });
    expect(next).toMatchObject({ kind: "try", credential: "a#2" });
    const left = step(main, [failed("a/m", "rate_limited"), { ...failed("a/m", "rate_limited"), credential: "a#2" }], {
      snapshot: wider,
    });
    expect(name(left)).toBe("b/m");
  });

  it("asks a sole target once more, with jitter, after what a moment can cure", () => {
    expect(step(solo, [failed("a/m", "upstream_failed")])).toMatchObject({ kind: "try", afterMs: 250 });
    expect(name(step(solo, [failed("a/m", "upstream_failed"), failed("a/m", "upstream_failed")]))).toBe("stop");
    expect(name(step(solo, [failed("a/m", "first_byte_timeout")]))).toBe("stop");
  });

  it("asks a sole target once more and no oftener, however many credentials it has", () => {
    const pair = withCredentials("a#1", "a#2");
    const more = { snapshot: pair };
    const fault = failed("a/m", "upstream_failed");
    expect(step(solo, [fault], more)).toMatchObject({ kind: "try", credential: "a#1" });
    expect(name(step(solo, [fault, fault], more))).toBe("stop");
    const limited = failed("a/m", "rate_limited", { retryAfterMs: 10 });
    const limits = [
      { ...limited, credential: "a#1" },
      { ...limited, credential: "a#2" },
    ];
    expect(step(solo, limits, more)).toMatchObject({ kind: "try", credential: "a#2", afterMs: 10 });
  });

  it("lets a broken target through by the credential that is back soonest, never by a dead one", () => {
    const health = new Health();
    const place = (credential: string) => ({ provider: "a", model: "m", credential });
    health.failed(place("a#1"), failure("credential_rejected", "x"), 0);
    for (let n = 0; n < 5; n += 1) health.failed(place("a#2"), failure("unreachable", "x"), 0);
    const wider = withCredentials("a#1", "a#2");
    const view = { health, traitsOf, groupsOf: targetGroups(wider, day), nowMs: 0 };
    const made = makePlan({ model: "solo", options: { metadata: false } }, wider, view);
    expect(step(made, [], { snapshot: wider, view })).toMatchObject({ kind: "try", credential: "a#2" });
  });

  it("does not count a target that could not be asked at all: nothing was sent", () => {
    const unsent = failed("a/m", "not_translatable");
    const frugal = { ...(main as Plan), maxAttempts: 1 };
    expect(step(frugal, [unsent], { mayRetry: () => false })).toMatchObject({ kind: "try", target: { id: "b/m" } });
    expect(name(step(frugal, [unsent, failed("b/m", "upstream_failed")]))).toBe("stop");
  });

  it("waits for nothing that would leave less than a tenth of the time", () => {
    const tight = { ...(solo as Plan), timeouts: { ...(solo as Plan).timeouts, totalMs: 10_000 } };
    const later = (deadlineAtMs: number) =>
      step(tight, [failed("a/m", "upstream_failed")], { deadlineAtMs, chance: 1 });
    expect(later(1_600)).toMatchObject({ kind: "try", afterMs: 500 });
    expect(name(later(1_400))).toBe("stop");
  });

  it("waits for a sole target's rate limit only where the wait is short", () => {
    expect(step(solo, [failed("a/m", "rate_limited", { retryAfterMs: 3_000 })])).toMatchObject({ afterMs: 3_000 });
    expect(name(step(solo, [failed("a/m", "rate_limited", { retryAfterMs: 30_000 })]))).toBe("stop");
    expect(name(step(solo, [failed("a/m", "rate_limited")]))).toBe("stop");
  });

  it("does not send a request that killed two connections to a third provider", () => {
    const next = step(main, [failed("a/m", "connection_lost"), failed("b/m", "connection_lost")]);
    expect(next).toMatchObject({ kind: "stop", why: { kind: "query_of_death" } });
  });

  it("starts nothing with less than a tenth of the time left, and nothing beyond the budget", () => {
    expect(name(step(main, [failed("a/m", "upstream_failed")], { deadlineAtMs: 59_000 }))).toBe("stop");
    expect(name(step(main, [failed("a/m", "upstream_failed")], { mayRetry: () => false }))).toBe("stop");
  });

  it("never makes more attempts than the plan allows, whatever fails", () => {
    const kinds = Object.keys(failureTraits) as FailureKind[];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...kinds), { minLength: 10, maxLength: 10 }), (sequence) => {
        const done: (Outcome & { target: string; credential: string })[] = [];
        for (const kind of sequence) {
          const next = step(main, done);
          if (next.kind === "stop") break;
          done.push({ ...failed(next.target.id, kind), credential: next.credential });
        }
        expect(done.length).toBeLessThanOrEqual(3);
      }),
    );
  });
});
