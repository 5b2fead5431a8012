import type { Dialect } from "#dialects/dialect";
import { costNanoUsd } from "#catalogue/catalogue";
import { memoryOwner, type Call } from "#domain/call";
import { failure, type Failure } from "#domain/failure";
import type { Attempt, Plan, SkippedTarget, Target } from "#domain/plan";
import type { Exchange } from "#domain/ports";
import type { Decision } from "#domain/record";
import type { GatewayKey } from "#domain/gateway-key";
import type { Snapshot } from "#domain/snapshot";
import { CallRetries } from "#policy/call-retries";
import type { Fingerprint } from "#policy/deadly-requests";
import { downTheLadder } from "#policy/ladder";
import { isPlan, makePlan, type PlanningView, type Wanted } from "#policy/make-plan";
import { scopeOf } from "#policy/key-scope";
import { nextCandidate, type Step } from "#policy/next-candidate";
import type { FieldScan } from "#wire/json-splice";
import { withAbleTargets } from "./able-targets.ts";
import { openAdmission, type Admission } from "./admission.ts";
import { streamHeaders, type AnswerFacts } from "./answer-headers.ts";
import { fingerprintOf, type Held } from "./ask-target.ts";
import { Asker } from "./asker.ts";
import type { AttemptResult } from "./attempt-input.ts";
import { brokenTargets } from "./broken-targets.ts";
import { CallAffinity } from "./call-affinity.ts";
import type { DataPlane } from "./data-plane.ts";
import { criticalPairs } from "./critical-pairs.ts";
import { Doubts } from "./doubts.ts";
import { brokenOrAborted, endedFromOutside, worstOf } from "./endings.ts";
import { groupsOfTargets } from "./groups-of.ts";
import { howAnswered } from "./how-answered.ts";
import { decodeOnce } from "./lane-request.ts";
import type { Lane } from "./lane.ts";
import { coFailureOf } from "./measured-pairs.ts";
import type { CallControl } from "./live-calls.ts";
import { pause, turnOf } from "./pauses.ts";
import { askShadow } from "./shadow.ts";
import type { Thread } from "./thread.ts";
import { nobodySure } from "./nobody-sure.ts";
import { withThoughts } from "./thoughts.ts";
import type { Underway } from "./underway.ts";

export interface JourneyInput {
  readonly exchange: Exchange;
  readonly plane: DataPlane;
  readonly snapshot: Snapshot;
  readonly control: CallControl;
  readonly call: Call;
  readonly dialect: Dialect;
  readonly scan: FieldScan;
  readonly key?: GatewayKey;
  readonly thread?: Thread;
  /** What of it the journal knows before it ends; absent: nothing. */
  readonly underway?: Underway;
}

/** How a call ended, before its last byte is sent. */
export type JourneyEnd =
  | { readonly kind: "answered"; readonly result: AttemptResult }
  /** The gateway answered itself, of this target's behalf. */
  | { readonly kind: "estimated"; readonly target: Target; readonly body: Uint8Array }
  | { readonly kind: "broken"; readonly failure: Failure; readonly result: AttemptResult }
  | { readonly kind: "refused"; readonly failure: Failure; readonly review?: AskedReview }
  /** A person is asked, and the caller is told where the decision will be. */
  | { readonly kind: "pending"; readonly review: AskedReview }
  /** The client is not there any more. */
  | { readonly kind: "aborted"; readonly failure: Failure; readonly result?: AttemptResult };

/** A review that waits for a person. */
export interface AskedReview {
  readonly id: string;
  /** JSON: the surest answer there is, in the caller's language; absent where there is none, or it is too long. */
  readonly bestAnswer?: string;
}

/** One call on its way over its targets: the only attempt loop there is, streamed or not. */
export class Journey {
  readonly input: JourneyInput;
  readonly attempts: Attempt[] = [];
  /** Losses of the translation that answered, in words. */
  warnings: readonly string[] = [];
  /** The plan's; empty until there is one, so that a name nobody knows names nothing in headers or metrics. */
  route = "";
  /** Why each attempt was made. */
  readonly chosen: SkippedTarget[] = [];
  /** Why the others were not, by target; the last reason is the one that held. */
  readonly passedOver = new Map<string, string>();
  /** No target answers this call, but the gateway itself. */
  estimated = false;
  #plan: Plan | undefined;
  #deadlineAtMs = 0;
  #retries: CallRetries | undefined;
  #asker: Asker | undefined;
  #doubts: Doubts | undefined;
  #admission: Admission | undefined;
  /** Rotates over the credentials of a provider. */
  readonly #turn: number;
  readonly #decoded;
  readonly #affinity: CallAffinity;
  readonly #fingerprint: Fingerprint;

  constructor(input: JourneyInput) {
    this.input = input;
    const { call, dialect, plane, scan } = input;
    this.#turn = Math.floor(plane.random() * 0x10000);
    this.#fingerprint = fingerprintOf(call);
    this.#affinity = new CallAffinity(plane.affinity, { call, scan }, () => plane.clock.nowMs());
    this.#decoded = decodeOnce(call, dialect, (request) => withThoughts(request, plane.memory, memoryOwner(call)));
  }

  get view(): PlanningView {
    const { plane, snapshot } = this.input;
    const wallMs = plane.clock.wallMs();
    const nowMs = plane.clock.nowMs();
    return {
      health: plane.health,
      traitsOf: plane.traitsOf,
      groupsOf: groupsOfTargets(snapshot, wallMs),
      coFailure: coFailureOf(snapshot),
      elsewhere: () => brokenTargets(plane.health, snapshot, nowMs),
      isCritical: criticalPairs(snapshot, wallMs),
      latencyOf: ({ id }) => plane.speeds.of(id, nowMs),
      nowMs,
    };
  }

  /** The plan, made once. */
  plan(): Plan | Failure {
    if (this.#plan !== undefined) return this.#plan;
    const { call, snapshot } = this.input;
    const { view } = this;
    const made = makePlan(this.#wanted(), snapshot, view);
    if (!isPlan(made)) return made;
    const barred = this.#barred(made);
    if (barred !== undefined) return barred;
    this.route = made.route;
    this.#plan = downTheLadder(withAbleTargets(made, call, snapshot), { ...view, reach: view.health.reach });
    for (const { target, why } of this.#plan.skipped) this.passedOver.set(target, why);
    this.#deadlineAtMs = call.acceptedAtMs + made.timeouts.totalMs;
    return this.#plan;
  }

  /** Who would be asked for an answer; undefined where nobody would be, or the key may not ask. */
  answerer(): Target | undefined {
    const made = makePlan({ ...this.#wanted(), operation: "generate" }, this.input.snapshot, this.view);
    return isPlan(made) && this.#barred(made) === undefined ? made.targets[0]?.target : undefined;
  }

  /** Every name of a chain: one that is allowed does not open the door to the others. */
  #barred({ uses }: Plan): Failure | undefined {
    const { key } = this.input;
    const barred = uses.find((name) => key?.routes?.includes(name) === false);
    if (barred === undefined) return undefined;
    return failure("forbidden", `The key "${key?.name}" may not use "${barred.slice(0, 200)}".`);
  }

  /** What the body needs is looked for only where there is a choice. */
  #wanted(): Wanted {
    const { call, dialect, scan } = this.input;
    const { model, options, operation } = call;
    const needs = operation === "generate" ? () => dialect.findNeeds(call.body, scan) : () => ({});
    const scope = scopeOf(this.input.key);
    return { model, options, operation, needs, seed: call.id, served: this.#affinity, ...scope };
  }

  /** A further attempt was wanted and the route's retry budget had none left. */
  get budgetSpent(): boolean {
    return this.#retries?.denied === true;
  }

  /** Never rejects: a bug of ours on the way ends the call like any failure, so that it too leaves its record. */
  async travel(): Promise<JourneyEnd> {
    try {
      const end = await this.#travel();
      if (end.kind === "answered") this.#affinity.answered(end.result.attempt.target.id);
      return end;
    } catch (bug) {
      this.input.plane.onBug(bug);
      return { kind: "refused", failure: failure("internal_error", "The gateway failed on this call.") };
    } finally {
      this.#retries?.settle(false);
      if (this.#doubts !== undefined) {
        await this.#asker?.close();
        await this.#doubts.close();
      }
      this.#admission?.close();
    }
  }

  async #travel(): Promise<JourneyEnd> {
    const plan = this.plan();
    if (!isPlan(plan)) return { kind: "refused", failure: plan };
    const { control, plane } = this.input;
    const { clock } = plane;
    this.#admission = openAdmission(this.input, plan.route);
    const closed = await this.#admission?.admit(plan.targets[0]?.target, this.#deadlineAtMs);
    if (control.ended !== undefined) return endedFromOutside(control.ended);
    if (closed !== undefined) return { kind: "refused", failure: closed };
    const retries = (this.#retries = new CallRetries(plane.retryBudgets.of(plan.route), clock.nowMs()));
    const asker = (this.#asker = this.#askerFor(plan, retries));
    if (this.#doubts !== undefined && (this.#doubts.request?.choices ?? 1) > 1) {
      const why =
        "One answer is judged, not several: ask for one, or on a route and in a call without a confidence rule.";
      return { kind: "refused", failure: failure("invalid_request", why, { param: "n" }) };
    }
    let empty: Held | undefined;
    for (;;) {
      if (control.ended !== undefined) return endedFromOutside(control.ended);
      if (this.#isTooDear(plan)) return this.#conclude({ kind: "stop" }, empty);
      const mayRetry = (): boolean => retries.mayRetry(clock.nowMs());
      let step: Step = nextCandidate({ ...asker.situation, mayRetry });
      for (const { target, why } of step.skipped ?? []) this.passedOver.set(target, why);
      if (step.kind === "stop") {
        // With less time left nothing would be tried any more.
        const mostMs = this.#deadlineAtMs - clock.nowMs() - plan.timeouts.totalMs / 10;
        const hasNone = empty === undefined && this.#doubts?.best() === undefined;
        if (hasNone && (await turnOf(retries, { clock, control }, mostMs))) continue;
        const placed = hasNone ? await this.#admission?.placed({ ...asker.situation, mayRetry }) : undefined;
        if (control.ended !== undefined) return endedFromOutside(control.ended);
        if (placed === undefined) return this.#conclude(step, empty);
        step = placed;
      }
      if (step.afterMs > 0 && !(await pause({ clock, control }, step.afterMs))) continue;
      const tried = await asker.try(step);
      if (tried === undefined) continue;
      const { result } = tried;
      const { outcome } = result.attempt;
      if (outcome.kind === "broken") return brokenOrAborted(result, outcome.failure);
      if (outcome.kind === "failed" && control.ended !== undefined) return brokenOrAborted(result, control.ended);
      if (outcome.kind === "doubted") this.#doubts?.noteEarly(tried);
      if (outcome.kind !== "answered") continue;
      if (outcome.empty !== true) retries.settle(true);
      if (this.#doubts !== undefined) {
        const end = await this.#judge(tried, this.#doubts);
        if (end !== undefined) return end;
        continue;
      }
      this.#take(tried);
      if (outcome.empty !== true) return { kind: "answered", result };
      if (!plan.retryEmpty || empty !== undefined) return this.#answeredEmpty(tried);
      empty = tried;
    }
  }

  #askerFor(plan: Plan, retries: CallRetries): Asker {
    const common = {
      input: this.input,
      plan,
      deadlineAtMs: this.#deadlineAtMs,
      decoded: this.#decoded,
      admission: this.#admission,
      attempts: this.attempts,
    };
    const rule = plan.confidence;
    const situation = () => asker.situation;
    this.#doubts = rule === undefined ? undefined : new Doubts({ ...common, rule, situation });
    const asker = new Asker({
      ...common,
      retries,
      fingerprint: this.#fingerprint,
      turn: this.#turn,
      view: () => this.view,
      chosen: this.chosen,
      doubts: this.#doubts,
      onLane: (lane) => this.tellLosses(lane),
      headers: (target, lane, returned) => {
        retries.settle(true);
        this.tellLosses(lane);
        return streamHeaders({ ...this.facts(target), returned }, lane.contentType);
      },
    });
    return asker;
  }

  /** Undefined where the answer is doubted and somebody else may be asked. */
  async #judge(tried: Held, doubts: Doubts): Promise<JourneyEnd | undefined> {
    const { control } = this.input;
    const answer = await doubts.judge(tried);
    const { result } = answer.held;
    if (control.ended !== undefined) return brokenOrAborted(result, control.ended);
    const { verdict } = answer.judgement;
    // What the client has seen already is given, whatever is thought of it.
    if (verdict === "doubted" && !result.committed) return undefined;
    return this.#give(doubts.give(answer, verdict));
  }

  #give(held: Held): JourneyEnd {
    this.#take(held);
    return { kind: "answered", result: held.result };
  }

  /** This is the answer: what its lane lost is told, and what it keeps for the next turn is kept. */
  #take({ lane }: Held): void {
    this.tellLosses(lane);
    lane.thoughts?.keep(this.input.plane.memory, memoryOwner(this.input.call));
  }

  /** What the caller is told when the record could not be made durable: the answer stays unacknowledged. */
  unrecorded(end: JourneyEnd): JourneyEnd {
    if (end.kind !== "answered" && end.kind !== "estimated") return end;
    const why = failure("internal_error", "The answer could not be recorded and is therefore not given.");
    if (end.kind === "estimated") return { kind: "refused", failure: why };
    return end.result.committed
      ? { kind: "broken", failure: why, result: end.result }
      : { kind: "refused", failure: why };
  }

  /** Facts for headers and the `hedgerow` object. */
  facts(target: Target, result?: AttemptResult): AnswerFacts {
    const { call, dialect } = this.input;
    const cost = result === undefined ? undefined : this.costOf(result.attempt);
    return {
      requestId: call.id,
      requestIdHeader: dialect.requestIdHeader,
      target,
      route: this.route,
      attempts: this.chosen.length,
      ...(this.#doubts?.given === undefined ? {} : { confidence: this.#doubts.given }),
      decision: this.decisionOn(target, result?.attempt),
      warnings: this.warnings,
      ...(cost === undefined ? {} : { costNanoUsd: cost }),
      gatewayMs: this.gatewayMs,
      ...this.#admission?.facts,
      returned: result?.returned ?? {},
    };
  }

  /** How it is called that this target answers. */
  decisionOn(target: Target, answer?: Attempt): Decision {
    const given = this.#doubts?.given?.decision;
    if (given === "doubted" || given === "deadline") return given;
    return this.estimated ? "answered" : howAnswered(this, target, answer);
  }

  /** What the gateway itself took before the first provider was asked. */
  get gatewayMs(): number {
    const untilMs = this.#asker?.askedAtMs ?? this.input.plane.clock.nowMs();
    return untilMs - this.input.call.acceptedAtMs - (this.#admission?.doorMs ?? 0);
  }

  /** Undefined where price or usage is unknown: never zero by accident. */
  costOf(tried: Attempt): number | undefined {
    const { usage } = tried.outcome;
    const price = tried.target.traits?.price;
    return usage === undefined || price === undefined ? undefined : costNanoUsd(usage, price);
  }

  /** Second answers and judges of this call. */
  get asides(): readonly Attempt[] {
    return this.#doubts?.asides.attempts ?? [];
  }

  /** A head has left before there was an answer: what is said from then on is said in the stream. */
  get hasBegun(): boolean {
    return this.#doubts?.stream?.opened === true;
  }

  /** Asks on for the sake of learning, after the answer has left. */
  async shadow(): Promise<void> {
    const [plan, doubts, asker] = [this.#plan, this.#doubts, this.#asker];
    if (plan === undefined || doubts === undefined || asker === undefined) return;
    const { situation } = asker;
    const [decoded, fingerprint] = [this.#decoded, this.#fingerprint];
    const admission = this.#admission;
    await askShadow({ journey: this, plan, doubts, situation, decoded, fingerprint, admission });
  }

  /** What the call may cost is reached, as far as anybody can tell: nobody else is asked. */
  #isTooDear({ confidence }: Plan): boolean {
    const most = confidence?.maxCostNanoUsd;
    if (most === undefined || this.attempts.length === 0) return false;
    // Who used nothing cost nothing; whose price nobody knows may have cost anything.
    const costs = [...this.attempts, ...this.asides].map((each) =>
      each.outcome.usage === undefined ? 0 : (this.costOf(each) ?? Number.POSITIVE_INFINITY),
    );
    return costs.reduce((sum, cost) => sum + cost, 0) >= most;
  }

  /** What is known so far of what this lane loses, and of who could not be asked aside. */
  tellLosses(lane: Lane): void {
    this.warnings = [...lane.warnings(), ...(this.#doubts?.asides.warnings ?? [])];
  }

  #conclude(stop: Extract<Step, { kind: "stop" }>, empty: Held | undefined): JourneyEnd {
    const doubts = this.#doubts;
    if (doubts?.hasDoubted === true) {
      const end = nobodySure(this.input, doubts, { isLate: stop.late === true, route: this.route });
      return end.kind === "given" ? this.#give(end.held) : end;
    }
    if (empty !== undefined) return this.#answeredEmpty(empty);
    return { kind: "refused", failure: stop.why ?? worstOf(this.attempts) };
  }

  /** An empty answer is the provider's answer all the same: given as it is when nobody has a better one. */
  #answeredEmpty(tried: Held): JourneyEnd {
    this.tellLosses(tried.lane);
    this.warnings = [...this.warnings, "empty: the provider's answer is empty"];
    return { kind: "answered", result: tried.result };
  }
}
