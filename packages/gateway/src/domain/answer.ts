import type { Failure } from "./failure.ts";
import type { Usage } from "./usage.ts";

/** Why an answer ended, in one common word, beside the provider's own. */
export interface Finish {
  readonly reason: FinishReason;
  /** As the provider said it; undefined where we had to infer it. */
  readonly raw?: string;
  /** The stop sequence that was met, where the provider says which. */
  readonly stopSequence?: string;
}

/**
 * `stop` natural end · `stop-sequence` · `length` output limit · `context` window full · `tools` wants tools run ·
 * `policy` refused or filtered · `paused` the caller must resend · `malformed` the model failed to form an answer.
 */
export type FinishReason =
  | "stop"
  | "stop-sequence"
  | "length"
  | "context"
  | "tools"
  | "policy"
  | "paused"
  | "malformed";

/**
 * One answer as a stream of events, whatever the provider's language and whether it was streamed.
 *
 * Grammar: `start (block | usage | ping | foreign)* finish usage* end`, or `failed` at any point as the last event.
 * A block is `*-start *-delta* *-end` with one `block` number; blocks may interleave, numbers are never reused.
 * An answer without `end` is not an answer.
 */
export type AnswerEvent =
  | { readonly kind: "start"; readonly id: string; readonly model: string; readonly createdAtS?: number }
  | { readonly kind: "text-start"; readonly block: number }
  | { readonly kind: "text-delta"; readonly block: number; readonly text: string; readonly logprobs?: unknown }
  /** Opaque state of the model's vendor that hangs on a text (Gemini's `thoughtSignature`). At most one a block. */
  | { readonly kind: "text-signature"; readonly block: number; readonly signature: string }
  | { readonly kind: "text-end"; readonly block: number }
  /**
   * `redacted`: a thought nobody but its vendor can read. `id`: the vendor's own name for the thought (Responses' `rs_…`),
   * without which it is not taken back.
   */
  | { readonly kind: "reasoning-start"; readonly block: number; readonly redacted?: string; readonly id?: string }
  | { readonly kind: "reasoning-delta"; readonly block: number; readonly text: string }
  | { readonly kind: "reasoning-signature"; readonly block: number; readonly signature: string }
  | { readonly kind: "reasoning-end"; readonly block: number }
  | { readonly kind: "tool-start"; readonly block: number; readonly id: string; readonly name: string }
  /** A piece of the arguments' JSON text. */
  | { readonly kind: "tool-delta"; readonly block: number; readonly json: string }
  /** Opaque state of the model's vendor that hangs on a call (Gemini's `thoughtSignature`). At most one a block. */
  | { readonly kind: "tool-signature"; readonly block: number; readonly signature: string }
  | { readonly kind: "tool-end"; readonly block: number }
  /** The model's own words of refusal, where the language keeps them apart from text. */
  | { readonly kind: "refusal-delta"; readonly text: string }
  | { readonly kind: "ping" }
  /**
   * Something the hub has no word for. A relay keeps its bytes; a translation names it in a warning. `content`: it is a
   * part of the answer itself (a server tool's result, a custom tool call), so a relay that hands it on commits.
   */
  | { readonly kind: "foreign"; readonly what: string; readonly payload: unknown; readonly content?: true }
  /** Cumulative: a later report replaces an earlier one. */
  | { readonly kind: "usage"; readonly usage: Usage }
  | { readonly kind: "finish"; readonly finish: Finish }
  /** The protocol's own completion was seen. The only proof that an answer is whole. */
  | { readonly kind: "end" }
  | { readonly kind: "failed"; readonly failure: Failure };

export type AnswerSink = (event: AnswerEvent) => void;

/**
 * Whether an event carries content, that is: whether handing it to the client commits the call. What the hub has no
 * word for reaches the client only where the bytes are relayed.
 */
export function isContent(event: AnswerEvent, relayed: boolean): boolean {
  switch (event.kind) {
    case "text-delta":
    case "reasoning-delta":
    case "refusal-delta":
      return event.text.length > 0;
    case "reasoning-start":
      return event.redacted !== undefined;
    case "reasoning-signature":
    case "tool-start":
    case "tool-delta":
      return true;
    case "foreign":
      return relayed && event.content === true;
    default:
      return false;
  }
}
