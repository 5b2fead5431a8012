import { dropped, lossWarning, mapped, refused, TableLedger, type Loss } from "#dialects/loss-table";

/**
 * What a request of another language loses on its way into a Responses request. `refused`: leaving it out would change
 * what the caller gets, so another target is asked. `dropped`: not sent. `mapped`: said in another form.
 *
 * Nothing is lost, and nothing said, where: `developer` becomes `system`; a user id goes as `safety_identifier`; a call
 * without arguments gets `{}`; defaults of the other language (`n: 1`, penalties of 0) are not written.
 */
export const losses = {
  choices: refused("the Responses API gives one answer per request: `n` must be 1"),
  stop: refused("the Responses API has no stop sequences"),
  "logit-bias": refused("the Responses API has no `logit_bias`"),
  audio: refused("the Responses API takes no audio"),
  video: refused("the Responses API takes no video"),
  "foreign-file": refused("a file id is known only to the provider it was uploaded to; send the file's bytes"),
  "foreign-part": refused("the Responses API has no word for a part of the prompt"),
  "tool-name": refused("tool names must match ^[a-zA-Z0-9_-]{1,128}$"),
  "schema-name": refused("the name of a JSON schema must match ^[a-zA-Z0-9_-]{1,64}$"),
  "caller-tool": refused("the Responses API has no word for a kind of tool that the caller runs"),
  "dropped-tool": refused("a tool call is required that only another provider can run"),
  "json-schema-unsupported": refused("this model cannot be held to a JSON schema"),
  "needed-field": refused("the Responses API has no word for a field that the answer depends on"),
  "refused-meaning": refused("the target refuses a field that the answer depends on"),

  seed: dropped("`seed` was not sent: the Responses API has none"),
  penalties: dropped("frequency and presence penalties were not sent: the Responses API has none"),
  "top-k": dropped("`top_k` was not sent: the Responses API has none"),
  sampling: dropped("temperature and top_p were not sent: this model refuses them"),
  "service-tier": dropped("`service_tier` was not sent: the Responses API has no such tier"),
  "participant-name": dropped("names of participants were not sent: the Responses API has none"),
  citations: dropped("citations were not sent: the Responses API takes none in a request"),
  "document-context": dropped("a document's context was not sent: the Responses API has no place for it"),
  "cache-markers": dropped("cache markers were not sent: this target caches by itself and takes none there"),
  "foreign-tool": dropped("a tool only another provider can run was not sent"),
  "foreign-history": dropped("a part of an earlier answer that only another provider understands was not sent"),
  "foreign-reasoning": dropped("earlier reasoning was not sent: only the vendor that sealed it can read it"),
  "reasoning-alone": dropped("an earlier thought was not sent: what followed it is missing"),
  "reasoning-unsupported": dropped("the reasoning wish was not sent: this model does not reason"),
  "effort-fixed": dropped("the reasoning effort was not sent: this model thinks as much as it likes"),
  "refused-hint": dropped("a field was not sent: the target refuses it, and it is only a hint"),
  "unknown-field": dropped("fields the Responses API has no word for were not sent"),

  "max-tokens-lowered": mapped("the limit of the answer was lowered to what the model can give"),
  "max-tokens-raised": mapped("the limit of the answer was raised to 16, the least the Responses API takes"),
  "user-id": mapped("a user id of more than 64 characters was sent as its digest"),
  "effort-moved": mapped("the reasoning effort was moved to the nearest this model knows"),
  "reasoning-budget": mapped("the reasoning budget was sent as an effort"),
  "json-schema-loose": mapped(
    "OpenAI enforces only schemas whose objects are closed and require all properties, so this one is not enforced",
  ),
  "tool-error": mapped("the Responses API has no error flag for tool results, so the text says it"),
  "system-media": mapped("an image or a file in a system message was sent as the user's"),
  prefill: mapped("the Responses API answers anew where the last message is the assistant's own"),
} as const satisfies Record<string, Loss>;

export type LossName = keyof typeof losses;

/** What an answer of another language loses on its way to a caller of this one. */
export const answerLosses = {
  "foreign-event": dropped("a part of the answer the Responses API has no word for was left out"),
  "stop-sequence": dropped("which stop sequence was met cannot be said by the Responses API"),
  "answer-paused": mapped("the Responses API cannot say that the answer is paused: it says completed"),
  "answer-malformed": mapped("the model failed to form an answer, which the Responses API says as failed"),
} as const satisfies Record<string, Loss>;

export function answerWarning(name: keyof typeof answerLosses, detail?: string): string {
  return lossWarning(name, answerLosses[name], detail?.slice(0, mostDetail));
}

/** Characters of a detail that are said. */
const mostDetail = 200;

/** What one request loses. */
export class LossLedger extends TableLedger<LossName> {
  constructor() {
    super(losses);
  }

  override note(name: LossName, detail?: string, param?: string): void {
    super.note(name, detail?.slice(0, mostDetail), param);
  }
}
