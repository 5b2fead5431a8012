import { hash } from "node:crypto";
import { failure, type Failure } from "#domain/failure";
import type { GatewayKey } from "#domain/gateway-key";
import { readKeyText } from "#domain/key-text";
import type { Exchange } from "#domain/ports";
import type { Snapshot } from "#domain/snapshot";
import type { IssuedKeys } from "./issued-keys.ts";

export type Known =
  /** Without a key where none is needed. */
  { readonly kind: "known"; readonly key?: GatewayKey } | { readonly kind: "refused"; readonly failure: Failure };

/** Who is let in at this moment. */
export interface Door {
  readonly snapshot: Snapshot;
  readonly issued?: IssuedKeys;
  /** Wall clock, milliseconds since 1970. */
  readonly wallMs: number;
}

const keyHeaders = ["x-api-key", "x-goog-api-key", "api-key"];
const bearer = /^bearer +(\S+)$/i;
/** What Amazon's clients sign with is no key of ours: theirs comes in a header beside it, or as a bearer token instead. */
const signature = /^aws4-/i;
const longestKey = 512;

/** Nobody needs a key: there is none, there never was an issued one, and nothing else guards the gateway. */
export function isOpen({ snapshot, issued }: Door): boolean {
  return snapshot.keys.length === 0 && snapshot.guarded !== true && issued?.guards !== true;
}

/** One key, in any of the places SDKs put it. */
export function authenticate(asked: Pick<Exchange, "headers" | "query">, door: Door): Known {
  if (isOpen(door)) return { kind: "known" };
  const given = givenSecret(asked);
  if (typeof given !== "string") return { kind: "refused", failure: given };
  const known = keyOf(given, door);
  if (!("message" in known)) return { kind: "known", key: known };
  return { kind: "refused", failure: known };
}

/** What was sent as a key, or why that cannot be one. */
export function givenSecret({ headers, query }: Pick<Exchange, "headers" | "query">): string | Failure {
  if (query.has("key")) {
    return unauthenticated("Send the key in a header, not in the address: addresses end up in logs.");
  }
  const given = new Set<string>();
  const authorization = headers["authorization"];
  const isSigned = authorization === undefined || signature.test(authorization);
  const token = isSigned ? undefined : (bearer.exec(authorization)?.[1] ?? "");
  if (token !== undefined) given.add(token);
  for (const name of keyHeaders) {
    const value = headers[name];
    if (value !== undefined) given.add(value.trim());
  }
  if (given.size > 1) {
    return failure("ambiguous_credentials", "Two different keys were sent in different headers; send one.");
  }
  const [only] = given;
  return only ?? unauthenticated("A gateway key is needed: send it as a bearer token.");
}

/**
 * Looked up by hash, however many keys there are. How long that takes may tell something of the hash of what was sent, and
 * nothing of a key: whoever wants a hash that begins as a key's does has to try as many texts as for any other.
 */
export function keyOf(given: string, { snapshot, issued, wallMs }: Door): GatewayKey | Failure {
  const sha256 = given.length > longestKey ? undefined : hash("sha256", given);
  const key =
    sha256 === undefined
      ? undefined
      : (inSnapshot(snapshot.keys).get(sha256) ?? issued?.find(sha256, snapshot, wallMs));
  if (key === undefined) {
    const why =
      readKeyText(given) === "mistyped"
        ? "This is no whole key: it was cut or mistyped."
        : "This key is not known here.";
    return unauthenticated(why);
  }
  if (key.expiresAtMs !== undefined && wallMs >= key.expiresAtMs) return unauthenticated("This key has expired.");
  // Of a key that outlived its team nobody knows any more what it may spend.
  const team = key.team === undefined || snapshot.teams?.has(key.team) === true;
  const organisation = key.organisation === undefined || snapshot.organisations?.includes(key.organisation) === true;
  if (key.id === undefined || (team && organisation)) return key;
  return failure(
    "forbidden",
    `The ${team ? "organisation" : "team"} of the key "${key.name}" is not configured any more.`,
  );
}

const byHash = new WeakMap<readonly GatewayKey[], ReadonlyMap<string, GatewayKey>>();

/** The configuration's keys; the map is made once for each snapshot. */
function inSnapshot(keys: readonly GatewayKey[]): ReadonlyMap<string, GatewayKey> {
  let map = byHash.get(keys);
  if (map === undefined) byHash.set(keys, (map = new Map(keys.map((key) => [key.sha256, key]))));
  return map;
}

function unauthenticated(why: string): Failure {
  return failure("unauthenticated", why);
}
