import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { failure, failureTraits, type FailureKind } from "#domain/failure";
import type { Attempt, Plan, Spread } from "#domain/plan";
import type { ProviderSpec, Route, Snapshot } from "#domain/snapshot";
import { evidenceOf } from "#policy/evidence";
import { Health } from "#policy/health";
import { isPlan, makePlan, type PlanningView } from "#policy/make-plan";
import { nextCandidate, type Step } from "#policy/next-candidate";
import { sharesKind } from "#supply/overlap";
import { targetGroups } from "#supply/target-groups";
import { sampleProvider, sampleRoute, sampleSnapshot, sampleTraits } from "../world/sample-snapshot.ts";

const provider = (id: string, declared: Pick<ProviderSpec, "operator" | "owner">) =>
  sampleProvider(id, {
    ...declared,
    models: new Map(["claude", "gpt"].map((model) => [model, sampleTraits(`v/${model}`, 200_000)])),
  });

/** One model at five storefronts of three operators, another at a fourth, and one of whom nobody says anything. */
const providers = [
  provider("direct", { operator: "anthropic", owner: "gcp" }),
  provider("foundry", { operator: "anthropic", owner: "azure" }),
  provider("aws-claude", { operator: "anthropic", owner: "aws" }),
  provider("bedrock", { operator: "aws", owner: "aws" }),
  provider("vertex", { operator: "google", owner: "gcp" }),
  provider("openai", { operator: "openai", owner: "azure" }),
  provider("mystery", {}),
];

function world(targets: readonly string[], more: Partial<Route> = {}): Snapshot {
  return sampleSnapshot(providers, [sampleRoute("main", targets, { maxAttempts: 9, ...more })]);
}

function viewOf(snapshot: Snapshot, more: Partial<PlanningView> = {}): PlanningView {
  return {
    health: new Health(),
    traitsOf: (spec, model) => spec.models.get(model),
    groupsOf: targetGroups(snapshot, "2026-11-21"),
    nowMs: 0,
    ...more,
  };
}

function planOf(snapshot: Snapshot, view = viewOf(snapshot)): Plan {
  const made = makePlan({ model: "main", options: { metadata: false } }, snapshot, view);
  if (!isPlan(made)) throw new Error(made.message);
  return made;
}

/** What follows when the first attempts fail so, one after another. */
function follow(
  snapshot: Snapshot,
  kinds: readonly FailureKind[],
  view = viewOf(snapshot),
): { readonly asked: readonly string[]; readonly last: Step } {
  const plan = planOf(snapshot, view);
  const attempts: Attempt[] = [];
  const step = (): Step =>
    nextCandidate({
      plan,
      attempts,
      snapshot,
      view,
      deadlineAtMs: 600_000,
      chance: 0,
      turn: 0,
      mayRetry: () => true,
    });
  for (const kind of kinds) {
    const next = step();
    if (next.kind === "stop") break;
    const { target, credential } = next;
    const outcome = { kind: "failed", failure: failure(kind, "x") } as const;
    attempts.push({ target, credential, startedAtMs: 0, endedAtMs: 0, outcome });
  }
  return { asked: attempts.map(({ target }) => target.id), last: step() };
}

const told = (step: Step): string => (step.kind === "try" ? step.target.id : "stop");

describe("what a failure says of others", () => {
  it("is capacity of refusals, a fault of what broke, and only our account where the key is at fault", () => {
    const of = (evidence: string | undefined) =>
      (Object.keys(failureTraits) as FailureKind[]).filter((kind) => evidenceOf(kind) === evidence);
    expect(of("capacity")).toEqual(["rate_limited", "slow_down", "quota_exhausted", "upstream_overloaded"]);
    expect(of("account")).toEqual(["credential_rejected", "upstream_forbidden", "model_unavailable"]);
    expect(of("fault")).toContain("unreachable");
    for (const kind of of("fault")) expect(failureTraits[kind].blame).toBe("upstream");
    expect(of(undefined)).toEqual(
      expect.arrayContaining(["invalid_request", "context_length_exceeded", "content_filter", "draining"]),
    );
  });
});

describe("the order of backups", () => {
  const chain = ["direct/claude", "foundry/claude", "bedrock/claude", "openai/gpt"];

  it("leaves the operator after a fault, whatever the cloud on the label", () => {
    const { last } = follow(world(chain), ["upstream_failed"]);
    expect(last).toMatchObject({
      kind: "try",
      target: { id: "bedrock/claude" },
      why: "operator:aws is apart from the failed one, direct/claude (upstream failed)",
      skipped: [],
    });
  });

  it("comes back to the same operator when nobody else is left", () => {
    const { asked, last } = follow(world(chain), ["upstream_failed", "upstream_failed", "upstream_failed"]);
    expect(asked).toEqual(["direct/claude", "bedrock/claude", "openai/gpt"]);
    expect(last).toMatchObject({ target: { id: "foundry/claude" } });
    expect(last.kind === "try" && last.why).toContain(
      "shares operator:anthropic with the failed one, direct/claude (upstream failed)",
    );
  });

  it("never asks who shares the operator where the configuration says so, and says why", () => {
    const { asked, last } = follow(world(chain, { spread: "operator" }), [
      "upstream_failed",
      "upstream_failed",
      "upstream_failed",
    ]);
    expect(asked).toEqual(["direct/claude", "bedrock/claude", "openai/gpt"]);
    expect(last).toEqual({
      kind: "stop",
      skipped: [
        {
          target: "foundry/claude",
          why: "shares operator:anthropic with the failed one, direct/claude (upstream failed)",
        },
      ],
    });
  });

  it("stays in the order written where spread is none", () => {
    const { asked } = follow(
      world(chain, { spread: "none" }),
      Array.from({ length: 4 }, () => "upstream_failed"),
    );
    expect(asked).toEqual(chain);
  });

  it("takes the same operator's other account after a rate limit: its quota is its own", () => {
    const { last } = follow(world(chain), ["rate_limited"]);
    expect(last).toMatchObject({ target: { id: "foundry/claude" } });
    expect(last.kind === "try" && last.why).toContain("another owner (azure)");
  });

  it("prefers another model with another owner after an overload", () => {
    const { last } = follow(world(["direct/claude", "vertex/claude", "bedrock/claude", "openai/gpt"]), [
      "upstream_overloaded",
    ]);
    expect(told(last)).toBe("openai/gpt");
  });

  it("takes another operator's first where all may share the owner of what is overloaded", () => {
    const shared = ["direct", "foundry", "bedrock"].map((id) =>
      provider(id, { operator: id === "bedrock" ? "aws" : "anthropic", owner: "spacex" }),
    );
    const snapshot = sampleSnapshot(shared, [
      sampleRoute("main", ["direct/claude", "foundry/claude", "bedrock/claude"]),
    ]);
    expect(told(follow(snapshot, ["upstream_overloaded"]).last)).toBe("bedrock/claude");
    expect(told(follow(snapshot, ["rate_limited"]).last)).toBe("foundry/claude");
  });

  it("does not hold a rejected key against who runs the same elsewhere", () => {
    expect(told(follow(world(chain), ["credential_rejected"]).last)).toBe("foundry/claude");
  });

  it("holds nothing against anybody that the caller did", () => {
    expect(told(follow(world(chain), ["not_translatable"]).last)).toBe("foundry/claude");
  });

  it("neither trusts nor fears what nobody said", () => {
    const { last } = follow(world(["direct/claude", "mystery/claude", "bedrock/claude"]), ["upstream_failed"]);
    expect(last).toMatchObject({ target: { id: "mystery/claude" }, why: "its operator is unknown" });
  });

  it("takes another model behind the same door last", () => {
    const { last } = follow(world(["mystery/claude", "mystery/gpt", "openai/gpt"]), ["upstream_failed"]);
    expect(told(last)).toBe("openai/gpt");
  });

  it("asks a last resort last, however little it shares", () => {
    const route = world(["direct/claude", "mystery/gpt", "foundry/claude"]).routes.get("main")!;
    const targets = route.targets.map((each) => Object.assign({}, each, { lastResort: each.provider === "mystery" }));
    const { asked } = follow(
      sampleSnapshot(providers, [{ ...route, targets }]),
      Array.from({ length: 3 }, () => "upstream_failed"),
    );
    expect(asked).toEqual(["direct/claude", "foundry/claude", "mystery/gpt"]);
  });
});

describe("what is parked", () => {
  const chain = ["direct/claude", "foundry/claude", "bedrock/claude"];
  const parkedAt = (provider: string, kind: FailureKind): Health => {
    const health = new Health();
    for (let n = 0; n < 5; n += 1) {
      health.failed({ provider, model: "claude", credential: `${provider}#1` }, failure(kind, "x"), 0);
    }
    return health;
  };

  it("counts as failed from the first attempt on", () => {
    const snapshot = world(chain);
    const plan = planOf(snapshot, viewOf(snapshot, { health: parkedAt("direct", "unreachable") }));
    expect(plan.targets.map(({ target }) => target.id)).toEqual(["bedrock/claude", "foundry/claude"]);
    expect(plan.targets[1]?.why).toContain(
      "shares operator:anthropic with the failed one, direct/claude (parked after",
    );
  });

  it("moves nobody who stands before it: their own health speaks for them", () => {
    const snapshot = world(["foundry/claude", "bedrock/claude", "direct/claude"], { spread: "operator" });
    const plan = planOf(snapshot, viewOf(snapshot, { health: parkedAt("direct", "unreachable") }));
    expect(plan.targets.map(({ target }) => target.id)).toEqual(["foundry/claude", "bedrock/claude"]);
  });

  it("counts in the choice of backups though it is no target of the call, and bars nobody then", () => {
    const snapshot = world(["openai/gpt", "foundry/claude", "bedrock/claude"], { spread: "operator" });
    const target = { id: "direct/claude", provider: "direct", model: "claude", lastResort: false };
    const elsewhere: PlanningView["elsewhere"] = () => [
      { target, cause: "unreachable", parked: true, elsewhere: true },
    ];
    const view = viewOf(snapshot, { elsewhere });
    expect(planOf(snapshot, view).targets[0]?.target.id).toBe("openai/gpt");
    const { asked } = follow(snapshot, ["upstream_failed", "upstream_failed", "upstream_failed"], view);
    expect(asked).toEqual(["openai/gpt", "bedrock/claude", "foundry/claude"]);
    const { last } = follow(snapshot, ["upstream_failed", "upstream_failed"], view);
    expect(last.kind === "try" && last.why).toContain(
      "shares operator:anthropic with the failed one, direct/claude (parked after unreachable)",
    );
  });

  it("bars who shares it where the rule is strict, but never everybody", () => {
    const health = parkedAt("direct", "unreachable");
    const strict = world(chain, { spread: "operator" });
    const plan = planOf(strict, viewOf(strict, { health }));
    expect(plan.targets.map(({ target }) => target.id)).toEqual(["bedrock/claude"]);
    expect(plan.skipped).toContainEqual({
      target: "foundry/claude",
      why: "shares operator:anthropic with the failed one, direct/claude (parked after unreachable)",
    });
    const pair = world(["direct/claude", "foundry/claude"], { spread: "operator" });
    const rest = planOf(pair, viewOf(pair, { health }));
    expect(rest.targets.map(({ target }) => target.id)).toEqual(["foundry/claude"]);
    expect(rest.targets[0]?.why).toMatch(/^shares operator:anthropic .* but nothing else is left$/u);
  });
});

describe("measured co-failure", () => {
  it("orders among those who share nothing that is declared, and is named beside it with its events", () => {
    const snapshot = world(["direct/claude", "vertex/claude", "bedrock/claude"]);
    const coFailure: PlanningView["coFailure"] = (_failed, { provider }) =>
      provider === "vertex" ? { beta: 0.57, lo: 0.323, hi: 0.8, events: 13 } : undefined;
    const view = viewOf(snapshot, { coFailure });
    expect(told(follow(snapshot, ["upstream_failed"], view).last)).toBe("bedrock/claude");
    const { last } = follow(snapshot, ["upstream_failed", "upstream_failed"], view);
    expect(last.kind === "try" && last.why).toContain("operator:google is apart from the failed one, direct/claude");
    expect(last.kind === "try" && last.why).toContain(
      "measured to fail in 57 % [32.3 %, 80 %; 13 events] of the times direct/claude does",
    );
  });

  it("takes nothing back that is declared: a low figure makes no shared operator a safe one", () => {
    const snapshot = world(["direct/claude", "foundry/claude", "bedrock/claude"]);
    const coFailure: PlanningView["coFailure"] = (_failed, { provider }) =>
      provider === "foundry" ? { beta: 0, lo: 0, hi: 0.01, events: 0 } : { beta: 0.5, lo: 0.3, hi: 0.7, events: 9 };
    expect(told(follow(snapshot, ["upstream_failed"], viewOf(snapshot, { coFailure })).last)).toBe("bedrock/claude");
  });

  it("takes no order from a figure that may be chance", () => {
    const snapshot = world(["direct/claude", "vertex/claude", "bedrock/claude"]);
    const coFailure: PlanningView["coFailure"] = (_failed, { provider }) =>
      provider === "vertex" ? { beta: 0.3, lo: 0.02, hi: 0.8, events: 1 } : undefined;
    expect(told(follow(snapshot, ["upstream_failed"], viewOf(snapshot, { coFailure })).last)).toBe("vertex/claude");
  });
});

const ids = providers.flatMap(({ id }) => [`${id}/claude`, `${id}/gpt`]);
const chains = fc.uniqueArray(fc.constantFrom(...ids), { minLength: 1, maxLength: 8 });
const kinds = fc.array(fc.constantFrom(...(Object.keys(failureTraits) as FailureKind[])), {
  minLength: 8,
  maxLength: 8,
});
const spreads = fc.constantFrom<Spread>("provider", "storefront", "operator", "owner", "region");

describe("for any chain", () => {
  it("gives the order written while nothing fails, whatever the rule", () => {
    fc.assert(
      fc.property(chains, fc.option(spreads, { nil: undefined }), (targets, spread) => {
        const plan = planOf(world(targets, spread === undefined ? {} : { spread }));
        expect(plan.targets.map(({ target }) => target.id)).toEqual(targets);
        expect(plan.skipped).toEqual([]);
      }),
    );
  });

  it("asks nobody who shares what is strict with a target that failed of itself", () => {
    fc.assert(
      fc.property(chains, kinds, spreads, (targets, failures, spread) => {
        const snapshot = world(targets, { spread });
        const groupsOf = targetGroups(snapshot, "2026-11-21");
        const { asked } = follow(snapshot, failures);
        const byId = new Map(planOf(snapshot).targets.map(({ target }) => [target.id, target]));
        for (const [at, id] of asked.entries()) {
          for (const [before, earlier] of asked.slice(0, at).entries()) {
            const evidence = evidenceOf(failures[before]!);
            if (earlier === id || evidence === undefined || evidence === "account" || spread === "none") continue;
            const [one, other] = [groupsOf(byId.get(earlier)!), groupsOf(byId.get(id)!)];
            expect(["none", "unknown"]).toContain(sharesKind(one, other, spread));
          }
        }
      }),
    );
  });

  it("decides the same of the same, and asks each target that is not barred", () => {
    fc.assert(
      fc.property(chains, kinds, (targets, failures) => {
        const snapshot = world(targets);
        expect(follow(snapshot, failures)).toEqual(follow(snapshot, failures));
        const faults = follow(
          snapshot,
          failures.map(() => "upstream_failed" as const),
        );
        const sole = targets.length === 1 ? [...targets, ...targets] : targets;
        expect(faults.asked.toSorted()).toEqual(sole.toSorted());
      }),
    );
  });
});
