import { readTaggedSeal, tagForeignSeal } from "#dialects/seal-tag";
import type { Seal } from "#domain/request";

/** The vendor whose seals this language carries bare: of those Bedrock hosts, only Anthropic signs thoughts. */
const nativeIssuer = "anthropic";

/** A signature as callers of this language see it; undefined where there is nothing to say. */
export function tagSignature(value: string, issuer: string): string | undefined {
  const tagged = tagForeignSeal(value, issuer, nativeIssuer);
  return tagged === "" ? undefined : tagged;
}

export function readSignature(tagged: string): Seal | undefined {
  return readTaggedSeal(tagged, "signature", nativeIssuer);
}

/** A thought nobody but its vendor can read, as `redactedContent`. */
export function tagRedacted(value: string, issuer: string): string {
  return blobOf(tagForeignSeal(value, issuer, nativeIssuer));
}

export function readRedacted(blob: string): Seal | undefined {
  return readTaggedSeal(textOf(blob), "redacted", nativeIssuer);
}

const blobMark = "blob:";

/**
 * `redactedContent` is bytes, base64 in JSON, and holds what the vendor's own language has as a text (`data` of
 * `redacted_thinking`). Bytes that are no such text are kept as base64 behind a mark, so that nothing is lost.
 */
export function textOf(blob: string): string {
  const bytes = Buffer.from(blob, "base64");
  const text = bytes.toString("utf8");
  return !text.startsWith(blobMark) && Buffer.from(text, "utf8").equals(bytes) && bytes.toString("base64") === blob
    ? text
    : `${blobMark}${blob}`;
}

/** The reverse of `textOf`. */
export function blobOf(text: string): string {
  return text.startsWith(blobMark) ? text.slice(blobMark.length) : Buffer.from(text, "utf8").toString("base64");
}
