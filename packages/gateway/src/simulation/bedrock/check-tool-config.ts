import { object, objects } from "#simulation/received-request";
import type { JsonObject } from "#simulation/received-request";
import type { Violation } from "#simulation/voice";
import { constraint, oneMember } from "./violations.ts";

/** Tools, the choice among them, and that a history with calls comes with tools. */
export function checkToolConfig(json: JsonObject): Violation | undefined {
  const config = object(json["toolConfig"]);
  if (config === undefined) {
    return usesTools(json)
      ? { message: "The toolConfig field must be defined when using toolUse and toolResult content blocks." }
      : undefined;
  }
  const tools = objects(config["tools"]);
  if (tools.length === 0) {
    return constraint("toolConfig.tools", "[]", "Member must have length greater than or equal to 1");
  }
  const names = new Set<unknown>();
  for (const [index, tool] of tools.entries()) {
    if (Object.keys(tool).length !== 1) return oneMember(`toolConfig.tools.${index}`);
    const spec = object(tool["toolSpec"]);
    if (spec === undefined) continue;
    const wrong = checkSpec(spec, index);
    if (wrong) return wrong;
    if (names.has(spec["name"])) {
      return {
        message: `The tool name ${String(spec["name"])} is already defined at toolConfig.tools.${index}.toolSpec.`,
      };
    }
    names.add(spec["name"]);
  }
  return checkChoice(config, names);
}

function usesTools(json: JsonObject): boolean {
  return objects(json["messages"])
    .flatMap((message) => objects(message["content"]))
    .some((block) => block["toolUse"] !== undefined || block["toolResult"] !== undefined);
}

function checkSpec(spec: JsonObject, index: number): Violation | undefined {
  const { name, description } = spec;
  const at = `toolConfig.tools.${index + 1}.member.toolSpec`;
  if (typeof name !== "string" || !/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
    return constraint(`${at}.name`, name, "Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+");
  }
  if (description === "") {
    return constraint(`${at}.description`, "", "Member must have length greater than or equal to 1");
  }
  const schema = object(object(spec["inputSchema"])?.["json"]);
  return schema?.["type"] === "object"
    ? undefined
    : {
        message: `The value at toolConfig.tools.${index}.toolSpec.inputSchema.json.type must be one of the following: object.`,
      };
}

function checkChoice(config: JsonObject, names: ReadonlySet<unknown>): Violation | undefined {
  const choice = config["toolChoice"];
  if (choice === undefined) return undefined;
  const [kind, ...others] = Object.keys(object(choice) ?? {});
  if (kind === undefined || others.length > 0 || !["auto", "any", "tool"].includes(kind)) {
    return { message: "toolConfig.toolChoice must set exactly one of auto, any and tool." };
  }
  const named = object(object(choice)?.["tool"])?.["name"];
  return kind === "tool" && !names.has(named)
    ? { message: `The tool ${String(named)} at toolConfig.toolChoice.tool.name is not defined in toolConfig.tools.` }
    : undefined;
}
