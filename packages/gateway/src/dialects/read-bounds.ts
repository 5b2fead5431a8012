import { readJson, type FieldScan } from "#wire/json-splice";

/** Where languages say how long an answer may get, tokens: a field, or a member of one. */
const outputFields: readonly (readonly [field: string, member?: string])[] = [
  ["max_completion_tokens"],
  ["max_output_tokens"],
  ["max_tokens"],
  ["generationConfig", "maxOutputTokens"],
  ["generation_config", "max_output_tokens"],
  ["inferenceConfig", "maxTokens"],
];

/** Where they name the end user, the preferred first. */
const userFields: readonly (readonly [field: string, member?: string])[] = [
  ["safety_identifier"],
  ["user"],
  ["metadata", "user_id"],
];

const longestUser = 256;

/** How many tokens an answer may have at most, all choices together; undefined where the request does not say. */
export function askedOutput(body: Uint8Array, scan: FieldScan): number | undefined {
  const asked = firstOf(body, scan, { list: outputFields, fits: (value) => typeof value === "number" && value > 0 });
  if (typeof asked !== "number") return undefined;
  const choices = valueOf(body, scan, ["n"]);
  return Math.ceil(asked) * (typeof choices === "number" && choices > 1 ? Math.ceil(choices) : 1);
}

/** Whom the request is made for, as its caller says; undefined where it does not, or in no usable way. */
export function endUser(body: Uint8Array, scan: FieldScan): string | undefined {
  const named = firstOf(body, scan, { list: userFields, fits: (value) => typeof value === "string" && value !== "" });
  return typeof named === "string" ? named.slice(0, longestUser) : undefined;
}

function firstOf(
  body: Uint8Array,
  scan: FieldScan,
  places: { readonly list: typeof outputFields; readonly fits: (value: unknown) => boolean },
): unknown {
  for (const place of places.list) {
    const value = valueOf(body, scan, place);
    if (places.fits(value)) return value;
  }
  return undefined;
}

function valueOf(body: Uint8Array, scan: FieldScan, [field, member]: readonly [string, string?]): unknown {
  const span = scan.fields.get(field);
  if (span === undefined) return undefined;
  const read = readJson(body, span);
  if (!read.ok) return undefined;
  if (member === undefined) return read.value;
  const { value } = read;
  return typeof value === "object" && value !== null && Object.hasOwn(value, member)
    ? (value as Readonly<Record<string, unknown>>)[member]
    : undefined;
}
