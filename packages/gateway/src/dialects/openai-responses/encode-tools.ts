import type { GenerateRequest, Tool, ToolChoice } from "#domain/request";
import { defined, isObject } from "#dialects/shape";
import type { LossLedger } from "./losses.ts";
import { isOwnForeign } from "./own-foreign.ts";

const toolName = /^[a-zA-Z0-9_-]{1,128}$/u;

/** `tools` and their companions, which OpenAI refuses where there are no tools. */
export function encodeTools(request: GenerateRequest, ledger: LossLedger): Readonly<Record<string, unknown>> {
  const tools = request.tools.flatMap((tool) => encodeTool(tool, ledger));
  const { toolChoice: choice } = request;
  const names = new Set(request.tools.flatMap((tool) => (tool.kind === "function" ? [tool.name] : [])));
  const isLost =
    (choice?.kind === "named" && !names.has(choice.name)) || (choice?.kind === "required" && tools.length === 0);
  if (isLost) ledger.note("dropped-tool", choice.kind === "named" ? choice.name : undefined, "tool_choice");
  if (tools.length === 0) return {};
  return {
    tools,
    tool_choice: choice === undefined ? undefined : encodeChoice(choice),
    parallel_tool_calls: request.parallelTools,
  };
}

function encodeTool(tool: Tool, ledger: LossLedger): readonly unknown[] {
  if (tool.kind === "foreign") {
    if (isOwnForeign(tool.what)) return [tool.payload];
    ledger.note(tool.callerRuns === true ? "caller-tool" : "foreign-tool", tool.what, "tools");
    return [];
  }
  if (!toolName.test(tool.name)) ledger.note("tool-name", tool.name, "tools");
  if (tool.cache !== undefined) ledger.note("cache-markers");
  return [
    defined({
      type: "function",
      name: tool.name,
      description: tool.description === "" ? undefined : tool.description,
      parameters: parametersOf(tool.schema),
      // Left out it means true, and most schemas are not written for that.
      strict: tool.strict ?? false,
    }),
  ];
}

/** OpenAI wants an object's schema even where a tool takes nothing. */
function parametersOf(schema: unknown): unknown {
  if (!isObject(schema)) return { type: "object", properties: {} };
  return schema["type"] === "object" ? schema : { type: "object", ...schema };
}

function encodeChoice(choice: ToolChoice): unknown {
  return choice.kind === "named" ? { type: "function", name: choice.name } : choice.kind;
}
