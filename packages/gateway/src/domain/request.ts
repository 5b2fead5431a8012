/** A request for an answer in the hub's words: what both sides of a translation agree on. */
export interface GenerateRequest {
  /** As the caller wrote it; the encoder replaces it by the target's name. */
  readonly model: string;
  readonly streamed: boolean;
  /** The caller asked for usage inside the stream (always true where the language always has it). */
  readonly usageInStream: boolean;
  readonly turns: readonly Turn[];
  readonly tools: readonly Tool[];
  readonly toolChoice?: ToolChoice;
  /** Absent where the caller did not say. */
  readonly parallelTools?: boolean;
  /** The caller knows one call an answer, under the name OpenAI gave it before there were tools. */
  readonly legacyFunctions?: true;
  readonly output?: OutputShape;
  readonly sampling: Sampling;
  readonly maxOutputTokens?: number;
  readonly stop: readonly string[];
  readonly reasoning?: ReasoningWish;
  /** An opaque id of the end user. */
  readonly user?: string;
  /** The number of answers asked for; 1 when not said. */
  readonly choices: number;
  readonly logprobs?: { readonly top?: number };
  /** Cache the whole prompt up to its end (Anthropic's top-level `cache_control`). */
  readonly cache?: CacheMarker;
  readonly serviceTier?: string;
  readonly verbosity?: string;
  /** Fields this hub has no word for, by path. Losing one is a warning, never silence. */
  readonly rest: Readonly<Record<string, unknown>>;
  /** Those of `rest` that the answer depends on: a language without a word for them refuses the request. */
  readonly needed?: readonly string[];
}

export interface Sampling {
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
  readonly seed?: number;
  readonly logitBias?: Readonly<Record<string, number>>;
}

/** `system` turns keep their place: some languages allow them mid-conversation. `developer` is a system turn. */
export interface Turn {
  readonly role: "system" | "user" | "assistant";
  readonly parts: readonly Part[];
  /** A participant's name, where the language has one. */
  readonly name?: string;
}

export type Part =
  | TextPart
  | ImagePart
  | DocumentPart
  | AudioPart
  | VideoPart
  | ReasoningPart
  | ToolCallPart
  | ToolResultPart
  | RefusalPart
  | ForeignPart;

interface Cacheable {
  readonly cache?: CacheMarker;
}

export interface CacheMarker {
  readonly ttl?: "5m" | "1h";
}

export interface TextPart extends Cacheable {
  readonly kind: "text";
  readonly text: string;
  /** Citations the language attaches to text; opaque to the hub. */
  readonly citations?: unknown;
  /** Opaque state of an earlier answer that hangs on this text. */
  readonly seal?: Seal;
}

/** Bytes as base64, an address the provider fetches, or a file id that only its issuer knows. */
export type Source =
  | { readonly kind: "base64"; readonly mediaType: string; readonly data: string }
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "file"; readonly id: string };

export interface ImagePart extends Cacheable {
  readonly kind: "image";
  readonly source: Source;
  readonly detail?: string;
}

export interface DocumentPart extends Cacheable {
  readonly kind: "document";
  readonly source: Source | { readonly kind: "text"; readonly text: string };
  readonly title?: string;
  readonly context?: string;
  readonly citations?: boolean;
}

export interface VideoPart {
  readonly kind: "video";
  readonly source: Source;
}

export interface AudioPart {
  readonly kind: "audio";
  readonly format: string;
  readonly data: string;
}

/** A thought of an earlier turn. Its seal is opaque and goes back to its issuer only, byte for byte. */
export interface ReasoningPart {
  readonly kind: "reasoning";
  readonly text: string;
  readonly seal?: Seal;
}

export interface Seal {
  /** Who can read it: a vendor name as in `vendor/model`. */
  readonly issuer: string;
  readonly form: "signature" | "redacted" | "encrypted";
  readonly value: string;
  /** The vendor's own name for the sealed thought, where it wants that back too (Responses' `rs_…`). */
  readonly id?: string;
}

export interface ToolCallPart extends Cacheable {
  readonly kind: "tool-call";
  readonly id: string;
  readonly name: string;
  /** JSON text as it came: re-serialising would change numbers. Empty means `{}`. */
  readonly argumentsJson: string;
  /** Opaque state of an earlier answer that hangs on this call. */
  readonly seal?: Seal;
}

export interface ToolResultPart extends Cacheable {
  readonly kind: "tool-result";
  readonly callId: string;
  readonly parts: readonly (TextPart | ImagePart | DocumentPart | ForeignPart)[];
  readonly failed: boolean;
}

export interface RefusalPart {
  readonly kind: "refusal";
  readonly text: string;
}

/** A part the hub has no word for: `what` names it for the warning or refusal. */
export interface ForeignPart {
  readonly kind: "foreign";
  readonly what: string;
  readonly payload: unknown;
  /** Another part answers to it (a tool's result to its call): it cannot be left out alone. */
  readonly needed?: true;
}

export type Tool =
  | {
      readonly kind: "function";
      readonly name: string;
      readonly description?: string;
      /** JSON Schema of the arguments. */
      readonly schema: unknown;
      readonly strict?: boolean;
      readonly cache?: CacheMarker;
    }
  /**
   * Of a kind the hub has no word for: run by the provider itself (web search, code execution) or, with `callerRuns`,
   * by the caller, who waits for its calls (custom grammars, a computer, an editor).
   */
  | { readonly kind: "foreign"; readonly what: string; readonly payload: unknown; readonly callerRuns?: true };

export type ToolChoice =
  | { readonly kind: "auto" }
  | { readonly kind: "none" }
  | { readonly kind: "required" }
  | { readonly kind: "named"; readonly name: string };

export type OutputShape =
  | { readonly kind: "text" }
  | { readonly kind: "json" }
  | {
      readonly kind: "json-schema";
      readonly schema: unknown;
      readonly name?: string;
      readonly description?: string;
      readonly strict?: boolean;
    };

/** How much to think. `effort` and `budgetTokens` are two languages' words for the same wish; both may be absent. */
export interface ReasoningWish {
  readonly mode: "off" | "on" | "adaptive";
  readonly effort?: Effort;
  readonly budgetTokens?: number;
  /** Whether the thoughts are to be shown: `omitted` asks for the signature alone. */
  readonly display?: "summarized" | "omitted";
}

export type Effort = "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max";
