import type { Seal } from "#domain/request";

/** The vendor whose signatures this language carries bare. */
const nativeIssuer = "anthropic";

/** Begins every tagged seal and cannot begin a real one: those are base64, which has no colon. */
export const sealMark = "hedgerow:";

/**
 * A seal as callers of this language see it. A foreign vendor's seal is marked with its issuer, so that the turn that
 * brings it back is not mistaken for one Anthropic signed (knowledge of who can read it would otherwise be lost).
 * Without a value the mark alone says that the thought is foreign.
 */
export function tagSeal(value: string, issuer: string): string {
  return issuer === nativeIssuer ? value : `${sealMark}${encodeURIComponent(issuer)}:${value}`;
}

/** The reverse of `tagSeal`; undefined where nothing is sealed. */
export function readSeal(tagged: string, form: Seal["form"]): Seal | undefined {
  if (tagged === "") return undefined;
  if (!tagged.startsWith(sealMark)) return { issuer: nativeIssuer, form, value: tagged };
  const colon = tagged.indexOf(":", sealMark.length);
  const issuer = colon === -1 ? "" : decoded(tagged.slice(sealMark.length, colon));
  const value = tagged.slice(colon + 1);
  return issuer === "" || value === "" ? undefined : { issuer, form, value };
}

function decoded(issuer: string): string {
  try {
    return decodeURIComponent(issuer);
  } catch {
    return "";
  }
}
