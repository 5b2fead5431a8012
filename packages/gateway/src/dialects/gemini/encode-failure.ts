import { traitsOf, type Failure, type FailureCode } from "#domain/failure";
import type { EncodedFailure, FailureFacts } from "#dialects/dialect";

/** `google.rpc.Code` for each of our codes (https://cloud.google.com/apis/design/errors). */
const statuses = {
  invalid_request: "INVALID_ARGUMENT",
  unauthenticated: "UNAUTHENTICATED",
  budget_exceeded: "FAILED_PRECONDITION",
  forbidden: "PERMISSION_DENIED",
  model_not_found: "NOT_FOUND",
  request_too_large: "INVALID_ARGUMENT",
  context_length_exceeded: "INVALID_ARGUMENT",
  low_confidence: "FAILED_PRECONDITION",
  rate_limited: "RESOURCE_EXHAUSTED",
  upstream_error: "UNAVAILABLE",
  upstream_truncated: "UNAVAILABLE",
  no_capacity: "UNAVAILABLE",
  overloaded: "UNAVAILABLE",
  draining: "UNAVAILABLE",
  upstream_timeout: "DEADLINE_EXCEEDED",
  content_filter: "INVALID_ARGUMENT",
  not_found: "NOT_FOUND",
  method_not_allowed: "UNIMPLEMENTED",
  request_timeout: "DEADLINE_EXCEEDED",
  client_gone: "CANCELLED",
  internal_error: "INTERNAL",
} as const satisfies Record<FailureCode, string>;

/** An error before anything was sent. */
export function encodeFailure(failed: Failure, facts: FailureFacts): EncodedFailure {
  return {
    status: traitsOf(failed).status,
    headers: { "content-type": "application/json; charset=UTF-8" },
    body: Buffer.from(errorJson(failed, facts)),
  };
}

/** `google.rpc.Status` as Google's JSON has it; what is ours under `metadata`. */
export function errorJson(failed: Failure, facts?: FailureFacts): string {
  const { code, status, again } = traitsOf(failed);
  const details = [
    { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: code.toUpperCase(), domain: "hedgerow" },
    ...retryInfo(failed),
    ...fieldAtFault(failed),
  ];
  return JSON.stringify({
    error: {
      code: status,
      message: failed.message,
      status: statuses[code],
      details,
      metadata: {
        code,
        param: failed.param,
        request_id: facts?.requestId,
        attempts: facts?.attempts,
        retryable: facts?.retryable ?? again,
        review_id: facts?.reviewId,
        best_answer: facts?.bestAnswer,
        upstream: failed.upstream,
        bound: failed.bound,
      },
    },
  });
}

/** Gemini CLI waits for as long as this says. */
function retryInfo({ retryAfterMs }: Failure): readonly object[] {
  if (retryAfterMs === undefined) return [];
  return [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: `${retryAfterMs / 1000}s` }];
}

function fieldAtFault({ param, message }: Failure): readonly object[] {
  if (param === undefined) return [];
  const violation = { field: param, description: message };
  return [{ "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations: [violation] }];
}
