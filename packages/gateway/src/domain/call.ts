/** Languages by id. Code outside `dialects/` passes ids on and never compares them. */
export type DialectId = "openai-chat" | "anthropic-messages";

/** What a caller wants done. */
export type Operation = "generate" | "count-tokens";

/** Options of the gateway itself: the body's `hedgerow` object and its synonyms. Never reach a provider. */
export interface CallOptions {
  readonly route?: string;
  /** Names to try in this order, from `model: []`, `models`, `fallbacks`. */
  readonly chain?: readonly string[];
  readonly timeoutMs?: number;
  readonly minConfidence?: number;
  readonly session?: string;
  readonly tags?: readonly string[];
  /** Add a `hedgerow` object to the answer. */
  readonly metadata: boolean;
  /** OpenRouter's `provider` object, the part whose meaning is the same. */
  readonly provider?: ProviderWish;
}

export interface ProviderWish {
  readonly order?: readonly string[];
  readonly only?: readonly string[];
  readonly ignore?: readonly string[];
  readonly allowFallbacks?: boolean;
  /** Cheapest first; targets of unknown price last. */
  readonly sort?: "price";
  /** Ceilings in integer nano-dollars per million tokens; a target of unknown price is above every ceiling. */
  readonly maxPrice?: { readonly prompt?: number; readonly completion?: number };
}

/** A request that was let in: authenticated, bounded, peeked at, not parsed. */
export interface Call {
  /** `req_` and 24 hex digits; shown as `x-request-id`. */
  readonly id: string;
  readonly dialect: DialectId;
  readonly operation: Operation;
  /** The body as it came. */
  readonly body: Uint8Array;
  /** The name the caller wrote first. */
  readonly model: string;
  readonly streamed: boolean;
  readonly options: CallOptions;
  /** Lower-case names; only what an upstream of the same language may see (the dialect's allow-list). */
  readonly passHeaders: Readonly<Record<string, string>>;
  /** The gateway key's name, or `anonymous` on an open loopback gateway. */
  readonly caller: string;
  /** Monotonic milliseconds. */
  readonly acceptedAtMs: number;
}
