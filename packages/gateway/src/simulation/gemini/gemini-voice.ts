import { errorMessages } from "#simulation/error-kind";
import type { ErrorKind } from "#simulation/behaviour";
import { countOf, modelOf, object, objects, present, strings } from "#simulation/received-request";
import type { JsonObject, RequestContent } from "#simulation/received-request";
import type { Voice } from "#simulation/voice";
import type { CallAddress } from "#domain/call";
import { checkGemini } from "./check-gemini.ts";
import { geminiArray, geminiStream } from "./stream-gemini.ts";
import { renderGemini } from "./render-gemini.ts";

/** Status and name. A wrong key is a 400. Source: https://ai.google.dev/gemini-api/docs/troubleshooting */
const errors: Readonly<Record<ErrorKind, readonly [status: number, name: string]>> = {
  "invalid-request": [400, "INVALID_ARGUMENT"],
  authentication: [400, "INVALID_ARGUMENT"],
  permission: [403, "PERMISSION_DENIED"],
  "not-found": [404, "NOT_FOUND"],
  "too-large": [400, "INVALID_ARGUMENT"],
  "rate-limit": [429, "RESOURCE_EXHAUSTED"],
  quota: [429, "RESOURCE_EXHAUSTED"],
  server: [500, "INTERNAL"],
  timeout: [504, "DEADLINE_EXCEEDED"],
  overloaded: [503, "UNAVAILABLE"],
};

/** Gemini: https://ai.google.dev/api/generate-content */
export const geminiVoice: Voice = {
  dialect: "gemini",
  requestIdHeader: "x-goog-request-id",
  idPrefixes: { answer: "simgemini", toolCall: "simcall" },
  read: readGemini,
  check: checkGemini,
  errorStatus: (kind) => errors[kind][0],
  errorBody({ kind, message = errorMessages[kind] }) {
    const [code, status] = errors[kind];
    const details = detailsOf(kind);
    return { error: { code, message, status, ...(details.length === 0 ? {} : { details }) } };
  },
  renderWhole: renderGemini,
  stream: (answer, wording, saying) =>
    saying.request.address.framing === "json-array"
      ? geminiArray(answer, wording, saying)
      : geminiStream(answer, wording, saying),
  countTokens: (totalTokens) => ({
    totalTokens,
    promptTokensDetails: [{ modality: "TEXT", tokenCount: totalTokens }],
  }),
  modelCard: geminiModelCard,
  modelList: (names) => ({ models: names.map(geminiModelCard) }),
};

function detailsOf(kind: ErrorKind): readonly object[] {
  const google = "type.googleapis.com/google.rpc";
  if (kind === "authentication") {
    return [{ "@type": `${google}.ErrorInfo`, reason: "API_KEY_INVALID", domain: "googleapis.com" }];
  }
  if (kind === "rate-limit") return [{ "@type": `${google}.RetryInfo`, retryDelay: "34.4s" }];
  return [];
}

function geminiModelCard(name: string): object {
  return {
    name: `models/${name}`,
    baseModelId: name,
    version: "001",
    displayName: `Simulated ${name}`,
    inputTokenLimit: 1_048_576,
    outputTokenLimit: 65_536,
    supportedGenerationMethods: ["generateContent", "countTokens"],
  };
}

function readGemini(given: JsonObject, address: CallAddress): RequestContent {
  // A count may bring the whole request it is about.
  const json = object(given["generateContentRequest"]) ?? given;
  const contents = objects(json["contents"]);
  const config = object(json["generationConfig"]) ?? {};
  const limit = config["maxOutputTokens"];
  const declared = objects(json["tools"]).flatMap((tool) => objects(tool["functionDeclarations"]));
  return present<RequestContent>({
    model: modelOf(given, address),
    streamed: address.streamed ?? false,
    promptText: [object(json["systemInstruction"]) ?? {}, ...contents].flatMap(textsOfTurn).join("\n"),
    lastUserText:
      contents
        .filter(({ role }) => role !== "model")
        .map(textsOfTurn)
        .findLast((texts) => texts.length > 0)
        ?.join("\n") ?? "",
    toolResults: responsesOf(contents.at(-1)),
    tools: declared.flatMap(({ name, parameters, parametersJsonSchema }) =>
      typeof name === "string" ? [{ name, schema: parametersJsonSchema ?? parameters }] : [],
    ),
    toolChoice: choiceOf(object(object(json["toolConfig"])?.["functionCallingConfig"])),
    outputSchema: outputSchema(config),
    maxOutputTokens: typeof limit === "number" ? limit : undefined,
    stop: strings(config["stopSequences"]),
    thinking: thinkingOf(object(config["thinkingConfig"])),
    logprobs: config["responseLogprobs"] === true ? countOf(config["logprobs"]) : undefined,
    usageAsked: true,
  });
}

function textsOfTurn(turn: JsonObject): readonly string[] {
  return objects(turn["parts"]).flatMap(({ text, thought }) =>
    typeof text === "string" && text !== "" && thought !== true ? [text] : [],
  );
}

function responsesOf(turn: JsonObject | undefined): readonly string[] {
  return objects(turn?.["parts"]).flatMap((part) => {
    const response = object(object(part["functionResponse"])?.["response"]);
    if (response === undefined) return [];
    const [only, ...others] = Object.values(response);
    return [typeof only === "string" && others.length === 0 ? only : JSON.stringify(response)];
  });
}

function choiceOf(config: JsonObject | undefined): RequestContent["toolChoice"] {
  if (config?.["mode"] === "NONE") return "none";
  const [name, ...others] = strings(config?.["allowedFunctionNames"]);
  if (config?.["mode"] !== "ANY") return "auto";
  return name !== undefined && others.length === 0 ? { name } : "any";
}

function outputSchema(config: JsonObject): unknown {
  const json = config["responseMimeType"] === "application/json";
  return config["responseJsonSchema"] ?? config["responseSchema"] ?? (json ? true : undefined);
}

function thinkingOf(config: JsonObject | undefined): RequestContent["thinking"] {
  if (config === undefined || config["thinkingBudget"] === 0) return undefined;
  return config["includeThoughts"] === true ? "shown" : "omitted";
}
