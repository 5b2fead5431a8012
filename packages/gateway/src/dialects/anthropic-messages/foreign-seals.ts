import { isForeignClaudeSeal, mayHoldForeignClaudeSeals } from "#dialects/claude-seals";
import type { EncodeTarget } from "#dialects/dialect";
import { parseExact } from "#dialects/exact-numbers";
import { isObject, type JsonObject } from "#dialects/shape";
import { sealMark } from "#dialects/seal-tag";
import type { FieldScan } from "#wire/json-splice";
import { readSeal } from "./seal-tag.ts";

/**
 * `messages` for a target of the same language, where earlier turns were answered by another vendor: thoughts whose seal
 * we tagged and the target's vendor made get their own seal back, all other foreign ones are taken out, because a foreign
 * signature is a 400. Undefined where there are none, which is nearly always: then the bytes stay as they are.
 */
export function messagesWithoutForeignSeals(
  body: Uint8Array,
  scan: FieldScan,
  target: EncodeTarget,
): { readonly json: string; readonly lost: boolean } | undefined {
  const span = scan.fields.get("messages");
  if (span === undefined) return undefined;
  const bytes = Buffer.from(body.buffer, body.byteOffset + span.start, span.end - span.start);
  const mayHoldBare = mayHoldForeignClaudeSeals(target) && thoughtWords.some((word) => bytes.includes(word));
  if (!mayHoldBare && !bytes.includes(sealMark)) return undefined;
  const read = parseExact(bytes.toString("utf8"));
  if (!Array.isArray(read)) return undefined;
  let changed = false;
  let lost = false;
  const messages = read.flatMap((message: unknown) => {
    if (!isObject(message) || !Array.isArray(message["content"])) return [message];
    const content = message["content"].flatMap((block: unknown) => {
      const kept = isObject(block) ? unsealed(block, target) : block;
      changed ||= kept !== block;
      lost ||= kept === undefined;
      return kept === undefined ? [] : [kept];
    });
    return content.length === 0 && message["content"].length > 0 ? [] : [{ ...message, content }];
  });
  return changed ? { json: JSON.stringify(messages), lost } : undefined;
}

const thoughtWords = ['"thinking"', '"redacted_thinking"'];

/** The block as the target may see it: itself where no other vendor sealed it, undefined where it must not be sent. */
function unsealed(block: JsonObject, target: EncodeTarget): JsonObject | undefined {
  const field = block["type"] === "thinking" ? "signature" : block["type"] === "redacted_thinking" ? "data" : undefined;
  const tagged = field === undefined ? undefined : block[field];
  if (field === undefined || typeof tagged !== "string") return block;
  if (!tagged.startsWith(sealMark)) return isForeignClaudeSeal(tagged, target) ? undefined : block;
  const seal = readSeal(tagged, "signature");
  return seal?.issuer === target.issuer ? { ...block, [field]: seal.value } : undefined;
}
