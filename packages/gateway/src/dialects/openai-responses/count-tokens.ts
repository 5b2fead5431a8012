import type { Operation } from "#domain/call";
import { failure, type Failure } from "#domain/failure";
import { isObject } from "#dialects/shape";

/** `POST /responses/input_tokens` answers `{ "object": "response.input_tokens", "input_tokens": n }`. */
export function decodeTokenCount(body: unknown): number | Failure {
  const tokens = isObject(body) ? body["input_tokens"] : undefined;
  if (typeof tokens === "number" && Number.isSafeInteger(tokens) && tokens >= 0) return tokens;
  return failure("bad_upstream_response", "The provider's token count holds no number.");
}

export function encodeTokenCount(tokens: number): Uint8Array {
  return Buffer.from(JSON.stringify({ object: "response.input_tokens", input_tokens: tokens }));
}

/** A count that is none is said to be none, so that the gateway's own estimate takes its place. */
export function fitRelayed(_operation: Operation, answered: unknown): Failure | undefined {
  const tokens = decodeTokenCount(answered);
  return typeof tokens === "number" ? undefined : tokens;
}
