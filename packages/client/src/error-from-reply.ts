import * as errors from "./errors.ts";
import { type Json, type JsonObject, isObject, numberOf, parseJson, textOf } from "./json.ts";

/** A reply that is an error, read whole. */
export interface ErrorReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

type Raise = (message: string, facts: errors.ErrorFacts) => errors.HedgerowError;

const invalid: Raise = (message, facts) => new errors.InvalidRequest(message, facts);
const unauthenticated: Raise = (message, facts) => new errors.Unauthenticated(message, facts);
const overBudget: Raise = (message, facts) => new errors.BudgetExceeded(message, facts);
const forbidden: Raise = (message, facts) => new errors.Forbidden(message, facts);
const modelNotFound: Raise = (message, facts) => new errors.ModelNotFound(message, facts);
const rateLimited: Raise = (message, facts) => new errors.RateLimited(message, facts);
const upstreamFailed: Raise = (message, facts) => new errors.UpstreamFailed(message, facts);
const upstreamTimeout: Raise = (message, facts) => new errors.UpstreamTimeout(message, facts);
const noCapacity: Raise = (message, facts) => new errors.NoCapacity(message, facts);
const truncated: Raise = (message, facts) => new errors.Truncated(message, facts);
const timedOut: Raise = (message, facts) => new errors.TimedOut(message, facts);
const other: Raise = (message, facts) => new errors.HedgerowError(message, facts);

const byCode: ReadonlyMap<string, Raise> = new Map([
  ["invalid_request", invalid],
  ["request_too_large", invalid],
  ["context_length_exceeded", invalid],
  ["content_filter", invalid],
  ["not_found", invalid],
  ["method_not_allowed", invalid],
  ["request_timeout", timedOut],
  ["unauthenticated", unauthenticated],
  ["budget_exceeded", overBudget],
  ["forbidden", forbidden],
  ["model_not_found", modelNotFound],
  ["rate_limited", rateLimited],
  ["upstream_error", upstreamFailed],
  ["upstream_truncated", truncated],
  ["upstream_timeout", upstreamTimeout],
  ["no_capacity", noCapacity],
  ["overloaded", noCapacity],
  ["draining", noCapacity],
  ["internal_error", other],
]);

/** For replies of something else between us and the gateway, and for codes newer than this client. */
const byStatus: ReadonlyMap<number, Raise> = new Map([
  [401, unauthenticated],
  [402, overBudget],
  [403, forbidden],
  [408, timedOut],
  [429, rateLimited],
  [502, upstreamFailed],
  [503, noCapacity],
  [504, upstreamTimeout],
]);

/** The typed error for a reply whose status is not 2xx. Total: any body gives an error. */
export function errorFromReply(reply: ErrorReply): errors.HedgerowError {
  const complaint = complaintIn(parseJson(reply.body));
  const metadata = metadataOf(complaint);
  const code = codeOf(complaint) ?? `http_${reply.status}`;
  const message = textOf(complaint["message"]) ?? `The gateway answered with status ${reply.status} and no message.`;
  const facts = {
    ...reportedFacts(metadata, reply.headers.get("x-request-id") ?? undefined),
    code,
    status: reply.status,
    retryable: mayTryAgain(reply.headers, metadata),
    ...given("retryAfterMs", retryAfterMs(reply.headers)),
  };
  if (code === "low_confidence") return unsure(message, facts, metadata);
  const raise = byCode.get(code) ?? byStatus.get(reply.status) ?? (reply.status < 500 ? invalid : other);
  return raise(message, facts);
}

function unsure(message: string, facts: errors.ErrorFacts, metadata: JsonObject): errors.ManualInterventionRequired {
  return new errors.ManualInterventionRequired(message, {
    ...facts,
    ...given("reviewId", textOf(metadata["review_id"])),
    ...given("bestAnswer", metadata["best_answer"]),
  });
}

/** The typed error for a 202: a person was asked instead of an error given. Undefined where it is something else. */
export function errorFromPending(
  body: Json | undefined,
  context: { readonly requestId: string | undefined },
): errors.ManualInterventionRequired | undefined {
  const reviewId = isObject(body) && body["object"] === "hedgerow.review" ? textOf(body["review_id"]) : undefined;
  if (reviewId === undefined) return undefined;
  const facts = { code: "low_confidence", status: 202, ...given("requestId", context.requestId) };
  return unsure(`No answer was sure enough: a person decides in review ${reviewId}.`, facts, { review_id: reviewId });
}

/** The typed error for an `error` object inside a stream that had begun; undefined where the event holds none. */
export function errorFromEvent(
  event: Json | undefined,
  context: { readonly requestId: string | undefined; readonly partialText: string },
): errors.Truncated | errors.ManualInterventionRequired | undefined {
  if (!isObject(event) || event["error"] === undefined || event["error"] === null) return undefined;
  const complaint = complaintIn(event);
  const metadata = metadataOf(complaint);
  const code = codeOf(complaint) ?? "upstream_truncated";
  const message = textOf(complaint["message"]) ?? "The answer broke off.";
  const facts = { ...reportedFacts(metadata, context.requestId), code, retryable: metadata["retryable"] === true };
  // A stream that was held until somebody was sure, and nobody was: nothing of an answer has come.
  if (code === "low_confidence") return unsure(message, facts, metadata);
  return new errors.Truncated(message, { ...facts, partialText: context.partialText });
}

function complaintIn(body: Json | undefined): JsonObject {
  const complaint = isObject(body) ? body["error"] : undefined;
  if (isObject(complaint)) return complaint;
  return typeof complaint === "string" ? { message: complaint } : {};
}

function metadataOf(complaint: JsonObject): JsonObject {
  return isObject(complaint["metadata"]) ? complaint["metadata"] : {};
}

function codeOf(complaint: JsonObject): string | undefined {
  return textOf(metadataOf(complaint)["code"]) ?? textOf(complaint["code"]);
}

function reportedFacts(metadata: JsonObject, requestId: string | undefined) {
  return {
    ...given("requestId", textOf(metadata["request_id"]) ?? requestId),
    attempts: attemptsIn(metadata["attempts"]),
  };
}

function attemptsIn(list: Json | undefined): readonly errors.FailedAttempt[] {
  if (!Array.isArray(list)) return [];
  return list.filter(isObject).map(attemptFrom);
}

function attemptFrom(attempt: JsonObject): errors.FailedAttempt {
  return {
    target: textOf(attempt["target"]) ?? "unknown",
    failure: textOf(attempt["failure"]) ?? "unknown",
    ...given("status", numberOf(attempt["status"])),
    ...given("ms", numberOf(attempt["ms"])),
    ...given("score", attempt["score"] === null ? null : numberOf(attempt["score"])),
  };
}

function mayTryAgain(headers: Headers, metadata: JsonObject): boolean {
  const said = headers.get("x-should-retry");
  return said === null ? metadata["retryable"] === true : said === "true";
}

/** `retry-after-ms`, else `retry-after` in seconds or as a date (RFC 9110, section 10.2.3). */
function retryAfterMs(headers: Headers): number | undefined {
  const exact = numberOf(headers.get("retry-after-ms") ?? undefined);
  if (exact !== undefined) return Math.max(0, exact);
  const header = headers.get("retry-after") ?? undefined;
  const seconds = numberOf(header);
  if (seconds !== undefined) return Math.max(0, seconds * 1000);
  const atMs = header === undefined ? Number.NaN : Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - Date.now());
}

function given<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [key in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [key in Name]: Value });
}
