import type { AnswerEvent } from "#domain/answer";
import type { CallOptions, DialectId, Operation } from "#domain/call";
import type { Failure } from "#domain/failure";
import type { ModelTraits } from "#domain/model";
import type { ChatQuirks } from "#domain/quirks";
import type { GenerateRequest } from "#domain/request";
import type { FieldScan } from "#wire/json-splice";

/** A language clients and upstreams speak. Each folder beside this file holds one, under the same file names. */
export interface Dialect {
  readonly id: DialectId;
  /** Appended to a provider's base path. */
  readonly upstreamPaths: Readonly<Partial<Record<Operation, string>>>;
  /** Request headers (lower case) an upstream of this language may see as the caller sent them. */
  readonly passHeaders: readonly string[];
  /** The answer header in which this language's official SDKs look for the request's id. */
  readonly requestIdHeader: string;
  /** Answer headers (lower case) a caller of this language may see as the upstream sent them. */
  readonly returnHeaders: readonly string[];
  /** What must be known before a plan exists, read from the scanned top level without parsing the body. */
  peek(body: Uint8Array, scan: FieldScan): Peek | { readonly kind: "refused"; readonly failure: Failure };
  /** Top-level edits that make a caller's body fit a target of the same language; raw JSON, undefined removes. */
  relayEdits(scan: FieldScan, body: Uint8Array, target: EncodeTarget): RelayEdits;
  /** Headers every upstream request of this language needs unless the caller sent its own. */
  readonly defaultHeaders: Readonly<Record<string, string>>;
  /**
   * From parsed JSON to the hub. Never throws: wrong shapes are an `invalid_request` that names the path. `text` is what
   * `json` was parsed from: numbers have all their digits only there.
   */
  decodeRequest(json: unknown, headers: Readonly<Record<string, string>>, text?: string): Decoded;
  /** From the hub to a target's bytes: deterministic, the same input gives the same bytes. */
  encodeRequest(request: GenerateRequest, target: EncodeTarget): Encoded;
  /** A push parser of streamed answers. `onFrame` is called for every frame, in order. */
  streamDecoder(options: DecodeOptions, onFrame: (frame: AnswerFrame) => void): StreamDecoder;
  /** A whole answer that was not streamed. The list ends with `end` or `failed`. */
  decodeAnswer(body: Uint8Array, options: DecodeOptions): readonly AnswerEvent[];
  streamEncoder(options: EncodeOptions): StreamEncoder;
  /** A whole answer from events; undefined when they do not end in `end`. */
  encodeAnswer(events: readonly AnswerEvent[], options: EncodeOptions): Uint8Array | undefined;
  /** An error before anything was sent: status, headers of the dialect, body. */
  encodeFailure(failure: Failure, facts: FailureFacts): EncodedFailure;
  /** An error inside a stream that already began. Never followed by a completion marker. */
  encodeStreamFailure(failure: Failure, facts: FailureFacts): Uint8Array;
  /** Keeps a silent stream alive without being content. */
  readonly heartbeat: Uint8Array;
  /** Puts the `hedgerow` facts into or before the terminal frame of a relayed stream. */
  attachFacts(terminal: Uint8Array, facts: object): Uint8Array;
  /** The answer to a token count; absent where the language has no such operation. */
  encodeTokenCount?(tokens: number): Uint8Array;
  encodeModels(models: readonly ListedModel[], query: URLSearchParams): Uint8Array;
  encodeModel(model: ListedModel): Uint8Array;
}

export interface RelayEdits {
  /** Raw JSON by top-level key; undefined removes. */
  readonly edits: ReadonlyMap<string, string | undefined>;
  /** Usage in the stream was asked for by us alone: its frames are not for the caller. */
  readonly usageAdded: boolean;
  /** What the edits take away from the caller's request, in words. */
  readonly warnings?: readonly string[];
}

export interface Peek {
  readonly kind: "peeked";
  /** The first name asked for; empty where the caller left it to the gateway. */
  readonly model: string;
  readonly streamed: boolean;
  readonly options: CallOptions;
}

export type Decoded =
  | { readonly kind: "decoded"; readonly request: GenerateRequest }
  | { readonly kind: "refused"; readonly failure: Failure };

export interface EncodeTarget {
  /** The model's name at the provider. */
  readonly model: string;
  /** Vendor whose sealed reasoning this target can read, for instance `anthropic`. */
  readonly issuer: string;
  readonly quirks: ChatQuirks;
  readonly traits?: ModelTraits;
  readonly streamed: boolean;
}

export type Encoded =
  | {
      readonly kind: "encoded";
      readonly body: Uint8Array;
      /** Headers the language needs for this body (its version, its betas). */
      readonly headers: Readonly<Record<string, string>>;
      /** Each loss in words, from the written table: the caller sees them as `x-hedgerow-warning`. */
      readonly warnings: readonly string[];
    }
  | { readonly kind: "refused"; readonly failure: Failure };

export interface DecodeOptions {
  /** Turns a provider's in-band complaint into a failure. */
  readonly classify: (complaint: unknown) => Failure;
  readonly quirks: ChatQuirks;
  /** One event may not be larger. */
  readonly maxEventBytes: number;
}

export interface AnswerFrame {
  /** Bytes for a relay, terminator included. Empty for what only the decoder inferred. Nobody writes to them again. */
  readonly raw: Uint8Array;
  readonly events: readonly AnswerEvent[];
  /** The frame is there only because usage was asked for: stripped where the caller did not ask. */
  readonly usageOnly: boolean;
  /** The frame completes the answer: it waits until the record is durable. */
  readonly terminal: boolean;
}

/**
 * After `end`, exactly one `end` or `failed` event has been given. Where the answer's finish was seen but not its
 * terminator, the last frame's `raw` is the terminator, written by us.
 */
export interface StreamDecoder {
  push(bytes: Uint8Array): void;
  end(): void;
}

export interface EncodeOptions {
  /** Used where the answer brings none of its own. */
  readonly fallbackId: string;
  readonly model: string;
  readonly createdAtS: number;
  readonly includeUsage: boolean;
  /** The vendor of the model that answers: seals are tagged with it. */
  readonly issuer: string;
  /** The caller wrote `functions`, so that it looks for its one call under `function_call`. */
  readonly legacyFunctions?: true;
  /** Hears what a whole answer loses, in words; a stream's encoder keeps its own list. */
  readonly onLoss?: (warning: string) => void;
  /** Late facts for callers that asked (`hedgerow.metadata`); asked for when the answer ends. */
  readonly facts?: () => object;
}

/** Turns events into the language's stream; may hold text back where the language forbids interleaved blocks. */
export interface StreamEncoder {
  /** Bytes to send now; empty where the event needs none. After `end` or `failed` nothing more comes. */
  encode(event: AnswerEvent): string;
  /** What was lost so far, in words. */
  readonly warnings: readonly string[];
}

export interface FailureFacts {
  readonly requestId: string;
  /** Whether waiting and asking again can help. */
  readonly retryable: boolean;
  readonly attempts: readonly {
    readonly target: string;
    readonly failure: string;
    readonly status?: number;
    readonly ms: number;
  }[];
}

export interface EncodedFailure {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface ListedModel {
  /** What callers write as `model`. */
  readonly id: string;
  readonly ownedBy: string;
  /** Seconds since 1970; 0 where unknown. */
  readonly createdAtS: number;
  readonly traits?: ModelTraits;
}
