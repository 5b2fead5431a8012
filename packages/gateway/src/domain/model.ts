/** Where a figure of the catalogue comes from. */
export interface Provenance {
  readonly source: string;
  /** ISO date, `2026-07-02`. */
  readonly date: string;
  /** The page that says so, where it is not the source's own. */
  readonly url?: string;
}

/** Integer nano-dollars (10⁻⁹ USD) per million tokens. An absent bucket has an unknown price, never zero. */
export interface Rates {
  readonly input?: number;
  readonly output?: number;
  /** Only where reasoning costs other than visible output. */
  readonly reasoning?: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
  readonly inputAudio?: number;
  readonly outputAudio?: number;
}

export interface Price extends Rates {
  /** Nano-dollars per request. */
  readonly request?: number;
  /** Other rates for long prompts, by rising threshold. Absent: one rate for every length. */
  readonly tiers?: readonly PriceTier[];
  /** Other rates for other service (`priority`, `fast`), which a request asks for. */
  readonly modes?: readonly PriceMode[];
  /** Once a model has reasoned, its visible answer costs what its reasoning costs (Alibaba's "thinking mode"). */
  readonly reasoningRateForAll?: boolean;
  readonly from: Provenance;
}

/** Rates of the whole request, not only of the excess, once its prompt is longer than the threshold. */
export interface PriceTier extends Rates {
  readonly abovePromptTokens: number;
}

export interface PriceMode extends Rates {
  /** The list's word: `fast`. */
  readonly name: string;
  /** What a request says to get it: `service_tier: priority`, `speed: fast`. */
  readonly asked: Readonly<Record<string, string>>;
  readonly from: Provenance;
}

/** What the gateway knows of a model at a provider. Absent means unknown. */
export interface ModelTraits {
  /** Canonical `vendor/model`. */
  readonly name: string;
  /** For people: `Claude Sonnet 5`. */
  readonly title?: string;
  readonly contextTokens?: number;
  /** Where the prompt may not fill the whole context. */
  readonly maxInputTokens?: number;
  readonly maxOutputTokens?: number;
  readonly price?: Price;
  readonly capabilities: Capabilities;
  /** `deprecated` and `retired` come from dated notices, or `deprecated` from a list's word. */
  readonly lifecycle?: "alpha" | "beta" | "active" | "deprecated" | "retired";
  /** ISO date of the day from which the vendor calls it deprecated. */
  readonly deprecatedOn?: string;
  /** The announced day of shutdown (ISO date). Some vendors announce the earliest possible one. */
  readonly retiresOn?: string;
  /** What the vendor's notice names instead. */
  readonly replacements?: readonly string[];
  /** The notice; absent where `from` says it. */
  readonly lifecycleFrom?: Provenance;
  /** ISO date, `2026-03-05`, or as much of one as is known. */
  readonly releasedOn?: string;
  /** The training data ends here: `2025-08-31`, `2025-08` or `2025`. */
  readonly knowledgeUntil?: string;
  readonly openWeights?: boolean;
  /** How much the gateway's operator trusts it not to do harm, 0 to 9. Only the configuration says so. */
  readonly safetyTier?: number;
  readonly from: Provenance;
}

export interface Capabilities {
  readonly tools?: boolean;
  readonly structuredOutput?: boolean;
  readonly reasoning?: boolean;
  readonly reasoningControl?: ReasoningControl;
  /** The field of a chat message in which reasoning goes back with the next turn: `reasoning_content`. */
  readonly reasoningField?: string;
  /** False where the model refuses `temperature`, `top_p` and the like. */
  readonly sampling?: boolean;
  /** Takes files. */
  readonly attachments?: boolean;
  /** Input kinds: `text`, `image`, `pdf`, `audio`, `video`. */
  readonly inputs?: readonly string[];
  /** Output kinds, of the same words. */
  readonly outputs?: readonly string[];
}

/** How a request steers reasoning. Empty: not at all. */
export interface ReasoningControl {
  /** Can be switched on and off. */
  readonly toggle?: boolean;
  /** Words the model takes for its effort. */
  readonly efforts?: readonly string[];
  /** Takes a budget of thinking tokens, within these bounds where they are known. */
  readonly budgetTokens?: { readonly min?: number; readonly max?: number };
}
