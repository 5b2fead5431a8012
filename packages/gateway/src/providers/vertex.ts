import { plainKeyProblem } from "./authorize.ts";
import { noBetas, vertexBetas } from "./claude-betas.ts";
import { classifierWith } from "./classify-reply.ts";
import { hasSecondVersion, isClaude } from "./claude-names.ts";
import { googleChatQuirks } from "./gemini.ts";
import { GoogleTokens } from "./google-tokens.ts";
import { hostedClaude } from "./hosted-claude.ts";
import { googleRows } from "./own-rows.ts";
import { usualRequestId } from "./request-id.ts";
import type { DialectId, Operation } from "#domain/call";
import type { Placement, ProviderKind, Sending } from "./provider.ts";

const anywhere = "global";
const tokens = new GoogleTokens();

/** Google Cloud's Vertex AI: Google's models, Claude, and others as a service, each under its publisher. */
export const vertex: ProviderKind = {
  id: "vertex",
  title: "Google Vertex AI",
  dialect: "gemini",
  lanes,
  languages: ["gemini", "anthropic-messages", "openai-chat"],
  urlFor: ({ region = anywhere }) => `https://${hostOf(region)}/v1`,
  settings: {
    region: { example: "europe-west4" },
    // An API key knows its project; a login may have several.
    project: { example: "my-project", needed: ({ keys }) => keys.length === 0 || !keys.every(isApiKey) },
  },
  environmentKeys: ["VERTEX_API_KEY"],
  environment: {
    login: "GOOGLE_APPLICATION_CREDENTIALS",
    settings: {
      project: ["GOOGLE_CLOUD_PROJECT", "ANTHROPIC_VERTEX_PROJECT_ID"],
      region: ["GOOGLE_CLOUD_LOCATION", "CLOUD_ML_REGION"],
    },
  },
  // Without a key it is the login the machine has: `gcloud`, a credentials file, the metadata server.
  keyless: true,
  keyProblem: (key) => (key.trimStart().startsWith("{") ? loginProblem(key) : noKeyProblem(key)),
  quirks: { ...googleChatQuirks, bareCount: true },
  operations: () => ["generate", "count-tokens"],
  operator: "google-vertex",
  owner: "google",
  place,
  authorize(secret, { wallMs }) {
    const key = secret?.reveal();
    if (key !== undefined && isApiKey(key)) return { "x-goog-api-key": key };
    if (key !== undefined && isAccessToken(key)) return { authorization: `Bearer ${key}` };
    return tokens.authorize(secret, wallMs);
  },
  classify: classifierWith(googleRows),
  requestId: usualRequestId,
};

/** Every region has its host; `us` and `eu` are several regions at once. */
function hostOf(region: string): string {
  if (region === anywhere) return "aiplatform.googleapis.com";
  return /^(?:us|eu)$/.test(region) ? `aiplatform.${region}.rep.googleapis.com` : `${region}-aiplatform.googleapis.com`;
}

/** Names with a publisher are those of models as a service, which speak OpenAI's language. */
function lanes(model: string, operation: Operation = "generate"): readonly DialectId[] {
  if (isClaude(model)) return ["anthropic-messages"];
  if (publisherOf(model) !== undefined) return operation === "generate" ? ["openai-chat"] : [];
  return operation === "generate" ? ["gemini", "openai-chat"] : ["gemini"];
}

/** Of models that are asked in OpenAI's language; undefined for Google's own. */
function publisherOf(model: string): string | undefined {
  if (/^(?:mistral|codestral|ministral)/.test(model)) return "mistralai";
  if (model.startsWith("jamba")) return "ai21";
  return /^(?:publishers\/)?(?!google\/|models\/|publishers\/|projects\/|tunedModels\/)([\w.-]+)\//.exec(model)?.[1];
}

const places: Partial<Readonly<Record<DialectId, (sending: Sending) => Placement>>> = {
  gemini: (sending) => {
    const publisher = sending.path.startsWith("/publishers/") ? "" : "/publishers/google";
    return { path: `${rootOf(sending)}${publisher}${sending.path}` };
  },
  "anthropic-messages": placeClaude,
};

function place(sending: Sending): Placement {
  return places[sending.dialect]?.(sending) ?? placeOpen(sending);
}

/** OpenAI's language has one endpoint for all models, but Mistral and AI21 are asked at theirs. */
function placeOpen(sending: Sending): Placement {
  const { model } = sending;
  const publisher = publisherOf(model);
  if (publisher !== undefined && !model.includes("/")) {
    return { path: `${rootOf(sending)}/publishers/${publisher}/models/${nameOf(model)}:${verbOf(sending)}` };
  }
  return {
    path: `${rootOf(sending)}/endpoints/openapi${sending.path}`,
    ...(model.includes("/") ? {} : { edits: new Map([["model", JSON.stringify(`google/${model}`)]]) }),
  };
}

function verbOf({ streamed }: Sending): string {
  return streamed ? "streamRawPredict" : "rawPredict";
}

/** Counting is a model of its own, and the body names the one that is meant. */
function placeClaude(sending: Sending): Placement {
  const { model } = sending;
  const counting = sending.operation === "count-tokens";
  return {
    path: `${rootOf(sending)}/publishers/anthropic/models/${counting ? "count-tokens" : nameOf(model)}:${verbOf(sending)}`,
    ...hostedClaude(sending, {
      version: "vertex-2023-10-16",
      hasSecondVersion: hasSecondVersion(model),
      // Counting needs none, and each model's backend learns new ones at another time.
      betas: counting ? noBetas : vertexBetas,
      betasInBody: false,
      without: counting ? [] : ["model"],
    }),
  };
}

/** Without a project: the express mode of API keys. */
function rootOf({ basePath, project, region = anywhere }: Sending): string {
  if (project === undefined || basePath.includes("/projects/")) return basePath;
  return `${basePath}/projects/${encodeURIComponent(project)}/locations/${encodeURIComponent(region)}`;
}

/** `anthropic/claude-opus-5@default` and the like; the version's mark stands on the wire as it is. */
function nameOf(model: string): string {
  return encodeURIComponent(model.replace(/^.*\//, "")).replaceAll("%40", "@");
}

function isAccessToken(key: string): boolean {
  return key.startsWith("ya29.");
}

function isApiKey(key: string): boolean {
  return !key.trimStart().startsWith("{") && !isAccessToken(key);
}

function noKeyProblem(key: string): string | undefined {
  const what = "a key is an API key, an access token, or the JSON of a login, and this is none of them";
  return plainKeyProblem(key) === undefined ? undefined : what;
}

function loginProblem(key: string): string | undefined {
  const login = parsed(key);
  if (typeof login?.["type"] !== "string") return "this is no JSON of a Google login: it has no `type`";
  if (login["type"] !== "service_account") return undefined;
  const missing = ["client_email", "private_key"].find((field) => typeof login[field] !== "string");
  return missing === undefined ? undefined : `this service account has no \`${missing}\``;
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
