import { object, objects, type JsonObject } from "./received-request.ts";
import { checkHabits } from "./chat-habits.ts";
import type { CheckRules, Violation } from "./voice.ts";

/** Top-level fields of `CreateChatCompletionRequest` (openai-node 7.57, read 2026-11). */
const known = new Set(
  (
    "audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens messages " +
    "metadata modalities model moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key " +
    "prompt_cache_options prompt_cache_retention reasoning_effort response_format safety_identifier seed " +
    "service_tier stop store stream stream_options temperature tool_choice tools top_logprobs top_p user verbosity " +
    "web_search_options"
  ).split(" "),
);

const roles = new Set(["system", "developer", "user", "assistant", "tool", "function"]);

export type ChatRules = Pick<CheckRules, "allowFields" | "habits">;

/** What OpenAI refuses in a chat completion request, the first breach found; then what others like it refuse. */
export function checkChat(json: JsonObject, rules: ChatRules): Violation | undefined {
  const { extraForbidden = false } = rules.habits;
  for (const field of extraForbidden ? [] : Object.keys(json)) {
    if (!known.has(field) && !rules.allowFields.has(field)) {
      return { message: `Unrecognized request argument supplied: ${field}`, param: field };
    }
  }
  return (
    checkHabits(json, rules) ??
    checkOptions(json) ??
    checkTools(json) ??
    checkReasoningTools(json) ??
    checkMessages(json)
  );
}

/**
 * From gpt-5.4 on, function tools and reasoning go together on `/v1/responses` only; from gpt-5.6 on also where the
 * effort is left out, because the default is some. Source: openai-openapi issue 541.
 */
function checkReasoningTools({ model, tools, reasoning_effort: effort }: JsonObject): Violation | undefined {
  const minor = Number(/^gpt-5\.(\d+)/.exec(String(model))?.[1] ?? 0);
  if (minor < 4) return undefined;
  if (minor >= 6 && effort === "minimal") {
    return {
      message: `Unsupported value: 'reasoning_effort' does not support 'minimal' with this model.`,
      param: "reasoning_effort",
      code: "unsupported_value",
    };
  }
  const given = effort !== undefined && effort !== null;
  const reasons = given ? effort !== "none" : minor >= 6;
  if (!reasons || !objects(tools).some((tool) => tool["type"] === "function")) return undefined;
  return {
    message:
      `Function tools with reasoning_effort are not supported for ${String(model)} in /v1/chat/completions. ` +
      "Please use /v1/responses instead, or set reasoning_effort to 'none'.",
    param: "reasoning_effort",
  };
}

function checkOptions(json: JsonObject): Violation | undefined {
  if (typeof json["model"] !== "string" || json["model"] === "") {
    return { message: "you must provide a model parameter", param: "model" };
  }
  if (json["stream_options"] !== undefined && json["stream_options"] !== null && json["stream"] !== true) {
    return {
      message: "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
      param: "stream_options",
    };
  }
  const temperature = json["temperature"];
  if (typeof temperature === "number" && (temperature < 0 || temperature > 2)) {
    return { message: "Invalid 'temperature': expected a value between 0 and 2.", param: "temperature" };
  }
  if (typeof json["max_tokens"] === "number" && typeof json["max_completion_tokens"] === "number") {
    return { message: "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported." };
  }
  if (typeof json["n"] === "number" && json["n"] !== 1) {
    return { message: "Simulated models give one answer per request: leave 'n' out or set it to 1.", param: "n" };
  }
  const wrong = checkLogprobs(json);
  if (wrong !== undefined) return wrong;
  const format = object(json["response_format"]);
  if (format?.["type"] === "json_schema" && typeof object(format["json_schema"])?.["name"] !== "string") {
    return { message: "Missing required parameter: 'response_format.json_schema.name'.", param: "response_format" };
  }
  return undefined;
}

/** Models that reason, as this checks them by name, tell none; a 403 it is. */
function checkLogprobs({
  model,
  logprobs,
  top_logprobs: top,
  reasoning_effort: effort,
}: JsonObject): Violation | undefined {
  if (top !== undefined && top !== null && logprobs !== true) {
    return {
      message: "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
      param: "top_logprobs",
    };
  }
  if (typeof top === "number" && !(Number.isInteger(top) && top >= 0 && top <= 20)) {
    return { message: "Invalid 'top_logprobs': expected an integer between 0 and 20.", param: "top_logprobs" };
  }
  if (logprobs === true && reasons.test(String(model)) && effort !== "none") {
    return { message: "You are not allowed to request logprobs from this model", status: 403 };
  }
  return undefined;
}

const reasons = /^(?:o\d|gpt-5(?:-(?!chat)|$))/u;

function checkTools(json: JsonObject): Violation | undefined {
  const tools = objects(json["tools"]);
  if (Array.isArray(json["tools"]) && tools.length === 0) {
    return { message: "Invalid 'tools': empty array. Expected an array with minimum length 1.", param: "tools" };
  }
  for (const [index, tool] of tools.entries()) {
    const name = object(tool["function"])?.["name"];
    if (tool["type"] === "function" && (typeof name !== "string" || !/^[a-zA-Z0-9_-]{1,64}$/.test(name))) {
      return {
        message: `Invalid 'tools[${index}].function.name': expected a string that matches '^[a-zA-Z0-9_-]{1,64}$'.`,
        param: `tools[${index}].function.name`,
      };
    }
  }
  for (const field of ["tool_choice", "parallel_tool_calls"]) {
    if (json[field] !== undefined && json[field] !== null && json[field] !== "none" && tools.length === 0) {
      return { message: `'${field}' is only allowed when 'tools' are specified.`, param: field };
    }
  }
  return undefined;
}

function checkMessages(json: JsonObject): Violation | undefined {
  const given = json["messages"];
  if (!Array.isArray(given) || given.length === 0) {
    return { message: "Invalid 'messages': expected an array with minimum length 1.", param: "messages" };
  }
  /** Calls of the last assistant turn that still lack their result. */
  let awaited: Set<string> | undefined;
  for (const [index, item] of given.entries()) {
    const message = object(item);
    const role = message?.["role"];
    if (message === undefined || typeof role !== "string" || !roles.has(role)) {
      return { message: `Invalid value for 'messages[${index}].role'.`, param: `messages[${index}].role` };
    }
    if (role === "tool") {
      const id = message["tool_call_id"];
      if (awaited === undefined || typeof id !== "string" || !awaited.delete(id)) {
        return {
          message:
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
          param: `messages[${index}].role`,
        };
      }
      continue;
    }
    const unanswered = missingResults(awaited, index);
    if (unanswered) return unanswered;
    const calls = role === "assistant" ? objects(message["tool_calls"]) : [];
    awaited = calls.length === 0 ? undefined : new Set(calls.map((call) => String(call["id"])));
    const wrong = checkContent(message, `messages[${index}]`);
    if (wrong) return wrong;
  }
  return missingResults(awaited, given.length);
}

function missingResults(awaited: ReadonlySet<string> | undefined, index: number): Violation | undefined {
  if (awaited === undefined || awaited.size === 0) return undefined;
  return {
    message:
      "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. " +
      `The following tool_call_ids did not have response messages: ${[...awaited].join(", ")}`,
    param: `messages.[${index}].role`,
  };
}

function checkContent(message: JsonObject, path: string): Violation | undefined {
  const content = message["content"];
  if (message["role"] !== "assistant") {
    return typeof content === "string" || Array.isArray(content)
      ? undefined
      : { message: `Invalid value for 'content': expected a string, got ${typeof content}.`, param: `${path}.content` };
  }
  for (const [index, call] of objects(message["tool_calls"]).entries()) {
    const described = object(call["function"]);
    if (call["type"] === "function" && typeof described?.["arguments"] !== "string") {
      return {
        message: `Invalid type for '${path}.tool_calls[${index}].function.arguments': expected a string.`,
        param: `${path}.tool_calls[${index}].function.arguments`,
      };
    }
  }
  const says = content !== undefined && content !== null;
  const other = ["tool_calls", "function_call", "refusal", "audio"].some((field) => message[field] !== undefined);
  return says || other
    ? undefined
    : { message: `Invalid value for 'content': expected a string, got null.`, param: `${path}.content` };
}
