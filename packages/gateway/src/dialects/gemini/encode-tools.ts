import type { GenerateRequest, Tool } from "#domain/request";
import { isObject, type JsonObject } from "#dialects/shape";
import { knownSchema } from "./json-schema.ts";
import type { LossLedger } from "./losses.ts";
import { isOwnForeign } from "./own-foreign.ts";

export interface ToolFields {
  readonly tools?: readonly unknown[];
  readonly toolConfig?: JsonObject;
}

/** Google's error for other names (recorded): letters, digits, `_`, `.`, `:` and `-`, no digit first. */
const toolName = /^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/u;

export function encodeTools(request: GenerateRequest, ledger: LossLedger): ToolFields {
  const declarations: JsonObject[] = [];
  const others: unknown[] = [];
  for (const tool of request.tools) {
    if (tool.kind === "function") declarations.push(declaration(tool, ledger));
    else if (isOwnForeign(tool.what)) others.push(tool.payload);
    else ledger.note(tool.callerRuns === true ? "caller-tool" : "foreign-tool", tool.what);
  }
  if (isForcedButGone(request, declarations)) ledger.note("dropped-tool");
  const tools = [...(declarations.length === 0 ? [] : [{ functionDeclarations: declarations }]), ...others];
  if (tools.length === 0) return {};
  if (request.parallelTools === false && request.toolChoice?.kind !== "none") ledger.note("parallel-tools");
  const calling = declarations.length === 0 ? undefined : callingConfig(request);
  return calling === undefined ? { tools } : { tools, toolConfig: { functionCallingConfig: calling } };
}

function declaration(tool: Extract<Tool, { kind: "function" }>, ledger: LossLedger): JsonObject {
  if (!toolName.test(tool.name)) ledger.note("tool-name", tool.name);
  if (tool.strict === true) ledger.note("strict-tool");
  if (tool.cache !== undefined) ledger.note("cache-markers");
  const schema = knownSchema(tool.schema, ledger);
  return {
    name: tool.name,
    ...(tool.description === undefined || tool.description === "" ? {} : { description: tool.description }),
    ...(takesNothing(schema) ? {} : { parametersJsonSchema: schema }),
  };
}

/** An object without properties is refused by older models; leaving it out says the same. */
function takesNothing(schema: unknown): boolean {
  if (!isObject(schema)) return true;
  const { type = "object", properties = {}, description } = schema;
  const isEmpty = isObject(properties) && Object.keys(properties).length === 0;
  const open = isObject(schema["additionalProperties"]) || Array.isArray(schema["anyOf"]) || "$ref" in schema;
  return type === "object" && isEmpty && !open && description === undefined;
}

function callingConfig({ toolChoice }: GenerateRequest): JsonObject | undefined {
  switch (toolChoice?.kind) {
    case "auto":
      return { mode: "AUTO" };
    case "none":
      return { mode: "NONE" };
    case "required":
      return { mode: "ANY" };
    case "named":
      return { mode: "ANY", allowedFunctionNames: [toolChoice.name] };
    case undefined:
      return undefined;
  }
}

function isForcedButGone({ toolChoice }: GenerateRequest, declarations: readonly JsonObject[]): boolean {
  if (toolChoice?.kind === "required") return declarations.length === 0;
  return toolChoice?.kind === "named" && !declarations.some(({ name }) => name === toolChoice.name);
}
