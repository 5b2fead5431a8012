/** A header value that is no string. Times are milliseconds since 1970; UUIDs are written with hyphens. */
export type EventHeaderValue =
  | { readonly type: "boolean"; readonly value: boolean }
  | { readonly type: "byte" | "short" | "integer"; readonly value: number }
  | { readonly type: "long" | "timestamp"; readonly value: bigint }
  | { readonly type: "binary"; readonly value: Uint8Array }
  | { readonly type: "uuid"; readonly value: string };

export interface EventHeaders {
  /** The string headers, which are all that streams of models use: `:event-type`, `:message-type`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The headers of every other type; absent where there are none. */
  readonly typedHeaders?: Readonly<Record<string, EventHeaderValue>>;
}

/** The format's bounds of one header's name and of a string or binary value. */
export const maxNameBytes = 255;
export const maxValueBytes = 32_767;

/** The byte that says a value's type. */
export const headerType = {
  true: 0,
  false: 1,
  byte: 2,
  short: 3,
  integer: 4,
  long: 5,
  binary: 6,
  string: 7,
  timestamp: 8,
  uuid: 9,
} as const;

/** How many bytes values of each type take; strings and binary values say it in two bytes of their own. */
const fixedBytes: readonly (number | undefined)[] = [0, 0, 1, 2, 4, 8, undefined, undefined, 8, 16];

/** All headers of a frame; undefined where the bytes are no whole headers. Of two with one name the last counts. */
export function readEventHeaders(bytes: Buffer): EventHeaders | undefined {
  // Entries, not assignments: a header may be called `__proto__`.
  const strings: [string, string][] = [];
  const others: [string, EventHeaderValue][] = [];
  let at = 0;
  while (at < bytes.length) {
    const typeAt = at + 1 + (bytes[at] ?? 0);
    const type = bytes[typeAt];
    if (type === undefined || type > headerType.uuid) return undefined;
    let valueAt = typeAt + 1;
    let valueBytes = fixedBytes[type];
    if (valueBytes === undefined) {
      if (valueAt + 2 > bytes.length) return undefined;
      valueBytes = bytes.readUInt16BE(valueAt);
      valueAt += 2;
    }
    const end = valueAt + valueBytes;
    if (end > bytes.length) return undefined;
    const name = bytes.toString("utf8", at + 1, typeAt);
    if (type === headerType.string) strings.push([name, bytes.toString("utf8", valueAt, end)]);
    else others.push([name, readValue(type, bytes.subarray(valueAt, end))]);
    at = end;
  }
  const headers = Object.fromEntries(strings);
  return others.length === 0 ? { headers } : { headers, typedHeaders: Object.fromEntries(others) };
}

function readValue(type: number, bytes: Buffer): EventHeaderValue {
  switch (type) {
    case headerType.true:
      return { type: "boolean", value: true };
    case headerType.false:
      return { type: "boolean", value: false };
    case headerType.byte:
      return { type: "byte", value: bytes.readInt8(0) };
    case headerType.short:
      return { type: "short", value: bytes.readInt16BE(0) };
    case headerType.integer:
      return { type: "integer", value: bytes.readInt32BE(0) };
    case headerType.long:
      return { type: "long", value: bytes.readBigInt64BE(0) };
    case headerType.timestamp:
      return { type: "timestamp", value: bytes.readBigInt64BE(0) };
    case headerType.uuid:
      return { type: "uuid", value: bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/u, "$1-$2-$3-$4-") };
    default:
      return { type: "binary", value: bytes };
  }
}
