import { costNanoUsd } from "#catalogue/catalogue";
import type { FailureKind } from "#domain/failure";
import type { Target } from "#domain/plan";
import type { Snapshot } from "#domain/snapshot";
import type { RiskGroup } from "#domain/supply";
import { promptTokens } from "#domain/usage";
import type { TraitsOf } from "#policy/find-targets";
import { groupText } from "#supply/graph";
import { eachAttempt, oldestCallMs } from "#control/store/read-attempts";
import type { StoredAttempt, TimeWindow } from "#control/store/read-attempts";
import type { LedgerReader } from "#control/store/sql";
import { capacityNeeds, MinuteLoads, type CapacityNeed } from "./capacity.ts";
import { errorClassOf } from "#control/store/error-class";
import { ascending, percentile } from "./percentile.ts";
import { Rerouting, type KnownNeeds, type RecordedEnds } from "./reroute.ts";
import { recordedTarget } from "./traffic.ts";

export interface DrillWish {
  readonly window: TimeWindow;
  /** `operator:anthropic`. */
  readonly down: string;
  /** How long an attempt at a target lasts that is down, where no failed one was recorded. */
  readonly detectMs: number;
  readonly snapshot: Snapshot;
  readonly traitsOf: TraitsOf;
  readonly groupsOf: (target: Target) => readonly RiskGroup[];
}

export interface DrillReport {
  readonly down: string;
  readonly from: string;
  readonly until: string;
  /** Recorded calls that reached a target. */
  readonly calls: number;
  /** What surely hangs on the group, and, where that is more, what may. */
  readonly cases: readonly DrillCase[];
}

export interface DrillCase {
  readonly case: "certain" | "possible";
  /** Targets that are down in it. */
  readonly targets: readonly string[];
  /** Answered calls that met one of them. */
  readonly touched: number;
  /** Of these: whose answer called tools, so that only who calls tools can stand in. */
  readonly calledTools: number;
  readonly lost: number;
  readonly rerouted: number;
  /** Calls that met one of them and were not answered even when all was well. */
  readonly failedAnyway: number;
  readonly flows: readonly Flow[];
  readonly capacity: readonly CapacityNeed[];
}

/** Answered calls of a route that would have gone from one target to another, or nowhere. */
export interface Flow {
  readonly route: string;
  readonly from: string;
  /** Absent: lost. */
  readonly to?: string;
  readonly calls: number;
  /** For each call: that fail before the one that answers, or that find nobody. */
  readonly failedAttempts: number;
  /** Milliseconds until the first content, as recorded and as expected. Absent: nothing was recorded to say it. */
  readonly firstContentMs: Before & After;
  readonly costNanoUsd: { readonly before?: number; readonly after?: number };
}

interface Before {
  readonly p50Before?: number;
  readonly p95Before?: number;
}

interface After {
  readonly p50After?: number;
  readonly p95After?: number;
}

interface RecordedCall {
  readonly attempts: readonly StoredAttempt[];
  readonly answer?: StoredAttempt;
}

export async function drillReport(store: LedgerReader, wish: DrillWish): Promise<DrillReport> {
  const { down, snapshot, groupsOf } = wish;
  const window = { ...wish.window, fromMs: Math.max(wish.window.fromMs, (await oldestCallMs(store)) ?? 0) };
  const known = new KnownTargets(wish);
  const seen = new Seen();
  let calls = 0;
  await eachAttempt(store, { ...window, forCallers: true }, (attempt) => {
    if (attempt.number === 1) calls += 1;
    known.of(attempt);
    seen.add(attempt);
  });
  for (const target of configured(snapshot, wish.traitsOf)) known.add(target);
  const hanging = (end: 0 | 1) => {
    return known.all.filter((target) =>
      groupsOf(target).some(
        (group) => groupText(group) === down && (end === 0 ? group.share[0] >= 1 : group.share[1] > 0),
      ),
    );
  };
  const [certain, possible] = [hanging(0), hanging(1)];
  const cases: DrillCase[] = [];
  if (certain.length > 0)
    cases.push(await drillCase("certain", certain, { store, wish: { ...wish, window }, known, seen }));
  if (possible.length > certain.length)
    cases.push(await drillCase("possible", possible, { store, wish: { ...wish, window }, known, seen }));
  return {
    down,
    from: new Date(window.fromMs).toISOString(),
    until: new Date(window.untilMs).toISOString(),
    calls,
    cases,
  };
}

/** Every group that a drill can take down here, for suggestions. */
export function drillGroups(
  snapshot: Snapshot,
  traitsOf: TraitsOf,
  groupsOf: DrillWish["groupsOf"],
): readonly string[] {
  const texts = configured(snapshot, traitsOf).flatMap((target) => groupsOf(target).map((group) => groupText(group)));
  return [...new Set(texts)].toSorted();
}

function configured({ routes, providers }: Snapshot, traitsOf: TraitsOf): readonly Target[] {
  return [...routes.values()].flatMap(({ targets }) =>
    targets.map(({ provider, model }) =>
      recordedTarget({ target: `${provider}/${model}`, provider, model }, { providers, traitsOf }),
    ),
  );
}

/** Targets by id, looked up once each. */
class KnownTargets {
  readonly #targets = new Map<string, Target>();
  readonly #by: { readonly providers: Snapshot["providers"]; readonly traitsOf: TraitsOf };

  constructor({ snapshot, traitsOf }: DrillWish) {
    this.#by = { providers: snapshot.providers, traitsOf };
  }

  of(attempt: StoredAttempt): Target {
    return this.#targets.get(attempt.target) ?? this.add(recordedTarget(attempt, this.#by));
  }

  add(target: Target): Target {
    this.#targets.set(target.id, target);
    return target;
  }

  get all(): readonly Target[] {
    return [...this.#targets.values()];
  }
}

/** How targets were in the window: how soon they had content, and how long their failures took. */
class Seen {
  readonly #firsts = new Map<string, number[]>();
  readonly #failures = new Map<string, number[]>();
  readonly #doubted = new Map<string, number[]>();

  add(attempt: StoredAttempt): void {
    const { target, firstContentMs, durationMs } = attempt;
    const failed = errorClassOf(attempt);
    if (failed === undefined && firstContentMs !== undefined) put(this.#firsts, target, firstContentMs);
    if (attempt.outcome === "doubted") put(this.#doubted, target, durationMs);
    if (failed === "fault" || failed === "timeout") put(this.#failures, target, durationMs);
  }

  firstContentMs({ id }: Target, p: number): number | undefined {
    return percentile(ascending(this.#firsts.get(id) ?? []), p);
  }

  /** Asked of those alone that were. */
  doubtedMs({ id }: Target): number {
    return percentile(ascending(this.#doubted.get(id) ?? []), 0.5) ?? 0;
  }

  failureMs({ id }: Target): number | undefined {
    return percentile(ascending(this.#failures.get(id) ?? []), 0.5);
  }
}

function put(lists: Map<string, number[]>, key: string, value: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

interface Drilling {
  readonly store: LedgerReader;
  readonly wish: DrillWish;
  readonly known: KnownTargets;
  readonly seen: Seen;
}

interface FlowSums {
  readonly route: string;
  readonly from: string;
  readonly to: Target | undefined;
  calls: number;
  failedAttempts: number;
  lostMs: number;
  readonly firstsMs: number[];
  before: number | undefined;
  after: number | undefined;
}

async function drillCase(name: DrillCase["case"], targets: readonly Target[], drilling: Drilling): Promise<DrillCase> {
  const { store, wish, known, seen } = drilling;
  const ids = new Set(targets.map(({ id }) => id));
  const rerouting = new Rerouting({
    ...wish,
    isDown: ({ id }) => ids.has(id),
    failsAfterMs: (target) => seen.failureMs(target) ?? wish.detectMs,
    doubtedAfterMs: (target) => seen.doubtedMs(target),
  });
  const flows = new Map<string, FlowSums>();
  const loads = new MinuteLoads();
  let failedAnyway = 0;
  let calledTools = 0;
  await eachCall(store, wish.window, (call) => {
    const { attempts, answer } = call;
    const [first] = attempts;
    if (first === undefined) return;
    if (!attempts.some(({ target }) => ids.has(target))) {
      if (answer !== undefined) loads.add(known.of(answer), answer, "own");
      return;
    }
    if (answer === undefined) {
      failedAnyway += 1;
      return;
    }
    const needs = needsOf(answer);
    if (needs.tools === true) calledTools += 1;
    const { answeredBy, tried, lostMs } = rerouting.fateOf(first, needs, endsOf(attempts));
    if (answeredBy !== undefined) loads.add(answeredBy, answer, answeredBy.id === answer.target ? "own" : "moved");
    const key = JSON.stringify([first.route, answer.target, answeredBy?.id, tried.length]);
    const sums = flows.get(key) ?? emptyFlow(first.route, answer.target, answeredBy);
    flows.set(key, sums);
    addCall(sums, call, { failed: tried.length, lostMs, answer });
  });
  const made = [...flows.values()].map((sums) => flowOf(sums, seen));
  const count = (isWanted: (flow: Flow) => boolean) => made.filter(isWanted).reduce((sum, flow) => sum + flow.calls, 0);
  return {
    case: name,
    targets: [...ids],
    touched: count(() => true),
    calledTools,
    lost: count(({ to }) => to === undefined),
    rerouted: count(({ to, from }) => to !== undefined && to !== from),
    failedAnyway,
    flows: made.toSorted((a, b) => b.calls - a.calls || a.route.localeCompare(b.route)),
    capacity: capacityNeeds(loads, wish.snapshot),
  };
}

function needsOf({ usage, finish }: StoredAttempt): KnownNeeds {
  return {
    ...(usage === undefined ? {} : { promptTokens: promptTokens(usage) }),
    ...(finish === "tools" ? { tools: true } : {}),
  };
}

function endsOf(attempts: readonly StoredAttempt[]): RecordedEnds {
  const ended = attempts.flatMap((attempt): [string, FailureKind | "doubted"][] => {
    const { target, outcome, failure } = attempt;
    if (outcome === "doubted") return [[target, outcome]];
    const isTheirs = errorClassOf(attempt) !== undefined && errorClassOf(attempt) !== "client";
    return isTheirs && failure !== undefined ? [[target, failure]] : [];
  });
  return new Map(ended);
}

async function eachCall(store: LedgerReader, window: TimeWindow, visit: (call: RecordedCall) => void): Promise<void> {
  let attempts: StoredAttempt[] = [];
  const finish = () => {
    const answer = answerOf(attempts);
    if (attempts.length > 0) visit({ attempts, ...(answer === undefined ? {} : { answer }) });
  };
  await eachAttempt(store, { ...window, forCallers: true }, (attempt) => {
    if (attempts[0] !== undefined && attempts[0].callId !== attempt.callId) {
      finish();
      attempts = [];
    }
    attempts.push(attempt);
  });
  finish();
}

/** What the caller got: the answered attempt's, even behind doubted ones; of these one where the call was not refused. */
function answerOf(attempts: readonly StoredAttempt[]): StoredAttempt | undefined {
  return (
    attempts.find(({ outcome }) => outcome === "answered") ??
    attempts.find(
      ({ outcome, failure, decision }) =>
        failure === undefined && (outcome === "doubted" ? decision === "doubted" : outcome !== "outrun"),
    )
  );
}

function emptyFlow(route: string, from: string, to: Target | undefined): FlowSums {
  return { route, from, to, calls: 0, failedAttempts: 0, lostMs: 0, firstsMs: [], before: 0, after: 0 };
}

/** A sum with something unknown in it is unknown. */
function addCall(
  sums: FlowSums,
  { attempts }: RecordedCall,
  { failed, lostMs, answer }: { readonly failed: number; readonly lostMs: number; readonly answer: StoredAttempt },
): void {
  sums.calls += 1;
  sums.failedAttempts += failed;
  sums.lostMs = lostMs;
  const earlierMs = attempts
    .filter(({ number }) => number < answer.number)
    .reduce((sum, each) => sum + each.durationMs, 0);
  if (answer.firstContentMs !== undefined) sums.firstsMs.push(earlierMs + answer.firstContentMs);
  const { usage, costNanoUsd: cost } = answer;
  sums.before = plus(sums.before, cost);
  const price = sums.to?.traits?.price;
  const isSame = sums.to?.id === sums.from;
  const after = isSame ? cost : usage === undefined || price === undefined ? undefined : costNanoUsd(usage, price);
  sums.after = plus(sums.after, sums.to === undefined ? 0 : after);
}

function plus(sum: number | undefined, more: number | undefined): number | undefined {
  return sum === undefined || more === undefined ? undefined : sum + more;
}

function flowOf({ to, firstsMs, before, after, lostMs, ...sums }: FlowSums, seen: Seen): Flow {
  const sorted = ascending(firstsMs);
  const [p50Before, p95Before] = [percentile(sorted, 0.5), percentile(sorted, 0.95)];
  const [p50, p95] = to === undefined ? [] : [seen.firstContentMs(to, 0.5), seen.firstContentMs(to, 0.95)];
  return {
    route: sums.route,
    from: sums.from,
    ...(to === undefined ? {} : { to: to.id }),
    calls: sums.calls,
    failedAttempts: sums.failedAttempts,
    firstContentMs: {
      ...(p50Before === undefined ? {} : { p50Before }),
      ...(p95Before === undefined ? {} : { p95Before }),
      ...(p50 === undefined ? {} : { p50After: lostMs + p50 }),
      ...(p95 === undefined ? {} : { p95After: lostMs + p95 }),
    },
    costNanoUsd: { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) },
  };
}
