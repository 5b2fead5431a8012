import { traitsOf, type Failure, type FailureCode } from "#domain/failure";
import { encodeSse } from "#wire/sse";
import type { EncodedFailure, FailureFacts } from "#dialects/dialect";
import { threadDetails } from "./held-thread.ts";

/** The Messages API's error types (protocols.md §12); official SDKs choose their class by status, agents by type. */
const types: Readonly<Record<FailureCode, string>> = {
  invalid_request: "invalid_request_error",
  unauthenticated: "authentication_error",
  budget_exceeded: "billing_error",
  forbidden: "permission_error",
  model_not_found: "not_found_error",
  request_too_large: "request_too_large",
  context_length_exceeded: "invalid_request_error",
  low_confidence: "invalid_request_error",
  rate_limited: "rate_limit_error",
  upstream_error: "api_error",
  upstream_truncated: "api_error",
  no_capacity: "api_error",
  overloaded: "overloaded_error",
  draining: "api_error",
  upstream_timeout: "timeout_error",
  content_filter: "invalid_request_error",
  not_found: "not_found_error",
  method_not_allowed: "invalid_request_error",
  request_timeout: "timeout_error",
  client_gone: "invalid_request_error",
  internal_error: "api_error",
};

/** Overload is 529 in this language; every other failure keeps its status. */
const overloadedStatus = 529;

export function encodeFailure(failed: Failure, facts: FailureFacts): EncodedFailure {
  const { code, status } = traitsOf(failed);
  return {
    status: code === "overloaded" ? overloadedStatus : status,
    headers: { "content-type": "application/json", "request-id": facts.requestId },
    body: Buffer.from(envelope(failed, facts)),
  };
}

export function encodeStreamFailure(failed: Failure, facts: FailureFacts): Uint8Array {
  return Buffer.from(encodeSse({ event: "error", data: envelope(failed, facts) }));
}

/** For an encoder that is handed a failure and knows no more about the call. */
export function failureFrame(failed: Failure): string {
  const { code, again } = traitsOf(failed);
  const error = { type: types[code], message: failed.message, metadata: { code, retryable: again } };
  return encodeSse({ event: "error", data: JSON.stringify({ type: "error", error }) });
}

function envelope(failed: Failure, facts: FailureFacts): string {
  const { code } = traitsOf(failed);
  return JSON.stringify({
    type: "error",
    error: {
      type: types[code],
      message: failed.message,
      details: threadDetails(failed),
      metadata: {
        code,
        param: failed.param,
        request_id: facts.requestId,
        attempts: facts.attempts,
        retryable: facts.retryable,
        review_id: facts.reviewId,
        best_answer: facts.bestAnswer,
        upstream: failed.upstream,
        bound: failed.bound,
      },
    },
    request_id: facts.requestId,
  });
}
