import type { GenerateRequest } from "#domain/request";
import { failure, type Failure } from "#domain/failure";
import type { Encoded, EncodeTarget } from "#dialects/dialect";
import { isObject } from "#dialects/shape";
import { joinedFields, requestFields } from "./encode-request.ts";
import { LossLedger } from "./losses.ts";
import { resourceName } from "./resource-name.ts";

/** Vertex counts these and takes no others. */
const counted: ReadonlySet<string> = new Set(["systemInstruction", "contents", "tools", "generationConfig"]);

/**
 * `:countTokens`. The Gemini API takes a whole request as `generateContentRequest`, which names its model again; Vertex
 * takes the request's fields themselves (https://ai.google.dev/api/tokens and Vertex's reference, 2026-11).
 */
export function encodeCount(request: GenerateRequest, target: EncodeTarget): Encoded {
  const ledger = new LossLedger();
  const fields = requestFields(request, target, ledger);
  if (ledger.refusal !== undefined) return { kind: "refused", failure: ledger.refusal };
  const model = JSON.stringify(resourceName(target.model));
  const json =
    target.quirks.bareCount === true
      ? joinedFields(fields.filter(([name]) => counted.has(name)))
      : `{"generateContentRequest":${joinedFields([["model", model], ...fields])}}`;
  return { kind: "encoded", body: Buffer.from(json), headers: {}, warnings: ledger.warnings };
}

export function decodeCount(body: unknown): number | Failure {
  const tokens = isObject(body) ? body["totalTokens"] : undefined;
  // Protobuf leaves out what is zero.
  if (tokens === undefined && isObject(body) && !("error" in body)) return 0;
  if (typeof tokens === "number" && Number.isSafeInteger(tokens) && tokens >= 0) return tokens;
  return failure("bad_upstream_response", "The provider's token count holds no number.");
}
