import { plainChatQuirks } from "#domain/quirks";
import { bearer } from "./authorize.ts";
import { classifierWith } from "./classify-reply.ts";
import { googleRows } from "./own-rows.ts";
import { usualRequestId } from "./request-id.ts";
import type { DialectId } from "#domain/call";
import type { ChatQuirks } from "#domain/quirks";
import type { ProviderKind } from "./provider.ts";

/** Of Google's OpenAI-compatible address. */
export const googleChatQuirks: ChatQuirks = {
  ...plainChatQuirks,
  maxOutputField: "max_tokens",
  developerRole: false,
  // "Function call is missing a thought_signature" (https://ai.google.dev/gemini-api/docs/thought-signatures#openai).
  toolSignatures: "google",
  // "Unknown name …: Cannot find field", issues Vali-98/ChatterUI#227 and liliMozi/openhanako#394.
  refusedFields: ["frequency_penalty", "presence_penalty", "seed", "logit_bias", "store"],
};

/** Where a language other than its own is spoken. */
const folders: Partial<Readonly<Record<DialectId, string>>> = { "openai-chat": "/openai" };

/** Google AI Studio's API: its own language, and OpenAI Chat beside it. */
export const gemini: ProviderKind = {
  id: "gemini",
  title: "Google Gemini",
  vendor: "google",
  dialect: "gemini",
  lanes: () => ["gemini", "openai-chat"],
  languages: ["gemini", "openai-chat"],
  url: "https://generativelanguage.googleapis.com/v1beta",
  environmentKeys: ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
  keyless: false,
  quirks: googleChatQuirks,
  operations: () => ["generate", "count-tokens", "embed"],
  operator: "google",
  owner: "google",
  place({ dialect, basePath, path }) {
    // Earlier configurations name the compatible address.
    const root = basePath.replace(/\/openai$/, "");
    return { path: `${root}${folders[dialect] ?? ""}${path}` };
  },
  authorize: (secret, { path }) => {
    if (secret === undefined) return {};
    return path.includes("/openai/") ? bearer(secret) : { "x-goog-api-key": secret.reveal() };
  },
  classify: classifierWith(googleRows),
  requestId: usualRequestId,
};
