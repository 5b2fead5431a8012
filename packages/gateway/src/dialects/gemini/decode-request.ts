import type { Effort, GenerateRequest, OutputShape, ReasoningWish, Turn } from "#domain/request";
import { failure } from "#domain/failure";
import type { Decoded } from "#dialects/dialect";
import { ownFields } from "#dialects/peek-options";
import { defined, isAbsent, isObject, type JsonObject } from "#dialects/shape";
import { decodeContents } from "./decode-contents.ts";
import { decodeInstructions } from "./decode-parts.ts";
import { decodeToolConfig, decodeTools } from "./decode-tools.ts";
import { jsonSchemaOf } from "./openapi-schema.ts";
import { camelCase, memberOf, RequestReader } from "./request-reader.ts";

/**
 * From a parsed `GenerateContentRequest` to the hub. The model's name and whether the answer is streamed stand in the
 * address. The body's depth was bounded when its top level was scanned.
 */
export function decodeRequest(
  json: unknown,
  _headers: Readonly<Record<string, string>> = {},
  text: string = "",
): Decoded {
  if (!isObject(json))
    return { kind: "refused", failure: failure("invalid_request", "The body must be a JSON object.") };
  const reader = new RequestReader();
  const request = readRequest(reader, reader.object(json, ""), text);
  return reader.failure === undefined ? { kind: "decoded", request } : { kind: "refused", failure: reader.failure };
}

/** A token count asks about `contents`, or about a whole request. */
export function decodeCount(json: unknown, headers: Readonly<Record<string, string>> = {}, text: string = ""): Decoded {
  const inner = memberOf(json, "generateContentRequest");
  return inner === undefined || inner === null ? decodeRequest(json, headers, text) : decodeRequest(inner, headers);
}

const knownFields: ReadonlySet<string> = new Set([
  "model",
  "contents",
  "systemInstruction",
  "tools",
  "toolConfig",
  "generationConfig",
  "serviceTier",
  ...ownFields.map(camelCase),
]);

/** What the answer depends on and the hub has no word for. */
const neededFields = ["cachedContent", "continuationToken", "modelArmorConfig"] as const;

function readRequest(reader: RequestReader, body: JsonObject, text: string): GenerateRequest {
  reader.leave(body, knownFields, "");
  for (const name of neededFields) if (!isAbsent(body[name])) reader.need(name, body[name]);
  const config = reader.optionalObject(body["generationConfig"], "generationConfig") ?? {};
  const { systemInstruction } = body;
  const instructions = isAbsent(systemInstruction) ? [] : decodeInstructions(reader, systemInstruction);
  const system: readonly Turn[] = instructions.length === 0 ? [] : [{ role: "system", parts: instructions }];
  const turns = [...system, ...decodeContents(reader, body["contents"], text)];
  return defined({
    model: reader.optionalString(body["model"], "model") ?? "",
    streamed: false,
    usageInStream: true,
    turns,
    ...decodeToolConfig(reader, body["toolConfig"], decodeTools(reader, body["tools"])),
    ...readConfig(reader, config),
    serviceTier: readServiceTier(reader, body["serviceTier"]),
    ...reader.remains,
  });
}

/** `standard` is the usual service, whose name in other languages is `default`. */
function readServiceTier(reader: RequestReader, value: unknown): string | undefined {
  const tier = reader.optionalWord(value, "serviceTier")?.toLowerCase().replace("service_tier_", "");
  return tier === "standard" ? "default" : tier;
}

const configFields: ReadonlySet<string> = new Set([
  "temperature",
  "topP",
  "topK",
  "candidateCount",
  "maxOutputTokens",
  "stopSequences",
  "responseMimeType",
  "responseSchema",
  "responseJsonSchema",
  "responseFormat",
  "presencePenalty",
  "frequencyPenalty",
  "seed",
  "responseLogprobs",
  "logprobs",
  "thinkingConfig",
  "responseModalities",
]);

const at = "generationConfig";

type ConfigPart = Pick<
  GenerateRequest,
  "sampling" | "maxOutputTokens" | "stop" | "choices" | "logprobs" | "output" | "reasoning"
>;

function readConfig(reader: RequestReader, config: JsonObject): ConfigPart {
  reader.leave(config, configFields, at);
  const number = (name: string): number | undefined => reader.optionalNumber(config[name], `${at}.${name}`);
  needModalities(reader, config);
  const asksLogprobs = reader.optionalBoolean(config["responseLogprobs"], `${at}.responseLogprobs`) === true;
  const top = reader.optionalCount(config["logprobs"], `${at}.logprobs`, 0);
  return defined({
    sampling: defined({
      temperature: number("temperature"),
      topP: number("topP"),
      topK: number("topK"),
      frequencyPenalty: number("frequencyPenalty"),
      presencePenalty: number("presencePenalty"),
      seed: number("seed"),
    }),
    maxOutputTokens: reader.optionalCount(config["maxOutputTokens"], `${at}.maxOutputTokens`, 1),
    stop: reader
      .list(config["stopSequences"])
      .map((stop, index) => reader.string(stop, `${at}.stopSequences[${index}]`)),
    choices: reader.optionalCount(config["candidateCount"], `${at}.candidateCount`, 1) ?? 1,
    logprobs: asksLogprobs ? defined({ top }) : undefined,
    output: readOutput(reader, config),
    reasoning: readThinking(reader, config["thinkingConfig"]),
  });
}

/** Pictures and speech are no wish but what the caller is to get. */
function needModalities(reader: RequestReader, config: JsonObject): void {
  const path = `${at}.responseModalities`;
  const modalities = reader.list(config["responseModalities"]).map((each) => reader.optionalWord(each, path));
  const others = modalities.filter((each) => each !== undefined && each !== "TEXT" && each !== "MODALITY_UNSPECIFIED");
  if (others.length > 0) reader.need(path, config["responseModalities"]);
}

interface AskedForm {
  readonly type: string | undefined;
  readonly schema: unknown;
}

function readOutput(reader: RequestReader, config: JsonObject): OutputShape | undefined {
  const { type, schema } = readFormat(reader, config["responseFormat"]) ?? readForm(reader, config);
  if (type !== undefined && type !== "" && type !== "text/plain" && type !== "application/json") {
    // A bare word of an enum, or what may come yet: no other language can be held to it.
    reader.need(`${at}.responseMimeType`, type);
    return undefined;
  }
  if (isObject(schema)) return { kind: "json-schema", schema: jsonSchemaOf(schema) };
  if (type === "application/json") return { kind: "json" };
  return type === "text/plain" ? { kind: "text" } : undefined;
}

function readForm(reader: RequestReader, config: JsonObject): AskedForm {
  const { responseJsonSchema, responseSchema } = config;
  const isBoth = isObject(responseJsonSchema) && isObject(responseSchema);
  if (isBoth) reader.refuse(`${at}.responseSchema`, "and responseJsonSchema exclude each other; send one");
  for (const name of ["responseJsonSchema", "responseSchema"]) reader.optionalObject(config[name], `${at}.${name}`);
  return {
    type: reader.optionalString(config["responseMimeType"], `${at}.responseMimeType`),
    // Names of properties are no fields of Google's: the schema is read as it came.
    schema: responseJsonSchema ?? responseSchema,
  };
}

/** The newer list of forms, one for each kind of content; undefined where it says nothing of text. */
function readFormat(reader: RequestReader, value: unknown): AskedForm | undefined {
  let asked: AskedForm | undefined;
  for (const [index, each] of reader.list(value).entries()) {
    const path = `${at}.responseFormat[${index}]`;
    const { text, ...others } = reader.object(each, path);
    if (Object.values(others).some((other) => !isAbsent(other))) reader.need(`${at}.responseFormat`, value);
    const form = reader.optionalObject(text, `${path}.text`);
    if (form === undefined) continue;
    reader.leave(form, new Set(["mimeType", "schema"]), `${path}.text`);
    const type = reader.optionalString(form["mimeType"], `${path}.text.mimeType`)?.toLowerCase().replace("_", "/");
    asked = {
      type: type === undefined && isObject(form["schema"]) ? "application/json" : type,
      schema: form["schema"],
    };
  }
  return asked;
}

const thinkingFields: ReadonlySet<string> = new Set(["includeThoughts", "thinkingBudget", "thinkingLevel"]);
const efforts: readonly string[] = ["minimal", "low", "medium", "high", "xhigh", "max"] satisfies Effort[];

/**
 * A budget of 0 is none, of -1 the model's own choice. Thoughts are not shown unless asked for. That alone says nothing
 * of how much to think.
 */
function readThinking(reader: RequestReader, value: unknown): ReasoningWish | undefined {
  const path = `${at}.thinkingConfig`;
  const thinking = reader.optionalObject(value, path);
  if (thinking === undefined) return undefined;
  reader.leave(thinking, thinkingFields, path);
  const shown = reader.optionalBoolean(thinking["includeThoughts"], `${path}.includeThoughts`) === true;
  const budget = reader.optionalNumber(thinking["thinkingBudget"], `${path}.thinkingBudget`);
  const level = reader.optionalWord(thinking["thinkingLevel"], `${path}.thinkingLevel`)?.toLowerCase();
  if (level !== undefined && !efforts.includes(level)) {
    reader.refuse(`${path}.thinkingLevel`, "must be MINIMAL, LOW, MEDIUM or HIGH");
  }
  if (budget !== undefined && (!Number.isInteger(budget) || budget < -1)) {
    reader.refuse(`${path}.thinkingBudget`, "must be a whole number of tokens, or -1");
  }
  const display = shown ? ("summarized" as const) : ("omitted" as const);
  if (budget === 0) return { mode: "off" };
  if (level !== undefined) return { mode: "on", effort: level as Effort, display };
  if (budget === undefined) return shown ? { mode: "adaptive", display } : undefined;
  return budget < 0 ? { mode: "adaptive", display } : { mode: "on", budgetTokens: budget, display };
}
