import { hash } from "node:crypto";
import type { Dialect } from "#dialects/dialect";
import { costNanoUsd } from "#catalogue/catalogue";
import type { Call } from "#domain/call";
import { failure, type Failure } from "#domain/failure";
import type { Attempt, Plan, SkippedTarget, Target } from "#domain/plan";
import type { Exchange } from "#domain/ports";
import type { Decision } from "#domain/record";
import type { GatewayKey, Snapshot } from "#domain/snapshot";
import { CallRetries } from "#policy/call-retries";
import type { Fingerprint } from "#policy/deadly-requests";
import { hedgeReason } from "#policy/hedge";
import { downTheLadder, hasLastRung } from "#policy/ladder";
import { isPlan, makePlan, type PlanningView, type Wanted } from "#policy/make-plan";
import { freeCredential, isFinal, nextCandidate, type Candidate, type Situation } from "#policy/next-candidate";
import { findKind } from "#providers/kinds";
import type { FieldScan } from "#wire/json-splice";
import { withAbleTargets } from "./able-targets.ts";
import { streamHeaders, type AnswerFacts } from "./answer-headers.ts";
import { attempt } from "./attempt.ts";
import type { AttemptResult } from "./attempt-input.ts";
import { brokenTargets } from "./broken-targets.ts";
import { CallAffinity } from "./call-affinity.ts";
import type { DataPlane } from "./data-plane.ts";
import { findLane } from "./find-lane.ts";
import { criticalPairs } from "./critical-pairs.ts";
import { bestOf, brokenOrAborted, endedFromOutside, notSent, worstOf } from "./endings.ts";
import { groupsOfTargets } from "./groups-of.ts";
import { hedgeFor, speedKey } from "./hedge-for.ts";
import { hedgedAttempt, type Entrant } from "./hedged-attempt.ts";
import { howAnswered } from "./how-answered.ts";
import { decodeOnce } from "./lane-request.ts";
import { isLane, type Lane } from "./lane.ts";
import { coFailureOf } from "./measured-pairs.ts";
import type { CallControl } from "./live-calls.ts";
import { pause, turnOf } from "./pauses.ts";
import { speedSample } from "./speed-sample.ts";
import type { Thread } from "./thread.ts";
import { withThoughts } from "./thoughts.ts";
import { readWholeAnswer } from "./whole-answer.ts";

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
}

/** How a call ended, before its last byte is sent. */
export type JourneyEnd =
  | { readonly kind: "answered"; readonly result: AttemptResult }
  /** The gateway answered itself, of this target's behalf. */
  | { readonly kind: "estimated"; readonly target: Target; readonly body: Uint8Array }
  | { readonly kind: "broken"; readonly failure: Failure; readonly result: AttemptResult }
  | { readonly kind: "refused"; readonly failure: Failure }
  /** The client is not there any more. */
  | { readonly kind: "aborted"; readonly failure: Failure; readonly result?: AttemptResult };

interface Held {
  readonly result: AttemptResult;
  readonly lane: Lane;
}

/** Of an attempt that may not have the call to itself. */
interface Beside {
  readonly entrant: Entrant;
  readonly control: CallControl;
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
  /** When the first provider was asked. */
  #askedAtMs: number | undefined;
  /** Rotates over the credentials of a provider. */
  readonly #turn: number;
  readonly #decoded;
  readonly #affinity: CallAffinity;
  #print: string | undefined;
  readonly #fingerprint: Fingerprint = () => {
    const { body, model, operation } = this.input.call;
    return (this.#print ??= `${hash("sha256", body)} ${operation} ${model}`);
  };

  constructor(input: JourneyInput) {
    this.input = input;
    const { call, dialect, plane, scan } = input;
    this.#turn = Math.floor(plane.random() * 0x10000);
    this.#affinity = new CallAffinity(plane.affinity, { call, scan }, () => plane.clock.nowMs());
    this.#decoded = decodeOnce(call, dialect, (request) => withThoughts(request, plane.memory, call.caller));
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
    return { model, options, operation, needs, seed: call.id, served: this.#affinity };
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
    }
  }

  async #travel(): Promise<JourneyEnd> {
    const plan = this.plan();
    if (!isPlan(plan)) return { kind: "refused", failure: plan };
    const { control, plane } = this.input;
    const { clock } = plane;
    const retries = (this.#retries = new CallRetries(plane.retryBudgets.of(plan.route), clock.nowMs()));
    let empty: Held | undefined;
    for (;;) {
      if (control.ended !== undefined) return endedFromOutside(control.ended);
      const step = nextCandidate({ ...this.#situation(plan), mayRetry: () => retries.mayRetry(clock.nowMs()) });
      for (const { target, why } of step.skipped ?? []) this.passedOver.set(target, why);
      if (step.kind === "stop") {
        // With less time left nothing would be tried any more.
        const mostMs = this.#deadlineAtMs - clock.nowMs() - plan.timeouts.totalMs / 10;
        if (empty === undefined && (await turnOf(retries, { clock, control }, mostMs))) continue;
        return control.ended === undefined ? this.#conclude(step.why, empty) : endedFromOutside(control.ended);
      }
      if (step.afterMs > 0 && !(await pause({ clock, control }, step.afterMs))) continue;
      this.chosen.push({ target: step.target.id, why: step.why });
      const tried = await this.#try(plan, step);
      if (tried === undefined) continue;
      const { result, lane } = tried;
      const { outcome } = result.attempt;
      if (outcome.kind === "broken") return brokenOrAborted(result, outcome.failure);
      if (outcome.kind === "failed" && control.ended !== undefined) return brokenOrAborted(result, control.ended);
      if (outcome.kind !== "answered") continue;
      this.tellLosses(lane);
      lane.thoughts?.keep(plane.memory, this.input.call.caller);
      if (outcome.empty !== true) {
        retries.settle(true);
        return { kind: "answered", result };
      }
      if (!plan.retryEmpty || empty !== undefined) return this.#answeredEmpty(tried);
      empty = tried;
    }
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
      decision: this.decisionOn(target, result?.attempt),
      warnings: this.warnings,
      ...(cost === undefined ? {} : { costNanoUsd: cost }),
      gatewayMs: this.gatewayMs,
      returned: result?.returned ?? {},
    };
  }

  /** How it is called that this target answers. */
  decisionOn(target: Target, answer?: Attempt): Decision {
    return this.estimated ? "answered" : howAnswered(this, target, answer);
  }

  /** What the gateway itself took before the first provider was asked. */
  get gatewayMs(): number {
    return (this.#askedAtMs ?? this.input.plane.clock.nowMs()) - this.input.call.acceptedAtMs;
  }

  /** Undefined where price or usage is unknown: never zero by accident. */
  costOf(tried: Attempt): number | undefined {
    const { usage } = tried.outcome;
    const price = tried.target.traits?.price;
    return usage === undefined || price === undefined ? undefined : costNanoUsd(usage, price);
  }

  #situation(plan: Plan): Omit<Situation, "mayRetry"> {
    return {
      plan,
      attempts: this.attempts,
      snapshot: this.input.snapshot,
      view: this.view,
      danger: this.input.plane.health.dangerOf(this.#fingerprint, this.input.plane.clock.nowMs()),
      deadlineAtMs: this.#deadlineAtMs,
      chance: this.input.plane.random(),
      turn: this.#turn,
    };
  }

  /** One attempt, or two at once where the route hedges and the first is slow: then the one that has the call. */
  async #try(plan: Plan, step: Candidate): Promise<Held | undefined> {
    const { plane, control } = this.input;
    const hedge = hedgeFor(this.input, { plan, first: step.target, attempts: this.attempts.length });
    if (hedge === undefined) return this.#attempt(plan, step);
    const ends = await hedgedAttempt({
      clock: plane.clock,
      control,
      afterMs: hedge.afterMs,
      first: (entrant, own) => this.#attempt(plan, step, { entrant, control: own }),
      second: () => {
        const next = this.#second(plan, hedge);
        return next === undefined ? next : (entrant, own) => this.#attempt(plan, next, { entrant, control: own });
      },
      endsCall: (held) => held !== undefined && isFinal(held.result.attempt),
    });
    this.attempts.sort((a, b) => a.startedAtMs - b.startedAtMs);
    return bestOf(ends.filter((each) => each !== undefined));
  }

  #second(plan: Plan, { rule, afterMs, candidates }: NonNullable<ReturnType<typeof hedgeFor>>): Candidate | undefined {
    const nowMs = this.input.plane.clock.nowMs();
    if (this.#deadlineAtMs - nowMs < plan.timeouts.totalMs / 10) return undefined;
    for (const { target } of candidates) {
      const credential = freeCredential(this.#situation(plan), target);
      if (credential === undefined) continue;
      if (this.#retries?.mayHedge(rule.share, nowMs) !== true) return undefined;
      const why = hedgeReason(rule, afterMs);
      this.chosen.push({ target: target.id, why });
      return { kind: "try", target, credential, afterMs: 0, why, skipped: [] };
    }
    return undefined;
  }

  async #attempt(plan: Plan, step: Candidate, beside?: Beside): Promise<Held | undefined> {
    const { plane, snapshot, exchange, control, call } = this.input;
    const { target } = step;
    const spec = snapshot.providers.get(target.provider);
    const kind = spec === undefined ? undefined : findKind(spec.kind);
    if (spec === undefined || kind === undefined) throw new Error(`a plan for a provider nobody knows: ${target.id}`);
    const askedAtMs = plane.clock.nowMs();
    this.#askedAtMs ??= askedAtMs;
    const lane = findLane({
      call,
      scan: this.input.scan,
      dialect: this.input.dialect,
      target,
      spec,
      kind,
      createdAtS: Math.floor(plane.clock.wallMs() / 1000),
      elapsedMs: () => plane.clock.nowMs() - askedAtMs,
      decoded: this.#decoded,
      ...(this.input.thread === undefined ? {} : { thread: this.input.thread }),
    });
    if (!isLane(lane)) {
      this.attempts.push(notSent(step, lane, plane.clock.nowMs()));
      return undefined;
    }
    this.tellLosses(lane);
    const result = await attempt({
      plane,
      limits: snapshot.limits,
      exchange,
      control,
      ...beside,
      timeouts: { ...plan.timeouts, ...spec.timeouts, ...plan.routeTimeouts, totalMs: plan.timeouts.totalMs },
      target,
      spec,
      kind,
      credential: spec.credentials.find((each) => each.id === step.credential),
      credentialId: step.credential,
      lane,
      operation: call.operation,
      fingerprint: this.#fingerprint,
      streamed: call.streamed,
      deadlineAtMs: this.#deadlineAtMs,
      ...this.#share(plan, target),
      headers: (returned) => {
        this.#retries?.settle(true);
        this.tellLosses(lane);
        return streamHeaders({ ...this.facts(target), returned }, lane.contentType);
      },
      readWhole: (body, seen, classify) => readWholeAnswer({ body, seen, classify, spec, lane, call }),
    });
    this.attempts.push(result.attempt);
    const speed = call.operation === "generate" ? speedSample(result.attempt) : undefined;
    if (speed !== undefined) plane.speeds.note(speedKey(target.id, call.streamed), speed, plane.clock.nowMs());
    return { result, lane };
  }

  /** Half of the time left, while somebody else could still be asked. */
  #share(plan: Plan, target: Target): { readonly shareMs?: number } {
    const asked = new Set([target.id, ...this.attempts.map((tried) => tried.target.id)]);
    const others = plan.targets.some((each) => !asked.has(each.target.id));
    const isLast = this.attempts.length + 1 >= plan.maxAttempts && !hasLastRung(plan, asked, this.view);
    if (!others || isLast) return {};
    return { shareMs: Math.max(1, Math.round((this.#deadlineAtMs - this.input.plane.clock.nowMs()) / 2)) };
  }

  /** What is known so far of what this lane loses, and of wishes nobody heeds. */
  tellLosses(lane: Lane): void {
    const asked = this.input.call.options.minConfidence;
    this.warnings = lane.warnings();
    if (asked === undefined) return;
    this.warnings = [...this.warnings, "min-confidence: this version judges no answers, so none is held back"];
  }

  #conclude(why: Failure | undefined, empty: Held | undefined): JourneyEnd {
    if (empty !== undefined) return this.#answeredEmpty(empty);
    return { kind: "refused", failure: why ?? worstOf(this.attempts) };
  }

  /** An empty answer is the provider's answer all the same: given as it is when nobody has a better one. */
  #answeredEmpty(tried: Held): JourneyEnd {
    this.tellLosses(tried.lane);
    this.warnings = [...this.warnings, "empty: the provider's answer is empty"];
    return { kind: "answered", result: tried.result };
  }
}
