import { failure, type Failure } from "#domain/failure";

/**
 * What a request of another language loses on its way into a Messages request. `refused`: leaving it out would change
 * what the caller gets, so another target is asked. `dropped`: not sent. `changed`: sent in another form.
 *
 * Nothing is lost, and nothing said, where: `developer` becomes `system`; `max_tokens` is taken from the model's own
 * limit; a schema's name goes (its description stays); an empty text part goes; an earlier refusal becomes text;
 * defaults of the other language (`n: 1`, penalties of 0, `detail: auto`) are not written;
 * tools of an earlier turn are declared again, uncallable, where the request itself brings none.
 */
export const losses = {
  choices: refused("this language gives one answer per request: `n` must be 1"),
  logprobs: refused("this language has no log-probabilities"),
  logitBias: refused("this language has no `logit_bias`"),
  blankStop: refused("this language refuses stop sequences that are only white space"),
  audio: refused("this language takes no audio"),
  imageType: refused("images must be JPEG, PNG, GIF or WebP"),
  imageAddress: refused("images must be given as data or as an http(s) address"),
  documentType: refused("documents must be PDF or plain text"),
  foreignFile: refused("a file id is known only to the provider it was uploaded to; send the file's bytes"),
  foreignPart: refused("this language has no word for a part of a message"),
  systemPart: refused("system content may hold only text"),
  toolName: refused("tool names must match ^[a-zA-Z0-9_-]{1,128}$"),
  droppedTool: refused("a tool call is required that only another provider can run"),
  jsonSchemaUnsupported: refused("this model cannot be held to a JSON schema"),
  schemaDepth: refused("the JSON schema is nested more than 64 levels deep"),
  nothingToAsk: refused("this language needs at least one message with content"),

  seed: dropped("`seed` was not sent: this language has none"),
  penalties: dropped("frequency and presence penalties were not sent: this language has none"),
  verbosity: dropped("`verbosity` was not sent: this language has none"),
  serviceTier: dropped("`service_tier` was not sent: this language has no such tier"),
  participantName: dropped("names of participants were not sent: this language has none"),
  imageDetail: dropped("the detail level of images was not sent: this language has none"),
  citations: dropped("citations in earlier answers were not sent"),
  foreignTool: dropped("a tool only another provider can run was not sent"),
  foreignHistory: dropped("a part of an earlier answer that only another provider understands was not sent"),
  foreignReasoning: dropped("earlier reasoning was not sent: only the vendor that sealed it can read it"),
  cacheMarkers: dropped("cache markers beyond the fourth, or on empty text, were not sent"),
  strictTool: dropped("`strict` was not sent: this model is not known to support it for tools"),
  rest: dropped("not sent, this language has no such field"),
  sampling: dropped("temperature, top_p and top_k were not sent: this model refuses them"),
  samplingWhileThinking: dropped("temperature, top_p and top_k were not sent: they cannot be combined with thinking"),
  topPBesideTemperature: dropped("`top_p` was not sent: this model takes it or `temperature`, not both"),
  thinkingUnsupported: dropped("the reasoning wish was not sent: this model does not think aloud"),
  thinkingWithForcedTool: dropped("thinking was left off: it cannot be combined with a forced tool call"),
  thinkingWithoutHistory: dropped("thinking was left off: earlier tool calls come without the thoughts before them"),
  thinkingWithoutRoom: dropped("thinking was left off: it needs more than 1024 tokens of room for the answer"),

  temperature: changed("`temperature` was lowered to 1, the highest this language knows"),
  maxTokensInvented: changed("`max_tokens` is required here and was set to 4096"),
  maxTokensLowered: changed("`max_tokens` was lowered to what the model can give"),
  systemInside: changed("a system message in mid-conversation was sent as marked text of the user's turn"),
  systemOnly: changed("a lone system message was sent as the user's turn"),
  assistantFirst: changed("a short user turn was put before the first message, which must be the user's"),
  invalidArguments: changed("earlier tool arguments that are no JSON object were wrapped as {\"INVALID_JSON\": …}"),
  jsonMode: changed("JSON mode is asked for by an instruction, nothing enforces it"),
  schemaKeywords: changed("keywords of a JSON schema were moved to its descriptions, nothing enforces them"),
  effortLowered: changed("the reasoning effort was moved to the nearest this model knows"),
  effortAsBudget: changed("the reasoning effort was sent as a budget of tokens"),
  budgetAsEffort: changed("the reasoning budget was sent as an effort"),
  budgetFitted: changed("the reasoning budget was fitted between 1024 tokens and the answer's limit"),
} as const satisfies Record<string, Loss>;

export type LossName = keyof typeof losses;

export interface Loss {
  readonly treatment: "refused" | "dropped" | "changed";
  /** For the caller; a detail may follow after a colon. */
  readonly words: string;
}

/** What one request loses. The first refusal decides; each warning is said once. */
export class LossLedger {
  readonly #warnings = new Set<string>();
  #refusal: Failure | undefined;

  get refusal(): Failure | undefined {
    return this.#refusal;
  }

  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  note(name: LossName, detail?: string): void {
    const { treatment, words }: Loss = losses[name];
    const said = detail === undefined ? words : `${words}: ${detail}`;
    if (treatment === "refused") {
      this.#refusal ??= failure("not_translatable", `The request cannot be sent to this model: ${said}.`);
    } else {
      this.#warnings.add(said);
    }
  }
}

function refused(words: string): Loss {
  return { treatment: "refused", words };
}

function dropped(words: string): Loss {
  return { treatment: "dropped", words };
}

function changed(words: string): Loss {
  return { treatment: "changed", words };
}
