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
  readonly from: Provenance;
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
