import { failure, type Failure } from "#domain/failure";
import { readJson, type FieldScan } from "#wire/json-splice";
import type { Peek } from "#dialects/dialect";
import { readCallOptions, refuseRepeated } from "#dialects/peek-options";

/** Fields whose repetition two JSON parsers could resolve differently, with an effect on cost, routing or safety. */
const guardedFields = [
  "model",
  "input",
  "instructions",
  "stream",
  "max_output_tokens",
  "tools",
  "tool_choice",
  "text",
  "reasoning",
  "include",
  "store",
  "background",
  "previous_response_id",
  "conversation",
  "service_tier",
  "user",
  "safety_identifier",
];

/** What must be known of a Responses request before a plan exists. */
export function peek(
  body: Uint8Array,
  scan: FieldScan,
): Peek | { readonly kind: "refused"; readonly failure: Failure } {
  const repeated = refuseRepeated(scan, guardedFields) ?? refuseBackground(body, scan);
  if (repeated !== undefined) return { kind: "refused", failure: repeated };
  const read = readCallOptions(body, scan);
  if (read.kind === "refused") return read;
  return { kind: "peeked", model: read.model, streamed: read.streamed, options: read.options };
}

export const noBackground = "is not taken: this gateway runs nothing in the background. Leave it out and use stream";

/** Its answer would be fetched later, from a provider that only the gateway knows. */
function refuseBackground(body: Uint8Array, scan: FieldScan): Failure | undefined {
  const span = scan.fields.get("background");
  const read = span === undefined ? undefined : readJson(body, span);
  if (read?.ok !== true || read.value !== true) return undefined;
  return failure("invalid_request", `background ${noBackground}`, { param: "background" });
}
