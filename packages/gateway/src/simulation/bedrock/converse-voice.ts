import { modelOf, object, objects, present, strings } from "#simulation/received-request";
import type { JsonObject, RequestContent } from "#simulation/received-request";
import type { Voice } from "#simulation/voice";
import type { CallAddress } from "#domain/call";
import { bedrockErrors } from "./bedrock-errors.ts";
import { checkConverse } from "./check-converse.ts";
import { renderConverse } from "./render-converse.ts";
import { converseStream } from "./stream-converse.ts";

/** Bedrock Converse: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html */
export const converseVoice: Voice = {
  ...bedrockErrors,
  dialect: "bedrock-converse",
  idPrefixes: { answer: "converse_sim", toolCall: "tooluse_sim" },
  read: readConverse,
  check: checkConverse,
  renderWhole: renderConverse,
  stream: converseStream,
  countTokens: (inputTokens) => ({ inputTokens }),
  modelCard: (modelId) => ({ modelId, modelName: `Simulated ${modelId}` }),
  modelList: (names) => ({ modelSummaries: names.map((modelId) => ({ modelId })) }),
};

/** A count's body holds the request it is about. */
function counted(json: JsonObject): JsonObject {
  const input = object(json["input"]);
  return object(input?.["converse"]) ?? invoked(object(input?.["invokeModel"])) ?? json;
}

function invoked(invocation: JsonObject | undefined): JsonObject | undefined {
  if (typeof invocation?.["body"] !== "string") return undefined;
  try {
    return object(JSON.parse(Buffer.from(invocation["body"], "base64").toString()));
  } catch {
    return undefined;
  }
}

function readConverse(given: JsonObject, address: CallAddress): RequestContent {
  const json = counted(given);
  const messages = objects(json["messages"]);
  const inference = object(json["inferenceConfig"]) ?? {};
  const toolConfig = object(json["toolConfig"]);
  const extra = object(json["additionalModelRequestFields"]) ?? {};
  const limit = inference["maxTokens"];
  return present<RequestContent>({
    model: modelOf(given, address),
    streamed: address.streamed ?? false,
    promptText: [...objects(json["system"]), ...messages.flatMap(contentOf)].flatMap(blockTexts).join("\n"),
    lastUserText:
      messages
        .filter(({ role }) => role === "user")
        .map((message) => contentOf(message).flatMap(({ text }) => (typeof text === "string" ? [text] : [])))
        .findLast((texts) => texts.length > 0)
        ?.join("\n") ?? "",
    toolResults: resultsOf(messages.at(-1)),
    tools: objects(toolConfig?.["tools"]).flatMap((tool) => {
      const spec = object(tool["toolSpec"]);
      const name = spec?.["name"];
      return typeof name === "string" ? [{ name, schema: object(spec?.["inputSchema"])?.["json"] }] : [];
    }),
    toolChoice: choiceOf(object(toolConfig?.["toolChoice"])),
    outputSchema: outputSchema(json),
    maxOutputTokens: typeof limit === "number" ? limit : undefined,
    stop: strings(inference["stopSequences"]),
    thinking: thinkingOf(object(extra["thinking"]) ?? object(extra["reasoning_config"])),
    usageAsked: true,
  });
}

function contentOf(message: JsonObject): readonly JsonObject[] {
  return objects(message["content"]);
}

function blockTexts(block: JsonObject): readonly string[] {
  if (typeof block["text"] === "string") return [block["text"]];
  return resultTexts(object(block["toolResult"]));
}

function resultTexts(result: JsonObject | undefined): readonly string[] {
  return objects(result?.["content"]).flatMap(({ text, json }) => {
    if (typeof text === "string") return [text];
    return json === undefined ? [] : [JSON.stringify(json)];
  });
}

function resultsOf(message: JsonObject | undefined): readonly string[] {
  return contentOf(message ?? {}).flatMap((block) => {
    const result = object(block["toolResult"]);
    return result === undefined ? [] : [resultTexts(result).join("\n")];
  });
}

function choiceOf(choice: JsonObject | undefined): RequestContent["toolChoice"] {
  const name = object(choice?.["tool"])?.["name"];
  if (typeof name === "string") return { name };
  return choice?.["any"] === undefined ? "auto" : "any";
}

/** The schema is a text here. */
function outputSchema(json: JsonObject): unknown {
  const format = object(object(json["outputConfig"])?.["textFormat"]);
  const schema = object(object(format?.["structure"])?.["jsonSchema"])?.["schema"];
  if (typeof schema !== "string") return undefined;
  try {
    return JSON.parse(schema) as unknown;
  } catch {
    return undefined;
  }
}

function thinkingOf(thinking: JsonObject | undefined): RequestContent["thinking"] {
  if (thinking?.["type"] !== "enabled" && thinking?.["type"] !== "adaptive") return undefined;
  return thinking["display"] === "omitted" ? "omitted" : "shown";
}
