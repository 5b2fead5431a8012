import type { Seal } from "#domain/request";

/** The vendor whose `encrypted_content` this language carries bare. */
const nativeIssuer = "openai";

/** Begins every tagged seal and cannot begin a real one: those are base64, which has no colon. */
export const sealMark = "hedgerow:";

const forms: readonly Seal["form"][] = ["signature", "redacted", "encrypted"];

/**
 * A seal as callers of this language see it. A foreign vendor's is marked with its issuer and its form, so that the turn
 * that brings it back is not mistaken for one OpenAI sealed. Without a value the mark alone says that OpenAI does not
 * know this thought: without it a provider would look for the item's id in its own store and answer 404.
 */
export function tagSeal(issuer: string, seal: Pick<Seal, "form" | "value">): string {
  if (issuer === nativeIssuer && seal.form !== "redacted" && seal.value !== "") return seal.value;
  return `${sealMark}${encodeURIComponent(issuer)}:${seal.form}:${seal.value}`;
}

/** The reverse of `tagSeal`; undefined where nothing is sealed. */
export function readSeal(tagged: string): Seal | undefined {
  if (tagged === "") return undefined;
  if (!tagged.startsWith(sealMark)) return { issuer: nativeIssuer, form: "encrypted", value: tagged };
  const [, name = "", word = "", ...rest] = tagged.split(":");
  const issuer = decoded(name);
  const form = forms.find((each) => each === word);
  const value = rest.join(":");
  return issuer === "" || form === undefined || value === "" ? undefined : { issuer, form, value };
}

/**
 * OpenAI seals with Fernet (https://github.com/fernet/spec), whose tokens begin with a version and the high bytes of
 * the time: so do all that were recorded, 2025 and 2026.
 */
export function looksNative(value: string): boolean {
  return value.startsWith("gAAAAA");
}

export function isNativeIssuer(issuer: string): boolean {
  return issuer === nativeIssuer;
}

function decoded(issuer: string): string {
  try {
    return decodeURIComponent(issuer);
  } catch {
    return "";
  }
}
