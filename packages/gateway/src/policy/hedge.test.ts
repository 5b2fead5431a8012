import { describe, expect, it } from "vitest";
import type { AbortBilling } from "#domain/abort-billing";
import type { Plan, PlannedTarget, Target } from "#domain/plan";
import { defaultTimeouts } from "#domain/snapshot";
import type { RiskGroup } from "#domain/supply";
import { hedgeOf, type HedgeCase } from "./hedge.ts";

const target = (id: string, more: Partial<Target> = {}): Target => ({
  id,
  provider: id.split("/")[0] ?? "",
  model: "m",
  lastResort: false,
  ...more,
});
const planned = (id: string, more: Partial<PlannedTarget> = {}): PlannedTarget => ({
  target: target(id),
  why: "as written",
  ...more,
});

function planOf(targets: readonly PlannedTarget[]): Plan {
  return {
    route: "main",
    uses: ["main"],
    targets,
    skipped: [],
    failing: [],
    spread: { by: "operator", strict: false },
    timeouts: defaultTimeouts,
    routeTimeouts: {},
    maxAttempts: 3,
    retryEmpty: true,
  };
}

/** Every provider has an operator of its own; of one that begins with `x` nobody knows who runs it. */
const groupsOf = ({ provider }: Target): readonly RiskGroup[] =>
  provider.startsWith("x") ? [] : [{ kind: "operator", name: provider.slice(0, 1), share: [1, 1], status: "fact" }];

const latency = { p50Ms: 300, p95Ms: 900.2, calls: 50 };

function ask(more: Partial<HedgeCase> = {}, targets = [planned("a/m"), planned("b/m")]) {
  const [first] = targets;
  if (first === undefined) throw new Error("a plan without targets");
  return hedgeOf({
    rule: { share: 0.02, sideEffects: false },
    plan: planOf(targets),
    first: first.target,
    operation: "generate",
    attempts: 0,
    hasTools: false,
    isHeld: false,
    latency,
    groupsOf,
    abortBilling: (): AbortBilling => "unknown",
    ...more,
  });
}

const candidates = (of: ReturnType<typeof ask>) => of?.candidates.map((each) => each.target.id);

describe("A hedge", () => {
  it("comes after the learned 95th percentile, or when the route says", () => {
    expect(ask()).toMatchObject({ afterMs: 901 });
    expect(ask({ rule: { share: 0.02, sideEffects: false, afterMs: 200 }, latency: undefined })?.afterMs).toBe(200);
  });

  it("goes to targets of other operators, in the order of the plan", () => {
    const targets = ["a/m", "a2/m", "b/m", "x/m", "c/m"].map((id) => planned(id));
    expect(candidates(ask({}, targets))).toEqual(["b/m", "c/m"]);
    expect(ask({}, [planned("x/m"), planned("b/m")])).toBeUndefined();
  });

  it("passes over who is parked, a last resort, and who bills a cancelled answer", () => {
    const last: PlannedTarget = { target: target("d/m", { lastResort: true }), why: "" };
    const targets = [planned("a/m"), planned("b/m", { parked: true }), planned("c/m"), last, planned("e/m")];
    const abortBilling = ({ provider }: Target): AbortBilling => (provider === "c" ? "runs" : "stop");
    expect(candidates(ask({ abortBilling }, targets))).toEqual(["e/m"]);
  });

  it.each<readonly [string, Partial<HedgeCase>]>([
    ["nothing is learned yet", { latency: undefined }],
    ["too little is learned yet", { latency: { ...latency, calls: 49 } }],
    ["the call has tools", { hasTools: true }],
    ["a provider holds the thread", { isHeld: true }],
    [
      "a provider holds the thread, whatever the route says of tools",
      { isHeld: true, rule: { share: 1, sideEffects: true } },
    ],
    ["it is a retry", { attempts: 1 }],
    ["the call asks for no answer", { operation: "embed" }],
    [
      "a cancelled answer of the first is billed in full",
      { abortBilling: ({ provider }) => (provider === "a" ? "runs" : "stop") },
    ],
  ])("is none where %s", (_, more) => {
    expect(ask(more)).toBeUndefined();
  });

  it("is for calls with tools where the route accepts that they act twice", () => {
    expect(candidates(ask({ hasTools: true, rule: { share: 0.02, sideEffects: true } }))).toEqual(["b/m"]);
  });
});
