import { describe, expect, it } from "vitest";
import type { Attempt, Plan } from "#domain/plan";
import type { ProviderSpec, Route } from "#domain/snapshot";
import { Health } from "#policy/health";
import { isPlan, makePlan, type PlanningView } from "#policy/make-plan";
import { nextCandidate, type Step } from "#policy/next-candidate";
import { targetGroups } from "#supply/target-groups";
import { failure } from "#domain/failure";
import { sampleProvider, sampleRoute, sampleSnapshot, sampleTraits } from "../world/sample-snapshot.ts";

const models = new Map(
  ["anthropic/claude", "anthropic/haiku", "openai/gpt", "google/gemini"].map((name) => [
    name.split("/")[1] ?? "",
    sampleTraits(name, 200_000),
  ]),
);
const provider = (id: string, more: Partial<ProviderSpec> = {}): ProviderSpec =>
  sampleProvider(id, { models, ...more });
const providers = [
  provider("direct", { operator: "anthropic", owner: "gcp" }),
  provider("bedrock", { operator: "aws", owner: "aws" }),
  provider("openai", { operator: "openai", owner: "azure" }),
  provider("vertex", { operator: "google", owner: "gcp" }),
];

function worldOf(targets: readonly string[], more: Partial<Route> = {}) {
  const snapshot = sampleSnapshot(providers, [sampleRoute("main", targets, more)]);
  const view: PlanningView = {
    health: new Health(),
    traitsOf: (spec, model) => spec.models.get(model),
    groupsOf: targetGroups(snapshot, "2026-11-21"),
    nowMs: 0,
  };
  const plan = makePlan({ model: "main", options: { metadata: false } }, snapshot, view);
  if (!isPlan(plan)) throw new Error(plan.message);
  return { snapshot, view, plan };
}

type Ending = "doubted" | "failed";

function step(
  { snapshot, view, plan }: ReturnType<typeof worldOf>,
  attempts: readonly Attempt[],
  mayRetry: () => boolean = () => true,
): Step {
  return nextCandidate({
    plan,
    attempts,
    snapshot,
    view,
    deadlineAtMs: 60_000_000,
    chance: 0,
    turn: 0,
    mayRetry,
  });
}

function attemptAt(plan: Plan, id: string, ending: Ending): Attempt {
  const planned = plan.targets.find(({ target }) => target.id === id);
  if (planned === undefined) throw new Error(id);
  return {
    target: planned.target,
    credential: `${planned.target.provider}#1`,
    startedAtMs: 0,
    endedAtMs: 1,
    outcome: ending === "doubted" ? { kind: "doubted" } : { kind: "failed", failure: failure("upstream_failed", "") },
  };
}

/** Who is asked when everybody's answer is doubted, in order. */
function order(world: ReturnType<typeof worldOf>): readonly string[] {
  const attempts: Attempt[] = [];
  for (;;) {
    const next = step(world, attempts);
    if (next.kind === "stop") return attempts.map(({ target }) => target.id);
    attempts.push(attemptAt(world.plan, next.target.id, "doubted"));
  }
}

describe("Whom a doubted answer leads to", () => {
  it("is a rival first, then another model of the same vendor, the same model elsewhere last", () => {
    const world = worldOf(["direct/claude", "bedrock/claude", "direct/haiku", "openai/gpt"]);
    expect(order(world)).toEqual(["direct/claude", "openai/gpt", "direct/haiku", "bedrock/claude"]);
  });

  it("is, of two rivals, the one on other machines", () => {
    const world = worldOf(["direct/claude", "vertex/gemini", "openai/gpt"]);
    expect(order(world)).toEqual(["direct/claude", "openai/gpt", "vertex/gemini"]);
  });

  it("is nobody's by a strict rule about what fails together: nothing has failed", () => {
    const world = worldOf(["direct/claude", "direct/haiku"], { spread: "operator" });
    expect(order(world)).toEqual(["direct/claude", "direct/haiku"]);
  });

  it("costs neither attempts nor the retry budget; what fails afterwards does", () => {
    const world = worldOf(["direct/claude", "openai/gpt", "vertex/gemini", "bedrock/claude"], { maxAttempts: 1 });
    const never = (): boolean => {
      throw new Error("the retry budget was asked");
    };
    const first = attemptAt(world.plan, "direct/claude", "doubted");
    expect(step(world, [first], never)).toMatchObject({ kind: "try", target: { id: "openai/gpt" } });
    const failed = attemptAt(world.plan, "openai/gpt", "failed");
    expect(step(world, [first, failed], never)).toMatchObject({ kind: "stop" });
    const lenient = worldOf(["direct/claude", "openai/gpt", "vertex/gemini"], { maxAttempts: 2 });
    expect(step(lenient, [first, failed], () => false)).toMatchObject({ kind: "stop" });
    expect(step(lenient, [first, failed])).toMatchObject({ kind: "try", target: { id: "vertex/gemini" } });
  });

  it("says when there was only no time", () => {
    const { snapshot, view, plan } = worldOf(["direct/claude", "openai/gpt"]);
    const attempts = [attemptAt(plan, "direct/claude", "doubted")];
    const at = { plan, attempts, snapshot, view, chance: 0, turn: 0, mayRetry: () => true };
    expect(nextCandidate({ ...at, deadlineAtMs: plan.timeouts.totalMs / 10 - 1 })).toEqual({
      kind: "stop",
      late: true,
    });
  });
});
