import { isForeignClaudeSeal, mayHoldForeignClaudeSeals } from "#dialects/claude-seals";
import type { EncodeTarget } from "#dialects/dialect";
import { parseExact } from "#dialects/exact-numbers";
import { isObject, type JsonObject } from "#dialects/shape";
import { sealMark } from "#dialects/seal-tag";
import type { Span } from "#wire/json-splice";
import { readSeal } from "./seal-tag.ts";

export interface FittedMessages {
  /** Absent where the bytes stay as they are. */
  readonly json?: string;
  readonly lost: boolean;
  /** The last answer calls tools and no longer begins with a thought, which is a 400 where thinking has a budget. */
  readonly unexplainedCalls: boolean;
}

/**
 * `messages` for a target of the same language, where earlier turns were answered by another vendor: thoughts whose seal
 * we tagged and the target's vendor made get their own seal back, all other foreign ones are taken out, because a foreign
 * signature is a 400. Undefined where there are none, which is nearly always. `budgeted`: thinking has a budget, with
 * which calls that another vendor made without a thought are refused too.
 */
export function messagesWithoutForeignSeals(
  body: Uint8Array,
  span: Span,
  { target, budgeted }: { readonly target: EncodeTarget; readonly budgeted: boolean },
): FittedMessages | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset + span.start, span.end - span.start);
  const mayHoldBare = mayHoldForeignClaudeSeals(target) && thoughtWords.some((word) => bytes.includes(word));
  const answersForeignCall = budgeted && lastAnswered(bytes)?.startsWith("toolu") === false;
  if (!mayHoldBare && !answersForeignCall && !bytes.includes(sealMark)) return undefined;
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
  const unexplainedCalls = budgeted && isUnexplained(messages);
  if (!changed && !unexplainedCalls) return undefined;
  return { ...(changed ? { json: JSON.stringify(messages) } : {}), lost, unexplainedCalls };
}

/** The id of the last call that a result is for, as far as it says whose call that was: Anthropic's begin `toolu`. */
function lastAnswered(messages: Buffer): string | undefined {
  const at = messages.lastIndexOf('"tool_use_id"');
  const text = at === -1 ? "" : messages.toString("latin1", at, at + 64);
  return /^"tool_use_id"\s*:\s*"([^"]*)/u.exec(text)?.[1];
}

function isUnexplained(messages: readonly unknown[]): boolean {
  const last = messages.findLast((message) => isObject(message) && message["role"] === "assistant");
  const content: unknown = isObject(last) ? last["content"] : undefined;
  const types = (Array.isArray(content) ? content : []).map((block: unknown) =>
    isObject(block) ? block["type"] : undefined,
  );
  return types.includes("tool_use") && types[0] !== "thinking" && types[0] !== "redacted_thinking";
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
