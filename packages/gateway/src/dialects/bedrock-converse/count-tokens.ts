import { isObject } from "#dialects/shape";
import { failure, type Failure } from "#domain/failure";

/** CountTokens answers `{ "inputTokens": n }`. */
export function decodeTokenCount(body: unknown): number | Failure {
  const tokens = isObject(body) ? body["inputTokens"] : undefined;
  if (typeof tokens === "number" && Number.isSafeInteger(tokens) && tokens >= 0) return tokens;
  return failure("bad_upstream_response", "The provider's token count holds no number.");
}

export function encodeTokenCount(tokens: number): Uint8Array {
  return Buffer.from(JSON.stringify({ inputTokens: tokens }));
}
