import { dropped, lossWarning, mapped, refused, TableLedger, type Loss } from "#dialects/loss-table";

/**
 * What a request of another language loses on its way into a Messages request. `refused`: leaving it out would change
 * what the caller gets, so another target is asked. `dropped`: not sent. `mapped`: said in another form.
 *
 * Nothing is lost, and nothing said, where: `developer` becomes `system`; `max_tokens` is taken from the model's own
 * limit; a schema's name goes (its description stays); a blank text part goes, and white space at the end of a last
 * assistant turn; an earlier refusal becomes text;
 * defaults of the other language (`n: 1`, penalties of 0, `detail: auto`) are not written;
 * tools of an earlier turn are declared again, uncallable, where the request itself brings none.
 */
export const losses = {
  choices: refused("the Messages API gives one answer per request: `n` must be 1"),
  logprobs: refused("the Messages API has no log-probabilities"),
  "logit-bias": refused("the Messages API has no `logit_bias`"),
  "blank-stop": refused("the Messages API refuses stop sequences that are only white space"),
  audio: refused("the Messages API takes no audio"),
  video: refused("the Messages API takes no video"),
  "image-type": refused("images must be JPEG, PNG, GIF or WebP"),
  "image-address": refused("images must be given as data or as an http(s) address"),
  "document-type": refused("documents must be PDF or plain text"),
  "foreign-file": refused("a file id is known only to the provider it was uploaded to; send the file's bytes"),
  "foreign-part": refused("the Messages API has no word for a part of a message"),
  "system-part": refused("system content may hold only text"),
  "tool-name": refused("tool names must match ^[a-zA-Z0-9_-]{1,128}$"),
  "dropped-tool": refused("a tool call is required that only another provider can run"),
  "json-schema-unsupported": refused("this model cannot be held to a JSON schema"),
  "needed-field": refused("the Messages API has no word for a field that the answer depends on"),
  "caller-tool": refused("the Messages API has no word for a kind of tool that the caller runs"),
  "schema-depth": refused("the JSON schema is nested more than 64 levels deep"),
  "nothing-to-ask": refused("the Messages API needs at least one message with content"),

  seed: dropped("`seed` was not sent: the Messages API has none"),
  penalties: dropped("frequency and presence penalties were not sent: the Messages API has none"),
  verbosity: dropped("`verbosity` was not sent: the Messages API has none"),
  "service-tier": dropped("`service_tier` was not sent: the Messages API has no such tier"),
  "participant-name": dropped("names of participants were not sent: the Messages API has none"),
  "image-detail": dropped("the detail level of images was not sent: the Messages API has none"),
  citations: dropped("citations in earlier answers were not sent"),
  "foreign-tool": dropped("a tool only another provider can run was not sent"),
  "foreign-history": dropped("a part of an earlier answer that only another provider understands was not sent"),
  "foreign-reasoning": dropped("earlier reasoning was not sent: only the vendor that sealed it can read it"),
  "cache-markers": dropped("cache markers beyond the fourth, or on empty text, were not sent"),
  "strict-tool": dropped("`strict` was not sent: this model is not known to support it for tools"),
  "unknown-field": dropped("fields the Messages API has no word for were not sent"),
  sampling: dropped("temperature, top_p and top_k were not sent: this model refuses them"),
  "sampling-while-thinking": dropped(
    "temperature, top_p and top_k were not sent: they cannot be combined with thinking",
  ),
  "top-p-beside-temperature": dropped("`top_p` was not sent: this model takes it or `temperature`, not both"),
  "thinking-unsupported": dropped("the reasoning wish was not sent: this model does not think aloud"),
  "thinking-with-forced-tool": dropped("thinking was left off: it cannot be combined with a forced tool call"),
  "thinking-without-history": dropped(
    "thinking was left off: earlier tool calls come without the thoughts before them",
  ),
  "thinking-without-room": dropped("thinking was left off: it needs more than 1024 tokens of room for the answer"),

  temperature: mapped("`temperature` was lowered to 1, the highest the Messages API knows"),
  "max-tokens-invented": mapped("`max_tokens` is required here and was set to 4096"),
  "max-tokens-lowered": mapped("`max_tokens` was lowered to what the model can give"),
  "cache-order": mapped("a cache marker of one hour behind a shorter one was shortened: the longer must come first"),
  "system-inside": mapped("a system message in mid-conversation was sent as marked text of the user's turn"),
  "system-only": mapped("a lone system message was sent as the user's turn"),
  "assistant-first": mapped("a short user turn was put before the first message, which must be the user's"),
  "invalid-arguments": mapped('earlier tool arguments that are no JSON object were wrapped as {"INVALID_JSON": ...}'),
  "json-mode": mapped("JSON mode is asked for by an instruction, nothing enforces it"),
  "schema-keywords": mapped("keywords of a JSON schema were moved to its descriptions, nothing enforces them"),
  "effort-lowered": mapped("the reasoning effort was moved to the nearest this model knows"),
  "effort-as-budget": mapped("the reasoning effort was sent as a budget of tokens"),
  "budget-as-effort": mapped("the reasoning budget was sent as an effort"),
  "budget-fitted": mapped("the reasoning budget was fitted between 1024 tokens and the answer's limit"),
} as const satisfies Record<string, Loss>;

export type LossName = keyof typeof losses;

/** What an answer of another language loses on its way to a caller of this one. */
export const answerLosses = {
  "foreign-event": dropped("a part of the answer the Messages API has no word for was left out"),
  "answer-arguments": mapped('tool arguments that are no JSON object were wrapped as {"INVALID_JSON": ...}'),
  "answer-malformed": mapped("the model failed to form an answer, which the Messages API cannot say: it says end_turn"),
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
