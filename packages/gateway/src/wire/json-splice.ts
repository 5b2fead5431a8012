import type { FieldScan, Member, Span } from "./json-scan.ts";

export { scanFields } from "./json-scan.ts";
export type { FieldScan, ScanProblem, Span } from "./json-scan.ts";

/** What a span holds. */
export type JsonRead =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: string };

/** Parses the JSON of one span; `{ start: 0, end: body.length }` is the whole body. Never throws. */
export function readJson(body: Uint8Array, span: Span): JsonRead {
  try {
    return { ok: true, value: JSON.parse(asBuffer(body).toString("utf8", span.start, span.end)) as unknown };
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : "is no JSON" };
  }
}

/** The string a span holds; undefined where it holds something else or a broken string. */
export function readString(body: Uint8Array, span: Span): string | undefined {
  if (body[span.start] !== quote) return undefined;
  const read = readJson(body, span);
  return read.ok && typeof read.value === "string" ? read.value : undefined;
}

/**
 * Replaces, removes (undefined) and adds top-level fields; the edits' values are JSON text. All other bytes stay as
 * they are. A repeated key is edited at each of its places. Returns `body` itself where nothing changes.
 */
export function editFields(
  body: Uint8Array,
  scan: FieldScan,
  edits: ReadonlyMap<string, string | undefined>,
): Uint8Array {
  const pieces = spliceFields(body, scan, edits);
  const [only] = pieces;
  return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
}

/** The same as pieces in order: views of the body and the new values between them, so that a large body is not copied. */
export function spliceFields(
  body: Uint8Array,
  scan: FieldScan,
  edits: ReadonlyMap<string, string | undefined>,
): readonly Uint8Array[] {
  const bytes = asBuffer(body);
  const { members } = scan;
  const lastKept = members.findLastIndex((member) => !isRemoved(member, edits));
  const pieces: (Buffer | string)[] = [];
  let copied = 0;
  const replaceBytes = (start: number, end: number, by: string): void => {
    if (start > copied) pieces.push(bytes.subarray(copied, start));
    if (by !== "") pieces.push(by);
    copied = end;
  };
  for (const [index, member] of members.entries()) {
    if (isRemoved(member, edits)) {
      const next = members[index + 1];
      // A member that another kept one follows takes the comma behind it along; the tail is cut below.
      if (index < lastKept && next !== undefined) replaceBytes(member.keyStart, next.keyStart, "");
      continue;
    }
    const value = edits.get(member.key);
    if (value !== undefined && !holds(bytes, member, value)) replaceBytes(member.start, member.end, value);
  }
  const last = members.at(-1);
  if (last !== undefined && lastKept < members.length - 1) {
    const kept = members[lastKept];
    replaceBytes(kept === undefined ? (members[0] ?? last).keyStart : kept.end, last.end, "");
  }
  const added = [...edits].filter(([key, value]) => value !== undefined && !scan.fields.has(key));
  if (added.length > 0) {
    const text = added.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(",");
    const at = last?.end ?? scan.close;
    replaceBytes(at, at, lastKept === -1 ? text : `,${text}`);
  }
  if (copied === 0 && pieces.length === 0) return [body];
  pieces.push(bytes.subarray(copied));
  return pieces.map((piece) => (typeof piece === "string" ? Buffer.from(piece) : piece));
}

function isRemoved(member: Member, edits: ReadonlyMap<string, string | undefined>): boolean {
  return edits.has(member.key) && edits.get(member.key) === undefined;
}

function holds(bytes: Buffer, span: Span, text: string): boolean {
  return bytes.toString("utf8", span.start, span.end) === text;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const quote = 0x22;
