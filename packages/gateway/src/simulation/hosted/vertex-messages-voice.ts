import { geminiVoice } from "#simulation/gemini/gemini-voice";
import { messagesVoice, readMessages } from "#simulation/messages-voice";
import { modelOf } from "#simulation/received-request";
import type { Voice } from "#simulation/voice";
import { checkHosted, type HostRules } from "./hosted-check.ts";

/** Anthropic's SDK writes the plain version from its first major on; the older word stays understood. */
const host: HostRules = {
  versions: { "vertex-2023-10-16": "2023-06-01", "2023-06-01": "2023-06-01", "2026-10-21": "2026-10-21" },
  elsewhere: ["model"],
};

/** Anthropic Messages through Vertex's rawPredict: what Google itself refuses, it refuses in its own shape. */
export const vertexMessagesVoice: Voice = {
  ...messagesVoice,
  // The path tells which method was called; whether the answer streams, the body tells.
  read: (json, { model }) => readMessages(json, model === undefined ? {} : { model }),
  check: (request, rules) => checkHosted(request, rules, host),
  errorStatus: (kind) => (kind === "authentication" ? 401 : messagesVoice.errorStatus(kind)),
  errorBody: (words) =>
    ["authentication", "permission", "rate-limit", "not-found"].includes(words.kind)
      ? geminiVoice.errorBody(words)
      : messagesVoice.errorBody(words),
  inBandError: (words) => messagesVoice.errorBody(words),
};

/** `models/count-tokens:rawPredict`, where the body names the model. */
export const vertexCountVoice: Voice = {
  ...vertexMessagesVoice,
  read: (json) => readMessages(json, { model: modelOf(json, {}) }),
  check: (request, rules) => {
    const { model: _, ...json } = request.json;
    return checkHosted({ ...request, json }, rules, host);
  },
};
