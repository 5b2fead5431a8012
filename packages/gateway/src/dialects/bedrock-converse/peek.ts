import type { Peek } from "#dialects/dialect";
import { readCallOptions, refuseRepeated } from "#dialects/peek-options";
import type { CallAddress } from "#domain/call";
import type { Failure } from "#domain/failure";
import type { FieldScan } from "#wire/json-splice";

/** Fields whose repetition two JSON parsers could resolve differently, with an effect on cost, routing or safety. */
const guardedFields = [
  "messages",
  "system",
  "inferenceConfig",
  "toolConfig",
  "additionalModelRequestFields",
  "guardrailConfig",
  "outputConfig",
  "performanceConfig",
  "serviceTier",
  "requestMetadata",
  "input",
];

/** What must be known of a Converse request before a plan exists; model and streaming stand in the address. */
export function peek(
  body: Uint8Array,
  scan: FieldScan,
  address: CallAddress = {},
): Peek | { readonly kind: "refused"; readonly failure: Failure } {
  const repeated = refuseRepeated(scan, guardedFields);
  if (repeated !== undefined) return { kind: "refused", failure: repeated };
  const read = readCallOptions(body, scan, address);
  if (read.kind === "refused") return read;
  return { kind: "peeked", model: read.model, streamed: read.streamed, options: read.options };
}
