import { failure, type Failure } from "#domain/failure";
import type { Attempt, Plan, Target } from "#domain/plan";
import type { Snapshot } from "#domain/snapshot";
import { CallRetries } from "#policy/call-retries";
import { Health } from "#policy/health";
import { isPlan, makePlan, type PlanningView } from "#policy/make-plan";
import { nextCandidate, type Step } from "#policy/next-candidate";
import { RetryBudget } from "#policy/retry-budget";
import type { ArrivalPlayer } from "./arrivals.ts";
import type { History } from "./history.ts";
import { LeadWatch, type Leaving } from "./lead-watch.ts";
import { askedRoute, snapshotFor, type Choice, type ModelWorld } from "./model-world.ts";
import type { Policy } from "./policies.ts";
import type { Window } from "./read-outages.ts";

/** What a day's calls for one model came to. */
export interface Day {
  calls: number;
  /** Drawn: every try of these failed. */
  failed: number;
  /** Expected: the chances multiplied that the tries of each call fail. */
  expected: number;
  attempts: number;
  /** Nano-dollars per million tokens of whoever answered, prompts three times as long as answers. */
  paid: number;
  /** Calls that were answered by somebody whose price is known. */
  priced: number;
}

export interface Replayed extends Leaving {
  /** By day of the judged days, from 0. */
  readonly days: readonly Day[];
}

export interface Replay {
  readonly world: ModelWorld;
  readonly policy: Policy;
  readonly history: History;
  readonly training: readonly Window[];
  readonly judged: readonly Window[];
  readonly arrivals: ArrivalPlayer;
  readonly callsPerWindow: number;
  readonly chance: () => number;
  /** By target; undefined where nobody says what it costs. */
  readonly priceOf: (target: Target) => number | undefined;
}

const fullWindowMs = 30 * 60_000;
const dayMs = 24 * 60 * 60_000;
/** As one provider says it whose machines fail: the data do not tell faults from refusals. */
const fault: Failure = failure("upstream_failed", "It failed by the measured chance.");

/** Plays the judged days for one model under one policy; undefined where the policy has nobody to offer for it. */
export function replayModel(replay: Replay): Replayed | undefined {
  const { world, policy, history, judged } = replay;
  const chosen = policy.choose(world, history);
  return chosen === undefined || judged.length === 0 ? undefined : new Run(replay, chosen).play();
}

interface Now {
  readonly window: Window;
  readonly snapshot: Snapshot;
  readonly nowMs: number;
}

interface Attempting {
  readonly now: Now;
  readonly plan: Plan;
  readonly view: PlanningView;
  readonly retries: CallRetries;
}

class Run {
  readonly #replay: Replay;
  readonly #chosen: readonly Choice[];
  readonly #columns: ReadonlyMap<string, number>;
  readonly #health = new Health();
  readonly #budget = new RetryBudget();
  readonly #watch = new LeadWatch();
  readonly #days: Day[] = [];
  readonly #startMs: number;
  #day: Day = emptyDay();

  constructor(replay: Replay, chosen: readonly Choice[]) {
    this.#replay = replay;
    this.#chosen = chosen;
    this.#columns = new Map(replay.world.choices.map(({ target, column }) => [target.id, column]));
    this.#startMs = (replay.training[0] ?? replay.judged[0])?.startMs ?? 0;
    if (replay.policy.informed) this.#remember();
  }

  play(): Replayed {
    const { judged, arrivals, callsPerWindow, policy } = this.#replay;
    const firstMs = judged[0]?.startMs ?? 0;
    for (const window of judged) {
      const day = Math.floor((window.endMs - firstMs) / dayMs);
      while (this.#days.length <= day) this.#days.push((this.#day = emptyDay()));
      const present = this.#chosen.filter(({ column }) => !Number.isNaN(window.success[column]));
      // Without two to choose from there is no choice to judge.
      if (present.length < 2) continue;
      const snapshot = snapshotFor(this.#replay.world, present, policy.route ?? {});
      const count = Math.round((callsPerWindow * (window.endMs - window.startMs)) / fullWindowMs);
      for (const atMs of arrivals.next(count, window)) {
        if (policy.route === undefined) this.#foresee(window, present);
        else this.#call({ window, snapshot, nowMs: atMs - this.#startMs });
      }
    }
    return { days: this.#days, ...this.#watch.leaving };
  }

  /** As if as many of our own calls as now had been there on the days before. */
  #remember(): void {
    const { training, callsPerWindow } = this.#replay;
    for (const { success, startMs, endMs } of training) {
      const calls = (callsPerWindow * (endMs - startMs)) / fullWindowMs;
      for (const { target, column } of this.#chosen) {
        const share = success[column] ?? Number.NaN;
        if (Number.isNaN(share)) continue;
        this.#health.recentAt(target).learn({ calls, failures: calls * (1 - share) }, endMs - this.#startMs);
      }
    }
  }

  /** The two best of the moment, in the order of their success. */
  #foresee({ success }: Window, present: readonly Choice[]): void {
    const [first, second] = present.toSorted((a, b) => (success[b.column] ?? 0) - (success[a.column] ?? 0));
    if (first === undefined || second === undefined) return;
    const day = this.#day;
    day.calls += 1;
    const tries = [first, second];
    day.expected += tries.reduce((all, { column }) => all * (1 - (success[column] ?? 0)), 1);
    for (const { target, column } of tries) {
      day.attempts += 1;
      if (this.#replay.chance() >= (success[column] ?? 0)) continue;
      this.#paid(target);
      return;
    }
    day.failed += 1;
  }

  #call(now: Now): void {
    const { nowMs, snapshot } = now;
    const view = this.#view(nowMs);
    const plan = makePlan({ model: askedRoute, options: { metadata: false } }, snapshot, view);
    const day = this.#day;
    day.calls += 1;
    const retries = new CallRetries(this.#budget, nowMs);
    if (!isPlan(plan)) {
      day.failed += 1;
      day.expected += 1;
      return;
    }
    this.#attempt({ now, plan, view, retries });
  }

  #attempt({ now, plan, view, retries }: Attempting): void {
    const { nowMs, snapshot, window } = now;
    const day = this.#day;
    const attempts: Attempt[] = [];
    let expected = 1;
    const step = (mayRetry: () => boolean, made: readonly Attempt[]) =>
      nextCandidate({
        plan,
        attempts: made,
        snapshot,
        view,
        deadlineAtMs: nowMs + plan.timeouts.totalMs,
        chance: this.#replay.chance(),
        turn: 0,
        mayRetry,
      });
    for (;;) {
      const next = step(() => retries.mayRetry(nowMs), attempts);
      if (next.kind === "stop") break;
      const { target, credential } = next;
      const failing = this.#failing(target, window);
      expected *= failing;
      if (attempts.length === 0) this.#watch.led(target.id, { failing, nowMs, window });
      day.attempts += 1;
      const visit = this.#health.begin({ provider: target.provider, model: target.model, credential }, nowMs);
      const bare = { target, credential, startedAtMs: nowMs, endedAtMs: nowMs };
      if (this.#replay.chance() >= failing) {
        visit.content(nowMs);
        visit.succeeded(nowMs);
        retries.settle(true);
        this.#paid(target);
        expected *= this.#restOf(attempts, { ...bare, ...failedOnce }, { now, step });
        day.expected += expected;
        return;
      }
      visit.failed(fault, nowMs, this.#replay.chance());
      attempts.push({ ...bare, ...failedOnce });
    }
    retries.settle(false);
    day.expected += expected;
    day.failed += 1;
  }

  /** The expectation is over all that may happen: whoever would have been asked had this one failed counts, too. */
  #restOf(
    before: readonly Attempt[],
    last: Attempt,
    { now, step }: { readonly now: Now; readonly step: (mayRetry: () => boolean, made: readonly Attempt[]) => Step },
  ): number {
    const made = [...before, last];
    let failing = this.#failing(last.target, now.window);
    // What cannot fail needs no backup.
    let all = failing === 0 ? 0 : 1;
    while (all > 0) {
      const backup = step(() => true, made);
      if (backup.kind === "stop") break;
      failing = this.#failing(backup.target, now.window);
      all *= failing;
      const { target, credential } = backup;
      made.push({ ...last, target, credential });
    }
    return all;
  }

  #failing({ id }: Target, { success }: Window): number {
    return 1 - (success[this.#columns.get(id) ?? -1] ?? 0);
  }

  #paid(target: Target): void {
    const price = this.#replay.priceOf(target);
    if (price === undefined) return;
    this.#day.paid += price;
    this.#day.priced += 1;
  }

  #view(nowMs: number): PlanningView {
    const { world, policy, history } = this.#replay;
    return {
      health: this.#health,
      traitsOf: () => undefined,
      groupsOf: world.groupsOf,
      nowMs,
      ...(policy.informed ? { coFailure: history.coFailure } : {}),
    };
  }
}

const failedOnce = { outcome: { kind: "failed", failure: fault } } as const;

function emptyDay(): Day {
  return { calls: 0, failed: 0, expected: 0, attempts: 0, paid: 0, priced: 0 };
}
