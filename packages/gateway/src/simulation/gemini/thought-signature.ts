import type { Issuer } from "#simulation/issuer";
import { object } from "#simulation/received-request";

/** What Google documents for calls that a model of its own did not make. */
const sentinels = new Set(["skip_thought_signature_validator", "context_engineering_is_the_way_to_go"]);

/** Opaque bytes, so base64 on the wire. Signs a call's name and arguments, or a thought. */
export function signature(issuer: Issuer, about: string): string {
  return Buffer.from(issuer.seal(about, "thought-signature")).toString("base64");
}

/** A call as signed: its meaning, whatever its whitespace and the order of its keys. */
export function signedCall(name: unknown, args: unknown): string {
  return `call\0${String(name)}\0${canonical(args ?? {})}`;
}

/** Whether this provider made the signature, and, of a call, made it for this call. */
export function isOwnSignature(issuer: Issuer, given: unknown, call?: string): boolean {
  if (typeof given !== "string") return false;
  if (sentinels.has(given)) return true;
  const bytes = Buffer.from(given, "base64");
  if (bytes.toString("base64") !== given) return false;
  const about = issuer.open(bytes.toString(), "thought-signature");
  return about !== undefined && (call === undefined || about === call);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${(value as readonly unknown[]).map(canonical).join(",")}]`;
  const fields = object(value);
  if (fields === undefined) return JSON.stringify(value) ?? "null";
  const sorted = Object.keys(fields).toSorted();
  return `{${sorted.map((key) => `${JSON.stringify(key)}:${canonical(fields[key])}`).join(",")}}`;
}
