import { hash } from "node:crypto";
import type { Call } from "#domain/call";
import type { Failure } from "#domain/failure";
import type { Attempt, Plan, Target } from "#domain/plan";
import type { AttemptRole } from "#domain/record";
import type { Fingerprint } from "#policy/deadly-requests";
import { refusesLogprobs } from "#policy/logprob-support";
import { findKind } from "#providers/kinds";
import type { Admission, Entry } from "./admission.ts";
import { attempt } from "./attempt.ts";
import type { AttemptInput, AttemptResult, Downstream } from "./attempt-input.ts";
import { findLane } from "./find-lane.ts";
import type { Entrant } from "./hedged-attempt.ts";
import type { JourneyInput } from "./journey.ts";
import type { KeepingWatch } from "./keeping-watch.ts";
import type { DecodedOnce } from "./lane-request.ts";
import { isLane, type Lane } from "./lane.ts";
import type { CallControl } from "./live-calls.ts";
import { tracing } from "./trace-headers.ts";
import { readWholeAnswer } from "./whole-answer.ts";

/** How an attempt ended, and the lane its answer came by. */
export interface Held {
  readonly result: AttemptResult;
  readonly lane: Lane;
  /** Of a stream whose answer is judged. */
  readonly watch?: KeepingWatch;
  /** The attempt before, refused for log-probabilities that the gateway alone asked for. */
  readonly refused?: Attempt;
}

export interface Question extends Pick<
  JourneyInput,
  "plane" | "snapshot" | "call" | "dialect" | "scan" | "thread" | "underway"
> {
  readonly plan: Pick<Plan, "route" | "timeouts" | "routeTimeouts">;
  /** Monotonic, over all attempts. */
  readonly deadlineAtMs: number;
  readonly decoded: DecodedOnce;
  readonly fingerprint: Fingerprint;
  readonly target: Target;
  /** The credential's id. */
  readonly credential: string;
  readonly exchange: Downstream;
  readonly control: CallControl;
  /** Undefined where nothing is bounded. */
  readonly admission: Admission | undefined;
  readonly entrant?: Entrant;
  readonly watch?: KeepingWatch;
  readonly shareMs?: number;
  /** Log-probabilities are wanted whether or not the caller asks for them. */
  readonly wantsLogprobs?: true;
  /** It is no attempt of the call, but of a record of its own. */
  readonly isShadow?: true;
  /** Absent: it is asked for the caller's answer. */
  readonly role?: AttemptRole;
  /** Told how it is asked, before it is. */
  readonly onLane: (lane: Lane) => void;
  /** The head of the answer, asked for at its commit point. */
  readonly headers: (
    lane: Lane,
    returned: Parameters<AttemptInput["headers"]>[0],
  ) => ReturnType<AttemptInput["headers"]>;
}

/**
 * Asks one target by one credential; a failure says why its language has no word for the request. Whoever refuses the
 * log-probabilities that only the gateway wants is asked once more without, and not for them again for a while.
 */
export function askTarget(question: Question): Promise<Held | Failure> {
  return question.wantsLogprobs === undefined ? ask(question, false) : askForLogprobs(question);
}

async function askForLogprobs(question: Question): Promise<Held | Failure> {
  const { plane, target, call } = question;
  const place = `${target.id} ${call.dialect}`;
  const { logprobSupport } = plane;
  if (logprobSupport?.mayAsk(place, plane.clock.nowMs()) === false) return ask(question, false);
  const held = await ask(question, true);
  if (!("result" in held) || held.lane.logprobsAdded !== true) return held;
  const { attempt } = held.result;
  if (attempt.outcome.kind !== "failed" || !refusesLogprobs(attempt.outcome.failure)) return held;
  logprobSupport?.refused(place, plane.clock.nowMs());
  const again = await ask(question, false);
  return "result" in again ? { ...again, refused: attempt } : again;
}

async function ask(question: Question, wantsLogprobs: boolean): Promise<Held | Failure> {
  const { plane, snapshot, call, target, plan, exchange, control } = question;
  const spec = snapshot.providers.get(target.provider);
  const kind = spec === undefined ? undefined : findKind(spec.kind);
  if (spec === undefined || kind === undefined) throw new Error(`a plan for a provider nobody knows: ${target.id}`);
  const askedAtMs = plane.clock.nowMs();
  const lane = findLane({
    call,
    scan: question.scan,
    dialect: question.dialect,
    target,
    spec,
    kind,
    createdAtS: Math.floor(plane.clock.wallMs() / 1000),
    elapsedMs: () => plane.clock.nowMs() - askedAtMs,
    decoded: question.decoded,
    ...(question.thread === undefined ? {} : { thread: question.thread }),
    ...(wantsLogprobs ? { wantsLogprobs } : {}),
    ...(question.watch !== undefined || call.options.metadata ? { attaches: true } : {}),
  });
  if (!isLane(lane)) return lane;
  const { entrant, watch, shareMs, admission } = question;
  let entry: Entry | undefined;
  const barred = admission === undefined ? undefined : await admission.enter(target, (taken) => (entry = taken));
  if (barred !== undefined) return barred;
  question.onLane(lane);
  const ended = tellAsked(question);
  const result = await attempt({
    plane,
    limits: snapshot.limits,
    exchange,
    control,
    ...(entrant === undefined ? {} : { entrant }),
    ...(watch === undefined ? {} : { watch }),
    ...(shareMs === undefined ? {} : { shareMs }),
    ...tracing(question),
    timeouts: { ...plan.timeouts, ...spec.timeouts, ...plan.routeTimeouts, totalMs: plan.timeouts.totalMs },
    target,
    spec,
    kind,
    credential: spec.credentials.find((each) => each.id === question.credential),
    credentialId: question.credential,
    lane,
    operation: call.operation,
    fingerprint: question.fingerprint,
    streamed: call.streamed,
    deadlineAtMs: question.deadlineAtMs,
    headers: (returned) => question.headers(lane, returned),
    readWhole: (body, seen, classify) => readWholeAnswer({ body, seen, classify, spec, lane, call }),
  });
  ended?.(result.attempt);
  admission?.leave(entry, result.attempt);
  return { result, lane, ...(watch === undefined ? {} : { watch }) };
}

/** From here on the call is in a record, whatever becomes of this process. */
function tellAsked({ underway, plan, target, credential, role, admission }: Question) {
  const held = admission?.estimateOf(target);
  return underway?.asked({
    route: plan.route,
    target,
    credential,
    ...(role === undefined ? {} : { role }),
    ...(held === undefined ? {} : { held }),
  });
}

/** By what a request is known again that cost a connection. */
export function fingerprintOf({ body, model, operation }: Call): Fingerprint {
  let print: string | undefined;
  return () => (print ??= `${hash("sha256", body)} ${operation} ${model}`);
}
