import type { Secret } from "#domain/secret";
import type { CredentialHeaders } from "./provider.ts";

/** `Authorization: Bearer`, RFC 6750. Nothing without a key: an empty credential is worse than none. */
export function bearer(secret: Secret | undefined): CredentialHeaders {
  return secret === undefined ? {} : { authorization: `Bearer ${secret.reveal()}` };
}

/**
 * Anthropic takes API keys in `x-api-key` under every API version; its OAuth tokens go in `Authorization` only.
 * Where both headers come, the API looks at `x-api-key`.
 */
export function anthropicKey(secret: Secret | undefined): CredentialHeaders {
  if (secret === undefined) return {};
  return secret.reveal().startsWith("sk-ant-oat") ? bearer(secret) : { "x-api-key": secret.reveal() };
}

/** Hosts that imitate Anthropic read one header or the other; both go to the same place. */
export function eitherHeader(secret: Secret | undefined): CredentialHeaders {
  return secret === undefined ? {} : { "x-api-key": secret.reveal(), ...bearer(secret) };
}

/** What keeps a credential from standing in a header unchanged; undefined where nothing does. */
export function plainKeyProblem(key: string): string | undefined {
  return /^[\x21-\x7e]+$/.test(key) ? undefined : "a key cannot hold spaces, line breaks or characters outside ASCII";
}
