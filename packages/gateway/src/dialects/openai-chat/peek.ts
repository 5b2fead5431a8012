import type { CallAddress } from "#domain/call";
import type { Failure } from "#domain/failure";
import type { FieldScan } from "#wire/json-splice";
import type { Peek } from "#dialects/dialect";
import { readCallOptions, refuseRepeated } from "#dialects/peek-options";

/** Fields whose repetition two JSON parsers could resolve differently, with an effect on cost, routing or safety. */
const guardedFields = [
  "model",
  "messages",
  "stream",
  "stream_options",
  "max_tokens",
  "max_completion_tokens",
  "n",
  "tools",
  "tool_choice",
  "functions",
  "function_call",
  "response_format",
  "reasoning_effort",
  "service_tier",
  "user",
  "safety_identifier",
  "prompt",
  "input",
  "dimensions",
  "encoding_format",
  "query",
  "documents",
  "top_n",
];

/** What must be known of a request before a plan exists. Azure's clients say the model in the address. */
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
