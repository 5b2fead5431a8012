import type { Effort, GenerateRequest, OutputShape, ReasoningWish, Turn } from "#domain/request";
import type { Decoded } from "#dialects/dialect";
import { ownFields } from "#dialects/peek-options";
import { defined, isAbsent, isObject, ShapeReader, type JsonObject } from "#dialects/shape";
import { decodeInput } from "./decode-items.ts";
import { decodeTools } from "./decode-tools.ts";
import { NamespaceNames } from "./namespaces.ts";
import { noBackground } from "./peek.ts";

/** Top-level fields this file gives a meaning in the hub; all others travel in `rest`. */
const understood: ReadonlySet<string> = new Set([
  ...ownFields,
  "model",
  "input",
  "instructions",
  "stream",
  "stream_options",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "text",
  "reasoning",
  "temperature",
  "top_p",
  "max_output_tokens",
  "top_logprobs",
  "include",
  "truncation",
  "user",
  "safety_identifier",
  "service_tier",
  "background",
  // The gateway keeps the answer itself, and repeats what was asked in it.
  "store",
  "metadata",
]);

/** What an answer is made from, or checked by, that no other language can look up. */
const neededFields = ["previous_response_id", "conversation", "prompt", "moderation"] as const;

const efforts: readonly string[] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] satisfies Effort[];

const sealedThoughts = "reasoning.encrypted_content";
const logprobs = "message.output_text.logprobs";

/** From a parsed Responses request to the hub. Never throws: a wrong shape is an `invalid_request` naming its path. */
export function decodeRequest(json: unknown): Decoded {
  const reader = new ShapeReader();
  const body = isObject(json) ? json : {};
  if (!isObject(json)) reader.refuse("The body", "must be a JSON object");
  const request = decodeBody(reader, body);
  return reader.failure === undefined ? { kind: "decoded", request } : { kind: "refused", failure: reader.failure };
}

function decodeBody(reader: ShapeReader, body: JsonObject): GenerateRequest {
  reader.leave(body, understood, "");
  for (const name of neededFields) if (!isAbsent(body[name])) reader.need(name, body[name]);
  if (reader.optionalBoolean(body["background"], "background") === true) reader.refuse("background", noBackground);
  reader.optionalBoolean(body["store"], "store");
  const names = new NamespaceNames(body["tools"]);
  const { tools, choice } = decodeTools(reader, body, names);
  const text = reader.optionalObject(body["text"], "text") ?? {};
  reader.leave(text, new Set(["format", "verbosity"]), "text");
  if (body["truncation"] === "auto") reader.leave({ truncation: "auto" }, new Set(), "");
  const topLogprobs = reader.optionalCount(body["top_logprobs"], "top_logprobs", 0);
  const include = decodeInclude(reader, body["include"]);
  const asksLogprobs = include.includes(logprobs) || (topLogprobs ?? 0) > 0;
  return defined({
    model: reader.optionalString(Array.isArray(body["model"]) ? body["model"][0] : body["model"], "model") ?? "",
    streamed: reader.optionalBoolean(body["stream"], "stream") ?? false,
    usageInStream: true,
    turns: [...decodeInstructions(reader, body["instructions"]), ...decodeInput(reader, body["input"], names)],
    tools,
    toolChoice: choice,
    parallelTools: reader.optionalBoolean(body["parallel_tool_calls"], "parallel_tool_calls"),
    output: decodeOutput(reader, text["format"]),
    sampling: defined({
      temperature: reader.optionalNumber(body["temperature"], "temperature"),
      topP: reader.optionalNumber(body["top_p"], "top_p"),
    }),
    maxOutputTokens: reader.optionalCount(body["max_output_tokens"], "max_output_tokens", 1),
    stop: [],
    reasoning: decodeReasoningWish(reader, body["reasoning"]),
    user:
      reader.optionalString(body["safety_identifier"], "safety_identifier") ??
      reader.optionalString(body["user"], "user"),
    choices: 1,
    logprobs: asksLogprobs ? defined({ top: topLogprobs }) : undefined,
    serviceTier: reader.optionalString(body["service_tier"], "service_tier"),
    verbosity: reader.optionalString(text["verbosity"], "text.verbosity"),
    ...reader.remains,
  });
}

function decodeInstructions(reader: ShapeReader, value: unknown): readonly Turn[] {
  const instructions = reader.optionalString(value, "instructions") ?? "";
  return instructions === "" ? [] : [{ role: "system", parts: [{ kind: "text", text: instructions }] }];
}

/** Sealed thoughts come unasked, since the next turn may need them; what hosted tools found, nobody else can include. */
function decodeInclude(reader: ShapeReader, value: unknown): readonly string[] {
  const words = reader.optionalWords(value, "include") ?? [];
  const others = words.filter((word) => word !== sealedThoughts && word !== logprobs);
  reader.leave({ include: others }, new Set(), "");
  return words;
}

const formatFields: ReadonlySet<string> = new Set(["type", "name", "description", "schema", "strict"]);

/** Flat, where Chat nests it. */
function decodeOutput(reader: ShapeReader, value: unknown): OutputShape | undefined {
  const path = "text.format";
  const format = reader.optionalObject(value, path);
  if (format === undefined) return undefined;
  switch (format["type"]) {
    case "text":
      return { kind: "text" };
    case "json_object":
      return { kind: "json" };
    case "json_schema":
      reader.leave(format, formatFields, path);
      return defined({
        kind: "json-schema" as const,
        schema: reader.object(format["schema"], `${path}.schema`) ?? {},
        name: reader.optionalString(format["name"], `${path}.name`),
        description: reader.optionalString(format["description"], `${path}.description`),
        strict: reader.optionalBoolean(format["strict"], `${path}.strict`),
      });
    default:
      reader.need(path, format);
      return undefined;
  }
}

const reasoningFields: ReadonlySet<string> = new Set(["effort", "summary", "generate_summary"]);

/** A summary alone asks to see what the model thinks anyway: how much stays its own choice. */
function decodeReasoningWish(reader: ShapeReader, value: unknown): ReasoningWish | undefined {
  const wish = reader.optionalObject(value, "reasoning");
  if (wish === undefined) return undefined;
  const { mode, context, ...known } = wish;
  reader.leave(known, reasoningFields, "reasoning");
  if (mode !== "standard") reader.leave({ mode }, new Set(), "reasoning");
  if (context !== "auto") reader.leave({ context }, new Set(), "reasoning");
  const word = reader.optionalString(wish["effort"], "reasoning.effort");
  const effort = word === undefined || efforts.includes(word) ? (word as Effort | undefined) : undefined;
  if (word !== effort) reader.refuse("reasoning.effort", `must be one of ${efforts.join(", ")}`);
  const summary =
    reader.optionalString(wish["summary"], "reasoning.summary") ??
    reader.optionalString(wish["generate_summary"], "reasoning.generate_summary");
  const display = summary === undefined ? undefined : ("summarized" as const);
  if (effort === undefined) return display === undefined ? undefined : { mode: "adaptive", display };
  return defined({ mode: effort === "none" ? ("off" as const) : ("on" as const), effort, display });
}
