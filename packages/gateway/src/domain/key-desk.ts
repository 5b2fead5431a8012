import type { KeyFacts } from "./gateway-key.ts";

/** What may be shown of an issued key: everything but its secrets. Times are of the wall clock, ms since 1970. */
export interface KeyView {
  readonly id: string;
  readonly facts: KeyFacts;
  readonly createdAtMs: number;
  readonly revokedAtMs?: number;
  /** The newest first. */
  readonly secrets: readonly SecretView[];
}

export interface SecretView {
  /** How its text begins, by which its owner knows it. */
  readonly hint: string;
  readonly createdAtMs: number;
  /** Of one that was replaced: when it ends. */
  readonly untilMs?: number;
}

/** Where `key` is asked for: an id, or the name of a key that is not revoked. `by`: the key or token that asks for a change. */
export type KeyAsk =
  | { readonly kind: "create"; readonly facts: KeyFacts; readonly by?: string }
  /** The newest first, after the one of that id. */
  | { readonly kind: "list"; readonly revoked: boolean; readonly limit: number; readonly after?: string }
  | { readonly kind: "show"; readonly key: string }
  | { readonly kind: "revoke"; readonly key: string; readonly by?: string }
  /** The secret it has is good for `overlapMs` more; any that it had before ends at once. */
  | { readonly kind: "rotate"; readonly key: string; readonly overlapMs: number; readonly by?: string };

export type KeyAnswer =
  | { readonly kind: "keys"; readonly keys: readonly KeyView[]; readonly more: boolean }
  | { readonly kind: "key"; readonly key: KeyView }
  /** The one time at which the text of a secret is told. */
  | { readonly kind: "issued"; readonly key: KeyView; readonly text: string }
  | { readonly kind: "unknown" }
  /** A key that is not revoked has the name. */
  | { readonly kind: "taken" }
  /** There are as many as there may be. */
  | { readonly kind: "full"; readonly most: number }
  | { readonly kind: "revoked" }
  | { readonly kind: "unavailable"; readonly why: string };

/** A change of a key that was made. */
export interface KeyChange {
  readonly what: "issued" | "revoked" | "rotated";
  readonly id: string;
  readonly name: string;
  /** The key or token that it was asked for with; absent: nobody needs one. */
  readonly by?: string;
}

/** Where keys are issued, looked at and taken back. Never rejects. */
export interface KeyDesk {
  ask(ask: KeyAsk): Promise<KeyAnswer>;
}

/** Keys that are not revoked: every worker has them all in memory, at about 1 KB each. */
export const mostIssuedKeys = 100_000;
export const mostListedKeys = 1_000;
/** A month: who still has the old secret after that has been forgotten. */
export const longestOverlapMs = 31 * 86_400_000;
export const usualOverlapMs = 86_400_000;
