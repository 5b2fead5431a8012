import { readTaggedSeal, sealMark, tagForeignSeal } from "#dialects/seal-tag";
import type { Seal } from "#domain/request";

/** The vendor whose `thoughtSignature` this language carries bare. */
const nativeIssuer = "google";

/** `thoughtSignature` is bytes, base64 in JSON, and so are tags: three bytes are four characters, so the mark is whole. */
export const tagStart = Buffer.from(sealMark).toString("base64");

const forms: readonly Seal["form"][] = ["signature", "redacted", "encrypted"];

/**
 * What Google documents for calls that no model of its own made: a step's first call must be signed, and others cannot
 * be (https://ai.google.dev/gemini-api/docs/thought-signatures, 2026-11).
 */
export const uncheckedSignature = "skip_thought_signature_validator";

/** Clients write it too: it seals nothing. */
const placeholders: ReadonlySet<string> = new Set(
  [uncheckedSignature, "context_engineering_is_the_way_to_go"].flatMap((word) => [
    word,
    Buffer.from(word).toString("base64"),
    // Clients that hold it as bytes decode the word and write it again.
    Buffer.from(word, "base64").toString("base64"),
    Buffer.from(word, "base64url").toString("base64url"),
  ]),
);

/** A seal as callers see it: Google's own as it is, others with their issuer, form and id. */
export function tagSeal(issuer: string, { form, value, id = "" }: Omit<Seal, "issuer">): string {
  if (isNativeIssuer(issuer)) return value;
  const packed = `${form}:${encodeURIComponent(id)}:${value}`;
  return Buffer.from(tagForeignSeal(packed, issuer, nativeIssuer)).toString("base64");
}

/** Says that another vendor wrote this and signed nothing. */
export function foreignMark(issuer: string): string {
  return Buffer.from(tagForeignSeal("", issuer, nativeIssuer)).toString("base64");
}

export function isNativeIssuer(issuer: string): boolean {
  return issuer === nativeIssuer;
}

/** Whether we wrote this `thoughtSignature`. */
export function isTagged(signature: string): boolean {
  return signature.startsWith(tagStart);
}

/** The seal in a `thoughtSignature`; undefined where there is none. */
export function readSeal(signature: string): Seal | undefined {
  if (signature === "" || placeholders.has(signature)) return undefined;
  if (!isTagged(signature)) return { issuer: nativeIssuer, form: "signature", value: signature };
  const tagged = readTaggedSeal(Buffer.from(signature, "base64").toString("utf8"), "signature", nativeIssuer);
  if (tagged === undefined) return undefined;
  const [word = "", name = "", ...rest] = tagged.value.split(":");
  const form = forms.find((each) => each === word);
  const value = rest.join(":");
  if (form === undefined || value === "") return undefined;
  const id = decoded(name);
  return { issuer: tagged.issuer, form, value, ...(id === "" ? {} : { id }) };
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return "";
  }
}
