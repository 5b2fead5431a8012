import type { Effort, GenerateRequest, OutputShape, ReasoningWish, Tool, ToolChoice, Turn } from "#domain/request";
import { failure } from "#domain/failure";
import type { Decoded } from "#dialects/dialect";
import { ownFields } from "#dialects/peek-options";
import { decodeCache, decodeContent, decodeSystem } from "./decode-content.ts";
import { exactInputs } from "./exact-inputs.ts";
import { foreignName } from "./own-foreign.ts";
import { isAbsent, isObject, type JsonObject } from "#dialects/shape";
import { RequestReader } from "./request-reader.ts";

/**
 * From a parsed Messages body (both API versions, 2023-06-01 and 2026-10-21) to the hub. The body's depth was bounded
 * when its top level was scanned.
 */
export function decodeRequest(
  json: unknown,
  headers: Readonly<Record<string, string>> = {},
  text: string = "",
): Decoded {
  return decode({ json, headers, text }, readMaxTokens);
}

/** A body of `/v1/messages/count_tokens`: the same but for the answer's length, which it does not say. */
export function decodeCount(json: unknown, headers: Readonly<Record<string, string>> = {}, text: string = ""): Decoded {
  return decode({ json, headers, text }, (reader, value) => reader.optionalNumber(value, "max_tokens"));
}

type ReadMaxTokens = (reader: RequestReader, value: unknown) => number | undefined;

interface Written {
  readonly json: unknown;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

function decode({ json, headers, text }: Written, maxTokens: ReadMaxTokens): Decoded {
  if (!isObject(json))
    return { kind: "refused", failure: failure("invalid_request", "The body must be a JSON object.") };
  const reader = new RequestReader(exactInputs(text));
  // Betas change what an answer may hold, and no other language has them.
  reader.leave(headers, knownHeaders, "");
  const request = readRequest(reader, json, maxTokens);
  return reader.failure === undefined ? { kind: "decoded", request } : { kind: "refused", failure: reader.failure };
}

const knownHeaders: ReadonlySet<string> = new Set(["anthropic-version"]);

function readRequest(reader: RequestReader, body: JsonObject, maxTokens: ReadMaxTokens): GenerateRequest {
  reader.leave(body, knownFields, "");
  // Where a prompt may be processed is a promise to somebody, not a wish; "global" promises nothing.
  const place = body["inference_geo"];
  if (!isAbsent(place) && place !== "global") reader.need("inference_geo", place);
  const metadata = reader.optionalObject(body["metadata"], "metadata") ?? {};
  reader.leave(metadata, new Set(["user_id"]), "metadata");
  const user = reader.optionalString(metadata["user_id"], "metadata.user_id");
  const serviceTier = reader.optionalString(body["service_tier"], "service_tier");
  const outputConfig = reader.optionalObject(body["output_config"], "output_config") ?? {};
  reader.leave(outputConfig, new Set(["effort", "format"]), "output_config");
  const output =
    readOutput(reader, outputConfig["format"], "output_config.format") ??
    readOutput(reader, body["output_format"], "output_format");
  const effort = reader.optionalChoice(outputConfig["effort"], efforts, "output_config.effort");
  const reasoning = readThinking(reader, body["thinking"], effort);
  const choice = reader.optionalObject(body["tool_choice"], "tool_choice");
  const toolChoice = choice === undefined ? undefined : readToolChoice(reader, choice);
  const parallelOff = reader.optionalBoolean(
    choice?.["disable_parallel_tool_use"],
    "tool_choice.disable_parallel_tool_use",
  );
  const maxOutputTokens = maxTokens(reader, body["max_tokens"]);
  return {
    model: readModel(reader, body["model"]),
    streamed: reader.optionalBoolean(body["stream"], "stream") ?? false,
    usageInStream: true,
    turns: readTurns(reader, body),
    tools: reader.optionalArray(body["tools"], "tools").map((tool, index) => readTool(reader, tool, `tools[${index}]`)),
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(parallelOff === undefined ? {} : { parallelTools: !parallelOff }),
    ...(output === undefined ? {} : { output }),
    sampling: readSampling(reader, body),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    stop: reader
      .optionalArray(body["stop_sequences"], "stop_sequences")
      .map((stop, index) => reader.string(stop, `stop_sequences[${index}]`)),
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(user === undefined ? {} : { user }),
    choices: 1,
    ...decodeCache(reader, body["cache_control"], "cache_control"),
    ...(serviceTier === undefined ? {} : { serviceTier }),
    ...reader.remains,
  };
}

const knownFields: ReadonlySet<string> = new Set([
  "model",
  "messages",
  "system",
  "max_tokens",
  "stream",
  "stop_sequences",
  "temperature",
  "top_p",
  "top_k",
  "tools",
  "tool_choice",
  "thinking",
  "output_config",
  "output_format",
  "metadata",
  "service_tier",
  "cache_control",
  ...ownFields,
]);

const efforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;

/** `model` may be the gateway's list of names to try: the first stands for it. */
function readModel(reader: RequestReader, model: unknown): string {
  const first: unknown = Array.isArray(model) ? model[0] : model;
  return reader.optionalString(first, "model") ?? "";
}

function readMaxTokens(reader: RequestReader, value: unknown): number | undefined {
  const tokens = reader.optionalNumber(value, "max_tokens");
  if (isAbsent(value)) {
    reader.refuse("max_tokens", "is required: say how many tokens the answer may have at most");
  } else if (tokens !== undefined && (!Number.isInteger(tokens) || tokens < 1)) {
    reader.refuse("max_tokens", "must be a whole number of at least 1");
  }
  return tokens;
}

function readSampling(reader: RequestReader, body: JsonObject): GenerateRequest["sampling"] {
  const temperature = reader.optionalNumber(body["temperature"], "temperature");
  const topP = reader.optionalNumber(body["top_p"], "top_p");
  const topK = reader.optionalNumber(body["top_k"], "top_k");
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(topK === undefined ? {} : { topK }),
  };
}

const messageFields: ReadonlySet<string> = new Set(["role", "content"]);

function readTurns(reader: RequestReader, body: JsonObject): readonly Turn[] {
  const system = isAbsent(body["system"]) ? [] : decodeSystem(reader, body["system"], "system");
  const turns: Turn[] = system.some((part) => part.text !== "") ? [{ role: "system", parts: system }] : [];
  const messages = reader.array(body["messages"], "messages");
  if (messages.length === 0) reader.refuse("messages", "must hold at least one message");
  for (const [index, value] of messages.entries()) {
    const path = `messages[${index}]`;
    const message = reader.object(value, path);
    reader.leave(message, messageFields, path);
    const role = reader.optionalChoice(message["role"], ["user", "assistant", "system"] as const, `${path}.role`);
    if (role === undefined) reader.refuse(`${path}.role`, "must be user, assistant or system");
    const parts =
      role === "system"
        ? decodeSystem(reader, message["content"], `${path}.content`)
        : decodeContent(reader, message["content"], `${path}.content`);
    turns.push({ role: role ?? "user", parts });
  }
  return turns;
}

/** Anthropic's own tools that the caller executes (official SDK 1.12, `ClientToolUnion`). */
const callerRuns = /^(?:bash|browser|computer|memory|text_editor)_(?:toolset_)?\d+$/u;

const toolFields: ReadonlySet<string> = new Set([
  "type",
  "name",
  "description",
  "input_schema",
  "strict",
  "cache_control",
]);

function readTool(reader: RequestReader, value: unknown, path: string): Tool {
  const tool = reader.object(value, path);
  const type = reader.optionalString(tool["type"], `${path}.type`) ?? "custom";
  if (type !== "custom") {
    const isRunByCaller = callerRuns.test(type) ? { callerRuns: true as const } : {};
    return { kind: "foreign", what: foreignName(type), payload: tool, ...isRunByCaller };
  }
  reader.leave(tool, toolFields, path);
  const description = reader.optionalString(tool["description"], `${path}.description`);
  const strict = reader.optionalBoolean(tool["strict"], `${path}.strict`);
  return {
    kind: "function",
    name: reader.string(tool["name"], `${path}.name`),
    ...(description === undefined ? {} : { description }),
    schema: reader.object(tool["input_schema"], `${path}.input_schema`),
    ...(strict === undefined ? {} : { strict }),
    ...decodeCache(reader, tool["cache_control"], `${path}.cache_control`),
  };
}

const toolChoiceFields: ReadonlySet<string> = new Set(["type", "name", "disable_parallel_tool_use"]);

function readToolChoice(reader: RequestReader, choice: JsonObject): ToolChoice | undefined {
  reader.leave(choice, toolChoiceFields, "tool_choice");
  switch (reader.string(choice["type"], "tool_choice.type")) {
    case "auto":
      return { kind: "auto" };
    case "any":
      return { kind: "required" };
    case "none":
      return { kind: "none" };
    case "tool":
      return { kind: "named", name: reader.string(choice["name"], "tool_choice.name") };
    default:
      reader.refuse("tool_choice.type", "must be auto, any, tool or none");
      return undefined;
  }
}

const thinkingFields: ReadonlySet<string> = new Set(["type", "budget_tokens", "display"]);
const displays = ["summarized", "omitted"] as const;

/** Effort without `thinking` leaves the mode to the model, which is what `adaptive` means. */
function readThinking(reader: RequestReader, value: unknown, effort: Effort | undefined): ReasoningWish | undefined {
  const wished = effort === undefined ? {} : { effort };
  const thinking = reader.optionalObject(value, "thinking");
  if (thinking === undefined) return effort === undefined ? undefined : { mode: "adaptive", effort };
  reader.leave(thinking, thinkingFields, "thinking");
  const display = reader.optionalChoice(thinking["display"], displays, "thinking.display");
  const shown = display === undefined ? {} : { display };
  switch (reader.string(thinking["type"], "thinking.type")) {
    case "disabled":
      return { mode: "off", ...wished };
    case "between_tools":
      // Thinking only between tool calls is one vendor's word; that it may think is everybody's.
      reader.leave({ type: thinking["type"] }, new Set(), "thinking");
      return { mode: "adaptive", ...wished };
    case "adaptive":
      return { mode: "adaptive", ...wished, ...shown };
    case "enabled": {
      const budgetTokens = reader.optionalNumber(thinking["budget_tokens"], "thinking.budget_tokens");
      if (budgetTokens === undefined) reader.refuse("thinking.budget_tokens", "is required where thinking is enabled");
      return { mode: "on", ...wished, ...(budgetTokens === undefined ? {} : { budgetTokens }), ...shown };
    }
    default:
      reader.refuse("thinking.type", "must be enabled, adaptive, between_tools or disabled");
      return undefined;
  }
}

/** `output_config.format`, and the older top-level `output_format` that clients still send. */
function readOutput(reader: RequestReader, value: unknown, path: string): OutputShape | undefined {
  const format = reader.optionalObject(value, path);
  if (format === undefined) return undefined;
  reader.leave(format, new Set(["type", "schema"]), path);
  if (format["type"] !== "json_schema") reader.refuse(`${path}.type`, "must be json_schema");
  return { kind: "json-schema", schema: reader.object(format["schema"], `${path}.schema`) };
}
