import type { Dialect, FailureFacts } from "#dialects/dialect";
import { traitsOf, type Failure } from "#domain/failure";
import type { Attempt } from "#domain/plan";
import type { Exchange } from "#domain/ports";
import { ascii, serverTiming } from "./answer-headers.ts";
import { reachedHeaders } from "./limit-headers.ts";
import type { AskedReview } from "./journey.ts";

export interface Refusal {
  readonly exchange: Exchange;
  readonly dialect: Dialect;
  readonly id: string;
  readonly failure: Failure;
  readonly attempts: readonly Attempt[];
  readonly route?: string;
  /** The route's retry budget is used up: asking again at once would only feed the storm. */
  readonly budgetSpent?: boolean;
  /** Of a call that now waits for a person. */
  readonly review?: AskedReview;
  /** What the gateway itself took before a provider was asked, or until it refused. */
  readonly gatewayMs: number;
}

const shortestWaitMs = 1_000;
const longestWaitMs = 60_000;
const defaultWaitMs = 2_000;

/** An error before anything was sent, in the caller's language. */
export function refuse(refusal: Refusal): void {
  const { exchange, dialect, id, failure, attempts, route, budgetSpent = false } = refusal;
  if (exchange.gone) return;
  const told = failureFacts(id, failure, attempts);
  const facts = { ...told, retryable: told.retryable && !budgetSpent, ...reviewFacts(refusal.review) };
  const encoded = dialect.encodeFailure(failure, facts);
  const last = attempts.at(-1)?.target;
  exchange.respond(encoded.status, {
    ...encoded.headers,
    "x-request-id": id,
    "x-hedgerow-attempts": String(attempts.length),
    "x-hedgerow-decision": refusal.review === undefined ? decisionOf(failure) : "doubted",
    ...(route === undefined || route === "" ? {} : { "x-hedgerow-route": ascii(route) }),
    ...(last === undefined
      ? {}
      : { "x-hedgerow-provider": ascii(last.provider), "x-hedgerow-model": ascii(last.model) }),
    "x-should-retry": String(facts.retryable),
    ...waitHeaders(failure, encoded.status),
    ...reachedHeaders(failure),
    ...serverTiming(refusal.gatewayMs),
  });
  exchange.end(encoded.body);
}

export function failureFacts(requestId: string, why: Failure, attempts: readonly Attempt[]): FailureFacts {
  return {
    requestId,
    retryable: traitsOf(why).again,
    attempts: attempts.map(({ target, outcome, status, startedAtMs, endedAtMs, judgement }) => ({
      target: target.id,
      failure: "failure" in outcome ? outcome.failure.kind : outcome.kind,
      ...(status === undefined ? {} : { status }),
      ms: Math.round(endedAtMs - startedAtMs),
      ...(judgement === undefined ? {} : { score: judgement.score }),
    })),
  };
}

/** Of the answers nobody was sure of, the surest, and where a person decides. */
export function reviewFacts(review: AskedReview | undefined): Pick<FailureFacts, "reviewId" | "bestAnswer"> {
  if (review === undefined) return {};
  const { id, bestAnswer } = review;
  return { reviewId: id, ...(bestAnswer === undefined ? {} : { bestAnswer: JSON.parse(bestAnswer) as unknown }) };
}

export function decisionOf(why: Failure): "refused" | "failed" {
  // Every target answered: it is the gateway that gives none of it.
  if (why.kind === "low_confidence") return "refused";
  return traitsOf(why).blame === "upstream" ? "failed" : "refused";
}

/** Official SDKs sleep for whatever they are told, so what they are told is kept within a minute. */
function waitHeaders(why: Failure, status: number): Readonly<Record<string, string>> {
  const scarce = status === 429 || status === 503 || status === 529;
  if (!scarce || !traitsOf(why).again) return {};
  const waitMs = Math.min(longestWaitMs, Math.max(shortestWaitMs, Math.ceil(why.retryAfterMs ?? defaultWaitMs)));
  return { "retry-after": String(Math.ceil(waitMs / 1000)), "retry-after-ms": String(waitMs) };
}
