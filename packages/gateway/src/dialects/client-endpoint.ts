import type { CallAddress, ClientDialectId, Operation } from "#domain/call";
import type { Dialect } from "./dialect.ts";
import { dialects } from "./registry.ts";

export type Endpoint =
  | {
      readonly kind: "call";
      readonly dialect: ClientDialectId;
      readonly operation: Operation;
      readonly address: CallAddress;
    }
  | { readonly kind: "models"; readonly model?: string }
  /** A verdict on an answer that was given. */
  | { readonly kind: "feedback" }
  /** What became of an answer that waited for a person. */
  | { readonly kind: "review"; readonly review: string }
  /** What the gateway keeps for its callers; `path` is decoded, behind the version. */
  | { readonly kind: "stored"; readonly dialect: ClientDialectId; readonly path: readonly string[] };

const bodyTellsAll: CallAddress = {};

const calls: Readonly<Record<string, readonly [dialect: ClientDialectId, operation: Operation]>> = {
  "/chat/completions": ["openai-chat", "generate"],
  "/completions": ["openai-chat", "complete"],
  "/embeddings": ["openai-chat", "embed"],
  "/moderations": ["openai-chat", "moderate"],
  "/rerank": ["openai-chat", "rerank"],
  "/responses": ["openai-responses", "generate"],
  "/responses/input_tokens": ["openai-responses", "count-tokens"],
  "/messages": ["anthropic-messages", "generate"],
  "/messages/count_tokens": ["anthropic-messages", "count-tokens"],
};

/** Every path of a call behind its root and version, as documents write them. */
export function callPaths(): readonly string[] {
  const bodies = Object.keys(calls);
  const deployed = bodies.filter((path) => calls[path]?.[0] === "openai-chat");
  return [
    ...bodies,
    ...deployed.map((path) => `/deployments/{model}${path}`),
    ...Object.keys(geminiActions).map((action) => `/models/{model}:${action}`),
    ...Object.keys(converseActions).map((action) => `/model/{model}/${action}`),
  ];
}

/** SDKs get along with a base address alone: with or without a version, and under a root named after their vendor. */
const prefixes = /^(?:\/(?:openai|anthropic|genai))?(?:\/v(?:1|2|1beta|1alpha|1beta1))?(?=\/)/;

/** What a client's path and query ask for; undefined where there is nothing. */
export function clientEndpoint(path: string, query = new URLSearchParams()): Endpoint | undefined {
  const endpoint = readEndpoint(path, query);
  if (endpoint === undefined || !("dialect" in endpoint)) return endpoint;
  return isClients(endpoint.dialect) ? endpoint : undefined;
}

/** Some languages are those of providers before they are those of clients. */
function isClients(id: ClientDialectId): boolean {
  return Object.hasOwn(dialects, id);
}

/** The same, whether or not this version has the language. */
export function readEndpoint(path: string, query = new URLSearchParams()): Endpoint | undefined {
  const rest = path.replace(prefixes, "");
  const [dialect, operation] = Object.hasOwn(calls, rest) ? (calls[rest] ?? []) : [];
  if (dialect !== undefined && operation !== undefined)
    return { kind: "call", dialect, operation, address: bodyTellsAll };
  if (rest === "/feedback") return { kind: "feedback" };
  return (
    azureEndpoint(rest) ??
    geminiEndpoint(rest, query) ??
    converseEndpoint(rest) ??
    storedEndpoint(rest) ??
    reviewEndpoint(rest) ??
    modelsEndpoint(rest)
  );
}

/** The AzureOpenAI client puts the body's model into the path: `/openai/deployments/{name}/chat/completions`. */
function azureEndpoint(rest: string): Endpoint | undefined {
  const found = /^\/deployments\/([^/]+)(\/.+)$/u.exec(rest);
  const model = decoded(found?.[1]);
  const [dialect, operation] = calls[found?.[2] ?? ""] ?? [];
  if (model === undefined || dialect !== "openai-chat" || operation === undefined) return undefined;
  return { kind: "call", dialect, operation, address: { model } };
}

const geminiActions: Readonly<Record<string, readonly [Operation, Pick<CallAddress, "streamed" | "variant">]>> = {
  generateContent: ["generate", { streamed: false }],
  streamGenerateContent: ["generate", { streamed: true }],
  countTokens: ["count-tokens", {}],
  embedContent: ["embed", {}],
  batchEmbedContents: ["embed", { variant: "batch" }],
};

/** `models/x`, `tunedModels/x`, and Vertex's longer `projects/…/locations/…/publishers/google/models/x`. */
const geminiPath =
  /^(?:\/projects\/[^/]+\/locations\/[^/]+)?(?:\/publishers\/[^/]+)?\/(models|tunedModels)\/(.+):(\w+)$/u;

function geminiEndpoint(rest: string, query: URLSearchParams): Endpoint | undefined {
  const found = geminiPath.exec(rest);
  const action = found?.[3] ?? "";
  const [operation, said] = Object.hasOwn(geminiActions, action) ? (geminiActions[action] ?? []) : [];
  const name = decoded(found?.[2]);
  if (operation === undefined || name === undefined) return undefined;
  const model = found?.[1] === "tunedModels" ? `tunedModels/${name}` : name;
  // Without `alt=sse` a Gemini stream is a JSON array that grows.
  const array = said?.streamed === true && query.get("alt") !== "sse";
  return {
    kind: "call",
    dialect: "gemini",
    operation,
    address: { model, ...said, ...(array ? { framing: "json-array" as const } : {}) },
  };
}

const converseActions: Readonly<Record<string, readonly [Operation, Pick<CallAddress, "streamed">]>> = {
  converse: ["generate", { streamed: false }],
  "converse-stream": ["generate", { streamed: true }],
  "count-tokens": ["count-tokens", { streamed: false }],
};

/** Bedrock's clients: the model's name, or its ARN, is one percent-encoded piece of the path. */
function converseEndpoint(rest: string): Endpoint | undefined {
  const found = /^\/model\/([^/]+)\/([a-z-]+)$/u.exec(rest);
  const action = found?.[2] ?? "";
  const [operation, said] = Object.hasOwn(converseActions, action) ? (converseActions[action] ?? []) : [];
  const model = decoded(found?.[1]);
  if (operation === undefined || model === undefined) return undefined;
  return { kind: "call", dialect: "bedrock-converse", operation, address: { model, ...said } };
}

function storedEndpoint(rest: string): Endpoint | undefined {
  if (!/^\/(?:responses\/|conversations(?:\/|$))/u.test(rest)) return undefined;
  const path = rest.slice(1).split("/").map(decoded);
  if (path.some((piece) => piece === undefined || piece === "") || path.length > 4) return undefined;
  return { kind: "stored", dialect: "openai-responses", path: path as readonly string[] };
}

function reviewEndpoint(rest: string): Endpoint | undefined {
  const review = decoded(/^\/reviews\/([^/]+)$/u.exec(rest)?.[1]);
  return review === undefined ? undefined : { kind: "review", review };
}

function modelsEndpoint(rest: string): Endpoint | undefined {
  if (rest === "/models") return { kind: "models" };
  if (!rest.startsWith("/models/")) return undefined;
  const model = decoded(rest.slice("/models/".length));
  return model === undefined ? undefined : { kind: "models", model };
}

function decoded(part: string | undefined): string | undefined {
  if (part === undefined) return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/**
 * `GET /v1/models` is one path in several languages: the headers tell which (protocols §0.2). Google's clients name
 * themselves or send their own key header, Anthropic's send a version.
 */
export function dialectOfHeaders(headers: Readonly<Record<string, string>>, query = new URLSearchParams()): Dialect {
  const isGoogles =
    headers["x-goog-api-key"] !== undefined || headers["x-goog-api-client"] !== undefined || query.has("key");
  if (isGoogles && isClients("gemini")) return dialects.gemini;
  return headers["anthropic-version"] === undefined ? dialects["openai-chat"] : dialects["anthropic-messages"];
}
