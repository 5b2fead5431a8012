import type { EncodeTarget } from "./dialect.ts";

const issuer = "anthropic";
/** Shorter ones are others' (UUIDs, digests): Anthropic's hold a whole thought. */
const shortest = 40;
const base64 = /^[A-Za-z0-9+/]+=*$/u;
const varintWire = 0;
const bytesWire = 2;
const mostFields = 16;

/**
 * Whether a seal that stands bare is one that this target must not see: its model is known to be another vendor's, and
 * the seal looks like Anthropic's. What hosts of other models sign in Anthropic's languages stands bare too, and is theirs.
 */
export function isForeignClaudeSeal(value: string, target: Pick<EncodeTarget, "issuer" | "traits">): boolean {
  return mayHoldForeignClaudeSeals(target) && looksLikeClaudes(value);
}

/** Models that the catalogue does not know may well be Anthropic's. */
export function mayHoldForeignClaudeSeals(target: Pick<EncodeTarget, "issuer" | "traits">): boolean {
  return target.traits !== undefined && target.issuer !== issuer;
}

/**
 * All signatures and redacted thoughts recorded of Anthropic's (2025 and 2026, at Anthropic, Bedrock and Vertex) are
 * base64 of a protocol buffer message: a few low fields, one of them long, and no byte left over.
 */
function looksLikeClaudes(value: string): boolean {
  if (value.length < shortest || !base64.test(value)) return false;
  const bytes = Buffer.from(value, "base64");
  let longest = 0;
  let fields = 0;
  for (let at = 0; at < bytes.length; fields += 1) {
    const tag = varintAt(bytes, at);
    const body = tag === undefined ? undefined : varintAt(bytes, tag.end);
    if (tag === undefined || body === undefined || tag.value >> 3 < 1 || tag.value >> 3 > mostFields) return false;
    const wire = tag.value & 7;
    if (wire !== varintWire && wire !== bytesWire) return false;
    const length = wire === bytesWire ? body.value : 0;
    longest = Math.max(longest, length);
    at = body.end + length;
    if (at > bytes.length) return false;
  }
  return fields <= mostFields && longest * 2 > bytes.length;
}

function varintAt(bytes: Buffer, from: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let at = from, shift = 0; shift < 28; at += 1, shift += 7) {
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return { value, end: at + 1 };
  }
  return undefined;
}
