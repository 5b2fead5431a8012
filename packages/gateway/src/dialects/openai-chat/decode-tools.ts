import type { Tool, ToolChoice } from "#domain/request";
import { isObject, type JsonObject, type ShapeReader } from "#dialects/shape";
import { marker } from "./decode-parts.ts";

export interface DecodedTools {
  readonly tools: readonly Tool[];
  /** Absent also where the hub has no word for the choice, which is then a needed leftover. */
  readonly choice?: ToolChoice;
}

/** Reads `tools` and `tool_choice`, or the deprecated `functions` and `function_call` where the new ones are absent. */
export function decodeTools(reader: ShapeReader, json: JsonObject): DecodedTools {
  const legacy = json["tools"] === undefined || json["tools"] === null;
  const listed = legacy
    ? reader.array(json["functions"] ?? [], "functions").map((entry, index) => {
        return functionTool(reader, { definition: entry, holder: {}, path: `functions[${index}]` });
      })
    : reader.array(json["tools"], "tools").map((entry, index) => decodeTool(reader, entry, `tools[${index}]`));
  const tools = listed.filter((tool) => tool !== undefined);
  const choice = json["tool_choice"] ?? undefined;
  if (choice !== undefined) return decodeChoice(reader, choice, tools);
  const legacyChoice = json["function_call"] ?? undefined;
  if (legacyChoice === undefined) return { tools };
  if (!isObject(legacyChoice)) return decodeChoice(reader, legacyChoice, tools);
  return { tools, choice: { kind: "named", name: reader.word(legacyChoice["name"], "function_call.name") } };
}

function decodeTool(reader: ShapeReader, value: unknown, path: string): Tool | undefined {
  const tool = reader.object(value, path);
  if (tool === undefined) return undefined;
  const type = reader.word(tool["type"], `${path}.type`);
  // The caller runs a custom tool; any other kind is run by the provider.
  const isRunByCaller = type === "custom" ? { callerRuns: true as const } : {};
  if (type !== "function") return { kind: "foreign", what: `tool "${type}"`, payload: tool, ...isRunByCaller };
  reader.leave(tool, toolFields, path);
  return functionTool(reader, { definition: tool["function"], holder: tool, path: `${path}.function` });
}

const toolFields: ReadonlySet<string> = new Set(["type", "function", "cache_control", "prompt_cache_breakpoint"]);
const functionFields: ReadonlySet<string> = new Set(["name", "description", "parameters", "strict"]);

function functionTool(
  reader: ShapeReader,
  from: { readonly definition: unknown; readonly holder: JsonObject; readonly path: string },
): Tool | undefined {
  const definition = reader.object(from.definition, from.path);
  if (definition === undefined) return undefined;
  const description = reader.optionalString(definition["description"], `${from.path}.description`);
  reader.leave(definition, functionFields, from.path);
  const strict = reader.optionalBoolean(definition["strict"], `${from.path}.strict`);
  const schema = reader.optionalObject(definition["parameters"], `${from.path}.parameters`);
  return {
    kind: "function",
    name: reader.word(definition["name"], `${from.path}.name`),
    schema: schema ?? { type: "object", properties: {} },
    ...(description === undefined ? {} : { description }),
    ...(strict === undefined ? {} : { strict }),
    ...marker(reader, from.holder, from.path),
  };
}

function decodeChoice(reader: ShapeReader, value: unknown, tools: readonly Tool[]): DecodedTools {
  if (value === "auto" || value === "none" || value === "required") return { tools, choice: { kind: value } };
  // Mistral's word for "required", which its clients send.
  if (value === "any") return { tools, choice: { kind: "required" } };
  const choice = isObject(value) ? value : undefined;
  if (choice?.["type"] === "function") {
    const named = reader.object(choice["function"], "tool_choice.function");
    const name = reader.word(named?.["name"], "tool_choice.function.name");
    return { tools, choice: { kind: "named", name } };
  }
  if (choice?.["type"] === "allowed_tools") return allowedTools(reader, choice, tools);
  if (choice !== undefined) {
    reader.need("tool_choice", choice);
    return { tools };
  }
  reader.refuse("tool_choice", 'must be "auto", "none", "required" or an object that names a function');
  return { tools };
}

/** `allowed_tools` means the same as offering only those tools; what is lost is a cached prefix, not meaning. */
function allowedTools(reader: ShapeReader, choice: JsonObject, tools: readonly Tool[]): DecodedTools {
  const allowed = reader.object(choice["allowed_tools"], "tool_choice.allowed_tools");
  const mode = allowed?.["mode"];
  if (mode !== "auto" && mode !== "required") {
    reader.refuse("tool_choice.allowed_tools.mode", 'must be "auto" or "required"');
    return { tools };
  }
  const entries = reader.array(allowed?.["tools"], "tool_choice.allowed_tools.tools").filter(isObject);
  const names = new Set(entries.map((entry) => (isObject(entry["function"]) ? entry["function"]["name"] : undefined)));
  const foreign = new Set(entries.flatMap(({ type }) => (typeof type === "string" ? [`tool "${type}"`] : [])));
  const kept = tools.filter((tool) => (tool.kind === "function" ? names.has(tool.name) : foreign.has(tool.what)));
  return { tools: kept, choice: { kind: mode } };
}
