import type { EncodedFailure, FailureFacts } from "#dialects/dialect";
import { traitsOf, type Failure, type FailureCode } from "#domain/failure";
import { encodeEventStreamFrame } from "#wire/encode-event-stream";

/**
 * Bedrock's exceptions (reference of Converse; the general ones are AWS's). The official SDKs choose their class by the
 * name, and whether to try again by name and status.
 */
const names: Readonly<Record<FailureCode, string>> = {
  invalid_request: "ValidationException",
  unauthenticated: "UnrecognizedClientException",
  budget_exceeded: "ServiceQuotaExceededException",
  forbidden: "AccessDeniedException",
  model_not_found: "ResourceNotFoundException",
  request_too_large: "ValidationException",
  context_length_exceeded: "ValidationException",
  low_confidence: "ModelErrorException",
  rate_limited: "ThrottlingException",
  upstream_error: "ModelErrorException",
  upstream_truncated: "ModelErrorException",
  no_capacity: "ServiceUnavailableException",
  overloaded: "ServiceUnavailableException",
  draining: "ServiceUnavailableException",
  upstream_timeout: "ModelTimeoutException",
  content_filter: "ValidationException",
  not_found: "ResourceNotFoundException",
  method_not_allowed: "ValidationException",
  request_timeout: "RequestTimeoutException",
  client_gone: "ValidationException",
  internal_error: "InternalServerException",
};

/** A stream has five of them (`ConverseStreamOutput`), in names that begin in lower case. */
const streamNames: ReadonlyMap<string, string> = new Map([
  ["InternalServerException", "internalServerException"],
  ["ModelErrorException", "modelStreamErrorException"],
  ["ModelTimeoutException", "modelStreamErrorException"],
  ["ServiceUnavailableException", "serviceUnavailableException"],
  ["ThrottlingException", "throttlingException"],
]);

export function encodeFailure(failed: Failure, facts: FailureFacts): EncodedFailure {
  const { code, status } = traitsOf(failed);
  return {
    status,
    headers: {
      "content-type": "application/json",
      "x-amzn-errortype": names[code],
      "x-amzn-requestid": facts.requestId,
    },
    body: Buffer.from(envelope(failed, facts)),
  };
}

export function encodeStreamFailure(failed: Failure, facts: FailureFacts): Uint8Array {
  return exceptionFrame(failed, envelope(failed, facts));
}

/** For an encoder that is handed a failure and knows no more about the call. */
export function failureFrame(failed: Failure): Uint8Array {
  const { code, again } = traitsOf(failed);
  const metadata = { code, retryable: again };
  return exceptionFrame(failed, JSON.stringify({ message: failed.message, error: { metadata } }));
}

function exceptionFrame(failed: Failure, payload: string): Uint8Array {
  const type = streamNames.get(names[traitsOf(failed).code]) ?? "validationException";
  return encodeEventStreamFrame({
    headers: { ":exception-type": type, ":content-type": "application/json", ":message-type": "exception" },
    payload: Buffer.from(payload),
  });
}

/** Bedrock has a message and nothing else; what the gateway adds stands where it does in other languages. */
function envelope(failed: Failure, facts: FailureFacts): string {
  return JSON.stringify({
    message: failed.message,
    error: {
      metadata: {
        code: traitsOf(failed).code,
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
  });
}
