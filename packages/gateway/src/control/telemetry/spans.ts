import type { Operation } from "#domain/call";
import type { AttemptRecord, CallRecord } from "#domain/record";
import { attemptSpanId, callSpanId, isKept, traceIdOf } from "#domain/trace";
import { completionTokens, promptTokens, type Usage } from "#domain/usage";
import { attributesOf, nanosOf, type Attributes, type Double, type OtlpAttribute } from "./otlp.ts";

/** A span of OTLP, as JSON says it. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly flags: number;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly OtlpAttribute[];
  readonly events?: readonly OtlpEvent[];
  readonly status: { readonly code?: number; readonly message?: string };
}

export interface OtlpEvent {
  readonly name: string;
  readonly timeUnixNano: string;
}

/** What a record does not say of a provider, because the configuration does. */
export interface ProviderFacts {
  /** As the semantic conventions call it. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** Undefined where a provider is no longer configured. */
export type FindProvider = (provider: string) => ProviderFacts | undefined;

export interface SpanOptions {
  readonly providers: FindProvider;
  /** Of traces that begin here, how many are kept: 0 to 1. */
  readonly share: number;
}

const server = 2;
const client = 3;
const failed = 2;
const sampled = 0x01;
/** Whether the parent is of another process is known, and it is. */
const parentKnown = 0x100;
const parentRemote = 0x200;

/** Words of the conventions where they have one, ours where not. */
export const operationNames: Readonly<Record<Operation, string>> = {
  generate: "chat",
  complete: "text_completion",
  embed: "embeddings",
  "count-tokens": "count_tokens",
  moderate: "moderation",
  rerank: "rerank",
};

/**
 * A call's trace: one span of its own, and under it one for each attempt. Empty where the trace is not kept: a caller's
 * word on that is followed. Names and attributes are those of the GenAI conventions, ours begin with `hedgerow.` and
 * `supply.`; prompts, answers and keys are in no record, and so in no span.
 */
export function spansOf(record: CallRecord, { providers, share }: SpanOptions): readonly OtlpSpan[] {
  const { trace } = record;
  const owner = record.shadow?.of ?? record.id;
  const traceId = trace?.id ?? traceIdOf(owner);
  if (!(trace?.sampled ?? isKept(traceId, share))) return [];
  const spanId = callSpanId(record.id);
  const state = trace?.state === undefined ? {} : { traceState: trace.state };
  const startMs = Date.parse(record.at) - record.durationMs;
  const parent = record.shadow === undefined ? trace?.parent : callSpanId(owner);
  const isRemote = record.shadow === undefined && parent !== undefined;
  const given = givenAttempt(record);
  const call: OtlpSpan = {
    traceId,
    spanId,
    ...(parent === undefined ? {} : { parentSpanId: parent }),
    ...state,
    flags: sampled | parentKnown | (isRemote ? parentRemote : 0),
    // A name that led nowhere may be anything, and names of spans are few.
    name: nameOf(record, record.route === "" ? "" : record.requestedModel),
    kind: server,
    startTimeUnixNano: nanosOf(startMs),
    endTimeUnixNano: nanosOf(startMs + record.durationMs),
    attributes: attributesOf(callAttributes(record, given, providers)),
    status: callStatus(record),
  };
  const used = new Set([spanId]);
  const attempts = record.attempts.map((attempt, at): OtlpSpan => {
    const events = eventsOf(attempt, startMs);
    return {
      traceId,
      spanId: unused(attemptSpanId(record.id, attempt.target, attempt.startedMs), used),
      parentSpanId: spanId,
      ...state,
      flags: sampled | parentKnown,
      name: nameOf(record, attempt.model),
      kind: client,
      startTimeUnixNano: nanosOf(startMs + attempt.startedMs),
      endTimeUnixNano: nanosOf(startMs + Math.max(attempt.startedMs, attempt.endedMs)),
      attributes: attributesOf(
        attemptAttributes(attempt, { record, number: at + 1, provider: providers(attempt.provider) }),
      ),
      ...(events.length === 0 ? {} : { events }),
      status: failures.has(attempt.outcome) ? { code: failed, message: attempt.failure ?? attempt.outcome } : {},
    };
  });
  return [call, ...attempts];
}

const failures: ReadonlySet<AttemptRecord["outcome"]> = new Set(["failed", "blocked", "broken"]);

/** Two attempts at one target in the very same moment. */
function unused(spanId: string, used: Set<string>): string {
  let id = spanId;
  for (let more = 1; used.has(id); more += 1) id = callSpanId(`${spanId} ${more}`);
  used.add(id);
  return id;
}

function nameOf({ operation }: CallRecord, model: string): string {
  const word = operationNames[operation];
  return model === "" ? word : `${word} ${model}`;
}

/** The attempt whose answer the caller has, or what there was of it. */
function givenAttempt({ attempts }: CallRecord): AttemptRecord | undefined {
  return attempts.find(({ role, outcome }) => role === undefined && (outcome === "answered" || outcome === "broken"));
}

/** The caller's mistakes and wishes are no errors of the server, after the conventions for HTTP servers. */
function callStatus({ decision, status, code }: CallRecord): OtlpSpan["status"] {
  const isError = decision === "failed" || decision === "broken" || status >= 500;
  return isError ? { code: failed, ...(code === undefined ? {} : { message: code }) } : {};
}

function callAttributes(record: CallRecord, given: AttemptRecord | undefined, providers: FindProvider): Attributes {
  const judged = given?.judgement ?? record.attempts.findLast(({ judgement }) => judgement !== undefined)?.judgement;
  const asked = given ?? record.attempts.findLast(({ role }) => role === undefined);
  return {
    "gen_ai.operation.name": operationNames[record.operation],
    "gen_ai.provider.name": asked === undefined ? undefined : (providers(asked.provider)?.name ?? asked.provider),
    "gen_ai.request.model": record.requestedModel === "" ? undefined : record.requestedModel,
    "gen_ai.request.stream": record.streamed,
    "gen_ai.response.model": given?.model,
    "gen_ai.response.finish_reasons": record.finish === undefined ? undefined : [record.finish],
    "gen_ai.conversation.id": record.session,
    ...usageAttributes(record.usage),
    "error.type": record.code,
    "http.response.status_code": record.status,
    "hedgerow.call.id": record.id,
    "hedgerow.decision": record.decision,
    "hedgerow.route": record.route === "" ? undefined : record.route,
    "hedgerow.dialect": record.dialect,
    "hedgerow.caller": record.caller,
    "hedgerow.organisation": record.organisation,
    "hedgerow.team": record.team,
    "hedgerow.tags": record.tags,
    "hedgerow.snapshot": record.snapshot,
    "hedgerow.attempts": record.attempts.length,
    "hedgerow.committed": record.committed,
    "hedgerow.warnings": record.warnings.length === 0 ? undefined : record.warnings.length,
    "hedgerow.cost.usd": usd(record.costNanoUsd),
    "hedgerow.confidence.score": double(judged?.score),
    "hedgerow.confidence.threshold": double(judged?.threshold),
    "hedgerow.confidence.verdict": judged?.verdict,
    "hedgerow.confidence.estimator": judged?.estimator,
    "hedgerow.review": record.review,
    "hedgerow.shadow.of": record.shadow?.of,
  };
}

/** The conventions' names are on the call alone: who adds usage up over spans must not find it twice. */
function usageAttributes(usage: Usage | undefined): Attributes {
  if (usage === undefined) return {};
  const written = usage.cacheWrite + usage.cacheWriteLong;
  return {
    "gen_ai.usage.input_tokens": promptTokens(usage),
    "gen_ai.usage.output_tokens": completionTokens(usage),
    "gen_ai.usage.cache_read.input_tokens": usage.cacheRead === 0 ? undefined : usage.cacheRead,
    "gen_ai.usage.cache_creation.input_tokens": written === 0 ? undefined : written,
    "gen_ai.usage.reasoning.output_tokens": usage.reasoning === 0 ? undefined : usage.reasoning,
    "hedgerow.usage.estimated": usage.estimated ? true : undefined,
  };
}

interface AboutAttempt {
  readonly record: CallRecord;
  readonly number: number;
  readonly provider: ProviderFacts | undefined;
}

function attemptAttributes(attempt: AttemptRecord, { record, number, provider }: AboutAttempt): Attributes {
  const { usage, judgement, firstContentMs } = attempt;
  const isChunked = record.streamed && firstContentMs !== undefined;
  return {
    "gen_ai.operation.name": operationNames[record.operation],
    "gen_ai.provider.name": provider?.name ?? attempt.provider,
    "gen_ai.request.model": attempt.model,
    "gen_ai.response.time_to_first_chunk": isChunked ? double((firstContentMs - attempt.startedMs) / 1000) : undefined,
    "server.address": provider?.address,
    "server.port": provider?.port,
    "error.type": failures.has(attempt.outcome) ? (attempt.failure ?? attempt.outcome) : undefined,
    "http.response.status_code": attempt.status,
    "hedgerow.provider": attempt.provider,
    "hedgerow.target": attempt.target,
    "hedgerow.credential": attempt.credential,
    "hedgerow.attempt.number": number,
    "hedgerow.attempt.role": attempt.role ?? "answer",
    "hedgerow.attempt.outcome": attempt.outcome,
    "hedgerow.attempt.failure": attempt.failure,
    "hedgerow.upstream_request.id": attempt.upstreamRequestId,
    "hedgerow.usage.input_tokens": usage === undefined ? undefined : promptTokens(usage),
    "hedgerow.usage.output_tokens": usage === undefined ? undefined : completionTokens(usage),
    "hedgerow.cost.usd": usd(attempt.costNanoUsd),
    "hedgerow.confidence.score": double(judgement?.score),
    "hedgerow.confidence.threshold": double(judgement?.threshold),
    "hedgerow.confidence.verdict": judgement?.verdict,
    "hedgerow.agrees": attempt.agrees,
    "supply.operator": groupName(attempt, "operator:"),
    "supply.owner": groupName(attempt, "owner:"),
    "supply.region": groupName(attempt, "region:"),
    "supply.groups": attempt.groups,
  };
}

function usd(nano: number | undefined): Double | undefined {
  return nano === undefined ? undefined : { double: nano / 1e9 };
}

function double(value: number | null | undefined): Double | undefined {
  return typeof value === "number" ? { double: value } : undefined;
}

/** The first of its kind that the record names. */
function groupName({ groups }: AttemptRecord, kind: string): string | undefined {
  return groups?.find((group) => group.startsWith(kind))?.slice(kind.length);
}

function eventsOf({ firstByteMs, firstContentMs }: AttemptRecord, startMs: number): readonly OtlpEvent[] {
  const event = (name: string, ms: number | undefined): readonly OtlpEvent[] =>
    ms === undefined ? [] : [{ name, timeUnixNano: nanosOf(startMs + ms) }];
  return [...event("hedgerow.first_byte", firstByteMs), ...event("hedgerow.first_content", firstContentMs)];
}
