import type { ChatRules } from "./check-chat.ts";
import { object, objects, type JsonObject, wordOf } from "./received-request.ts";
import type { Violation } from "./voice.ts";

/** Fields of Mistral's chat completion request (docs.mistral.ai/api, read 2026-11). */
const mistralFields = new Set(
  (
    "model temperature top_p max_tokens stream stop random_seed metadata messages response_format tools tool_choice " +
    "presence_penalty frequency_penalty n prediction parallel_tool_calls prompt_mode safe_prompt reasoning_effort " +
    "prompt_cache_key"
  ).split(" "),
);

/** Rules of single OpenAI-compatible providers, where the simulated one was told to have them. */
export function checkHabits(json: JsonObject, { habits, allowFields }: ChatRules): Violation | undefined {
  const { extraForbidden = false } = habits;
  if (extraForbidden) {
    const extra = Object.keys(json).find((field) => !mistralFields.has(field) && !allowFields.has(field));
    if (extra !== undefined) return forbidden(extra, json[extra]);
    const last = objects(json["messages"]).at(-1);
    if (last?.["role"] === "assistant" && last["prefix"] !== true) {
      return {
        message: "Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant",
      };
    }
  }
  const messages = objects(json["messages"]);
  for (const [index, message] of messages.entries()) {
    const wrong =
      (extraForbidden ? checkMessage(message, index, messages[index - 1]) : undefined) ??
      (habits.nineCharacterIds === true ? checkIds(message) : undefined) ??
      (habits.reasoningEcho === true ? checkEcho(json, message, index) : undefined);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

const messageFields: Readonly<Record<string, readonly string[]>> = {
  system: ["role", "content"],
  user: ["role", "content"],
  assistant: ["role", "content", "tool_calls", "prefix"],
  tool: ["role", "content", "name", "tool_call_id"],
};

/** Recorded of Mistral in issues BerriAI/litellm#30835 and zed-industries/zed#37021. */
function checkMessage(message: JsonObject, index: number, before: JsonObject | undefined): Violation | undefined {
  const role = wordOf(message["role"]);
  const extra = Object.keys(message).find((field) => messageFields[role]?.includes(field) === false);
  if (extra !== undefined) return forbidden(extra, message[extra], ["messages", index, role]);
  return role === "user" && before?.["role"] === "tool"
    ? { message: "Unexpected role 'user' after role 'tool'", code: "3230" }
    : undefined;
}

function forbidden(field: string, input: unknown, within: readonly (string | number)[] = []): Violation {
  const detail = [
    { type: "extra_forbidden", loc: ["body", ...within, field], msg: "Extra inputs are not permitted", input },
  ];
  const message = `Extra inputs are not permitted: ${field}`;
  return {
    message,
    param: field,
    status: 422,
    body: { object: "error", message: { detail }, type: "invalid_request_error", param: null, code: null },
  };
}

function checkIds(message: JsonObject): Violation | undefined {
  const ids = [...objects(message["tool_calls"]).map(({ id }) => id), message["tool_call_id"]];
  const wrong = ids.find((id) => id !== undefined && !(typeof id === "string" && /^[a-zA-Z0-9]{9}$/.test(id)));
  return wrong === undefined
    ? undefined
    : { message: `Tool call id was ${wordOf(wrong)} but must be a-z, A-Z, 0-9, with a length of 9.` };
}

/** Source: https://api-docs.deepseek.com/guides/thinking_mode (read 2026-11): an empty text will do. */
function checkEcho(json: JsonObject, message: JsonObject, index: number): Violation | undefined {
  const thinks = object(json["thinking"])?.["type"] !== "disabled";
  if (!thinks || message["role"] !== "assistant" || objects(message["tool_calls"]).length === 0) return undefined;
  return typeof message["reasoning_content"] === "string"
    ? undefined
    : { message: `Missing \`reasoning_content\` field in the assistant message at message index ${index}.` };
}
