import { traitsOf, type Failure, type FailureCode } from "#domain/failure";
import { encodeSse } from "#wire/sse";
import type { EncodedFailure, FailureFacts } from "#dialects/dialect";

/**
 * OpenAI's `type` for each of our codes. The official SDKs choose their exception by the status; `type` is what people
 * and older clients read.
 */
const errorTypes = {
  invalid_request: "invalid_request_error",
  unauthenticated: "authentication_error",
  budget_exceeded: "insufficient_quota",
  forbidden: "permission_error",
  model_not_found: "invalid_request_error",
  request_too_large: "invalid_request_error",
  context_length_exceeded: "invalid_request_error",
  low_confidence: "low_confidence",
  rate_limited: "rate_limit_error",
  upstream_error: "api_error",
  upstream_truncated: "api_error",
  no_capacity: "service_unavailable_error",
  overloaded: "service_unavailable_error",
  draining: "service_unavailable_error",
  upstream_timeout: "timeout_error",
  content_filter: "invalid_request_error",
  not_found: "invalid_request_error",
  method_not_allowed: "invalid_request_error",
  request_timeout: "timeout_error",
  client_gone: "api_error",
  internal_error: "server_error",
} as const satisfies Record<FailureCode, string>;

/** An error before anything was sent. */
export function encodeFailure(failure: Failure, facts: FailureFacts): EncodedFailure {
  const body = Buffer.from(JSON.stringify(errorBody(failure, facts)));
  return { status: traitsOf(failure).status, headers: { "content-type": "application/json" }, body };
}

/** An error inside a stream. It stands in for `[DONE]`, which never follows it. */
export function encodeStreamFailure(failure: Failure, facts: FailureFacts): Uint8Array {
  return Buffer.from(streamError(failure, facts));
}

export function streamError(failure: Failure, facts?: FailureFacts): string {
  return encodeSse({ data: JSON.stringify(errorBody(failure, facts)) });
}

/** `error` as OpenAI writes it; everything of ours under `metadata`, where strict clients do not stumble over it. */
function errorBody(failure: Failure, facts: FailureFacts | undefined): object {
  const { code, again } = traitsOf(failure);
  return {
    error: {
      message: failure.message,
      type: errorTypes[code],
      param: failure.param ?? null,
      code: failure.word ?? code,
      metadata: {
        code,
        request_id: facts?.requestId,
        attempts: facts?.attempts,
        retryable: facts?.retryable ?? again,
        review_id: facts?.reviewId,
        best_answer: facts?.bestAnswer,
        upstream: failure.upstream,
        bound: failure.bound,
      },
    },
  };
}
