import { isObject } from "./shape.ts";

export interface ToolInput {
  /** Text of a JSON object. */
  readonly json: string;
  readonly wrapped: boolean;
}

/**
 * A tool call's arguments as the object the Messages API demands, its text unchanged where it is one. Nothing, and
 * `null`, mean no arguments. What is no JSON object (a call cut off by the output limit, say) is wrapped under the key
 * `INVALID_JSON`, the form Anthropic's documentation gives for handing broken input back to the model.
 */
export function wellFormedInput(argumentsJson: string): ToolInput {
  const text = argumentsJson.trim();
  if (text === "" || text === "null") return { json: "{}", wrapped: false };
  return isJsonObject(text)
    ? { json: text, wrapped: false }
    : { json: JSON.stringify({ INVALID_JSON: argumentsJson }), wrapped: true };
}

function isJsonObject(text: string): boolean {
  try {
    return isObject(JSON.parse(text));
  } catch {
    return false;
  }
}
