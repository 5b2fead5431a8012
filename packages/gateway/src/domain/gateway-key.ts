import type { Allowance } from "./account.ts";

/** What a key may be used for: the operations of calls, and what the gateway answers by itself. */
export const keyEndpoints = [
  "generate",
  "complete",
  "embed",
  "count-tokens",
  "moderate",
  "rerank",
  "models",
  "stored",
  "feedback",
  "reviews",
] as const;
export type KeyEndpoint = (typeof keyEndpoints)[number];

/**
 * `inference`: makes calls. `viewer`: looks at how the gateway is, and makes none. `admin`: both, and changes what can be
 * changed while it runs.
 */
export const keyRoles = ["inference", "viewer", "admin"] as const;
export type KeyRole = (typeof keyRoles)[number];

export const keyPriorities = ["high", "normal", "low"] as const;
export type KeyPriority = (typeof keyPriorities)[number];

/** What is known of a key but its secret. */
export interface KeyFacts {
  readonly name: string;
  /** Absent: all routes, and targets by their own names. */
  readonly routes?: readonly string[];
  /** Absent: all. `provider/model`, a canonical name, or a provider's own; a trailing `*` stands for any ending. */
  readonly models?: readonly string[];
  /** Absent: all. */
  readonly providers?: readonly string[];
  /** Absent: all. */
  readonly endpoints?: readonly KeyEndpoint[];
  /** Whose it is. */
  readonly organisation?: string;
  readonly team?: string;
  readonly allowance?: Allowance;
  /** Wall clock, milliseconds since 1970: from then on it is refused. */
  readonly expiresAtMs?: number;
  /** Who goes first where calls have to wait; absent: normal. */
  readonly priority?: Exclude<KeyPriority, "normal">;
  /** Absent: inference. */
  readonly role?: Exclude<KeyRole, "inference">;
}

/**
 * A key of ours, kept as its SHA-256 (hex): keys are high-entropy, so that nobody finds one by its hash, and a plain one
 * is enough.
 */
export interface GatewayKey extends KeyFacts {
  readonly sha256: string;
  /** Of one that was issued at run time: a name may be given again, an id never. */
  readonly id?: string;
}

/** A key that was issued at run time, as workers know it. */
export interface IssuedKey extends KeyFacts {
  readonly id: string;
  /** The one it has, and while one is rotated the one before. */
  readonly secrets: readonly IssuedSecret[];
}

export interface IssuedSecret {
  readonly sha256: string;
  /** Wall clock: from then on it is refused. Absent: as long as its key. */
  readonly untilMs?: number;
}

/** What changed of the issued keys. Later news of a key replace earlier ones. */
export interface KeyNews {
  readonly keys: readonly IssuedKey[];
  /** Ids of those that are revoked. */
  readonly gone: readonly string[];
  /** A key was issued once, though it may be gone: callers need one, for good. */
  readonly guards: boolean;
}

/**
 * Whose things in the memory a key finds. A name in the configuration is its operator's to keep; that of an issued key may
 * be given again, and what was left under it is not the next one's. No name has a colon.
 */
export function ownerOf(key: Pick<GatewayKey, "id" | "name"> | undefined): string {
  if (key === undefined) return "anonymous";
  return key.id === undefined ? key.name : payerOf({ caller: key.name, keyId: key.id });
}

/** The same of a record: whose account its call was charged to. */
export function payerOf({ caller, keyId }: { readonly caller: string; readonly keyId?: string }): string {
  return keyId === undefined ? caller : `${caller}:${keyId}`;
}

/** The name of the key whose things an owner's are: what records call the caller. */
export function callerOf(owner: string): string {
  return owner.split(":", 1)[0] ?? owner;
}
