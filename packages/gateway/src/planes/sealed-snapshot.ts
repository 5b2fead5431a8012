import { Secret } from "#domain/secret";
import type { Snapshot } from "#domain/snapshot";

/**
 * A snapshot as plain JSON, secrets in clear: for the pipe between the supervisor and its own workers and nothing
 * else. It is opaque so that no other code is tempted to read, log or store it.
 */
export interface SealedSnapshot {
  readonly sealed: unknown;
}

type Plain = string | number | boolean | null | readonly unknown[] | { readonly [key: string]: unknown };

const secretMark = "§secret";
const mapMark = "§map";

/** The one place where a secret is written out. Throws on values that JSON would change in silence: a bug. */
export function sealSnapshot(snapshot: Snapshot): SealedSnapshot {
  return { sealed: seal(snapshot, "snapshot") };
}

export function openSnapshot(snapshot: SealedSnapshot): Snapshot {
  return open(snapshot.sealed) as Snapshot;
}

function seal(value: unknown, path: string): Plain {
  if (value instanceof Secret) return { [secretMark]: value.reveal() };
  if (value instanceof Map) {
    return { [mapMark]: [...value].map(([key, item]) => [key, seal(item, `${path}.${String(key)}`)]) };
  }
  if (Array.isArray(value)) return value.map((item, index) => seal(item, `${path}[${index}]`));
  if (typeof value === "object" && value !== null) return sealFields(value, path);
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new TypeError(`${path} cannot be sent to a worker: it is a ${typeof value} JSON has no word for`);
}

function sealFields(value: object, path: string): Plain {
  if (Object.getPrototypeOf(value) !== Object.prototype && Object.getPrototypeOf(value) !== null) {
    throw new TypeError(`${path} cannot be sent to a worker: it is an object of a class`);
  }
  const sealed: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (key === secretMark || key === mapMark) throw new TypeError(`${path} has a field named like a mark`);
    if (item !== undefined) sealed[key] = seal(item, `${path}.${key}`);
  }
  return sealed;
}

function open(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(open);
  if (typeof value !== "object" || value === null) return value;
  const fields = value as Readonly<Record<string, unknown>>;
  const secret = fields[secretMark];
  if (typeof secret === "string") return new Secret(secret);
  const entries = fields[mapMark];
  if (Array.isArray(entries)) return new Map((entries as [unknown, unknown][]).map(([key, item]) => [key, open(item)]));
  return Object.fromEntries(Object.entries(fields).map(([key, item]) => [key, open(item)]));
}
