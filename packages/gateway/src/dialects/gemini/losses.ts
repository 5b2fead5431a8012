import { dropped, lossWarning, mapped, refused, TableLedger, type Loss } from "#dialects/loss-table";

/**
 * What a request of another language loses on its way into a Gemini request. `refused`: leaving it out would change
 * what the caller gets, so another target is asked. `dropped`: not sent. `mapped`: said in another form.
 *
 * Nothing is lost, and nothing said, where: `developer` becomes `system`; ids of calls are left out where the vendor did
 * not give them (results find their calls by name and place); turns of one role are joined and results put in the order
 * of their calls; `$ref` in a schema is replaced by what it stands for; a schema's name goes; an empty text goes; an
 * earlier refusal becomes text; plain text documents become text; defaults of the other language (`n: 1`, penalties of
 * 0, `detail: auto`) are not written.
 */
export const losses = {
  choices: refused("one answer per request is all this gateway reads from Gemini: `n` must be 1"),
  logprobs: refused("Gemini gives at most the 20 likeliest log-probabilities"),
  "logit-bias": refused("Gemini has no `logit_bias`"),
  "stop-count": refused("Gemini takes at most 5 stop sequences"),
  "blank-stop": refused("Gemini refuses empty stop sequences"),
  "image-type": refused("images must be PNG, JPEG, WebP, HEIC or HEIF"),
  "media-address": refused(
    "Gemini fetches YouTube's videos, its own files and, since 2.5, pictures and documents of the web: send the bytes",
  ),
  "document-type": refused("documents must be PDF or text"),
  "audio-type": refused("audio must be WAV, MP3, AIFF, AAC, OGG, FLAC or another format Gemini names"),
  "foreign-file": refused("a file id is known only to the provider it was uploaded to; send the file's bytes"),
  "foreign-part": refused("Gemini has no word for a part of a message"),
  "system-part": refused("system content may hold only text"),
  "tool-name": refused("tool names must begin with a letter or _ and match [a-zA-Z0-9_.:-], 64 characters at most"),
  "dropped-tool": refused("a tool call is required that only another provider can run"),
  "caller-tool": refused("Gemini has no word for a kind of tool that the caller runs"),
  "orphan-result": refused("a tool result answers no call of the turn before it"),
  "json-with-tools": refused("Gemini before 3 cannot be held to JSON where there are tools"),
  "json-schema-unsupported": refused("this model cannot be held to a JSON schema"),
  "needed-field": refused("Gemini has no word for a field that the answer depends on"),
  "schema-depth": refused("the JSON schema is nested more than 64 levels deep, or refers to itself"),
  "nothing-to-ask": refused("Gemini needs at least one turn with content"),
  "token-input": refused("Gemini embeds texts only, not token numbers"),
  "many-inputs": refused("Gemini embeds at most 100 texts at once"),

  seed: dropped("`seed` was not sent: Gemini takes whole numbers of 32 bits"),
  verbosity: dropped("`verbosity` was not sent: Gemini has none"),
  user: dropped("the end user's id was not sent: Gemini has none"),
  "service-tier": dropped("`service_tier` was not sent: Gemini has no such tier"),
  "participant-name": dropped("names of participants were not sent: Gemini has none"),
  "image-detail": dropped("the detail level of images was not sent"),
  "document-title": dropped("titles and contexts of documents were not sent: Gemini has none"),
  citations: dropped("citations, and the wish for them, were not sent"),
  "foreign-tool": dropped("a tool only another provider can run was not sent"),
  "foreign-history": dropped("a part of an earlier answer that only another provider understands was not sent"),
  "foreign-reasoning": dropped("earlier reasoning was not sent: only the vendor that sealed it can read it"),
  "cache-markers": dropped("cache markers were not sent: Gemini caches without being told"),
  "strict-tool": dropped("`strict` was not sent: Gemini has none for tools"),
  "parallel-tools": dropped("the wish for one tool call at a time was not sent: Gemini has none"),
  "unknown-field": dropped("fields Gemini has no word for were not sent"),
  "embed-title": dropped("the title was not sent: Gemini takes one only for a document to be found"),
  "thinking-unsupported": dropped("the reasoning wish was not sent: this model does not think aloud"),

  temperature: mapped("`temperature` was lowered to 2, the highest Gemini knows"),
  "max-tokens-lowered": mapped("the limit of output tokens was lowered to what the model can give"),
  "system-inside": mapped("a system message in mid-conversation was sent as marked text of the user's turn"),
  "system-only": mapped("a lone system message was sent as the user's turn"),
  "system-folded": mapped("the system message was sent in the user's first turn: Gemma takes no other"),
  "assistant-first": mapped("a short user turn was put before the first message, which must be the user's"),
  "unanswered-call": mapped(
    "a tool call without a result was answered with an error: Gemini wants every call answered",
  ),
  "invalid-arguments": mapped('earlier tool arguments that are no JSON object were wrapped as {"INVALID_JSON": ...}'),
  "unsigned-call": mapped(
    "an earlier tool call without its vendor's signature was marked as not to be checked; answers may be worse",
  ),
  "result-media": mapped("media in a tool's result were sent beside it: this model takes only text in it"),
  "schema-keywords": mapped("keywords of a JSON schema were moved to its descriptions, nothing enforces them"),
  "effort-moved": mapped("the reasoning effort was moved to the nearest this model knows"),
  "effort-as-budget": mapped("the reasoning effort was sent as a budget of tokens"),
  "budget-as-effort": mapped("the reasoning budget was sent as a level"),
  "budget-fitted": mapped("the reasoning budget was fitted to what this model takes"),
  "thinking-not-off": mapped("this model cannot stop thinking: it was asked to think as little as it can"),
} as const satisfies Record<string, Loss>;

export type LossName = keyof typeof losses;

/** What an answer of another language loses on its way to a caller of this one. */
export const answerLosses = {
  "foreign-event": dropped("a part of the answer Gemini's language has no word for was left out"),
  "answer-arguments": mapped('tool arguments that are no JSON object were wrapped as {"INVALID_JSON": ...}'),
} as const satisfies Record<string, Loss>;

export function answerWarning(name: keyof typeof answerLosses, detail?: string): string {
  return lossWarning(name, answerLosses[name], detail);
}

/** What one request loses. */
export class LossLedger extends TableLedger<LossName> {
  constructor() {
    super(losses);
  }
}
