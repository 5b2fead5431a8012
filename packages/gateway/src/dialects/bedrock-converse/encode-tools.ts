import { closedSchema } from "#dialects/closed-schema";
import type { EncodeTarget } from "#dialects/dialect";
import { inlineRefs } from "#dialects/inline-refs";
import { isObject } from "#dialects/shape";
import type { GenerateRequest, Tool, ToolChoice } from "#domain/request";
import type { ArrangedTurn } from "./arrange-turns.ts";
import type { BlockEncoder } from "./encode-blocks.ts";
import type { LossLedger } from "./losses.ts";
import type { ModelFamily } from "./model-family.ts";
import { isOwnForeign } from "./own-foreign.ts";
import { answerTool, idleTool, isToolName } from "./tool-names.ts";

export interface ToolSituation {
  readonly request: GenerateRequest;
  readonly target: EncodeTarget;
  readonly family: ModelFamily;
  readonly turns: readonly ArrangedTurn[];
  readonly blocks: BlockEncoder;
  readonly ledger: LossLedger;
  /** The schema of an answer that is to be given as a tool's arguments. */
  readonly answerSchema?: unknown;
}

export interface ToolFields {
  readonly config?: object;
  /** The choice as Claude's own language has it, where it says what Converse cannot. */
  readonly claudeChoice?: object;
}

export function encodeTools(situation: ToolSituation): ToolFields {
  const { request, turns, ledger, answerSchema } = situation;
  const wished = request.toolChoice?.kind ?? "auto";
  const isForced = wished === "required" || wished === "named";
  // Without a choice `none` the tools are left out: what is not there cannot be called.
  const offered = wished === "none" ? [] : request.tools;
  const entries = offered.flatMap((tool) => encodeTool(tool, situation));
  const names = new Set(entries.map((entry) => entry.name));
  const missing =
    request.toolChoice?.kind === "named" ? !names.has(request.toolChoice.name) : isForced && names.size === 0;
  if (missing) ledger.note("dropped-tool");
  const tools = entries.flatMap(({ json, cachePoint }) => (cachePoint === undefined ? [json] : [json, cachePoint]));
  if (answerSchema !== undefined && !isForced) {
    const json = spec({ name: answerTool, description: answerToolText, schema: answerSchema }, situation);
    // Beside other tools it stays the model's choice which of them to call.
    const choice = names.size === 0 ? named(answerTool, 1, situation) : { any: {} };
    return { config: { tools: [...tools, json], toolChoice: choice } };
  }
  if (tools.length > 0) {
    const choice = encodeChoice(request.toolChoice, names.size, situation);
    const claudeChoice = alone(situation);
    return { config: { tools, toolChoice: choice }, ...(claudeChoice === undefined ? {} : { claudeChoice }) };
  }
  const usesTools = turns.some((turn) =>
    turn.parts.some((part) => part.kind === "tool-call" || part.kind === "tool-result"),
  );
  if (!usesTools) return {};
  const idle = { name: idleTool, description: idleToolText, schema: { type: "object", properties: {} } };
  return { config: { tools: [spec(idle, situation)] } };
}

const answerToolText = "Gives the answer. Call this with the whole answer as its arguments.";
const idleToolText = "Not available. Do not call this.";

interface Entry {
  readonly name: string;
  readonly json: unknown;
  readonly cachePoint?: unknown;
}

function encodeTool(tool: Tool, { target, family, blocks, ledger }: ToolSituation): readonly Entry[] {
  if (tool.kind === "foreign") {
    if (isOwnForeign(tool.what)) return [{ name: nameOfOwn(tool.payload), json: tool.payload }];
    ledger.note(tool.callerRuns === true ? "caller-tool" : "foreign-tool", tool.what);
    return [];
  }
  if (!isToolName(tool.name)) ledger.note("tool-name", tool.name);
  const strict = tool.strict === true && target.traits?.capabilities.structuredOutput === true;
  if (tool.strict === true && !strict) ledger.note("strict-tool");
  const { name, description } = tool;
  const json = spec(
    {
      name,
      ...(description === undefined ? {} : { description }),
      schema: strict ? closedSchema(tool.schema, ledger) : tool.schema,
      strict,
    },
    { family, ledger },
  );
  const point = blocks.cachePoint(tool.cache, true);
  return [{ name, json, ...(point === undefined ? {} : { cachePoint: JSON.parse(point) as unknown }) }];
}

function nameOfOwn(payload: unknown): string {
  const system = isObject(payload) ? payload["systemTool"] : undefined;
  const name = isObject(system) ? system["name"] : undefined;
  return typeof name === "string" ? name : "";
}

interface ToolSpec {
  readonly name: string;
  readonly description?: string;
  readonly schema: unknown;
  readonly strict?: boolean;
}

/** An empty description is refused. */
function spec(
  { name, description, schema, strict }: ToolSpec,
  situation: Pick<ToolSituation, "family" | "ledger">,
): object {
  return {
    toolSpec: {
      name,
      description: description === "" ? undefined : description,
      inputSchema: { json: inputSchema(schema, situation) },
      strict: strict === true ? true : undefined,
    },
  };
}

/** Words that only describe: losing one changes no call. */
const annotations: ReadonlySet<string> = new Set(["$schema", "$id", "$comment", "title", "description", "examples"]);
/** What Nova takes at a schema's top (Amazon's guide to Nova's tools, read 2026-11). */
const novaTop: ReadonlySet<string> = new Set(["type", "properties", "required"]);

/** Bedrock wants an object schema even where a tool takes nothing, and refuses where it was written (`$schema`). */
function inputSchema(schema: unknown, { family, ledger }: Pick<ToolSituation, "family" | "ledger">): unknown {
  if (!isObject(schema)) return { type: "object", properties: {} };
  const { $schema: _, $id: __, ...kept } = schema;
  if (!family.plainSchemas) return { ...kept, type: "object" };
  const inlined = inlineRefs(kept);
  if (inlined.kind === "impossible") ledger.note("schema-reference", inlined.why);
  const whole = inlined.kind === "inlined" && isObject(inlined.schema) ? inlined.schema : {};
  const lost = Object.keys(whole).filter((key) => !novaTop.has(key) && !annotations.has(key) && !isOpenness(key));
  if (lost.length > 0) ledger.note("schema-top", lost.join(", "));
  const top = Object.entries(whole).filter(([key]) => novaTop.has(key));
  return { properties: {}, ...Object.fromEntries(top), type: "object" };
}

/** A closed object is how nearly every schema ends, and what models give anyway. */
function isOpenness(key: string): boolean {
  return key === "additionalProperties" || key === "unevaluatedProperties";
}

function encodeChoice(choice: ToolChoice | undefined, tools: number, situation: ToolSituation): object | undefined {
  switch (choice?.kind) {
    case "auto":
      return { auto: {} };
    case "required":
      return { any: {} };
    case "named":
      return named(choice.name, tools, situation);
    case "none":
    case undefined:
      return undefined;
  }
}

function named(name: string, tools: number, { family, ledger }: ToolSituation): object {
  if (family.namedTool) return { tool: { name } };
  // Any of one is that one.
  if (tools > 1) ledger.note("named-tool");
  return { any: {} };
}

/** Tools one at a time: only Claude's own language can say it, which additional fields are written in. */
function alone({ request, family, ledger }: ToolSituation): object | undefined {
  if (request.parallelTools !== false) return undefined;
  if (family.id !== "claude") {
    ledger.note("parallel-tools");
    return undefined;
  }
  const choice = request.toolChoice;
  const type = choice?.kind === "named" ? "tool" : choice?.kind === "required" ? "any" : "auto";
  return {
    type,
    ...(choice?.kind === "named" ? { name: choice.name } : {}),
    disable_parallel_tool_use: true,
  };
}
