import type { Tool, ToolChoice } from "#domain/request";
import { isObject, type JsonObject, type ShapeReader } from "#dialects/shape";
import type { NamespaceNames } from "./namespaces.ts";
import { foreignName } from "./own-foreign.ts";

export interface DecodedTools {
  readonly tools: readonly Tool[];
  /** Absent also where the hub has no word for the choice, which is then a needed leftover. */
  readonly choice?: ToolChoice;
}

/** Kinds of tools that the caller runs and answers for; all others the provider runs itself. */
const callerRuns: ReadonlySet<string> = new Set([
  "custom",
  "computer",
  "computer_use_preview",
  "local_shell",
  "shell",
  "apply_patch",
]);

const functionFields: ReadonlySet<string> = new Set(["type", "name", "description", "parameters", "strict"]);
const namespaceFields: ReadonlySet<string> = new Set(["type", "name", "description", "tools"]);

export function decodeTools(reader: ShapeReader, body: JsonObject, names: NamespaceNames): DecodedTools {
  const listed = reader.array(body["tools"] ?? [], "tools");
  const tools = listed.flatMap((value, index) => decodeTool(reader, value, { path: `tools[${index}]`, names }));
  const choice = body["tool_choice"] ?? undefined;
  return choice === undefined ? { tools } : decodeChoice(reader, choice, { tools, names });
}

interface ToolPlace {
  readonly path: string;
  readonly names: NamespaceNames;
  readonly namespace?: string;
}

function decodeTool(reader: ShapeReader, value: unknown, at: ToolPlace): readonly Tool[] {
  const tool = reader.object(value, at.path);
  if (tool === undefined) return [];
  const type = reader.word(tool["type"], `${at.path}.type`);
  if (type === "function") return [functionTool(reader, tool, at)];
  if (type === "namespace" && at.namespace === undefined) {
    reader.leave(tool, namespaceFields, at.path);
    const namespace = reader.word(tool["name"], `${at.path}.name`);
    const path = `${at.path}.tools`;
    return reader
      .array(tool["tools"], path)
      .flatMap((inner, index) => decodeTool(reader, inner, { ...at, path: `${path}[${index}]`, namespace }));
  }
  const isShellOfProvider = type === "shell" && isObject(tool["environment"]) && isHosted(tool["environment"]);
  const isCallers = callerRuns.has(type) && !isShellOfProvider;
  return [
    { kind: "foreign", what: foreignName(type), payload: tool, ...(isCallers ? { callerRuns: true as const } : {}) },
  ];
}

function isHosted(environment: JsonObject): boolean {
  return typeof environment["type"] === "string" && environment["type"].startsWith("container");
}

function functionTool(reader: ShapeReader, tool: JsonObject, { path, names, namespace }: ToolPlace): Tool {
  reader.leave(tool, functionFields, path);
  const description = reader.optionalString(tool["description"], `${path}.description`);
  // Left out it means true here, and where the schema does not allow that, false.
  const strict = reader.optionalBoolean(tool["strict"], `${path}.strict`);
  const name = reader.word(tool["name"], `${path}.name`);
  return {
    kind: "function",
    name: namespace === undefined ? name : names.flat({ name, namespace }),
    schema: reader.optionalObject(tool["parameters"], `${path}.parameters`) ?? { type: "object", properties: {} },
    ...(description === undefined ? {} : { description }),
    ...(strict === undefined ? {} : { strict }),
  };
}

interface Offered {
  readonly tools: readonly Tool[];
  readonly names: NamespaceNames;
}

function decodeChoice(reader: ShapeReader, value: unknown, { tools, names }: Offered): DecodedTools {
  if (value === "auto" || value === "none" || value === "required") return { tools, choice: { kind: value } };
  if (!isObject(value)) {
    reader.refuse("tool_choice", 'must be "auto", "none", "required" or an object that names a tool');
    return { tools };
  }
  switch (value["type"]) {
    case "function":
      return { tools, choice: { kind: "named", name: flatName(reader, value, { names, path: "tool_choice" }) } };
    case "allowed_tools":
      return allowedTools(reader, value, { tools, names });
    default:
      reader.need("tool_choice", value);
      return { tools };
  }
}

function flatName(
  reader: ShapeReader,
  called: JsonObject,
  { names, path }: { readonly names: NamespaceNames; readonly path: string },
): string {
  return names.flat({
    name: reader.word(called["name"], `${path}.name`),
    namespace: reader.optionalString(called["namespace"], `${path}.namespace`) ?? "",
  });
}

/** `allowed_tools` means the same as offering only those tools; what is lost is a cached prefix, not meaning. */
function allowedTools(reader: ShapeReader, choice: JsonObject, { tools, names }: Offered): DecodedTools {
  const { mode } = choice;
  if (mode !== "auto" && mode !== "required") {
    reader.refuse("tool_choice.mode", 'must be "auto" or "required"');
    return { tools };
  }
  const entries = reader.array(choice["tools"], "tool_choice.tools").filter(isObject);
  const functions = new Set(
    entries.flatMap((entry, index) =>
      entry["type"] === "function" ? [flatName(reader, entry, { names, path: `tool_choice.tools[${index}]` })] : [],
    ),
  );
  const kinds = new Set(entries.flatMap(({ type }) => (typeof type === "string" ? [foreignName(type)] : [])));
  const kept = tools.filter((tool) => (tool.kind === "function" ? functions.has(tool.name) : kinds.has(tool.what)));
  return { tools: kept, choice: { kind: mode } };
}
