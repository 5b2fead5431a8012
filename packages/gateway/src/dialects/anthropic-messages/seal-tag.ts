import { readTaggedSeal, tagForeignSeal } from "#dialects/seal-tag";
import type { Seal } from "#domain/request";

/** The vendor whose signatures this language carries bare. */
const nativeIssuer = "anthropic";

/** A seal as callers of this language see it. */
export function tagSeal(value: string, issuer: string): string {
  return tagForeignSeal(value, issuer, nativeIssuer);
}

/** The reverse of `tagSeal`; undefined where nothing is sealed. */
export function readSeal(tagged: string, form: Seal["form"]): Seal | undefined {
  return readTaggedSeal(tagged, form, nativeIssuer);
}
