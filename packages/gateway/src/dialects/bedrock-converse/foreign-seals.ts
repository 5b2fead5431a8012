import { isForeignClaudeSeal, mayHoldForeignClaudeSeals } from "#dialects/claude-seals";
import type { EncodeTarget } from "#dialects/dialect";
import { parseExact } from "#dialects/exact-numbers";
import { sealMark } from "#dialects/seal-tag";
import { isObject, type JsonObject } from "#dialects/shape";
import type { Span } from "#wire/json-splice";
import { blobOf, readRedacted, readSignature, textOf } from "./seal-tag.ts";

/** How a marked `redactedContent` begins: it is base64. */
const blobMark = Buffer.from(sealMark).toString("base64").slice(0, 12);

type Target = Pick<EncodeTarget, "issuer" | "traits">;

interface Kept {
  /** Absent where the bytes stay as they are. */
  readonly json?: string;
  readonly lost: boolean;
  /** The last answer calls tools and does not begin with a thought, which Claude refuses where thinking has a budget. */
  readonly unexplainedCalls: boolean;
}

/**
 * A piece of a body for a target of the same language, where earlier turns were answered by another vendor: thoughts
 * whose seal we tagged and the target's vendor made get their own seal back, all other foreign ones are taken out,
 * because a foreign signature is refused. Undefined where there are none, which is nearly always. `budgeted`: thinking has
 * a budget, with which calls that another vendor made without a thought are refused too.
 */
export function withoutForeignSeals(
  body: Uint8Array,
  span: Span,
  { target, budgeted }: { readonly target: Target; readonly budgeted: boolean },
): Kept | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset + span.start, span.end - span.start);
  const mayHoldBare = mayHoldForeignClaudeSeals(target) && bytes.includes('"reasoningContent"');
  const answersForeignCall = budgeted && lastAnswered(bytes)?.startsWith("tooluse_") === false;
  const hasMark = bytes.includes(sealMark) || bytes.includes(blobMark);
  if (!mayHoldBare && !answersForeignCall && !hasMark) return undefined;
  const value = parseExact(bytes.toString("utf8"));
  const seen = { changed: false, lost: false };
  const kept = Array.isArray(value) ? keptMessages(value, target, seen) : keptInput(value, target, seen);
  const unexplainedCalls = budgeted && Array.isArray(kept) && isUnexplained(kept);
  if (!seen.changed && !unexplainedCalls) return undefined;
  return { ...(seen.changed ? { json: JSON.stringify(kept) } : {}), lost: seen.lost, unexplainedCalls };
}

/** The id of the last call that a result is for, as far as it says whose call that was: Bedrock's begin `tooluse_`. */
function lastAnswered(messages: Buffer): string | undefined {
  const at = messages.lastIndexOf('"toolUseId"');
  const text = at === -1 ? "" : messages.toString("latin1", at, at + 64);
  return /^"toolUseId"\s*:\s*"([^"]*)/u.exec(text)?.[1];
}

function isUnexplained(messages: readonly unknown[]): boolean {
  const last = messages.findLast((message) => isObject(message) && message["role"] === "assistant");
  const blocks = (contentOf(last) ?? []).filter(isObject);
  return blocks.some((block) => block["toolUse"] !== undefined) && blocks[0]?.["reasoningContent"] === undefined;
}

interface Seen {
  changed: boolean;
  lost: boolean;
}

function keptInput(input: unknown, target: Target, seen: Seen): unknown {
  const converse = isObject(input) ? input["converse"] : undefined;
  if (!isObject(input) || !isObject(converse) || !Array.isArray(converse["messages"])) return input;
  return { ...input, converse: { ...converse, messages: keptMessages(converse["messages"], target, seen) } };
}

function keptMessages(messages: readonly unknown[], target: Target, seen: Seen): readonly unknown[] {
  const kept: unknown[] = [];
  let isGap = false;
  for (const message of messages) {
    const content = contentOf(message);
    const left = content?.flatMap((block) => {
      const sent = isObject(block) ? unsealed(block, target) : block;
      seen.changed ||= sent !== block;
      seen.lost ||= sent === undefined;
      return sent === undefined ? [] : [sent];
    });
    if (!isObject(message) || content === undefined || left === undefined) kept.push(message);
    else if (left.length === 0 && content.length > 0) isGap = true;
    else {
      if (!isGap || !joined(kept, message["role"], left)) kept.push({ ...message, content: left });
      isGap = false;
    }
  }
  return kept;
}

/** A turn of nothing but foreign thoughts is none, and its neighbours are one turn: roles have to alternate. */
function joined(kept: unknown[], role: unknown, content: readonly unknown[]): boolean {
  const last = kept.at(-1);
  const before = contentOf(last);
  if (!isObject(last) || before === undefined || last["role"] !== role) return false;
  kept.splice(-1, 1, { ...last, content: [...before, ...content] });
  return true;
}

function contentOf(message: unknown): readonly unknown[] | undefined {
  const content = isObject(message) ? message["content"] : undefined;
  return Array.isArray(content) ? (content as readonly unknown[]) : undefined;
}

/** The block as the target may see it: itself where no other vendor sealed it, undefined where it must not be sent. */
function unsealed(block: JsonObject, target: Target): JsonObject | undefined {
  const thought = block["reasoningContent"];
  if (!isObject(thought)) return block;
  const { reasoningText: text, redactedContent: blob } = thought;
  if (isObject(text) && typeof text["signature"] === "string") {
    const { signature } = text;
    if (!signature.startsWith(sealMark)) return isForeignClaudeSeal(signature, target) ? undefined : block;
    const seal = readSignature(signature);
    if (seal?.issuer !== target.issuer) return undefined;
    return { ...block, reasoningContent: { reasoningText: { ...text, signature: seal.value } } };
  }
  if (typeof blob !== "string") return block;
  if (!blob.startsWith(blobMark)) return isForeignClaudeSeal(textOf(blob), target) ? undefined : block;
  const seal = readRedacted(blob);
  if (seal?.issuer !== target.issuer) return undefined;
  return { ...block, reasoningContent: { redactedContent: blobOf(seal.value) } };
}
