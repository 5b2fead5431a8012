import type { DialectId, Operation } from "#domain/call";

/** Never served on Chat Completions (OpenAI's model pages, read 2026-11): Codex, the `pro` models, deep research. */
const responsesOnly = /^(?:ft:)?(?:codex|computer-use|(?:gpt-|o\d)\S*?-?(?:codex|pro|deep-research))(?:-|$)/;
/** Never served on Responses: audio in and out, and the chat models that search. */
const chatOnly = /(?:^|-)(?:audio|search)(?:-|$)/;
/** From GPT-5.4 on Chat refuses tools beside reasoning; Responses keeps the reasoning of every model that reasons. */
const reasons = /^(?:ft:)?(?:gpt-[5-9]|gpt-\d{2}|o\d)/;

/** The languages OpenAI's models are asked in, at OpenAI and where its API is served under the same paths. */
export function openaiLanes(model: string, operation: Operation = "generate"): readonly DialectId[] {
  if (operation !== "generate" && operation !== "count-tokens") return ["openai-chat"];
  const name = model.toLowerCase().replace(/^.*\//, "");
  if (responsesOnly.test(name)) return ["openai-responses"];
  if (chatOnly.test(name)) return ["openai-chat"];
  return reasons.test(name) ? ["openai-responses", "openai-chat"] : ["openai-chat", "openai-responses"];
}
