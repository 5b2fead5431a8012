import { createHash } from "node:crypto";
import { toolCallId } from "#dialects/openai-chat/tool-call-ids";
import type { ModelFamily } from "./model-family.ts";

/** Names and ids of tools in Converse (`ToolUseBlock`, `ToolSpecification`): 1 to 64 letters, digits, `_` and `-`. */
const word = /^[a-zA-Z0-9_-]{1,64}$/u;

export function isToolName(name: string): boolean {
  return word.test(name);
}

/**
 * The id a target accepts for a tool call. Conforming ids stay as they are; others become a digest of themselves, so
 * that a call and its result, and the same call in later turns, keep the same id without any memory.
 */
export function toolUseId(id: string, family: ModelFamily): string {
  if (family.nineCharacterIds) return toolCallId(id, "nine-alphanumeric");
  return word.test(id) ? id : `tooluse_${createHash("sha256").update(id).digest("base64url").slice(0, 32)}`;
}

/**
 * A tool that must be called in place of an answer where a model cannot be held to a schema otherwise: its arguments
 * are the answer. The name is ours alone, so that the answer's decoder knows it without having seen the request.
 */
export const answerTool = "hedgerow_json_answer";

/** A history with tool calls is refused where no tools are declared, and there is no choice `none` in this language. */
export const idleTool = "hedgerow_no_tool";
