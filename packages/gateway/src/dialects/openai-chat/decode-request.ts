import type { Effort, GenerateRequest, OutputShape, ReasoningWish, Sampling } from "#domain/request";
import type { Decoded } from "#dialects/dialect";
import { ownFields } from "#dialects/peek-options";
import { defined, isAbsent, isObject, ShapeReader, type JsonObject } from "#dialects/shape";
import { decodeMessages } from "./decode-messages.ts";
import { marker } from "./decode-parts.ts";
import { decodeTools } from "./decode-tools.ts";

/** Top-level fields this file gives a meaning in the hub; all others travel in `rest`. */
const understood: ReadonlySet<string> = new Set([
  ...ownFields,
  "model",
  "messages",
  "stream",
  "stream_options",
  "tools",
  "tool_choice",
  "functions",
  "function_call",
  "parallel_tool_calls",
  "response_format",
  "temperature",
  "top_p",
  "top_k",
  "frequency_penalty",
  "presence_penalty",
  "seed",
  "logit_bias",
  "max_tokens",
  "max_completion_tokens",
  "stop",
  "n",
  "logprobs",
  "top_logprobs",
  "reasoning_effort",
  "reasoning",
  "verbosity",
  "user",
  "safety_identifier",
  "service_tier",
  "cache_control",
  "modalities",
]);

const efforts: readonly string[] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] satisfies Effort[];

/** From a parsed chat request to the hub. Never throws: a wrong shape is an `invalid_request` that names its path. */
export function decodeRequest(json: unknown): Decoded {
  const reader = new ShapeReader();
  const body = isObject(json) ? json : {};
  if (!isObject(json)) reader.refuse("The body", "must be a JSON object");
  const request = decodeBody(reader, body);
  return reader.failure === undefined ? { kind: "decoded", request } : { kind: "refused", failure: reader.failure };
}

function decodeBody(reader: ShapeReader, body: JsonObject): GenerateRequest {
  reader.leave(body, understood, "");
  const { tools, choice } = decodeTools(reader, body);
  const isLegacy = isAbsent(body["tools"]) && tools.length > 0;
  const streamOptions = reader.optionalObject(body["stream_options"], "stream_options") ?? {};
  reader.leave(streamOptions, new Set(["include_usage"]), "stream_options");
  needWhatMatters(reader, body);
  const output = decodeOutput(reader, body["response_format"]);
  const topLogprobs = reader.optionalCount(body["top_logprobs"], "top_logprobs", 0);
  const asksLogprobs = reader.optionalBoolean(body["logprobs"], "logprobs") === true || (topLogprobs ?? 0) > 0;
  const user =
    reader.optionalString(body["safety_identifier"], "safety_identifier") ??
    reader.optionalString(body["user"], "user");
  return defined({
    model: reader.optionalString(Array.isArray(body["model"]) ? body["model"][0] : body["model"], "model") ?? "",
    streamed: reader.optionalBoolean(body["stream"], "stream") ?? false,
    usageInStream: reader.optionalBoolean(streamOptions["include_usage"], "stream_options.include_usage") ?? false,
    turns: decodeMessages(reader, body["messages"]),
    tools,
    toolChoice: choice,
    parallelTools: isLegacy ? false : reader.optionalBoolean(body["parallel_tool_calls"], "parallel_tool_calls"),
    legacyFunctions: isLegacy ? (true as const) : undefined,
    output,
    sampling: decodeSampling(reader, body),
    maxOutputTokens:
      reader.optionalCount(body["max_completion_tokens"], "max_completion_tokens", 1) ??
      reader.optionalCount(body["max_tokens"], "max_tokens", 1),
    stop: decodeStop(reader, body["stop"]),
    reasoning: decodeReasoningWish(reader, body),
    user,
    choices: reader.optionalCount(body["n"], "n", 1) ?? 1,
    logprobs: asksLogprobs ? defined({ top: topLogprobs }) : undefined,
    cache: marker(reader, { cache_control: body["cache_control"] }, "cache_control").cache,
    serviceTier: reader.optionalString(body["service_tier"], "service_tier"),
    verbosity: reader.optionalString(body["verbosity"], "verbosity"),
    ...reader.remains,
  });
}

/** What the hub has no word for and the caller cannot do without: spoken answers, and checks of what is said. */
function needWhatMatters(reader: ShapeReader, body: JsonObject): void {
  const modalities = reader.optionalWords(body["modalities"], "modalities") ?? [];
  if (modalities.some((kind) => kind !== "text")) reader.need("modalities", modalities);
  for (const name of ["audio", "moderation"]) if (!isAbsent(body[name])) reader.need(name, body[name]);
}

function decodeSampling(reader: ShapeReader, body: JsonObject): Sampling {
  const bias = reader.optionalObject(body["logit_bias"], "logit_bias");
  const logitBias =
    bias === undefined
      ? undefined
      : Object.fromEntries(
          Object.entries(bias).map(([token, value]) => {
            return [token, reader.optionalNumber(value, `logit_bias.${token}`) ?? 0];
          }),
        );
  return defined({
    temperature: reader.optionalNumber(body["temperature"], "temperature"),
    topP: reader.optionalNumber(body["top_p"], "top_p"),
    topK: reader.optionalNumber(body["top_k"], "top_k"),
    frequencyPenalty: reader.optionalNumber(body["frequency_penalty"], "frequency_penalty"),
    presencePenalty: reader.optionalNumber(body["presence_penalty"], "presence_penalty"),
    seed: reader.optionalNumber(body["seed"], "seed"),
    logitBias,
  });
}

function decodeStop(reader: ShapeReader, stop: unknown): readonly string[] {
  if (stop === undefined || stop === null) return [];
  if (typeof stop === "string") return [stop];
  return reader.array(stop, "stop").map((item, index) => reader.string(item, `stop[${index}]`));
}

const schemaFields: ReadonlySet<string> = new Set(["schema", "name", "description", "strict"]);

function decodeOutput(reader: ShapeReader, value: unknown): OutputShape | undefined {
  const format = reader.optionalObject(value, "response_format");
  if (format === undefined) return undefined;
  switch (format["type"]) {
    case "text":
      return { kind: "text" };
    case "json_object":
      return { kind: "json" };
    case "json_schema": {
      const path = "response_format.json_schema";
      const schema = reader.object(format["json_schema"], path) ?? {};
      reader.leave(schema, schemaFields, path);
      return defined({
        kind: "json-schema" as const,
        schema: schema["schema"] ?? {},
        name: reader.optionalString(schema["name"], `${path}.name`),
        description: reader.optionalString(schema["description"], `${path}.description`),
        strict: reader.optionalBoolean(schema["strict"], `${path}.strict`),
      });
    }
    default:
      reader.need("response_format", format);
      return undefined;
  }
}

const reasoningFields: ReadonlySet<string> = new Set(["effort", "max_tokens", "enabled", "exclude"]);

/** `reasoning_effort`, or OpenRouter's `reasoning: { effort | max_tokens, enabled, exclude }`. */
function decodeReasoningWish(reader: ShapeReader, body: JsonObject): ReasoningWish | undefined {
  const wish = reader.optionalObject(body["reasoning"], "reasoning");
  if (wish !== undefined) reader.leave(wish, reasoningFields, "reasoning");
  const effort =
    decodeEffort(reader, body["reasoning_effort"], "reasoning_effort") ??
    decodeEffort(reader, wish?.["effort"], "reasoning.effort");
  const budgetTokens = reader.optionalCount(wish?.["max_tokens"], "reasoning.max_tokens", 1);
  const enabled = reader.optionalBoolean(wish?.["enabled"], "reasoning.enabled");
  const exclude = reader.optionalBoolean(wish?.["exclude"], "reasoning.exclude");
  if (effort === undefined && wish === undefined) return undefined;
  return defined({
    mode: effort === "none" || enabled === false ? ("off" as const) : ("on" as const),
    effort,
    budgetTokens,
    display: exclude === true ? ("omitted" as const) : undefined,
  });
}

function decodeEffort(reader: ShapeReader, value: unknown, path: string): Effort | undefined {
  const effort = reader.optionalString(value, path);
  if (effort === undefined || efforts.includes(effort)) return effort as Effort | undefined;
  return reader.refuse(path, `must be one of ${efforts.join(", ")}`);
}
