import type { GenerateRequest, Tool } from "#domain/request";
import type { EncodeTarget } from "#dialects/dialect";
import type { ArrangedTurn } from "./arrange-turns.ts";
import type { BlockEncoder } from "./encode-blocks.ts";
import type { LossLedger } from "./losses.ts";
import { isOwnForeign } from "./own-foreign.ts";
import { closedSchema } from "#dialects/closed-schema";
import { isObject } from "#dialects/shape";

export interface ToolFields {
  readonly tools: readonly unknown[];
  readonly choice?: Readonly<Record<string, unknown>>;
}

export interface ToolSituation {
  readonly request: GenerateRequest;
  readonly target: EncodeTarget;
  readonly turns: readonly ArrangedTurn[];
  readonly blocks: BlockEncoder;
  readonly ledger: LossLedger;
}

export function encodeTools(situation: ToolSituation): ToolFields {
  const { request, turns, ledger } = situation;
  const tools = request.tools.flatMap((tool) => encodeTool(tool, situation));
  const dropped = tools.length < request.tools.length;
  const choice = request.toolChoice;
  if (dropped && isForcedButGone(request, tools)) ledger.note("dropped-tool");
  if (tools.length > 0) {
    const encoded = encodeChoice(request);
    return encoded === undefined ? { tools } : { tools, choice: encoded };
  }
  if (!dropped && (choice?.kind === "required" || choice?.kind === "named")) ledger.note("dropped-tool");
  // A history with tool calls is refused where no tools are declared.
  const earlier = new Set(
    turns.flatMap((turn) => turn.parts.flatMap((part) => (part.kind === "tool-call" ? [part.name] : []))),
  );
  if (earlier.size === 0) return { tools };
  return {
    tools: [...earlier].map((name) => ({ name, input_schema: { type: "object" } })),
    choice: { type: "none" },
  };
}

const toolName = /^[a-zA-Z0-9_-]{1,128}$/u;

function encodeTool(tool: Tool, { target, blocks, ledger }: ToolSituation): readonly unknown[] {
  if (tool.kind === "foreign") {
    if (isOwnForeign(tool.what)) return [tool.payload];
    ledger.note(tool.callerRuns === true ? "caller-tool" : "foreign-tool", tool.what);
    return [];
  }
  if (!toolName.test(tool.name)) ledger.note("tool-name", tool.name);
  const strict = tool.strict === true && target.traits?.capabilities.structuredOutput === true;
  if (tool.strict === true && !strict) ledger.note("strict-tool");
  return [
    {
      name: tool.name,
      description: tool.description === "" ? undefined : tool.description,
      input_schema: inputSchema(strict ? closedSchema(tool.schema, ledger) : tool.schema),
      strict: strict ? true : undefined,
      cache_control: blocks.cacheControl(tool.cache),
    },
  ];
}

/** The API wants an object schema even where a tool takes nothing. */
function inputSchema(schema: unknown): unknown {
  if (!isObject(schema)) return { type: "object", properties: {} };
  return schema["type"] === "object" ? schema : { type: "object", ...schema };
}

function encodeChoice(request: GenerateRequest): Readonly<Record<string, unknown>> | undefined {
  const alone = request.parallelTools === false ? { disable_parallel_tool_use: true } : {};
  switch (request.toolChoice?.kind) {
    case "none":
      return { type: "none" };
    case "required":
      return { type: "any", ...alone };
    case "named":
      return { type: "tool", name: request.toolChoice.name, ...alone };
    case "auto":
      return { type: "auto", ...alone };
    case undefined:
      return request.parallelTools === false ? { type: "auto", ...alone } : undefined;
  }
}

function isForcedButGone(request: GenerateRequest, tools: readonly unknown[]): boolean {
  const choice = request.toolChoice;
  if (choice?.kind === "required") return tools.length === 0;
  return choice?.kind === "named" && !tools.some((tool) => isObject(tool) && tool["name"] === choice.name);
}
