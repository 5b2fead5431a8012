import { object, objects, strings } from "#simulation/received-request";
import type { JsonObject, ReceivedRequest } from "#simulation/received-request";
import type { CheckRules, Violation } from "#simulation/voice";

/** Fields of `POST /v2/chat` (docs.cohere.com, read 2026-11). */
const known = (
  "model messages stream tools strict_tools documents citation_options response_format safety_mode max_tokens " +
  "stop_sequences temperature seed frequency_penalty presence_penalty k p logprobs tool_choice thinking priority"
).split(" ");

const roles = new Set(["system", "user", "assistant", "tool"]);
const maxStops = 5;

/** What Cohere refuses in a chat request, the first breach found. */
export function checkCohere({ json }: ReceivedRequest, rules: CheckRules): Violation | undefined {
  return unknownField(json, known, rules) ?? checkOptions(json) ?? checkTools(json) ?? checkMessages(json);
}

export function unknownField(
  json: JsonObject,
  fields: readonly string[],
  { allowFields }: CheckRules,
): Violation | undefined {
  const odd = Object.keys(json).find((field) => !fields.includes(field) && !allowFields.has(field));
  return odd === undefined ? undefined : { message: `unknown field: parameter '${odd}' is not a valid field` };
}

export function required(json: JsonObject, fields: readonly string[]): Violation | undefined {
  const missing = fields.find((field) => json[field] === undefined || json[field] === "");
  return missing === undefined ? undefined : { message: `invalid request: ${missing} is required` };
}

function checkOptions(json: JsonObject): Violation | undefined {
  const bounds = {
    temperature: [0, 1],
    p: [0.01, 0.99],
    k: [0, 500],
    frequency_penalty: [0, 1],
    presence_penalty: [0, 1],
  };
  for (const [field, [least = 0, most = 0]] of Object.entries(bounds)) {
    const value = json[field];
    if (value !== undefined && !(typeof value === "number" && value >= least && value <= most)) {
      return { message: `invalid request: ${field} must be between ${least} and ${most} inclusive` };
    }
  }
  if (strings(json["stop_sequences"]).length > maxStops) {
    return { message: `invalid request: at most ${maxStops} stop_sequences are allowed` };
  }
  const format = object(json["response_format"]);
  if (format !== undefined && format["type"] !== "text" && format["type"] !== "json_object") {
    return { message: "invalid request: response_format.type must be one of 'text' and 'json_object'" };
  }
  return required(json, ["model", "messages"]);
}

function checkTools(json: JsonObject): Violation | undefined {
  const tools = objects(json["tools"]);
  for (const [index, tool] of tools.entries()) {
    const described = object(tool["function"]);
    if (tool["type"] !== "function" || typeof described?.["name"] !== "string") {
      return { message: `invalid request: tools[${index}].function.name is required` };
    }
    if (object(described["parameters"])?.["type"] !== "object") {
      return { message: `invalid request: tools[${index}].function.parameters must be a JSON schema of type object` };
    }
  }
  const choice = json["tool_choice"];
  if (choice === undefined) return undefined;
  if (choice !== "REQUIRED" && choice !== "NONE") {
    return { message: "invalid request: tool_choice must be one of REQUIRED and NONE" };
  }
  return tools.length === 0 ? { message: "invalid request: tool_choice can only be specified with tools" } : undefined;
}

function checkMessages(json: JsonObject): Violation | undefined {
  const given = json["messages"];
  if (!Array.isArray(given) || given.length === 0) return { message: "invalid request: messages must not be empty" };
  /** Calls of the last assistant turn that still lack their result. */
  let open = new Set<unknown>();
  for (const [index, item] of (given as readonly unknown[]).entries()) {
    const message = object(item) ?? {};
    const wrong = checkMessage(message, `messages[${index}]`);
    if (wrong) return wrong;
    if (message["role"] === "tool") {
      if (open.delete(message["tool_call_id"])) continue;
      return { message: `invalid request: messages[${index}]: tool_call_id must be one of the tool calls before it` };
    }
    if (open.size > 0) return unanswered(open);
    open = new Set(objects(message["tool_calls"]).map(({ id }) => id));
  }
  return open.size > 0 ? unanswered(open) : undefined;
}

function unanswered(open: ReadonlySet<unknown>): Violation {
  return { message: `invalid request: tool calls without tool results: ${[...open].join(", ")}` };
}

function checkMessage(message: JsonObject, at: string): Violation | undefined {
  const { role, content } = message;
  if (!roles.has(String(role)))
    return { message: `invalid request: ${at}.role must be one of ${[...roles].join(", ")}` };
  const calls = objects(message["tool_calls"]);
  for (const [index, call] of calls.entries()) {
    if (typeof object(call["function"])?.["arguments"] !== "string") {
      return { message: `invalid request: ${at}.tool_calls[${index}].function.arguments must be a string` };
    }
  }
  if (content === undefined || content === null) {
    return role === "assistant" && calls.length > 0
      ? undefined
      : { message: `invalid request: ${at}.content is required` };
  }
  if (content === "" || (Array.isArray(content) && content.length === 0)) {
    return { message: `invalid request: ${at}.content must have at least 1 token` };
  }
  const types = role === "tool" ? ["text", "document"] : ["text", "image_url", "thinking", "document"];
  const odd = objects(content).find(({ type }) => !types.includes(String(type)));
  return odd === undefined
    ? undefined
    : {
        message: `invalid request: ${at}.content: type '${String(odd["type"])}' is not allowed for the role '${String(role)}'`,
      };
}
