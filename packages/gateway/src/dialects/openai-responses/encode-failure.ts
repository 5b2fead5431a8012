import { traitsOf, type Failure } from "#domain/failure";
import { encodeSse } from "#wire/sse";
import type { FailureFacts } from "#dialects/dialect";
import { ResponseObject } from "./response-object.ts";

export { encodeFailure } from "#dialects/openai-chat/encode-failure";

/** Larger than any number an answer's events reach: numbers must rise, and here it is not known how far they rose. */
const beyondAnyEvent = 1_000_000_000;

/** `error.code` in a response is one of OpenAI's own words; these two say whether waiting helps. */
export function responseError(failed: Failure): { readonly code: string; readonly message: string } {
  const { code } = traitsOf(failed);
  return { code: code === "rate_limited" ? "rate_limit_exceeded" : "server_error", message: failed.message };
}

/** An `error` event as OpenAI writes it; everything of ours under `metadata`. */
export function errorFields(failed: Failure, facts?: FailureFacts): object {
  const { code, again } = traitsOf(failed);
  return {
    code,
    message: failed.message,
    param: failed.param ?? null,
    metadata: {
      code,
      request_id: facts?.requestId,
      attempts: facts?.attempts,
      retryable: facts?.retryable ?? again,
      review_id: facts?.reviewId,
      best_answer: facts?.bestAnswer,
      upstream: failed.upstream,
      bound: failed.bound,
    },
  };
}

/**
 * An error inside a stream that already began: `error`, then `response.failed`, which Open Responses demands behind it,
 * under the id that the answer had where it was ours.
 */
export function encodeStreamFailure(failed: Failure, facts: FailureFacts): Uint8Array {
  const response = new ResponseObject({
    fallbackId: facts.requestId,
    model: "",
    createdAtS: 0,
    includeUsage: false,
    issuer: "",
  }).show({ status: "failed", output: [], error: responseError(failed) });
  const events = [
    { type: "error", sequence_number: beyondAnyEvent, ...errorFields(failed, facts) },
    { type: "response.failed", sequence_number: beyondAnyEvent + 1, response },
  ];
  return Buffer.from(events.map((event) => encodeSse({ event: event.type, data: JSON.stringify(event) })).join(""));
}
