import { object, objects, strings } from "#simulation/received-request";
import type { JsonObject } from "#simulation/received-request";
import { strictSchemaFault } from "#simulation/strict-schema";
import type { CheckRules, Violation } from "#simulation/voice";
import { checkItems } from "./check-items.ts";

/** Top-level fields of `ResponseCreateParams` (openai-node 7.57, read 2026-11), and one that Codex sends (captured). */
const known = new Set(
  (
    "access_programs background client_metadata context_management conversation image include input instructions max_output_tokens " +
    "max_tool_calls metadata model moderation parallel_tool_calls previous_response_id prompt prompt_cache_key " +
    "prompt_cache_options prompt_cache_retention reasoning safety_identifier service_tier store stream " +
    "stream_options temperature text tool_choice tools top_logprobs top_p truncation user"
  ).split(" "),
);

/** Fields of the endpoint that counts (`InputTokenCountParams`). */
const counted = new Set(
  (
    "conversation input instructions model parallel_tool_calls previous_response_id reasoning text tool_choice " +
    "tools truncation"
  ).split(" "),
);

/** `ResponseIncludable` */
const includable = new Set([
  "file_search_call.results",
  "web_search_call.results",
  "web_search_call.action.sources",
  "message.input_image.image_url",
  "computer_call_output.output.image_url",
  "code_interpreter_call.outputs",
  "reasoning.encrypted_content",
  "message.output_text.logprobs",
]);

/** Where fields of Chat have gone; OpenAI says so in its refusals. */
const moved: Readonly<Record<string, string>> = {
  messages: "input",
  response_format: "text.format",
  max_tokens: "max_output_tokens",
  max_completion_tokens: "max_output_tokens",
  reasoning_effort: "reasoning.effort",
  verbosity: "text.verbosity",
};

const minOutputTokens = 16;

/** Nothing is kept, but an answer that was given here may be gone on from: what it said is not asked about. */
const ownResponses = "resp_sim";

export interface ResponsesRules extends CheckRules {
  readonly counting: boolean;
}

/** What OpenAI refuses in a Responses request, the first breach found. */
export function checkResponses(json: JsonObject, rules: ResponsesRules): Violation | undefined {
  const fields = rules.counting ? counted : known;
  for (const field of Object.keys(json)) {
    if (fields.has(field) || rules.allowFields.has(field)) continue;
    const to = moved[field];
    const message =
      to === undefined
        ? `Unknown parameter: '${field}'.`
        : `Unsupported parameter: '${field}'. In the Responses API, this parameter has moved to '${to}'.`;
    return { message, param: field, code: to === undefined ? "unknown_parameter" : "unsupported_parameter" };
  }
  return checkOptions(json) ?? checkFormat(json) ?? checkTools(json) ?? checkChoice(json) ?? checkItems(json, rules);
}

function checkOptions(json: JsonObject): Violation | undefined {
  if (typeof json["model"] !== "string" || json["model"] === "") return missing("model");
  if (json["input"] === undefined && json["prompt"] === undefined && json["previous_response_id"] === undefined) {
    return missing("input");
  }
  const limit = json["max_output_tokens"];
  if (typeof limit === "number" && limit < minOutputTokens) {
    return {
      message:
        "Invalid 'max_output_tokens': integer below minimum value. " +
        `Expected a value >= ${minOutputTokens}, but got ${limit} instead.`,
      param: "max_output_tokens",
      code: "integer_below_min_value",
    };
  }
  if (object(json["stream_options"]) !== undefined && json["stream"] !== true) {
    return {
      message: "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
      param: "stream_options",
    };
  }
  const temperature = json["temperature"];
  if (typeof temperature === "number" && (temperature < 0 || temperature > 2)) {
    return { message: "Invalid 'temperature': expected a value between 0 and 2.", param: "temperature" };
  }
  const odd = strings(json["include"]).find((word) => !includable.has(word));
  if (odd !== undefined) {
    return { message: `Invalid value: '${odd}'.`, param: "include", code: "invalid_value" };
  }
  const previous = json["previous_response_id"];
  return typeof previous === "string" && !previous.startsWith(ownResponses)
    ? {
        message: `Previous response with id '${previous}' not found.`,
        param: "previous_response_id",
        code: "previous_response_not_found",
      }
    : undefined;
}

/** The format is flat here: name and schema stand beside the type. */
function checkFormat(json: JsonObject): Violation | undefined {
  const format = object(object(json["text"])?.["format"]);
  if (format?.["type"] !== "json_schema") return undefined;
  if (typeof format["name"] !== "string" || !/^[a-zA-Z0-9_-]{1,64}$/.test(format["name"])) {
    return missing("text.format.name");
  }
  if (object(format["schema"]) === undefined) return missing("text.format.schema");
  const fault = format["strict"] === true ? strictSchemaFault(format["schema"]) : undefined;
  return fault === undefined
    ? undefined
    : {
        message: `Invalid schema for response_format '${format["name"]}': ${fault}`,
        param: "text.format.schema",
        code: "invalid_json_schema",
      };
}

function checkTools(json: JsonObject): Violation | undefined {
  for (const [index, tool] of objects(json["tools"]).entries()) {
    const at = `tools[${index}]`;
    const wrong = tool["type"] === "namespace" ? checkNamespace(tool, at) : checkTool(tool, at);
    if (wrong) return wrong;
  }
  return undefined;
}

function checkNamespace(space: JsonObject, at: string): Violation | undefined {
  if (typeof space["name"] !== "string") return missing(`${at}.name`);
  for (const [index, tool] of objects(space["tools"]).entries()) {
    const wrong = checkTool(tool, `${at}.tools[${index}]`);
    if (wrong) return wrong;
  }
  return undefined;
}

function checkTool(tool: JsonObject, at: string): Violation | undefined {
  if (typeof tool["type"] !== "string") return missing(`${at}.type`);
  if (tool["type"] !== "function") return undefined;
  const name = tool["name"];
  if (typeof name !== "string") return missing(`${at}.name`);
  if (!/^[a-zA-Z0-9_-]{1,128}$/.test(name)) {
    return {
      message: `Invalid '${at}.name': string does not match pattern. Expected a string that matches '^[a-zA-Z0-9_-]+$'.`,
      param: `${at}.name`,
      code: "invalid_value",
    };
  }
  if (tool["function"] !== undefined) {
    return {
      message: `Unknown parameter: '${at}.function'.`,
      param: `${at}.function`,
      code: "unknown_parameter",
    };
  }
  const parameters = object(tool["parameters"]);
  if (tool["parameters"] !== undefined && tool["parameters"] !== null && parameters?.["type"] !== "object") {
    return {
      message: `Invalid schema for function '${name}': schema must be a JSON Schema of 'type: "object"'.`,
      param: `${at}.parameters`,
      code: "invalid_function_parameters",
    };
  }
  const fault = tool["strict"] === true ? strictSchemaFault(parameters) : undefined;
  return fault === undefined
    ? undefined
    : {
        message: `Invalid schema for function '${name}': ${fault}`,
        param: `${at}.parameters`,
        code: "invalid_function_parameters",
      };
}

function checkChoice(json: JsonObject): Violation | undefined {
  const choice = json["tool_choice"];
  const tools = objects(json["tools"]);
  if (choice === "required" && tools.length === 0) {
    return { message: "Tool choice 'required' must be specified with 'tools' parameter.", param: "tool_choice" };
  }
  const named = object(choice);
  if (named?.["type"] !== "function") return undefined;
  if (typeof named["name"] !== "string") return missing("tool_choice.name");
  return tools.some(({ name }) => name === named["name"])
    ? undefined
    : { message: "Tool choice 'function' not found in 'tools' parameter.", param: "tool_choice" };
}

function missing(param: string): Violation {
  return { message: `Missing required parameter: '${param}'.`, param, code: "missing_required_parameter" };
}
