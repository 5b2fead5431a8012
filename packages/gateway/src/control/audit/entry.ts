import { hash, randomFillSync } from "node:crypto";

const auditKinds = ["start", "stop", "configuration", "key", "call", "review", "erasure"] as const;
export type AuditKind = (typeof auditKinds)[number];

/** JSON values. */
export type AuditValue =
  | string
  | number
  | boolean
  | null
  | readonly AuditValue[]
  | { readonly [name: string]: AuditValue };

/** Something that happened, before it is in the log. */
export interface AuditEvent {
  readonly kind: AuditKind;
  /** ISO 8601. */
  readonly at: string;
  /** Each is told or withheld by itself. */
  readonly fields: Readonly<Record<string, AuditValue>>;
}

/** A line of the log: what everybody may see, and a salted hash for each field. The line's bytes are the tree's leaf. */
export interface AuditEntry {
  readonly index: number;
  readonly kind: AuditKind;
  readonly at: string;
  /** By name: SHA-256 (base64url) of the field's opening as it is written. */
  readonly fields: Readonly<Record<string, string>>;
}

/** What a hash of a field hides: `["salt","name",value]` as JSON. Without it the value cannot be found by trying. */
export type Opening = readonly [salt: string, name: string, value: AuditValue];

export interface MadeEntry {
  /** The exact text that is hashed, without a line end. */
  readonly line: string;
  /** By field name. */
  readonly openings: Readonly<Record<string, Opening>>;
}

const saltBytes = 16;
/** Random bytes are asked for a few hundred salts at a time: each question costs more than the bytes. */
const pool = Buffer.alloc(256 * saltBytes);
let poolAt = pool.length;

function newSalt(): string {
  if (poolAt === pool.length) {
    randomFillSync(pool);
    poolAt = 0;
  }
  poolAt += saltBytes;
  return pool.toString("base64url", poolAt - saltBytes, poolAt);
}

export function makeEntry({ kind, at, fields }: AuditEvent, index: number): MadeEntry {
  const openings: Record<string, Opening> = {};
  const hashes: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields)) {
    const opening: Opening = [newSalt(), name, value];
    openings[name] = opening;
    hashes[name] = hashOf(opening);
  }
  return { line: JSON.stringify({ index, kind, at, fields: hashes } satisfies AuditEntry), openings };
}

function hashOf(opening: Opening): string {
  return hash("sha256", JSON.stringify(opening), "base64url");
}

/** Undefined where the line is no entry. */
export function readEntry(line: string): AuditEntry | undefined {
  let read: unknown;
  try {
    read = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { index, kind, at, fields } = (read ?? {}) as Partial<AuditEntry>;
  if (
    !Number.isSafeInteger(index) ||
    (index ?? 0) < 0 ||
    !auditKinds.some((each) => each === kind) ||
    typeof at !== "string"
  ) {
    return undefined;
  }
  if (typeof fields !== "object" || fields === null) return undefined;
  return Object.values(fields).every((each) => typeof each === "string") ? (read as AuditEntry) : undefined;
}

/** Whether something is the opening of an entry's field of this name. */
export function opens({ fields }: AuditEntry, field: string, opening: unknown): boolean {
  if (!Array.isArray(opening) || opening.length !== 3) return false;
  const [salt, name] = opening as readonly unknown[];
  return typeof salt === "string" && name === field && fields[field] === hashOf(opening as unknown as Opening);
}
