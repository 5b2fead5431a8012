import { describe, expect, it } from "vitest";
import { failure } from "#domain/failure";
import type { Attempt, Plan, Target } from "#domain/plan";
import type { Route } from "#domain/snapshot";
import type { CallOptions } from "#domain/call";
import { Health } from "#policy/health";
import { isPlan, makePlan, type PlanningView } from "#policy/make-plan";
import { nextCandidate } from "#policy/next-candidate";
import type { CoFailure } from "#policy/spread";
import { targetGroups } from "#supply/target-groups";
import { sampleProvider, sampleRoute, sampleSnapshot } from "../world/sample-snapshot.ts";

const providers = [
  sampleProvider("direct", { operator: "anthropic" }),
  sampleProvider("foundry", { operator: "anthropic" }),
  sampleProvider("bedrock", { operator: "aws" }),
  sampleProvider("vertex", { operator: "google" }),
];
const ids = providers.map(({ id }) => `${id}/claude`);
const nowMs = 60 * 60_000;

class Desk {
  readonly health = new Health();
  readonly #snapshot;
  readonly #coFailure: PlanningView["coFailure"];

  constructor(route: Partial<Route> = { order: "success" }, coFailure?: PlanningView["coFailure"]) {
    this.#snapshot = sampleSnapshot(providers, [sampleRoute("main", ids, route)]);
    this.#coFailure = coFailure;
  }

  /** So many calls ended there, of which so many failed: never five in a row, which would park it. */
  saw(provider: string, { calls, failures }: { readonly calls: number; readonly failures: number }): this {
    const recent = this.health.recentAt({ provider, model: "claude" });
    for (let call = 0; call < calls; call += 1) recent.note(call < failures, nowMs);
    return this;
  }

  plan(options: Partial<CallOptions> = {}): Plan {
    const made = makePlan({ model: "main", options: { metadata: false, ...options } }, this.#snapshot, this.#view());
    if (!isPlan(made)) throw new Error(made.message);
    return made;
  }

  /** Who is asked once the first failed. */
  backup(plan: Plan): string {
    const target = plan.targets[0]?.target as Target;
    const attempt: Attempt = {
      target,
      credential: `${target.provider}#1`,
      startedAtMs: nowMs,
      endedAtMs: nowMs,
      outcome: { kind: "failed", failure: failure("upstream_failed", "it broke") },
    };
    const step = nextCandidate({
      plan,
      attempts: [attempt],
      snapshot: this.#snapshot,
      view: this.#view(),
      deadlineAtMs: nowMs + 60_000,
      chance: 0.5,
      turn: 0,
      mayRetry: () => true,
    });
    return step.kind === "try" ? `${step.target.id}: ${step.why}` : "nobody";
  }

  #view(): PlanningView {
    const groupsOf = targetGroups(this.#snapshot, "2026-11-25");
    const measured = this.#coFailure === undefined ? {} : { coFailure: this.#coFailure };
    return { health: this.health, traitsOf: () => undefined, groupsOf, nowMs, ...measured };
  }
}

const order = ({ targets }: Plan) => targets.map(({ target }) => target.provider);

describe("a route in the order of success", () => {
  it("stays as it is written where nothing is known", () => {
    expect(order(new Desk().plan())).toEqual(["direct", "foundry", "bedrock", "vertex"]);
  });

  it("asks first whoever failed least of late, and says how that is known", () => {
    const desk = new Desk().saw("direct", { calls: 20, failures: 4 }).saw("vertex", { calls: 50, failures: 0 });
    const plan = desk.plan();
    expect(order(plan)).toEqual(["vertex", "foundry", "bedrock", "direct"]);
    expect(plan.targets[0]?.why).toBe("number 1 by success: 0 % expected to fail (0 of 50 calls of late failed)");
    expect(plan.targets[1]?.why).toBe("number 2 by success: 2 % expected to fail (no calls of late)");
  });

  it("leaves the order to a call that has a wish of its own", () => {
    const desk = new Desk().saw("direct", { calls: 20, failures: 4 });
    expect(order(desk.plan({ sort: "quality" }))).toEqual(["direct", "foundry", "bedrock", "vertex"]);
    expect(order(desk.plan({ provider: { order: ["direct"] } }))[0]).toBe("direct");
  });

  it("is not what a route without it gets", () => {
    expect(order(new Desk({}).saw("direct", { calls: 20, failures: 4 }).plan())[0]).toBe("direct");
  });

  it("asks another operator after a fault, however good the record of the sibling is", () => {
    const desk = new Desk().saw("direct", { calls: 90, failures: 0 }).saw("foundry", { calls: 80, failures: 0 });
    const plan = desk.plan();
    expect(order(plan).slice(0, 2)).toEqual(["direct", "foundry"]);
    expect(desk.backup(plan)).toMatch(
      /^bedrock\/claude: number 1 by success: 2 % expected to fail \(no calls of late\), 6\.9 % together with what failed; operator:aws is apart/u,
    );
  });

  it("asks the sibling after all where the others fail oftener than the two fail together", () => {
    const desk = new Desk().saw("direct", { calls: 90, failures: 0 }).saw("foundry", { calls: 80, failures: 0 });
    desk.saw("bedrock", { calls: 20, failures: 18 }).saw("vertex", { calls: 20, failures: 18 });
    expect(desk.backup(desk.plan())).toMatch(/^foundry\/claude: /u);
  });

  it("believes what was measured of two rather than what is usual of such pairs", () => {
    const measured: CoFailure = { beta: 0.001, lo: 0, hi: 0.01, events: 40 };
    const desk = new Desk({ order: "success" }, () => measured);
    desk.saw("direct", { calls: 90, failures: 0 }).saw("foundry", { calls: 80, failures: 0 });
    expect(desk.backup(desk.plan())).toMatch(/^foundry\/claude: /u);
  });

  it("keeps out whom a strict spread keeps out", () => {
    const desk = new Desk({ order: "success", spread: "operator" });
    desk.saw("direct", { calls: 90, failures: 0 }).saw("foundry", { calls: 80, failures: 0 });
    desk.saw("bedrock", { calls: 20, failures: 18 }).saw("vertex", { calls: 20, failures: 10 });
    expect(desk.backup(desk.plan())).toMatch(/^vertex\/claude: /u);
  });

  it("learns from calls that end, and from nothing that is the caller's own doing", () => {
    const desk = new Desk();
    const place = { provider: "direct", model: "claude", credential: "direct#1" };
    desk.health.begin(place, nowMs).failed(failure("upstream_failed", "it broke"), nowMs, 0.5);
    desk.health.begin(place, nowMs).failed(failure("invalid_request", "no such field"), nowMs, 0.5);
    desk.health.begin(place, nowMs).left();
    desk.health.begin(place, nowMs).succeeded(nowMs);
    expect(desk.health.recentAt(place).outlook(nowMs)).toMatchObject({ calls: 2, failures: 1 });
  });
});
