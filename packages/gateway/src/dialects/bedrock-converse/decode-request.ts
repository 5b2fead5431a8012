import type { Decoded } from "#dialects/dialect";
import { ownFields } from "#dialects/peek-options";
import { defined, isObject, type JsonObject } from "#dialects/shape";
import { failure } from "#domain/failure";
import type { GenerateRequest, OutputShape, Part, Tool, ToolChoice, Turn } from "#domain/request";
import { decodeAdditional, efforts } from "./decode-additional.ts";
import { decodeCachePoint, decodeContent } from "./decode-content.ts";
import { foreignName } from "./own-foreign.ts";
import { RequestReader } from "./request-reader.ts";

/**
 * From a parsed body of Converse or ConverseStream to the hub. The model and whether the answer is streamed stand in the
 * path: the pipeline fills them in. The body's depth was bounded when its top level was scanned.
 */
export function decodeRequest(
  json: unknown,
  _headers: Readonly<Record<string, string>> = {},
  text: string = "",
): Decoded {
  if (!isObject(json)) return refused("The body must be a JSON object.");
  return read(new RequestReader(text, []), json);
}

/** The same of CountTokens, whose body holds the request it is about. */
export function decodeCount(
  json: unknown,
  _headers: Readonly<Record<string, string>> = {},
  text: string = "",
): Decoded {
  const input = isObject(json) ? json["input"] : undefined;
  const counted = isObject(input) ? input["converse"] : undefined;
  if (isObject(counted)) return read(new RequestReader(text, ["input", "converse"]), counted);
  // A count of a body in a model's own language says nothing that another target could read.
  const why = "input.converse must be an object: only the tokens of a Converse request can be counted here";
  return refused(why, { param: "input.converse" });
}

function refused(why: string, more: { readonly param?: string } = {}): Decoded {
  return { kind: "refused", failure: failure("invalid_request", why, more) };
}

function read(reader: RequestReader, body: JsonObject): Decoded {
  const request = readRequest(reader, body);
  return reader.failure === undefined ? { kind: "decoded", request } : { kind: "refused", failure: reader.failure };
}

const knownFields: ReadonlySet<string> = new Set([
  "model",
  "stream",
  "messages",
  "system",
  "inferenceConfig",
  "toolConfig",
  "additionalModelRequestFields",
  "additionalModelResponseFieldPaths",
  "outputConfig",
  "requestMetadata",
  "serviceTier",
  "guardrailConfig",
  "promptVariables",
  ...ownFields,
]);

function readRequest(reader: RequestReader, body: JsonObject): GenerateRequest {
  reader.leave(body, knownFields, "");
  // Guards are a promise to somebody, and a prompt with its variables is none without them.
  for (const name of ["guardrailConfig", "promptVariables"]) {
    if (isObject(body[name])) reader.need(name, body[name]);
  }
  const inference = reader.optionalObject(body["inferenceConfig"], "inferenceConfig") ?? {};
  reader.leave(inference, new Set(["maxTokens", "temperature", "topP", "stopSequences"]), "inferenceConfig");
  const outputConfig = reader.optionalObject(body["outputConfig"], "outputConfig") ?? {};
  reader.leave(outputConfig, new Set(["textFormat", "effort"]), "outputConfig");
  const effort = reader.optionalOneOf(outputConfig["effort"], "outputConfig.effort", efforts);
  const { topK, ...additional } = decodeAdditional(reader, body["additionalModelRequestFields"], effort);
  const tier = reader.optionalObject(body["serviceTier"], "serviceTier");
  const { tools, toolChoice } = readTools(reader, body["toolConfig"]);
  const fields = {
    toolChoice,
    output: readOutput(reader, outputConfig["textFormat"]),
    maxOutputTokens: reader.optionalCount(inference["maxTokens"], "inferenceConfig.maxTokens", 1),
    user: readMetadata(reader, body["requestMetadata"]),
    serviceTier: reader.optionalString(tier?.["type"], "serviceTier.type"),
  };
  readResponsePaths(reader, body["additionalModelResponseFieldPaths"]);
  const turns = readTurns(reader, body);
  return {
    model: "",
    streamed: false,
    usageInStream: true,
    turns,
    tools,
    ...defined(fields),
    ...additional,
    sampling: defined({
      temperature: reader.optionalNumber(inference["temperature"], "inferenceConfig.temperature"),
      topP: reader.optionalNumber(inference["topP"], "inferenceConfig.topP"),
      topK,
    }),
    stop: reader.optionalWords(inference["stopSequences"], "inferenceConfig.stopSequences") ?? [],
    choices: 1,
    ...reader.remains,
  };
}

/** Of what may be asked for back, only the stop sequence is known to the hub. */
function readResponsePaths(reader: RequestReader, value: unknown): void {
  const paths = reader.optionalWords(value, "additionalModelResponseFieldPaths") ?? [];
  const others = paths.filter((path) => !/^(?:\/delta)?\/stop_sequence$/u.test(path));
  if (others.length > 0) reader.leave({ additionalModelResponseFieldPaths: others }, new Set(), "");
}

/** The user's id has its own place in the hub; what else there is, is kept. */
function readMetadata(reader: RequestReader, value: unknown): string | undefined {
  const metadata = reader.optionalObject(value, "requestMetadata");
  if (metadata === undefined) return undefined;
  const { user_id: user, ...rest } = metadata;
  if (Object.keys(rest).length > 0) reader.leave({ requestMetadata: rest }, new Set(), "");
  return reader.optionalString(user, "requestMetadata.user_id");
}

function readTurns(reader: RequestReader, body: JsonObject): readonly Turn[] {
  const system = reader.optionalArray(body["system"], "system");
  const turns: Turn[] = [];
  const parts: readonly Part[] =
    system.length === 0 ? [] : decodeContent(reader, system, { path: "system", steps: ["system"] });
  if (parts.length > 0) turns.push({ role: "system", parts });
  const messages = reader.array(body["messages"], "messages");
  if (messages.length === 0) reader.refuse("messages", "must hold at least one message");
  for (const [index, value] of messages.entries()) {
    const path = `messages[${index}]`;
    const message = reader.object(value, path);
    reader.leave(message, new Set(["role", "content"]), path);
    const role = reader.optionalOneOf(message["role"], `${path}.role`, ["user", "assistant", "system"] as const);
    if (role === undefined) reader.refuse(`${path}.role`, "must be user, assistant or system");
    const place = { path: `${path}.content`, steps: ["messages", index, "content"] };
    turns.push({ role: role ?? "user", parts: decodeContent(reader, message["content"], place) });
  }
  return turns;
}

function readTools(
  reader: RequestReader,
  value: unknown,
): { readonly tools: readonly Tool[]; readonly toolChoice: ToolChoice | undefined } {
  const config = reader.optionalObject(value, "toolConfig") ?? {};
  reader.leave(config, new Set(["tools", "toolChoice"]), "toolConfig");
  const tools: Tool[] = [];
  for (const [index, entry] of reader.optionalArray(config["tools"], "toolConfig.tools").entries()) {
    const path = `toolConfig.tools[${index}]`;
    const [member, inside] = reader.member(entry, path);
    const last = tools.at(-1);
    if (member !== "cachePoint") tools.push(readTool(reader, { member, inside, path }));
    else if (last?.kind === "function") tools.splice(-1, 1, { ...last, cache: decodeCachePoint(reader, inside, path) });
  }
  const choice = config["toolChoice"];
  return { tools, toolChoice: choice === undefined || choice === null ? undefined : readChoice(reader, choice) };
}

interface ToolEntry {
  readonly member: string;
  readonly inside: unknown;
  readonly path: string;
}

const specFields: ReadonlySet<string> = new Set(["name", "description", "inputSchema", "strict"]);

function readTool(reader: RequestReader, { member, inside, path }: ToolEntry): Tool {
  if (member !== "toolSpec") return { kind: "foreign", what: foreignName(member), payload: { [member]: inside } };
  const at = `${path}.toolSpec`;
  const spec = reader.object(inside, at);
  reader.leave(spec, specFields, at);
  const schema = reader.object(spec["inputSchema"], `${at}.inputSchema`);
  return {
    kind: "function",
    name: reader.word(spec["name"], `${at}.name`),
    ...defined({
      description: reader.optionalString(spec["description"], `${at}.description`),
      strict: reader.optionalBoolean(spec["strict"], `${at}.strict`),
    }),
    schema: reader.object(schema["json"], `${at}.inputSchema.json`),
  };
}

function readChoice(reader: RequestReader, value: unknown): ToolChoice | undefined {
  const path = "toolConfig.toolChoice";
  const [member, inside] = reader.member(value, path);
  switch (member) {
    case "auto":
      return { kind: "auto" };
    case "any":
      return { kind: "required" };
    case "tool":
      return { kind: "named", name: reader.word(reader.object(inside, `${path}.tool`)["name"], `${path}.tool.name`) };
    default:
      return reader.refuse(path, "must be auto, any or tool");
  }
}

/** The schema is JSON inside a string. */
function readOutput(reader: RequestReader, value: unknown): OutputShape | undefined {
  const path = "outputConfig.textFormat";
  const format = reader.optionalObject(value, path);
  if (format === undefined) return undefined;
  if (format["type"] !== "json_schema") reader.refuse(`${path}.type`, "must be json_schema");
  const structure = reader.object(format["structure"], `${path}.structure`);
  const at = `${path}.structure.jsonSchema`;
  const definition = reader.object(structure["jsonSchema"], at);
  const text = reader.string(definition["schema"], `${at}.schema`);
  return {
    kind: "json-schema",
    schema: parsed(text) ?? reader.refuse(`${at}.schema`, "must be a string that holds a JSON schema"),
    ...defined({
      name: reader.optionalString(definition["name"], `${at}.name`),
      description: reader.optionalString(definition["description"], `${at}.description`),
    }),
  };
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
