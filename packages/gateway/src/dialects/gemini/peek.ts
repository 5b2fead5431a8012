import type { CallAddress } from "#domain/call";
import { failure, type Failure } from "#domain/failure";
import type { FieldScan } from "#wire/json-splice";
import type { Peek } from "#dialects/dialect";
import { readCallOptions, refuseRepeated } from "#dialects/peek-options";
import { camelCase } from "./request-reader.ts";

/** Fields whose repetition two JSON parsers could resolve differently, with an effect on cost, routing or safety. */
const guardedFields: ReadonlySet<string> = new Set([
  "model",
  "contents",
  "systemInstruction",
  "generationConfig",
  "tools",
  "toolConfig",
  "safetySettings",
  "cachedContent",
  "serviceTier",
  "labels",
  "generateContentRequest",
  "requests",
  "content",
  "taskType",
  "title",
  "outputDimensionality",
]);

/** What must be known of a request before a plan exists. The address says the model and whether it is streamed. */
export function peek(
  body: Uint8Array,
  scan: FieldScan,
  address: CallAddress = {},
): Peek | { readonly kind: "refused"; readonly failure: Failure } {
  const repeated = refuseRepeated(scan, scan.repeated.filter(isGuarded)) ?? refuseTwoSpellings(scan);
  if (repeated !== undefined) return { kind: "refused", failure: repeated };
  const read = readCallOptions(body, scan, address);
  if (read.kind === "refused") return read;
  return { kind: "peeked", model: read.model, streamed: read.streamed, options: read.options };
}

function isGuarded(name: string): boolean {
  return guardedFields.has(camelCase(name));
}

/** `system_instruction` beside `systemInstruction`. */
function refuseTwoSpellings(scan: FieldScan): Failure | undefined {
  const twice = [...scan.fields.keys()].find((name) => camelCase(name) !== name && scan.fields.has(camelCase(name)));
  if (twice === undefined || !isGuarded(twice)) return undefined;
  const param = camelCase(twice);
  return failure("invalid_request", `${param} is given in two spellings; send it once`, { param });
}
