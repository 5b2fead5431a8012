import { viewOf } from "#confidence/answer-view";
import { agreementOf } from "#confidence/estimators/agreement";
import { judgeAnswer, type GateInput } from "#confidence/gate";
import { shapeOf } from "#confidence/output-shape";
import { scoreOf } from "#confidence/score";
import type { Signals } from "#confidence/signals";
import type { AnswerView, CalibrationKey, ConfidenceRule, Judgement, OutputShapeKind } from "#domain/confidence";
import type { Attempt, Outcome, Plan, Target } from "#domain/plan";
import type { GenerateRequest } from "#domain/request";
import { nextCandidate, type Situation } from "#policy/next-candidate";
import type { Held, Question } from "./ask-target.ts";
import type { Admission } from "./admission.ts";
import { Asides, type Aside } from "./asides.ts";
import type { GivenConfidence } from "./confidence-facts.ts";
import { canStopEarly, fallingLook, prefixLook, stopLook } from "./early-looks.ts";
import type { HeldShare } from "./held-room.ts";
import { HeldStream } from "./held-stream.ts";
import { waitingHeaders } from "./answer-headers.ts";
import type { JourneyInput } from "./journey.ts";
import { KeepingWatch, type EarlyLook } from "./keeping-watch.ts";
import type { DecodedOnce } from "./lane-request.ts";
import { signalsOf } from "./signals-of.ts";
import { trusted, unpaid } from "./trust-last.ts";

export interface DoubtsParts {
  readonly input: JourneyInput;
  readonly plan: Plan;
  readonly rule: ConfidenceRule;
  /** Monotonic. */
  readonly deadlineAtMs: number;
  readonly decoded: DecodedOnce;
  readonly admission: Admission | undefined;
  /** The call's: a judged attempt takes the place of what it was. */
  readonly attempts: Attempt[];
  readonly situation: () => Omit<Situation, "mayRetry">;
}

/** A whole answer with what was thought of it. */
export interface JudgedAnswer {
  readonly held: Held;
  readonly view: AnswerView;
  readonly shape: OutputShapeKind;
  readonly judgement: Judgement;
  /** It calls a tool that cannot be undone. */
  readonly irreversible: boolean;
}

interface LookedAt extends Pick<JudgedAnswer, "view" | "shape" | "irreversible"> {
  readonly target: Target;
}

interface Preparing {
  /** Somebody else could still be asked. */
  readonly hasOthers: boolean;
  /** Told once where the answer looks as if it will be doubted; absent where that is of no use. */
  readonly onFalling?: () => void;
  /** Still running, and first to be judged: this one begins in case that is doubted. */
  readonly running?: Target;
}

/** What answers of one call must earn before they are given: what is held for it, whom it asks, and what it thinks. */
export class Doubts {
  readonly #parts: DoubtsParts;
  readonly rule: ConfidenceRule;
  readonly asides: Asides;
  /** Whole answers that were doubted, as they came: one of a target at most, none larger than an answer may be. */
  readonly answers: JudgedAnswer[] = [];
  /** Absent where nothing is held back from a client that waits for a stream. */
  readonly stream: HeldStream | undefined;
  /** Of the answer that was given. */
  given: GivenConfidence | undefined;
  /** The answer that was given. */
  answer: JudgedAnswer | undefined;
  /** The caller's, in the hub's words; undefined where it is in words the gateway only relays. */
  readonly request: GenerateRequest | undefined;
  readonly #mode: ConfidenceRule["stream"];
  readonly #room: HeldShare;
  #second: { readonly aside: Aside | undefined } | undefined;

  constructor(parts: DoubtsParts) {
    this.#parts = parts;
    const { input, plan, rule, decoded } = parts;
    const { call, exchange, plane, snapshot, dialect } = input;
    this.rule = rule;
    this.#room = plane.live.room.share();
    this.asides = new Asides({ ...parts, room: this.#room });
    const read = decoded.request();
    this.request = "request" in read ? read.request : undefined;
    const tools = this.request?.tools ?? [];
    // The call of such a tool is not let through before it is judged, whatever the rule says of streams.
    const isRisky = tools.some((tool) => tool.kind === "function" && isAmong(tool.name, rule.irreversibleTools));
    this.#mode = isRisky ? "hold" : rule.stream;
    if (!call.streamed || this.#mode === "annotate") return;
    this.stream = new HeldStream({
      exchange,
      clock: plane.clock,
      heartbeatMs: snapshot.limits.heartbeatMs,
      heartbeat: dialect.heartbeat,
      headers: () =>
        waitingHeaders(
          { requestId: call.id, requestIdHeader: dialect.requestIdHeader, route: plan.route },
          dialect.streamContentType?.(call.address.framing),
        ),
    });
  }

  /** What an attempt at a target needs, which is about to begin. */
  prepare(target: Target, more: Preparing): Pick<Question, "watch" | "exchange" | "wantsLogprobs"> {
    const { call, exchange, snapshot } = this.#parts.input;
    const { estimator } = this.rule;
    if (estimator === "agreement") this.#askSecond();
    const wants = estimator === "auto" || estimator === "logprobs" ? { wantsLogprobs: true as const } : {};
    if (!call.streamed) return { exchange, ...wants };
    const watch = new KeepingWatch({
      holds: this.#mode !== "annotate",
      maxBytes: snapshot.limits.maxAnswerBytes,
      room: this.#room,
      looks: this.#looksAt(target, more),
    });
    return { exchange: this.stream ?? exchange, watch, ...wants };
  }

  /**
   * Judges a whole answer. Where it is doubted and nothing of it was sent, its attempt is one that was doubted, and the
   * answer waits in case nobody gives a better one.
   */
  async judge(held: Held): Promise<JudgedAnswer> {
    const { attempts } = this.#parts;
    const { result, watch } = held;
    const looked = this.look(held);
    const { view, shape, irreversible } = looked;
    const judged =
      watch?.judgement ?? this.judgementOf(looked, watch?.isTooMuch === true ? {} : await this.#signals(looked));
    const judgement = this.#isTrusted(looked) ? trusted(judged) : judged;
    const attempt = judgedAttempt(result.attempt, judgement, result.committed);
    attempts.splice(attempts.indexOf(result.attempt), 1, attempt);
    const answer = { held: { ...held, result: { ...result, attempt } }, view, shape, judgement, irreversible };
    // A stream's events have their room already.
    const isKept = attempt.outcome.kind === "doubted" && this.#room.take(result.body?.length ?? 0);
    if (isKept) this.answers.push(answer);
    return answer;
  }

  /** A whole answer as it is judged. */
  look({ result, watch }: Held): LookedAt {
    const view = viewOf(this.#parts.input.call.streamed ? (watch?.events ?? []) : result.seen.events);
    return {
      target: result.attempt.target,
      view,
      shape: shapeOf(view, this.request ?? {}),
      irreversible: view.toolCalls.some(({ name }) => isAmong(name, this.rule.irreversibleTools)),
    };
  }

  /** The early look that ended an attempt is its judgement. */
  noteEarly({ result, watch }: Held): void {
    const { attempts } = this.#parts;
    const judgement = watch?.judgement;
    if (judgement === undefined) return;
    attempts.splice(attempts.indexOf(result.attempt), 1, { ...result.attempt, judgement });
  }

  /**
   * This answer goes to the caller, sure or not: its attempt is the one that answered, as its judgement tells whether it was
   * doubted. What others said is compared with it.
   */
  give(answer: JudgedAnswer, decision: GivenConfidence["decision"]): Held {
    const { attempts } = this.#parts;
    this.given = { judgement: answer.judgement, decision };
    for (const other of this.answers) {
      if (other === answer) continue;
      const agrees = agreementOf(answer.view, other.view, answer.shape);
      const at = attempts.indexOf(other.held.result.attempt);
      const attempt = attempts[at];
      if (agrees !== undefined && attempt !== undefined) attempts[at] = { ...attempt, agrees };
    }
    const { result } = answer.held;
    const attempt = answeredAttempt(result.attempt);
    if (attempt !== result.attempt) attempts.splice(attempts.indexOf(result.attempt), 1, attempt);
    const held = { ...answer.held, result: { ...result, attempt } };
    this.answer = { ...answer, held };
    return held;
  }

  /** The surest of the doubted answers that may be given at all; of two alike the later, who was asked because of the other. */
  best(): JudgedAnswer | undefined {
    const may = this.answers.filter(({ irreversible }) => !irreversible);
    const scoreIn = ({ judgement }: JudgedAnswer): number => judgement.score ?? -1;
    const highest = Math.max(...may.map(scoreIn));
    return may.findLast((each) => scoreIn(each) === highest);
  }

  /** The call's own, judged or not. */
  get attempts(): readonly Attempt[] {
    return this.#parts.attempts;
  }

  get hasDoubted(): boolean {
    return this.attempts.some(({ outcome }) => outcome.kind === "doubted");
  }

  /** Somebody was still asked when the call's time was over. */
  get ranOutOfTime(): boolean {
    return this.attempts.some(({ outcome }) => outcome.kind === "failed" && outcome.failure.kind === "total_timeout");
  }

  /** Nobody reads what is still asked aside, and no client waits any more. */
  async close(): Promise<void> {
    this.stream?.stop();
    await this.asides.close();
    this.#room.free();
  }

  /** Nobody is left to be asked, and the rule trusts whoever comes last. What cannot be undone is never trusted. */
  #isTrusted({ target, irreversible }: Pick<LookedAt, "target" | "irreversible">, running?: Target): boolean {
    if (!this.rule.trustLast || irreversible || this.#isFirstOfSeveral(target)) return false;
    const asked = new Set([target.id, running?.id, ...this.attempts.map((each) => each.target.id)]);
    if (this.#parts.plan.targets.every((each) => asked.has(each.target.id))) return true;
    // Whoever has broken down since the plan was made is not left either; but trust needs a doubt that led here.
    return this.hasDoubted && this.#isNobodyLeft(target);
  }

  /** Alone in the plan, because the others are down: who is asked to be doubted is not who is trusted. */
  #isFirstOfSeveral({ provider, model }: Target): boolean {
    const { input, plan } = this.#parts;
    const [first, ...others] = input.snapshot.routes.get(plan.route)?.targets ?? [];
    return others.length > 0 && first?.provider === provider && first.model === model;
  }

  /** Were this target's answer doubted, nobody could be asked; with no time for it somebody still could be. */
  #isNobodyLeft(target: Target): boolean {
    const { attempts, situation } = this.#parts;
    const doubted: Attempt = {
      target,
      credential: "",
      startedAtMs: 0,
      endedAtMs: 0,
      outcome: { kind: "doubted" },
    };
    const step = nextCandidate({ ...situation(), attempts: [...attempts, doubted], mayRetry: () => false });
    return step.kind === "stop" && step.late !== true;
  }

  #signals(looked: LookedAt): Promise<Signals> {
    const { target, view, shape } = looked;
    const isTrusted = this.#isTrusted(looked);
    const { input, plan, deadlineAtMs } = this.#parts;
    return signalsOf(
      { target: target.id, view, shape, request: this.request },
      {
        plane: input.plane,
        control: input.control,
        rule: isTrusted ? unpaid(this.rule) : this.rule,
        asides: this.asides,
        // One who was asked before is paid already.
        second: () => (isTrusted ? this.#second?.aside : this.#askSecond()),
        others: this.answers.map((each) => ({ by: each.held.result.attempt.target.id, view: each.view })),
        callId: input.call.id,
        route: plan.route,
        deadlineAtMs,
      },
    );
  }

  judgementOf({ target, shape, irreversible }: LookedAt, signals: Signals): Judgement {
    const scored = scoreOf(signals);
    return judgeAnswer({
      ...this.#by,
      scored,
      gate: signals.gate,
      key: this.#keyOf(target, shape, scored.signals),
      irreversible,
    });
  }

  get #by(): Pick<GateInput, "rule" | "calibrations"> {
    return { rule: this.rule, calibrations: this.#parts.input.snapshot.calibration };
  }

  #keyOf(target: Target, shape: OutputShapeKind, signals: string): CalibrationKey {
    const { plan, attempts } = this.#parts;
    return {
      tenant: "",
      route: plan.route,
      model: target.traits?.name ?? target.model,
      tier: attempts.filter(({ outcome }) => outcome.kind === "doubted").length,
      shape,
      signals,
    };
  }

  /** Asked once a call, at the latest when there is something to compare it with. */
  #askSecond(): Aside | undefined {
    const { second } = this.rule;
    if (second === undefined) return undefined;
    this.#second ??= { aside: this.asides.second(second) };
    return this.#second.aside;
  }

  /** The head of a stream that is let through tells of the gate already. */
  #telling(early: EarlyLook): EarlyLook {
    return {
      ...early,
      look: (events) => {
        const seen = early.look(events);
        if (typeof seen === "object" && seen.verdict === "give") {
          this.given = { judgement: seen.judgement, decision: seen.judgement.verdict };
        }
        return seen;
      },
    };
  }

  #looksAt(target: Target, { hasOthers, onFalling, running }: Preparing): readonly EarlyLook[] {
    const { estimator, verifier, exhausted, hedgeBelow } = this.rule;
    const readsTokens = estimator === "logprobs" || (estimator === "auto" && verifier === undefined);
    if (!readsTokens || this.request === undefined || this.#mode === "annotate") return [];
    // Of two at once only one may reach the client, and the other's verdict is still to come.
    const isPrefix = this.#mode === "prefix" && running === undefined;
    const looking = {
      ...this.#by,
      keyOf: (shape: OutputShapeKind, signals: string) => this.#keyOf(target, shape, signals),
      request: this.request,
      // An answer that may yet be given, or shown to a person, is needed whole.
      mayAbandon:
        !this.#isTrusted({ target, irreversible: false }, running) &&
        (exhausted === "refuse" || (isPrefix && hasOthers)),
    };
    const looks: EarlyLook[] = [];
    if (hedgeBelow !== undefined && onFalling !== undefined) {
      looks.push(fallingLook(looking, { below: hedgeBelow, onFalling }));
    }
    if (isPrefix) looks.push(this.#telling(prefixLook(looking)));
    else if (canStopEarly(looking)) looks.push(stopLook(looking));
    return looks;
  }
}

function judgedAttempt(attempt: Attempt, judgement: Judgement, committed: boolean): Attempt {
  if (judgement.verdict !== "doubted" || committed || attempt.outcome.kind !== "answered")
    return { ...attempt, judgement };
  const { finish, usage } = attempt.outcome;
  const outcome: Outcome = { kind: "doubted", finish, ...(usage === undefined ? {} : { usage }) };
  return { ...attempt, judgement, outcome };
}

function answeredAttempt(attempt: Attempt): Attempt {
  if (attempt.outcome.kind !== "doubted") return attempt;
  const { finish = { reason: "stop" }, usage } = attempt.outcome;
  return { ...attempt, outcome: { kind: "answered", finish, ...(usage === undefined ? {} : { usage }) } };
}

/** A trailing `*` stands for any ending. */
function isAmong(name: string, patterns: readonly string[]): boolean {
  return patterns.some((each) => (each.endsWith("*") ? name.startsWith(each.slice(0, -1)) : name === each));
}
