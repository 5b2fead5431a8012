import { chatVoice } from "#simulation/chat-voice";
import { errorMessages } from "#simulation/error-kind";
import type { ErrorKind } from "#simulation/behaviour";
import type { StreamWords } from "#simulation/frame";
import { sseData } from "#simulation/sse-frame";
import type { ErrorWords, Voice } from "#simulation/voice";

/** Source: https://learn.microsoft.com/azure/ai-foundry/openai (error codes, read 2026-11) */
const codes: Readonly<Record<ErrorKind, string>> = {
  "invalid-request": "BadRequest",
  authentication: "401",
  permission: "PermissionDenied",
  "not-found": "DeploymentNotFound",
  "too-large": "RequestEntityTooLarge",
  "rate-limit": "RateLimitReached",
  quota: "InsufficientQuota",
  server: "InternalServerError",
  timeout: "Timeout",
  overloaded: "ServiceUnavailable",
};

/** OpenAI's rules in Azure's house: what the model's API refuses keeps OpenAI's shape, the rest has no type. */
export function onAzure(voice: Voice): Voice {
  return {
    ...voice,
    requestIdHeader: "apim-request-id",
    errorStatus: (kind) => (kind === "not-found" ? 404 : voice.errorStatus(kind)),
    errorBody: (words) => (words.kind === "invalid-request" ? voice.errorBody(words) : azureError(words)),
  };
}

function azureError({ kind, message = errorMessages[kind] }: ErrorWords): object {
  return { error: { code: codes[kind], message } };
}

/** The filter's judgement of the prompt comes first, in a chunk without choices. */
export const azureChatVoice: Voice = {
  ...onAzure(chatVoice),
  stream: (answer, wording, saying) => filtered(chatVoice.stream(answer, wording, saying)),
};

const safe = { filtered: false, severity: "safe" };
const filterResults = { hate: safe, self_harm: safe, sexual: safe, violence: safe };

function filtered(words: StreamWords): StreamWords {
  const first = sseData({
    choices: [],
    created: 0,
    id: "",
    model: "",
    object: "",
    prompt_filter_results: [{ prompt_index: 0, content_filter_results: filterResults }],
  });
  return {
    ...words,
    *frames() {
      yield { kind: "lifecycle", bytes: first };
      yield* words.frames();
    },
  };
}
