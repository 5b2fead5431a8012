import { createHash } from "node:crypto";
import type { ChatQuirks } from "#domain/quirks";

/** OpenAI refuses longer ids ("string too long. Expected a string with maximum length 40"). */
const longestId = 40;
const nine = /^[A-Za-z0-9]{9}$/u;
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/**
 * The id a target accepts for a tool call. Conforming ids stay as they are; others become a digest of themselves, so
 * that a call and its result, and the same call in later turns, keep the same id without any memory.
 */
export function toolCallId(id: string, shape: ChatQuirks["toolCallIds"]): string {
  if (shape === "nine-alphanumeric") return nine.test(id) ? id : digest(id, 9);
  return id.length > 0 && id.length <= longestId ? id : `call_${digest(id, 24)}`;
}

function digest(id: string, length: number): string {
  const bytes = createHash("sha256").update(id).digest();
  let text = "";
  for (let i = 0; i < length; i += 1) text += alphabet.charAt((bytes[i] ?? 0) % alphabet.length);
  return text;
}
