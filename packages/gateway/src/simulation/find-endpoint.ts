import type { CallAddress, Operation } from "#domain/call";
import { embeddingsVoice, moderationsVoice, rerankVoice } from "./chat-judgements.ts";
import { chatVoice } from "./chat-voice.ts";
import { completionsVoice } from "./completions-voice.ts";
import { messagesVoice } from "./messages-voice.ts";
import type { LoggedRequest } from "./request-log.ts";
import type { Voice } from "./voice.ts";
import { converseVoice } from "#simulation/bedrock/converse-voice";
import {
  cohereEmbedOnBedrockVoice,
  cohereRerankOnBedrockVoice,
  titanEmbedVoice,
} from "#simulation/bedrock/invoked-judgements";
import { cohereEmbedVoice, cohereRerankVoice } from "#simulation/cohere/cohere-judgements";
import { cohereVoice } from "#simulation/cohere/cohere-voice";
import { geminiEmbeddingsVoice } from "#simulation/gemini/gemini-embeddings-voice";
import { vertexEmbeddingsVoice } from "#simulation/gemini/vertex-embeddings-voice";
import { geminiVoice } from "#simulation/gemini/gemini-voice";
import { azureChatVoice, onAzure } from "#simulation/hosted/azure-voices";
import { bedrockMessagesVoice } from "#simulation/hosted/bedrock-messages-voice";
import { vertexCountVoice, vertexMessagesVoice } from "#simulation/hosted/vertex-messages-voice";
import { responsesVoice } from "#simulation/responses/responses-voice";

export interface Endpoint {
  readonly method: "GET" | "POST";
  readonly voice: Voice;
  /** Absent: the list of models, or the one the address names. */
  readonly operation?: Operation;
  readonly address: CallAddress;
}

type Asked = Pick<LoggedRequest, "method" | "path" | "headers">;
type Place = readonly [voice: Voice, operation: Operation];

/** Behind the version. */
const places: Readonly<Record<string, Place>> = {
  "/chat/completions": [chatVoice, "generate"],
  "/completions": [completionsVoice, "complete"],
  "/embeddings": [embeddingsVoice, "embed"],
  "/moderations": [moderationsVoice, "moderate"],
  "/rerank": [rerankVoice, "rerank"],
  "/responses": [responsesVoice, "generate"],
  "/responses/input_tokens": [responsesVoice, "count-tokens"],
  "/messages": [messagesVoice, "generate"],
  "/messages/count_tokens": [messagesVoice, "count-tokens"],
};

const coherePlaces: Readonly<Record<string, Place>> = {
  "/v2/chat": [cohereVoice, "generate"],
  "/v2/embed": [cohereEmbedVoice, "embed"],
  "/v2/rerank": [cohereRerankVoice, "rerank"],
};

/** OpenAI's under a resource of Azure's, with a date for a version or with `v1`. */
const azurePlaces: Readonly<Record<string, Place>> = {
  "/chat/completions": [azureChatVoice, "generate"],
  "/completions": [onAzure(completionsVoice), "complete"],
  "/embeddings": [onAzure(embeddingsVoice), "embed"],
  "/responses": [onAzure(responsesVoice), "generate"],
  "/responses/input_tokens": [onAzure(responsesVoice), "count-tokens"],
};

/** What a method, a path and headers ask for; undefined where nothing answers. */
export function findEndpoint(asked: Asked): Endpoint | undefined {
  const [path = "", search] = asked.path.split("?", 2);
  const query = new URLSearchParams(search);
  return (
    azureEndpoint(path, query) ??
    bedrockEndpoint(path) ??
    googleEndpoint(path, query) ??
    placed(coherePlaces[path]) ??
    placed(places[path.replace(prefix, "")]) ??
    modelsEndpoint(asked, path, query)
  );
}

/** Where compatible addresses hang, Vertex's among them. */
const prefix =
  /^(?:\/anthropic)?(?:\/v1beta\/openai|\/api\/v1|\/v1(?:\/projects\/[^/]+\/locations\/[^/]+\/endpoints\/openapi)?)?(?=\/)/;

function placed(place: Place | undefined, address: CallAddress = {}): Endpoint | undefined {
  return place && { method: "POST", voice: place[0], operation: place[1], address };
}

const azureV1 = /^(?:\/api\/projects\/[^/]+)?\/openai\/v1(\/.+)$/;
const azureDeployment = /^\/openai\/deployments\/([^/]+)(\/.+)$/;

/** Azure's dated paths answer to nobody who leaves the date out. */
function azureEndpoint(path: string, query: URLSearchParams): Endpoint | undefined {
  const v1 = azureV1.exec(path)?.[1];
  if (v1 !== undefined) return placed(azurePlaces[v1]);
  if (!query.has("api-version")) return undefined;
  const [, deployment, rest = ""] = azureDeployment.exec(path) ?? [];
  if (deployment !== undefined) return placed(azurePlaces[rest], { model: decoded(deployment) });
  if (path === "/models/chat/completions") return placed(azurePlaces["/chat/completions"]);
  return path.startsWith("/openai/responses") ? placed(azurePlaces[path.slice("/openai".length)]) : undefined;
}

/** InvokeModel speaks the language of each model's vendor; those whose names are not here are Anthropic's. */
const invoked: readonly (readonly [name: RegExp, place: Place])[] = [
  [/titan-embed/, [titanEmbedVoice, "embed"]],
  [/cohere\.embed/, [cohereEmbedOnBedrockVoice, "embed"]],
  [/cohere\.rerank/, [cohereRerankOnBedrockVoice, "rerank"]],
];

function bedrockEndpoint(path: string): Endpoint | undefined {
  const found = /^\/model\/([^/]+)\/([a-z-]+)$/.exec(path);
  const model = decoded(found?.[1] ?? "");
  const address = (streamed: boolean): CallAddress => ({ model, streamed });
  switch (found?.[2]) {
    case "converse":
      return placed([converseVoice, "generate"], address(false));
    case "converse-stream":
      return placed([converseVoice, "generate"], address(true));
    case "count-tokens":
      return placed([converseVoice, "count-tokens"], address(false));
    case "invoke":
      return placed(
        invoked.find(([name]) => name.test(model))?.[1] ?? [bedrockMessagesVoice, "generate"],
        address(false),
      );
    case "invoke-with-response-stream":
      return placed([bedrockMessagesVoice, "generate"], address(true));
    default:
      return undefined;
  }
}

/** Gemini's own paths, and Vertex's longer ones, with a project or without (its express mode). */
const googlePath =
  /^\/v1(?:beta1?|alpha)?(?:\/projects\/[^/]+\/locations\/[^/]+)?(?:\/publishers\/(\w+))?\/(?:models|tunedModels)\/([^:]+):(\w+)$/;

type GooglePlaces = Readonly<Record<string, readonly [...Place, CallAddress]>>;

/** By publisher, then by method. */
const googlePlaces: Readonly<Record<string, GooglePlaces>> = {
  google: {
    generateContent: [geminiVoice, "generate", { streamed: false }],
    streamGenerateContent: [geminiVoice, "generate", { streamed: true }],
    countTokens: [geminiVoice, "count-tokens", {}],
    embedContent: [geminiEmbeddingsVoice, "embed", {}],
    batchEmbedContents: [geminiEmbeddingsVoice, "embed", { variant: "batch" }],
    predict: [vertexEmbeddingsVoice, "embed", {}],
  },
  anthropic: {
    rawPredict: [vertexMessagesVoice, "generate", {}],
    streamRawPredict: [vertexMessagesVoice, "generate", {}],
  },
};

/** Anthropic's count is a model of its own on Vertex; the body names the model that is meant. */
const vertexCount = /\/publishers\/anthropic\/models\/count-tokens:rawPredict$/;

function googleEndpoint(path: string, query: URLSearchParams): Endpoint | undefined {
  if (vertexCount.test(path)) return placed([vertexCountVoice, "count-tokens"]);
  const [, publisher = "google", name = "", action = ""] = googlePath.exec(path) ?? [];
  const [voice, operation, said = {}] = googlePlaces[publisher]?.[action] ?? [];
  if (voice === undefined || operation === undefined) return undefined;
  const array = said.streamed === true && query.get("alt") !== "sse";
  const address: CallAddress = { model: decoded(name), ...said };
  return placed([voice, operation], array ? { ...address, framing: "json-array" } : address);
}

function modelsEndpoint(asked: Asked, path: string, query: URLSearchParams): Endpoint | undefined {
  const listed = /^(\/[a-z0-9/]+)?\/models(?:\/(.+))?$/.exec(path);
  if (listed === null) return undefined;
  const model = listed[2];
  const voice = listed[1]?.startsWith("/v1beta") === true ? geminiVoice : voiceOf(asked.headers, query);
  return { method: "GET", voice, address: model === undefined ? {} : { model: decoded(model) } };
}

/** `/v1/models` is one path for several dialects, and the headers of their clients tell them apart. */
export function voiceOf(headers: Asked["headers"], query = new URLSearchParams()): Voice {
  if (["x-goog-api-key", "x-goog-api-client"].some((name) => headers[name] !== undefined) || query.has("key")) {
    return geminiVoice;
  }
  return headers["anthropic-version"] === undefined ? chatVoice : messagesVoice;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
