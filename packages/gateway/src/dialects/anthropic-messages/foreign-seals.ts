import { readJson, type FieldScan } from "#wire/json-splice";
import { isObject, type JsonObject } from "#dialects/shape";
import { sealMark } from "#dialects/seal-tag";
import { readSeal } from "./seal-tag.ts";

/**
 * `messages` for a target of the same language, where earlier turns were answered by another vendor and carry seals
 * we tagged: thoughts the target's vendor sealed get their own seal back, all others are taken out, because a foreign
 * signature is a 400. Undefined where there are none, which is nearly always: then the bytes stay as they are.
 */
export function messagesWithoutForeignSeals(
  body: Uint8Array,
  scan: FieldScan,
  issuer: string,
): { readonly json: string; readonly lost: boolean } | undefined {
  const span = scan.fields.get("messages");
  if (span === undefined) return undefined;
  const bytes = Buffer.from(body.buffer, body.byteOffset + span.start, span.end - span.start);
  if (!bytes.includes(sealMark)) return undefined;
  const read = readJson(body, span);
  if (!read.ok || !Array.isArray(read.value)) return undefined;
  let changed = false;
  let lost = false;
  const messages = read.value.flatMap((message: unknown) => {
    if (!isObject(message) || !Array.isArray(message["content"])) return [message];
    const content = message["content"].flatMap((block: unknown) => {
      const kept = isObject(block) ? unsealed(block, issuer) : block;
      changed ||= kept !== block;
      lost ||= kept === undefined;
      return kept === undefined ? [] : [kept];
    });
    return content.length === 0 && message["content"].length > 0 ? [] : [{ ...message, content }];
  });
  return changed ? { json: JSON.stringify(messages), lost } : undefined;
}

/** The block as the issuer may see it: itself where we did not tag it, undefined where it must not be sent. */
function unsealed(block: JsonObject, issuer: string): JsonObject | undefined {
  const field = block["type"] === "thinking" ? "signature" : block["type"] === "redacted_thinking" ? "data" : undefined;
  const tagged = field === undefined ? undefined : block[field];
  if (field === undefined || typeof tagged !== "string" || !tagged.startsWith(sealMark)) return block;
  const seal = readSeal(tagged, "signature");
  return seal?.issuer === issuer ? { ...block, [field]: seal.value } : undefined;
}
