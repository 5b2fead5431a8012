import type { ToolCall } from "./chat-request.ts";
import type { GatewayFacts } from "./gateway-facts.ts";

/** OpenAI's chat completion, and what the gateway knows of it. */
export interface ChatResponse {
  readonly id: string;
  readonly object: "chat.completion";
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
  readonly choices: readonly Choice[];
  readonly usage?: Usage;
  readonly service_tier?: string | null;
  readonly system_fingerprint?: string | null;
  /** The first choice's text; empty where it has none. */
  readonly text: string;
  /** Calibrated probability (0..1) that the answer is acceptable; absent where no confidence gate ran. */
  readonly confidence_score?: number | null;
  readonly confidence?: Confidence;
  readonly hedgerow: GatewayFacts;
}

export interface Choice {
  readonly index: number;
  readonly message: AnswerMessage;
  readonly finish_reason: FinishReason;
  readonly logprobs?: unknown;
}

export interface AnswerMessage {
  readonly role: "assistant";
  readonly content: string | null;
  readonly refusal?: string | null;
  readonly tool_calls?: readonly ToolCall[];
  readonly annotations?: readonly unknown[];
  readonly audio?: unknown;
  /** Reasoning text, under the name the target's language uses. */
  readonly reasoning_content?: string | null;
  readonly reasoning?: string | null;
  readonly [field: string]: unknown;
}

export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter" | "function_call";

/** Counts are inclusive: cached tokens are part of `prompt_tokens`, reasoning of `completion_tokens`. */
export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details?: Readonly<Record<string, number | null>> | null;
  readonly completion_tokens_details?: Readonly<Record<string, number | null>> | null;
}

/** How an answer was judged. */
export interface Confidence {
  /** Calibrated, 0..1; null where there was no signal. */
  readonly score: number | null;
  /** Before calibration. It promises nothing. */
  readonly raw: number | null;
  /** Signals by name, joined by `+`: `logprobs`, `decision`, `agreement`, `judge`, `verifier`, `stated`; `gate`, `none`. */
  readonly estimator: string;
  readonly calibration: Calibration;
  /** `accepted`; `observed`: scored and let through; `doubted`, `deadline`: the best of answers nobody was sure of. */
  readonly decision: "accepted" | "observed" | "doubted" | "deadline";
  /** Needed for acceptance. */
  readonly threshold: number;
  readonly mode: "per_answer" | "pool";
  readonly low_confidence?: true;
}

export interface Calibration {
  /** `own`, `parent` or `prior`: whose labels it was learned from. `stale`, `drift`: not to be relied on. */
  readonly state: "own" | "parent" | "prior" | "stale" | "drift";
  /** Effective number of labels. */
  readonly n: number;
  readonly ece?: number;
  readonly version: string;
  /** Of a pool of answers: how many of them are right at least, and how often that may be wrong. */
  readonly guarantee: { readonly accuracy_lower_bound: number; readonly delta: number } | null;
}

/** One piece of a streamed answer. */
export interface ChatChunk {
  readonly id: string;
  readonly object: "chat.completion.chunk";
  readonly created: number;
  readonly model: string;
  readonly choices: readonly ChunkChoice[];
  readonly usage?: Usage | null;
  readonly service_tier?: string | null;
  readonly system_fingerprint?: string | null;
  /** With the last chunk, where a confidence gate ran. */
  readonly confidence_score?: number | null;
  readonly confidence?: Confidence;
}

export interface ChunkChoice {
  readonly index: number;
  readonly delta: Delta;
  readonly finish_reason: FinishReason | null;
  readonly logprobs?: unknown;
}

export interface Delta {
  readonly role?: "assistant";
  readonly content?: string | null;
  readonly refusal?: string | null;
  readonly tool_calls?: readonly ToolCallDelta[];
  readonly reasoning_content?: string | null;
  readonly reasoning?: string | null;
  readonly [field: string]: unknown;
}

/** `id`, `type` and the name come with an index's first piece, the arguments' JSON text in all of them. */
export interface ToolCallDelta {
  readonly index: number;
  readonly id?: string;
  readonly type?: "function" | "custom";
  readonly function?: { readonly name?: string; readonly arguments?: string };
  readonly custom?: { readonly name?: string; readonly input?: string };
}

export interface Model {
  readonly id: string;
  readonly object: "model";
  /** Seconds since 1970; 0 where unknown. */
  readonly created: number;
  readonly owned_by: string;
  readonly [field: string]: unknown;
}

export interface ModelList {
  readonly object: "list";
  readonly data: readonly Model[];
}
