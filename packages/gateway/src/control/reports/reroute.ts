import { failure, type FailureKind } from "#domain/failure";
import type { Attempt, Target } from "#domain/plan";
import type { Snapshot } from "#domain/snapshot";
import type { RiskGroup } from "#domain/supply";
import { Health } from "#policy/health";
import { isPlan, makePlan, type PlanningView } from "#policy/make-plan";
import { nextCandidate } from "#policy/next-candidate";
import { criticalBackup } from "#policy/chain-compatibility";
import type { TraitsOf } from "#policy/find-targets";
import type { StoredAttempt } from "#control/store/read-attempts";

/** Who would answer a call: `tried` failed before, in this order. */
export interface Fate {
  readonly answeredBy?: Target;
  readonly tried: readonly Target[];
  /** Milliseconds that the failed attempts take. */
  readonly lostMs: number;
}

export interface RerouteWorld {
  readonly snapshot: Snapshot;
  readonly traitsOf: TraitsOf;
  readonly groupsOf: (target: Target) => readonly RiskGroup[];
  readonly isDown: (target: Target) => boolean;
  /** How long an attempt at a target lasts that is down. */
  readonly failsAfterMs: (target: Target) => number;
}

/** What failed in the recorded call itself, by target: it fails again. */
export type RecordedFailures = ReadonlyMap<string, FailureKind>;

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
 * meets the failure afresh: nothing was learned from the call before it. What failed in the call itself fails again. The
 * same names, needs and failures give the same fate.
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
    failures: RecordedFailures,
  ): Fate {
    const size = promptTokens === undefined ? -1 : Math.ceil(Math.log2(Math.max(1, promptTokens)) * stepsPerDoubling);
    const key = JSON.stringify([route, requestedModel, operation, size, tools, [...failures]]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const isRoute = this.#world.snapshot.routes.has(route);
    const call = {
      model: isRoute ? route : requestedModel,
      options: { metadata: false },
      ...(operation === "generate" ? {} : { operation }),
      needs: () => ({ ...(size < 0 ? {} : { promptTokens: bounds(size) }), ...(tools === undefined ? {} : { tools }) }),
    };
    const fate = this.#follow(call, failures);
    if (this.#known.size >= maxKnown) this.#known.clear();
    this.#known.set(key, fate);
    return fate;
  }

  #follow(call: Parameters<typeof makePlan>[0], failures: RecordedFailures): Fate {
    const { snapshot, traitsOf, groupsOf, isDown, failsAfterMs } = this.#world;
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
      const tried = attempts.map(({ target }) => target);
      if (step.kind !== "try") return { tried, lostMs: nowMs };
      nowMs += step.afterMs;
      const kind = isDown(step.target) ? "upstream_failed" : failures.get(step.target.id);
      if (kind === undefined) return { answeredBy: step.target, tried, lostMs: nowMs };
      const startedAtMs = nowMs;
      nowMs += failsAfterMs(step.target);
      attempts.push({
        target: step.target,
        credential: step.credential,
        startedAtMs,
        endedAtMs: nowMs,
        outcome: { kind: "failed", failure: failure(kind, "down in this drill") },
      });
    }
    return { tried: attempts.map(({ target }) => target), lostMs: nowMs };
  }
}

function bounds(size: number): readonly [number, number] {
  return [Math.floor(2 ** ((size - 1) / stepsPerDoubling)), Math.ceil(2 ** (size / stepsPerDoubling))];
}
