import type { Dialect } from "#dialects/dialect";
import type { Call } from "#domain/call";
import { traitsOf, type Failure } from "#domain/failure";
import type { Attempt } from "#domain/plan";
import type { AttemptRecord, CallRecord, Decision, WhyRecord } from "#domain/record";
import type { Snapshot } from "#domain/snapshot";
import type { RiskGroup } from "#domain/supply";
import { groupText } from "#supply/graph";
import type { Turned } from "./accept.ts";
import type { DataPlane } from "./data-plane.ts";
import type { Journey, JourneyEnd, JourneyInput } from "./journey.ts";
import { decisionOf, failureFacts } from "./refuse.ts";

/** Callers may write anything; a record keeps a name's worth of it. */
export const longestName = 256;

/** The one record of a call, made when it is known how it ended and before its last byte is sent. */
export function recordOf(journey: Journey, end: JourneyEnd): CallRecord {
  const { call, plane, snapshot } = journey.input;
  const result = "result" in end ? end.result : undefined;
  const usage = result?.attempt.outcome.usage;
  const attempts = inOrder(journey).map((tried) => attemptRecord(tried, journey));
  const cost = totalCost(attempts);
  return {
    ...common(call, plane, snapshot),
    operation: call.operation,
    route: journey.route,
    requestedModel: call.model.slice(0, longestName),
    decision: decision(journey, end),
    committed: result?.committed === true || end.kind === "answered" || end.kind === "estimated",
    status: statusOf(journey, end),
    ...("failure" in end ? { code: traitsOf(end.failure).code } : {}),
    ...(end.kind === "pending" ? { code: traitsOf("low_confidence").code } : {}),
    ...finishOf(end),
    requestBytes: call.body.length,
    answerBytes: (result?.bytesOut ?? 0) + (end.kind === "estimated" ? end.body : (result?.body ?? [])).length,
    durationMs: plane.clock.nowMs() - call.acceptedAtMs,
    ...(usage === undefined ? {} : { usage }),
    ...(cost === undefined ? {} : { costNanoUsd: cost }),
    warnings: journey.warnings,
    ...(call.options.tags === undefined ? {} : { tags: call.options.tags }),
    ...(call.options.session === undefined ? {} : { session: call.options.session }),
    ...payer(journey.input),
    graph: snapshot.supply.version,
    ...planRecord(journey),
    ...("review" in end && end.review !== undefined ? { review: end.review.id } : {}),
    attempts,
  };
}

/** Who the call belongs to beside its key. */
export function payer({
  key,
  call,
}: Pick<JourneyInput, "key" | "call">): Pick<CallRecord, "keyId" | "organisation" | "team" | "user"> {
  const { user } = call.options;
  if (key?.id === undefined && key?.organisation === undefined && key?.team === undefined && user === undefined)
    return {};
  return {
    ...(key?.id === undefined ? {} : { keyId: key.id }),
    ...(key?.organisation === undefined ? {} : { organisation: key.organisation }),
    ...(key?.team === undefined ? {} : { team: key.team }),
    ...(user === undefined ? {} : { user }),
  };
}

/** As they began; of those that began at once, whoever was asked aside comes last. */
function inOrder({ attempts, asides }: Journey): readonly Attempt[] {
  if (asides.length === 0 && attempts.length < 2) return attempts;
  const all = [...asides.filter((each) => !isAside(each)), ...attempts, ...asides.filter(isAside)];
  return all.toSorted((a, b) => a.startedAtMs - b.startedAtMs);
}

function isAside({ role }: Attempt): boolean {
  return role !== undefined;
}

/**
 * What the gateway asked to learn from, after a call was answered: a record of its own, for no caller. The first attempt is
 * the one that is compared with the answer.
 */
export function recordOfShadow(
  journey: Journey,
  shadow: {
    readonly id: string;
    readonly startedAtMs: number;
    readonly propensity: number;
    readonly attempts: readonly Attempt[];
  },
): CallRecord {
  const { call, plane, snapshot } = journey.input;
  const attempts = shadow.attempts.map((each) => attemptRecord(each, journey, shadow.startedAtMs));
  const usage = attempts[0]?.usage;
  const cost = totalCost(attempts);
  return {
    ...common({ ...call, id: shadow.id }, plane, snapshot),
    operation: call.operation,
    route: journey.route,
    requestedModel: call.model.slice(0, longestName),
    decision: "shadow",
    committed: false,
    status: 200,
    requestBytes: call.body.length,
    answerBytes: 0,
    durationMs: plane.clock.nowMs() - shadow.startedAtMs,
    ...(usage === undefined ? {} : { usage }),
    ...(cost === undefined ? {} : { costNanoUsd: cost }),
    warnings: [],
    ...(call.options.tags === undefined ? {} : { tags: call.options.tags }),
    ...payer(journey.input),
    graph: snapshot.supply.version,
    shadow: { of: call.id, propensity: shadow.propensity },
    attempts,
  };
}

/** Targets of a snapshot have the same groups all day. */
const textsOfGroups = new WeakMap<readonly RiskGroup[], readonly string[]>();

function groupTexts(groups: readonly RiskGroup[]): readonly string[] {
  let texts = textsOfGroups.get(groups);
  if (texts === undefined) textsOfGroups.set(groups, (texts = groups.slice(0, mostGroups).map(groupText)));
  return texts;
}

/** Words are for people, and a record is kept a million times. */
const longestWhy = 240;
const mostWhys = 20;
const mostGroups = 32;

function short(target: string, why: string): WhyRecord {
  const words = why.length <= longestWhy ? why : `${why.slice(0, longestWhy)}…`;
  return { target: target.slice(0, longestName), why: words };
}

function planRecord({ chosen, passedOver }: Journey): Pick<CallRecord, "plan"> {
  // Who was passed over and asked after all, was not left out.
  const skipped = [...passedOver].filter(([target]) => !chosen.some((each) => each.target === target));
  if (chosen.length === 0 && skipped.length === 0) return {};
  return {
    plan: {
      chosen: chosen.slice(0, mostWhys).map(({ target, why }) => short(target, why)),
      skipped: skipped.slice(0, mostWhys).map(([target, why]) => short(target, why)),
    },
  };
}

/** A call that was refused before it could be planned: its caller is known, its body may not be. */
export function recordOfTurnedAway(turned: Turned, at: { plane: DataPlane; snapshot: Snapshot }): CallRecord {
  const traits = traitsOf(turned.failure);
  return {
    ...common(
      {
        id: turned.id,
        caller: turned.caller ?? "anonymous",
        dialect: turned.dialect.id,
        streamed: false,
        ...(turned.trace === undefined ? {} : { trace: turned.trace }),
      },
      at.plane,
      at.snapshot,
    ),
    operation: turned.operation ?? "generate",
    route: "",
    requestedModel: "",
    decision: turned.failure.kind === "client_gone" ? "aborted" : decisionOf(turned.failure),
    committed: false,
    code: traits.code,
    status: toldStatus(turned.dialect, turned.id, turned.failure),
    requestBytes: 0,
    answerBytes: 0,
    durationMs: turned.gatewayMs,
    warnings: [],
    attempts: [],
  };
}

function common(
  call: Pick<Call, "id" | "caller" | "dialect" | "streamed" | "trace">,
  plane: DataPlane,
  snapshot: Snapshot,
) {
  return {
    version: 1 as const,
    id: call.id,
    at: new Date(plane.clock.wallMs()).toISOString(),
    snapshot: snapshot.version,
    caller: call.caller,
    dialect: call.dialect,
    streamed: call.streamed,
    ...(call.trace === undefined ? {} : { trace: call.trace }),
  };
}

function decision(journey: Journey, end: JourneyEnd): Decision {
  switch (end.kind) {
    case "answered":
      return journey.decisionOn(end.result.attempt.target, end.result.attempt);
    case "estimated":
      return "answered";
    case "broken":
      return "broken";
    case "aborted":
      return "aborted";
    case "pending":
      return "doubted";
    case "refused":
      return end.review === undefined ? decisionOf(end.failure) : "doubted";
  }
}

function statusOf({ input: { dialect, call }, hasBegun }: Journey, end: JourneyEnd): number {
  const committed = "result" in end && end.result.committed;
  if (end.kind === "pending" && !hasBegun) return 202;
  return !("failure" in end) || committed || hasBegun ? 200 : toldStatus(dialect, call.id, end.failure);
}

/** The caller's language may have a status of its own for it: overload is 529 in Messages. */
function toldStatus(dialect: Dialect, id: string, why: Failure): number {
  return dialect.encodeFailure(why, failureFacts(id, why, [])).status;
}

function finishOf(end: JourneyEnd): { readonly finish?: string } {
  if (end.kind !== "answered") return {};
  const { outcome } = end.result.attempt;
  return outcome.kind === "answered" ? { finish: outcome.finish.reason } : {};
}

/** What all attempts cost together; unknown as soon as one that used tokens has no price. */
function totalCost(attempts: readonly AttemptRecord[]): number | undefined {
  let sum: number | undefined;
  for (const { usage, costNanoUsd } of attempts) {
    if (usage === undefined) continue;
    if (costNanoUsd === undefined) return undefined;
    sum = (sum ?? 0) + costNanoUsd;
  }
  return sum;
}

function attemptRecord(tried: Attempt, journey: Journey, since = journey.input.call.acceptedAtMs): AttemptRecord {
  const cost = journey.costOf(tried);
  const { outcome } = tried;
  const { usage } = outcome;
  return {
    target: tried.target.id,
    provider: tried.target.provider,
    model: tried.target.model,
    credential: tried.credential,
    outcome: outcome.kind,
    ...("failure" in outcome ? { failure: outcome.failure.kind } : {}),
    ...(tried.status === undefined ? {} : { status: tried.status }),
    ...(tried.upstreamRequestId === undefined ? {} : { upstreamRequestId: tried.upstreamRequestId.slice(0, 128) }),
    startedMs: tried.startedAtMs - since,
    ...(tried.firstByteAtMs === undefined ? {} : { firstByteMs: tried.firstByteAtMs - since }),
    ...(tried.firstContentAtMs === undefined ? {} : { firstContentMs: tried.firstContentAtMs - since }),
    endedMs: tried.endedAtMs - since,
    ...(usage === undefined ? {} : { usage }),
    ...(cost === undefined ? {} : { costNanoUsd: cost }),
    ...(tried.role === undefined ? {} : { role: tried.role }),
    ...(tried.judgement === undefined ? {} : { judgement: tried.judgement }),
    ...(tried.agrees === undefined ? {} : { agrees: tried.agrees }),
    groups: groupTexts(journey.view.groupsOf(tried.target)),
  };
}
