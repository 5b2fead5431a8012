import type { Tool, ToolChoice } from "#domain/request";
import { defined, type JsonObject } from "#dialects/shape";
import { argumentsSchemaOf } from "./openapi-schema.ts";
import { foreignName } from "./own-foreign.ts";
import type { RequestReader } from "./request-reader.ts";

const declarationFields: ReadonlySet<string> = new Set(["name", "description", "parameters", "parametersJsonSchema"]);
/** Google's tools whose calls the caller carries out. */
const callerRuns: ReadonlySet<string> = new Set(["computerUse"]);

/** `tools`: declared functions, and tools of Google's own, each of which becomes a tool of the hub. */
export function decodeTools(reader: RequestReader, value: unknown): readonly Tool[] {
  return reader.list(value).flatMap((each, index) => {
    const path = `tools[${index}]`;
    const tool = reader.object(each, path);
    const { functionDeclarations, ...others } = tool;
    const declared: readonly Tool[] = reader
      .list(functionDeclarations)
      .map((one, place) => decodeDeclaration(reader, one, `${path}.functionDeclarations[${place}]`));
    const foreign = Object.entries(others).flatMap(([name, payload]): readonly Tool[] => {
      if (payload === null || payload === undefined) return [];
      const isRunByCaller = callerRuns.has(name) ? { callerRuns: true as const } : {};
      const what = foreignName(reader.spelling(tool, name));
      return [{ kind: "foreign", what, payload: { [name]: payload }, ...isRunByCaller }];
    });
    return declared.concat(foreign);
  });
}

function decodeDeclaration(reader: RequestReader, value: unknown, path: string): Tool {
  const declared = reader.object(value, path);
  reader.leave(declared, declarationFields, path);
  const { parameters, parametersJsonSchema } = declared;
  return defined({
    kind: "function" as const,
    name: reader.word(declared["name"], `${path}.name`),
    description: reader.optionalString(declared["description"], `${path}.description`),
    schema: argumentsSchemaOf(parametersJsonSchema ?? parameters),
  });
}

export interface ToolWish {
  readonly tools: readonly Tool[];
  readonly toolChoice?: ToolChoice;
}

const configFields: ReadonlySet<string> = new Set(["functionCallingConfig"]);
const callingFields: ReadonlySet<string> = new Set(["mode", "allowedFunctionNames"]);

/** `toolConfig`. That only some functions may be called is said by leaving out the others. */
export function decodeToolConfig(reader: RequestReader, value: unknown, tools: readonly Tool[]): ToolWish {
  const config = reader.optionalObject(value, "toolConfig");
  if (config === undefined) return { tools };
  reader.leave(config, configFields, "toolConfig");
  const path = "toolConfig.functionCallingConfig";
  const calling: JsonObject = reader.optionalObject(config["functionCallingConfig"], path) ?? {};
  reader.leave(calling, callingFields, path);
  const names = reader
    .list(calling["allowedFunctionNames"])
    .map((name, index) => reader.word(name, `${path}.allowedFunctionNames[${index}]`));
  const mode = reader.optionalWord(calling["mode"], `${path}.mode`);
  switch (mode) {
    case undefined:
      return { tools };
    case "AUTO":
      return { tools, toolChoice: { kind: "auto" } };
    case "NONE":
      return { tools, toolChoice: { kind: "none" } };
    case "VALIDATED":
      return { tools: allowed(tools, names), toolChoice: { kind: "auto" } };
    case "ANY": {
      const [only, ...more] = names;
      if (only !== undefined && more.length === 0) return { tools, toolChoice: { kind: "named", name: only } };
      return { tools: allowed(tools, names), toolChoice: { kind: "required" } };
    }
    default:
      reader.refuse(`${path}.mode`, "must be AUTO, ANY, NONE or VALIDATED");
      return { tools };
  }
}

function allowed(tools: readonly Tool[], names: readonly string[]): readonly Tool[] {
  return names.length === 0 ? tools : tools.filter((tool) => tool.kind !== "function" || names.includes(tool.name));
}
