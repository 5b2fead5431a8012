/** Where a figure of the catalogue comes from. */
export interface Provenance {
  readonly source: string;
  /** ISO date, `2026-07-02`. */
  readonly date: string;
}

/** Integer nano-dollars (10⁻⁹ USD) per million tokens. An absent bucket has an unknown price, never zero. */
export interface Price {
  readonly input: number;
  readonly output: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
  /** Nano-dollars per request. */
  readonly request?: number;
  /** Other rates for long prompts, by rising threshold. Absent: one rate for every length. */
  readonly tiers?: readonly PriceTier[];
  readonly from: Provenance;
}

/** Rates of the whole request, not only of the excess, once its prompt is longer than the threshold. */
export interface PriceTier extends Pick<Price, "input" | "output" | "cacheRead" | "cacheWrite"> {
  readonly abovePromptTokens: number;
}

/** What the gateway knows of a model at a provider. Absent means unknown. */
export interface ModelTraits {
  /** Canonical `vendor/model`. */
  readonly name: string;
  readonly contextTokens?: number;
  readonly maxOutputTokens?: number;
  readonly price?: Price;
  readonly capabilities: Capabilities;
  /** `deprecated` and `retired` come from dated notices. */
  readonly lifecycle?: "alpha" | "beta" | "active" | "deprecated" | "retired";
  /** The announced day of shutdown (ISO date). Some vendors announce the earliest possible one. */
  readonly retiresOn?: string;
  readonly from: Provenance;
}

export interface Capabilities {
  readonly tools?: boolean;
  readonly structuredOutput?: boolean;
  readonly reasoning?: boolean;
  /** False where the model refuses `temperature`, `top_p` and the like. */
  readonly sampling?: boolean;
  /** Input kinds: `text`, `image`, `pdf`, `audio`, `video`. */
  readonly inputs?: readonly string[];
}
