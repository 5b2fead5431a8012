import { failure, type FailureKind } from "#domain/failure";
import type { Attempt, Outcome, Target } from "#domain/plan";
import type { Snapshot } from "#domain/snapshot";
import type { RiskGroup } from "#domain/supply";
import { Health } from "#policy/health";
import { isPlan, makePlan, type PlanningView } from "#policy/make-plan";
import { nextCandidate } from "#policy/next-candidate";
import { criticalBackup } from "#policy/chain-compatibility";
import type { TraitsOf } from "#policy/find-targets";
import type { StoredAttempt } from "#control/store/read-attempts";

/**
 * Who would answer a call: `tried` failed before, in this order. Where nobody is sure and the route
 * does not refuse then, whose answer was doubted first.
 */
export interface Fate {
  readonly answeredBy?: Target;
  readonly tried: readonly Target[];
  /** Milliseconds that the attempts take which failed or were doubted. */
  readonly lostMs: number;
}

export interface RerouteWorld {
  readonly snapshot: Snapshot;
  readonly traitsOf: TraitsOf;
  readonly groupsOf: (target: Target) => readonly RiskGroup[];
  readonly isDown: (target: Target) => boolean;
  /** How long an attempt at a target lasts that is down. */
  readonly failsAfterMs: (target: Target) => number;
  /** How long an answer takes until it is doubted. */
  readonly doubtedAfterMs: (target: Target) => number;
}

/** What failed, or was doubted, in the recorded call itself, by target: so it ends again. */
export type RecordedEnds = ReadonlyMap<string, FailureKind | "doubted">;

/** What is known of a recorded request, beside its names. What is not known is taken for no need. */
export interface KnownNeeds {
  readonly promptTokens?: number;
  /** Its answer called some. */
  readonly tools?: true;
}

/** No plan of a route has more. */
const mostSteps = 100;
/** Prompts that differ by less than a fifth share a plan. */
const stepsPerDoubling = 4;
const maxKnown = 4096;

/**
 * Sends recorded calls once more through the planner that serves live ones, in a world where some targets fail. Each call
 * meets the failure afresh: nothing was learned from the call before it. What failed in the call itself fails again, and what
 * was doubted is doubted again. The same names, needs and ends give the same fate.
 */
export class Rerouting {
  readonly #world: RerouteWorld;
  readonly #known = new Map<string, Fate>();

  constructor(world: RerouteWorld) {
    this.#world = world;
  }

  fateOf(
    { route, requestedModel, operation }: StoredAttempt,
    { promptTokens, tools }: KnownNeeds,
    ends: RecordedEnds,
  ): Fate {
    const size = promptTokens === undefined ? -1 : Math.ceil(Math.log2(Math.max(1, promptTokens)) * stepsPerDoubling);
    const key = JSON.stringify([route, requestedModel, operation, size, tools, [...ends]]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const isRoute = this.#world.snapshot.routes.has(route);
    const call = {
      model: isRoute ? route : requestedModel,
      options: { metadata: false },
      ...(operation === "generate" ? {} : { operation }),
      needs: () => ({ ...(size < 0 ? {} : { promptTokens: bounds(size) }), ...(tools === undefined ? {} : { tools }) }),
    };
    const fate = this.#follow(call, ends);
    if (this.#known.size >= maxKnown) this.#known.clear();
    this.#known.set(key, fate);
    return fate;
  }

  #follow(call: Parameters<typeof makePlan>[0], ends: RecordedEnds): Fate {
    const { snapshot, traitsOf, groupsOf, isDown, failsAfterMs, doubtedAfterMs } = this.#world;
    const isCritical = (primary: Target, backup: Target) => criticalBackup(primary, backup, { snapshot, groupsOf });
    const view: PlanningView = { health: new Health(), traitsOf, groupsOf, isCritical, nowMs: 0 };
    const plan = makePlan(call, snapshot, view);
    if (!isPlan(plan)) return { tried: [], lostMs: 0 };
    const attempts: Attempt[] = [];
    let nowMs = 0;
    for (let steps = 0; steps < mostSteps; steps += 1) {
      const step = nextCandidate({
        plan,
        attempts,
        snapshot,
        view: { ...view, nowMs },
        deadlineAtMs: plan.timeouts.totalMs,
        chance: 0.5,
        turn: 0,
        mayRetry: () => true,
      });
      if (step.kind !== "try") break;
      const { target, credential } = step;
      nowMs += step.afterMs;
      const end = isDown(target) ? "upstream_failed" : ends.get(target.id);
      if (end === undefined) return { answeredBy: target, tried: failedOf(attempts), lostMs: nowMs };
      const startedAtMs = nowMs;
      nowMs += end === "doubted" ? doubtedAfterMs(target) : failsAfterMs(target);
      const outcome: Outcome =
        end === "doubted" ? { kind: end } : { kind: "failed", failure: failure(end, "down in this drill") };
      attempts.push({ target, credential, startedAtMs, endedAtMs: nowMs, outcome });
    }
    const doubted = attempts.find(({ outcome }) => outcome.kind === "doubted")?.target;
    const isGiven = doubted !== undefined && plan.confidence?.exhausted !== "refuse";
    return { ...(isGiven ? { answeredBy: doubted } : {}), tried: failedOf(attempts), lostMs: nowMs };
  }
}

function failedOf(attempts: readonly Attempt[]): readonly Target[] {
  return attempts.filter(({ outcome }) => outcome.kind === "failed").map(({ target }) => target);
}

function bounds(size: number): readonly [number, number] {
  return [Math.floor(2 ** ((size - 1) / stepsPerDoubling)), Math.ceil(2 ** (size / stepsPerDoubling))];
}
