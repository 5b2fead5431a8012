import type { ConfidenceRule } from "./confidence.ts";
import type { TraceContext } from "./trace.ts";

/** Languages by id. Code outside `dialects/` passes ids on and never compares them. */
export type DialectId = ClientDialectId | "cohere-chat";

/** Those that clients speak to the gateway too. */
export type ClientDialectId = "openai-chat" | "openai-responses" | "anthropic-messages" | "gemini" | "bedrock-converse";

/**
 * What a caller wants done. `complete` is OpenAI's older completions endpoint, `moderate` and `rerank` are judgements
 * about texts.
 */
export type Operation = "generate" | "count-tokens" | "embed" | "complete" | "moderate" | "rerank";

/** Not billed, or not by what the catalogue prices. */
export const unbilledOperations: ReadonlySet<Operation> = new Set(["count-tokens", "moderate"]);

/** What a caller's path and query say of the call, in languages that say it there. */
export interface CallAddress {
  /** The model's name, decoded. */
  readonly model?: string;
  /** Whether the answer is to be streamed, where the path decides it. */
  readonly streamed?: boolean;
  /** A stream in another framing than the language's usual: Gemini's JSON array, where `alt=sse` is not asked for. */
  readonly framing?: "json-array";
  /** The language's own variant of the operation: `batch` for Gemini's `batchEmbedContents`. */
  readonly variant?: string;
}

/** Options of the gateway itself: the body's `hedgerow` object and its synonyms. Never reach a provider. */
export interface CallOptions {
  readonly route?: string;
  /** Names to try in this order, from `model: []`, `models`, `fallbacks`. */
  readonly chain?: readonly string[];
  readonly timeoutMs?: number;
  readonly minConfidence?: number;
  /** What the caller says of the gate beside `minConfidence`; it wins over the route's rule field by field. */
  readonly confidence?: ConfidenceWish;
  readonly session?: string;
  /** Whom the call is made for, as its caller says. */
  readonly user?: string;
  readonly tags?: readonly string[];
  /** Add a `hedgerow` object to the answer. */
  readonly metadata: boolean;
  /** OpenRouter's `provider` object, the part whose meaning is the same. */
  readonly provider?: ProviderWish;
  /** Wins over OpenRouter's. */
  readonly sort?: SortWish;
  /** Longest wait for first content that 19 of 20 calls must keep at a target. */
  readonly maxLatencyMs?: number;
  /** An effort that whoever answers must have: `high`. */
  readonly reasoning?: string;
}

/** What a caller may say of the gate: never who judges, what is irreversible, or where reviews are told. */
export interface ConfidenceWish {
  readonly mode?: ConfidenceRule["mode"];
  readonly estimator?: ConfidenceRule["estimator"];
  readonly uncalibrated?: ConfidenceRule["uncalibrated"];
  readonly exhausted?: ConfidenceRule["exhausted"];
  readonly stream?: ConfidenceRule["stream"];
  readonly maxCostNanoUsd?: number;
  /** Rather than an error, an answer says that a person was asked (202), and where its decision will be. */
  readonly pending?: true;
}

/** `quality`: the order of the route, which is its operator's own ranking. */
export type SortWish = "price" | "latency" | "throughput" | "quality";

/** What a call needs of whoever answers it, as far as a look at its top level tells. Absent: not needed, or not seen. */
export interface Needs {
  readonly tools?: true;
  readonly structuredOutput?: true;
  /** Media of the prompt. */
  readonly inputs?: readonly MediaInput[];
  /** Tokens of the prompt, estimated from its bytes. Absent where media make bytes say nothing. */
  readonly promptTokens?: readonly [least: number, most: number];
}

export type MediaInput = "image" | "pdf" | "audio" | "video";

export interface ProviderWish {
  readonly order?: readonly string[];
  readonly only?: readonly string[];
  readonly ignore?: readonly string[];
  readonly allowFallbacks?: boolean;
  /** Targets of which the figure is unknown come last. */
  readonly sort?: Exclude<SortWish, "quality">;
  /** Ceilings in integer nano-dollars per million tokens; a target of unknown price is above every ceiling. */
  readonly maxPrice?: { readonly prompt?: number; readonly completion?: number };
}

/** A request that was let in: authenticated, bounded, peeked at, not parsed. */
export interface Call {
  /** `req_` and 24 hex digits; shown as `x-request-id`. */
  readonly id: string;
  readonly dialect: ClientDialectId;
  readonly operation: Operation;
  readonly address: CallAddress;
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
  /** Whose things in the memory it finds and leaves; absent: the caller's. */
  readonly owner?: string;
  /** The trace it came with. */
  readonly trace?: TraceContext;
  /** Monotonic milliseconds. */
  readonly acceptedAtMs: number;
}

export function memoryOwner({ owner, caller }: Pick<Call, "owner" | "caller">): string {
  return owner ?? caller;
}
