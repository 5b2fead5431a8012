import { isObject } from "#dialects/shape";
import { hasFragileNumbers, parseExact } from "#dialects/exact-numbers";

/**
 * The input of each tool call in a body's messages as JSON with the digits it came with, by the block's path
 * (`messages[1].content[0]`). Empty where no number is in danger, which spares the second parse.
 */
export function exactInputs(body: string): ReadonlyMap<string, string> {
  const inputs = new Map<string, string>();
  if (!body.includes('"tool_use"') || !hasFragileNumbers(body)) return inputs;
  const json = parseExact(body);
  const messages = isObject(json) && Array.isArray(json["messages"]) ? (json["messages"] as readonly unknown[]) : [];
  for (const [at, message] of messages.entries()) {
    const content: unknown = isObject(message) ? message["content"] : undefined;
    if (!Array.isArray(content)) continue;
    for (const [place, block] of (content as readonly unknown[]).entries()) {
      if (isObject(block) && block["type"] === "tool_use" && isObject(block["input"])) {
        inputs.set(`messages[${at}].content[${place}]`, JSON.stringify(block["input"]));
      }
    }
  }
  return inputs;
}
