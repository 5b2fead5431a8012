import type { Seal } from "#domain/request";

/** Begins every tagged seal and cannot begin a real one: those are base64, which has no colon. */
export const sealMark = "hedgerow:";

/**
 * A seal as callers see it whose language has one opaque string for it. A foreign vendor's seal is marked with its
 * issuer, so that the turn that brings it back is not mistaken for one that `native`, the vendor whose seals the
 * language carries bare, signed (knowledge of who can read it would otherwise be lost). Without a value the mark alone
 * says that the thought is foreign.
 */
export function tagForeignSeal(value: string, issuer: string, native: string): string {
  return issuer === native ? value : `${sealMark}${encodeURIComponent(issuer)}:${value}`;
}

/** The reverse of `tagForeignSeal`; undefined where nothing is sealed. */
export function readTaggedSeal(tagged: string, form: Seal["form"], native: string): Seal | undefined {
  if (tagged === "") return undefined;
  if (!tagged.startsWith(sealMark)) return { issuer: native, form, value: tagged };
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
