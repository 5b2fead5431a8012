import { dropped, lossWarning, mapped, refused, TableLedger, type Loss } from "#dialects/loss-table";

/**
 * What a request of another language loses on its way into a Converse request. `refused`: leaving it out would change
 * what the caller gets, so another target is asked. `dropped`: not sent. `mapped`: said in another form.
 *
 * Nothing is lost, and nothing said, where: `developer` becomes `system`; a document's title loses characters Bedrock
 * does not take; a blank text part goes, and white space at the end of a last assistant turn; an earlier refusal becomes
 * text; an id of a tool call that does not fit becomes a digest of itself; defaults of the other language (`n: 1`,
 * penalties of 0, `detail: auto`) are not written; without a choice among tools (`none`) the tools are not declared, and
 * where the history needs some, one is that nothing may call.
 */
export const losses = {
  choices: refused("Converse gives one answer per request: `n` must be 1"),
  logprobs: refused("Converse has no log-probabilities"),
  "logit-bias": refused("Converse has no `logit_bias`"),
  "blank-stop": refused("stop sequences that are only white space are refused"),
  "audio-type": refused("audio must be of a kind Converse has a word for, such as mp3 or wav"),
  "video-type": refused("video must be of a kind Converse has a word for, such as mp4 or webm"),
  "image-type": refused("images must be JPEG, PNG, GIF or WebP"),
  "document-type": refused("documents must be PDF, CSV, Word, Excel, HTML, Markdown or plain text"),
  "media-address": refused("Bedrock fetches nothing but from S3: images and files must be given as data"),
  "foreign-file": refused("a file id is known only to the provider it was uploaded to; send the file's bytes"),
  "foreign-part": refused("Converse has no word for a part of a message"),
  "assistant-media": refused("Converse takes images and files from the user only"),
  "system-part": refused("system content may hold only text"),
  "tool-name": refused("tool names must match ^[a-zA-Z0-9_-]{1,64}$"),
  "tool-result-media": refused("this model takes only text in a tool's result"),
  "named-tool": refused("this model cannot be made to call one of several tools"),
  "dropped-tool": refused("a tool call is required that only another provider can run"),
  "json-schema-unsupported": refused("this model cannot be held to a JSON schema"),
  "needed-field": refused("Converse has no word for a field that the answer depends on"),
  "caller-tool": refused("Converse has no word for a kind of tool that the caller runs"),
  "schema-depth": refused("the JSON schema is nested more than 64 levels deep"),
  "schema-reference": refused("this model takes no references in the schema of a tool, and one cannot be written out"),
  "nothing-to-ask": refused("Converse needs at least one message with content"),

  seed: dropped("`seed` was not sent: Converse has none"),
  penalties: dropped("frequency and presence penalties were not sent: Converse has none"),
  "top-k": dropped("`top_k` was not sent: this model is not known to take it"),
  verbosity: dropped("`verbosity` was not sent: Converse has none"),
  "service-tier": dropped("`service_tier` was not sent: Bedrock has no such tier"),
  "user-id": dropped("the user's id was not sent: request metadata takes at most 256 letters, digits and few signs"),
  "participant-name": dropped("names of participants were not sent: Converse has none"),
  "image-detail": dropped("the detail level of images was not sent: Converse has none"),
  citations: dropped("citations in earlier answers were not sent"),
  "foreign-tool": dropped("a tool only another provider can run was not sent"),
  "foreign-history": dropped("a part of an earlier answer that only another provider understands was not sent"),
  "foreign-reasoning": dropped("earlier reasoning was not sent: only the vendor that sealed it can read it"),
  "cache-markers": dropped("cache markers beyond the fourth, on empty text or for a model without them were not sent"),
  "strict-tool": dropped("`strict` was not sent: this model is not known to support it for tools"),
  "parallel-tools": dropped("that tools be called one at a time was not asked for: only Claude can be told"),
  "unknown-field": dropped("fields Converse has no word for were not sent"),
  sampling: dropped("temperature, top_p and top_k were not sent: this model refuses them"),
  "sampling-while-thinking": dropped(
    "temperature, top_p and top_k were not sent: they cannot be combined with thinking",
  ),
  "top-p-beside-temperature": dropped("`top_p` was not sent: this model takes it or `temperature`, not both"),
  "thinking-unsupported": dropped("the reasoning wish was not sent: this model is not known to take one"),
  "thinking-with-forced-tool": dropped("thinking was left off: it cannot be combined with a forced tool call"),
  "thinking-without-history": dropped(
    "thinking was left off: earlier tool calls come without the thoughts before them",
  ),
  "thinking-without-room": dropped("thinking was left off: it needs more than 1024 tokens of room for the answer"),

  temperature: mapped("`temperature` was lowered to 1, the highest Converse knows"),
  "max-tokens-invented": mapped("the answer's limit was set above the reasoning budget, as it must be"),
  "max-tokens-lowered": mapped("the answer's limit was lowered to what the model can give"),
  "cache-life": mapped("the life of a cache marker was left to the model: it takes none, or a longer one came later"),
  "system-inside": mapped("a system message in mid-conversation was sent as marked text of the user's turn"),
  "system-only": mapped("a lone system message was sent as the user's turn"),
  "assistant-first": mapped("a short user turn was put before the first message, which must be the user's"),
  "document-text": mapped("a line of text was put beside a document that came without any"),
  "tool-error": mapped("this model knows no failed tool results, so the text says it"),
  "invalid-arguments": mapped('earlier tool arguments that are no JSON object were wrapped as {"INVALID_JSON": ...}'),
  "json-mode": mapped("JSON mode is asked for by an instruction, nothing enforces it"),
  "json-schema-as-tool": mapped("the JSON schema was sent as a tool to call in place of an answer"),
  "schema-keywords": mapped("keywords of a JSON schema were moved to its descriptions, nothing enforces them"),
  "schema-top": mapped("this model takes only properties and what is required at the top of a tool's schema"),
  "effort-lowered": mapped("the reasoning effort was moved to the nearest this model knows"),
  "effort-as-budget": mapped("the reasoning effort was sent as a budget of tokens"),
  "budget-as-effort": mapped("the reasoning budget was sent as an effort"),
  "budget-fitted": mapped("the reasoning budget was fitted between 1024 tokens and the answer's limit"),
} as const satisfies Record<string, Loss>;

export type LossName = keyof typeof losses;

/** What an answer of another language loses on its way to a caller of this one. */
export const answerLosses = {
  "foreign-event": dropped("a part of the answer Converse has no word for was left out"),
  "answer-arguments": mapped('tool arguments that are no JSON object were wrapped as {"INVALID_JSON": ...}'),
  "answer-paused": mapped("Converse cannot say that the answer is paused, so it says end_turn"),
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
