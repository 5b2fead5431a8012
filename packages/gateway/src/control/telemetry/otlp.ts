/**
 * OTLP as JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): names in camel case, ids in hex, 64-bit
 * integers as decimal text, enumerations as numbers.
 */
export interface OtlpAttribute {
  readonly key: string;
  readonly value: OtlpValue;
}

export type OtlpValue =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: string }
  | { readonly doubleValue: number }
  | { readonly arrayValue: { readonly values: readonly OtlpValue[] } };

/** A double is wrapped, so that a cost of exactly one dollar is no integer. */
export interface Double {
  readonly double: number;
}

export type AttributeValue = string | boolean | number | Double | readonly string[] | undefined;

/** Names and values; those without a value are left out. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** Longer texts are cut: a name of a caller's is no essay. */
const longestText = 512;

export function attributesOf(written: Attributes): readonly OtlpAttribute[] {
  return Object.entries(written).flatMap(([key, value]) => {
    const encoded = encode(value);
    return encoded === undefined ? [] : [{ key, value: encoded }];
  });
}

function encode(value: AttributeValue): OtlpValue | undefined {
  switch (typeof value) {
    case "undefined":
      return undefined;
    case "string":
      return { stringValue: value.slice(0, longestText) };
    case "boolean":
      return { boolValue: value };
    case "number":
      return Number.isSafeInteger(value) ? { intValue: String(value) } : double(value);
    default:
      return "double" in value
        ? double(value.double)
        : { arrayValue: { values: value.map((each) => ({ stringValue: each.slice(0, longestText) })) } };
  }
}

/** JSON has no word for what is no number. */
function double(value: number): OtlpValue | undefined {
  return Number.isFinite(value) ? { doubleValue: value } : undefined;
}

/** Milliseconds since 1970 as nanoseconds, exact to the microsecond. */
export function nanosOf(wallMs: number): string {
  return (BigInt(Math.round(wallMs * 1000)) * 1000n).toString();
}

/** What sent it, beside the spans or metrics themselves. */
export interface OtlpSender {
  readonly resource: { readonly attributes: readonly OtlpAttribute[] };
  readonly scope: { readonly name: string };
}

/** The names of attributes and metrics are those of this version (https://github.com/open-telemetry/semantic-conventions). */
export const schemaUrl = "https://opentelemetry.io/schemas/1.41.0";

export function senderOf(resource: Readonly<Record<string, string>>): OtlpSender {
  return { resource: { attributes: attributesOf(resource) }, scope: { name: "hedgerow" } };
}
