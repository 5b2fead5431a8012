import { readJson, type FieldScan } from "#wire/json-splice";
import type { EncodeTarget } from "#dialects/dialect";
import { isObject, type JsonObject } from "#dialects/shape";
import { isNativeIssuer, looksNative, readSeal, sealMark } from "./seal-tag.ts";

const sealedField = "encrypted_content";

/**
 * `input` for a target of the same language, where earlier turns were answered by another vendor: thoughts that the
 * target's vendor sealed get their own seal back, all other foreign ones are taken out, because a seal it cannot open
 * is a 400. Undefined where there are none, which is nearly always: then the bytes stay as they are.
 */
export function inputWithoutForeignSeals(
  body: Uint8Array,
  scan: FieldScan,
  target: EncodeTarget,
): { readonly json: string; readonly lost: boolean } | undefined {
  const span = scan.fields.get("input");
  if (span === undefined) return undefined;
  const bytes = Buffer.from(body.buffer, body.byteOffset + span.start, span.end - span.start);
  if (!bytes.includes(sealMark) && !hasMisfit(bytes, target)) return undefined;
  const read = readJson(body, span);
  if (!read.ok || !Array.isArray(read.value)) return undefined;
  let changed = false;
  let lost = false;
  const items = read.value.flatMap((item: unknown) => {
    const kept = isObject(item) ? unsealed(item, target) : item;
    changed ||= kept !== item;
    lost ||= kept === undefined;
    return kept === undefined ? [] : [kept];
  });
  return changed ? { json: JSON.stringify(items), lost } : undefined;
}

/** The item as the target may see it: itself where no other vendor sealed it, undefined where it must not be sent. */
function unsealed(item: JsonObject, target: EncodeTarget): JsonObject | undefined {
  const sealed = item[sealedField];
  if (item["type"] !== "reasoning" || typeof sealed !== "string") return item;
  if (!sealed.startsWith(sealMark)) return isMisfit(sealed, target) ? undefined : item;
  const seal = readSeal(sealed);
  return seal?.issuer === target.issuer ? { ...item, [sealedField]: seal.value } : undefined;
}

/** Known to be another vendor's model; one that the catalogue does not know may well be OpenAI's. */
function isOther({ traits, issuer }: EncodeTarget): boolean {
  return traits !== undefined && !isNativeIssuer(issuer);
}

/**
 * Whether a seal that nobody marked is another vendor's: OpenAI's are known by their first letters, and a target of
 * whom nothing is known may well be OpenAI's.
 */
function isMisfit(sealed: string, target: EncodeTarget): boolean {
  if (sealed === "") return false;
  return looksNative(sealed) ? isOther(target) : isNativeIssuer(target.issuer);
}

/** The same of the bytes of an input, which are parsed only where there is such a seal. */
function hasMisfit(bytes: Buffer, target: EncodeTarget): boolean {
  const name = Buffer.from(`"${sealedField}"`);
  for (let at = bytes.indexOf(name); at !== -1; at = bytes.indexOf(name, at + name.length)) {
    const after = bytes.toString("latin1", at + name.length, at + name.length + mostBetween);
    const sealed = /^\s*:\s*"([^"]*)/u.exec(after)?.[1];
    if (sealed !== undefined && isMisfit(sealed, target)) return true;
  }
  return false;
}

/** Of a field's colon, white space and the first letters of its value. */
const mostBetween = 64;
