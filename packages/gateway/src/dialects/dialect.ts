import type { AnswerEvent } from "#domain/answer";
import type { CallAddress, CallOptions, ClientDialectId, DialectId, Needs, Operation } from "#domain/call";
import type { EmbedAnswer, EmbedRequest } from "#domain/embedding";
import type { Failure } from "#domain/failure";
import type { ModelTraits } from "#domain/model";
import type { ChatQuirks } from "#domain/quirks";
import type { GenerateRequest } from "#domain/request";
import type { RerankAnswer, RerankRequest } from "#domain/rerank";
import type { Usage } from "#domain/usage";
import type { FieldScan } from "#wire/json-splice";
import type { Threads, ThreadWish } from "./threads.ts";

/** A language that providers speak. Each folder beside this file holds one language, under the same file names. */
export interface UpstreamDialect {
  readonly id: DialectId;
  /** Where an operation is asked for, behind a provider's base path; undefined where the language has no such thing. */
  upstreamPath(operation: Operation, asked: AskedPath): string | undefined;
  /** Who alone can read the seals of such a provider's answers, where that is not the model's vendor. */
  sealReader?(quirks: ChatQuirks): string | undefined;
  /** Headers every upstream request of this language needs unless the caller sent its own. */
  readonly defaultHeaders: Readonly<Record<string, string>>;
  /** The content types of its streams (without parameters); the first is asked for. */
  readonly streamTypes: readonly string[];
  /** From the hub to a target's bytes: deterministic, the same input gives the same bytes. */
  encodeRequest(request: GenerateRequest, target: EncodeTarget): Encoded;
  /** A push parser of streamed answers. `onFrame` is called for every frame, in order. */
  streamDecoder(options: DecodeOptions, onFrame: (frame: AnswerFrame) => void): StreamDecoder;
  /** A whole answer that was not streamed. The list ends with `end` or `failed`. */
  decodeAnswer(body: Uint8Array, options: DecodeOptions): readonly AnswerEvent[];
  /** Operations that are asked and answered in one piece. Absent where the language cannot be asked them. */
  readonly unary?: UpstreamUnary;
  /** Operations that only some who speak it have: a provider's kind has to name them. */
  readonly rare?: ReadonlySet<Operation>;
}

/** What a path may hold beside the operation. */
export interface AskedPath {
  /** The model's name at the provider. */
  readonly model: string;
  readonly streamed: boolean;
  readonly framing?: CallAddress["framing"];
  readonly variant?: string;
}

/** A language clients speak too. */
export interface Dialect extends UpstreamDialect {
  readonly id: ClientDialectId;
  /** Request headers (lower case) an upstream of this language may see as the caller sent them. */
  readonly passHeaders: readonly string[];
  /** The answer header in which this language's official SDKs look for the request's id. */
  readonly requestIdHeader: string;
  /** Answer headers (lower case) a caller of this language may see as the upstream sent them. */
  readonly returnHeaders: readonly string[];
  /** What must be known before a plan exists, read from the scanned top level without parsing the body. */
  peek(
    body: Uint8Array,
    scan: FieldScan,
    address?: CallAddress,
  ): Peek | { readonly kind: "refused"; readonly failure: Failure };
  /** What a request for an answer needs of a target, by its top level and a search for words: nothing is parsed. */
  findNeeds(body: Uint8Array, scan: FieldScan): Needs;
  /** Top-level edits that make a caller's body fit a target of the same language; raw JSON, undefined removes. */
  relayEdits(scan: FieldScan, body: Uint8Array, target: EncodeTarget): RelayEdits;
  /**
   * From parsed JSON to the hub. Never throws: wrong shapes are an `invalid_request` that names the path. `text` is what
   * `json` was parsed from: numbers have all their digits only there. What stands in the address (Gemini's model) is
   * filled in by the pipeline.
   */
  decodeRequest(json: unknown, headers: Readonly<Record<string, string>>, text?: string): Decoded;
  /** The same of a token count's body, where that has another shape. */
  decodeCount?(json: unknown, headers: Readonly<Record<string, string>>, text?: string): Decoded;
  /** OpenAI's older completions, which a target without them is asked as a chat. */
  readonly completion?: ClientCompletion;
  /** The content type of a stream in the framing asked for; absent means `text/event-stream; charset=utf-8`. */
  streamContentType?(framing: CallAddress["framing"]): string;
  streamEncoder(options: EncodeOptions): StreamEncoder;
  /** A whole answer from events; undefined when they do not end in `end`. */
  encodeAnswer(events: readonly AnswerEvent[], options: EncodeOptions): Uint8Array | undefined;
  /** An error before anything was sent: status, headers of the dialect, body. */
  encodeFailure(failure: Failure, facts: FailureFacts): EncodedFailure;
  /** An error inside a stream that already began. Never followed by a completion marker. */
  encodeStreamFailure(failure: Failure, facts: FailureFacts, framing?: CallAddress["framing"]): Uint8Array;
  /**
   * Keeps a silent stream alive without being content, before its first event as well as between two. Empty where the
   * language has no such thing.
   */
  readonly heartbeat: Uint8Array;
  /**
   * Takes log-probabilities out of a relayed whole answer or frame of a stream, so that it reads as the provider would
   * have sent it unasked. Absent where the language has none.
   */
  readonly stripLogprobs?: (bytes: Uint8Array) => Uint8Array;
  /**
   * Puts what is known only now at the top of the last event with JSON in it, or into one of its own before the
   * terminator. Where clients get something else of an event than its top level, it stands there too.
   */
  attachFacts(terminal: Uint8Array, facts: LateMembers): Uint8Array;
  /**
   * Of a language whose terminator has no place for them: whether a frame is the last to say something of the answer, so
   * that it has to wait where anything is to be attached.
   */
  readonly closes?: (frame: Uint8Array) => boolean;
  /** The answer to a token count; absent where the language has no such operation. */
  encodeTokenCount?(tokens: number): Uint8Array;
  encodeModels(models: readonly ListedModel[], query: URLSearchParams): Uint8Array;
  encodeModel(model: ListedModel): Uint8Array;
  /** The same operations for its callers. */
  readonly unaryClient?: ClientUnary;
  /** Where callers can go on from an answer by naming it. */
  readonly threads?: Threads;
}

/** What stands beside an answer's own members once it is known; absent ones are left out. */
export interface LateMembers {
  /** For callers that ask for it (`hedgerow.metadata`). */
  readonly hedgerow?: object;
  /** Of a judged answer, 0..1; null where there was no signal. */
  readonly confidence_score?: number | null;
  readonly confidence?: object;
}

/** How a caller's language writes an answer's continuation of a plain prompt. */
export interface ClientCompletion {
  decodeRequest(json: unknown): Decoded;
  streamEncoder(options: EncodeOptions): StreamEncoder;
  encodeAnswer(events: readonly AnswerEvent[], options: EncodeOptions): Uint8Array | undefined;
}

/** How a provider's language asks the operations that have one answer in one piece. */
export interface UpstreamUnary {
  readonly embed?: {
    /** Reads token numbers too, which mean something in one vocabulary only. */
    readonly takesTokens?: true;
    /** The variant of the operation that encoded requests are for; absent where the language has only one. */
    readonly variant?: string;
    encodeRequest(request: EmbedRequest, target: EncodeTarget): Encoded;
    decodeAnswer(body: unknown): EmbedAnswer | Failure;
  };
  readonly rerank?: {
    encodeRequest(request: RerankRequest, target: EncodeTarget): Encoded;
    decodeAnswer(body: unknown): RerankAnswer | Failure;
  };
  readonly countTokens?: {
    encodeRequest(request: GenerateRequest, target: EncodeTarget): Encoded;
    /** Tokens of the prompt. */
    decodeAnswer(body: unknown): number | Failure;
  };
  /** Usage of an answer that is relayed; undefined where it reports none. */
  readUsage?(operation: Operation, body: unknown): Usage | undefined;
}

/** How a caller's language asks them. */
export interface ClientUnary {
  readonly embed?: {
    decodeRequest(body: unknown, address: CallAddress): EmbedRequest | Failure;
    encodeAnswer(answer: EmbedAnswer, request: EmbedRequest, options: EncodeOptions): Uint8Array;
  };
  readonly rerank?: {
    decodeRequest(body: unknown): RerankRequest | Failure;
    encodeAnswer(answer: RerankAnswer, request: RerankRequest, options: EncodeOptions): Uint8Array;
  };
  /**
   * Looks at an answer that is relayed: other bytes where the upstream wrote it in another form than was asked for, a
   * failure where it is no answer to this operation, undefined where it passes as it is.
   */
  fitRelayed?(
    operation: Operation,
    answered: unknown,
    asked: { readonly body: Uint8Array; readonly scan: FieldScan },
  ): Uint8Array | Failure | undefined;
}

export interface RelayEdits {
  /** Raw JSON by top-level key; undefined removes. */
  readonly edits: ReadonlyMap<string, string | undefined>;
  /** Usage in the stream was asked for by us alone: its frames are not for the caller. */
  readonly usageAdded: boolean;
  /** Log-probabilities were asked for by us alone (`EncodeTarget.wantsLogprobs`): they are not for the caller. */
  readonly logprobsAdded?: true;
  /** What the edits take away from the caller's request, in words. */
  readonly warnings?: readonly string[];
  /** The target is known to refuse this in its own language: it is asked in another that it speaks, if there is one. */
  readonly unfit?: Failure;
  /** Other bytes for a whole answer that this provider writes in a form which callers do not read. */
  readonly fitAnswer?: (body: Uint8Array) => Uint8Array | undefined;
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
  /** What it is asked for; absent: an answer. */
  readonly operation?: Operation;
  /**
   * The same target can be asked in another language too: what this one would have to leave out is refused, so that the
   * other is tried.
   */
  readonly hasOtherLane?: true;
  /**
   * The gateway wants log-probabilities whether or not the caller does. Languages without them, and targets that are
   * known to refuse them, are asked as before.
   */
  readonly wantsLogprobs?: true;
}

export type Encoded =
  | {
      readonly kind: "encoded";
      readonly body: Uint8Array;
      /** Headers the language needs for this body (its version, its betas). */
      readonly headers: Readonly<Record<string, string>>;
      /** Each loss in words, from the written table: the caller sees them as `x-hedgerow-warning`. */
      readonly warnings: readonly string[];
      /** Log-probabilities were asked for by us alone. */
      readonly logprobsAdded?: true;
    }
  | { readonly kind: "refused"; readonly failure: Failure };

export interface DecodeOptions {
  /** Turns a provider's in-band complaint into a failure. */
  readonly classify: (complaint: unknown) => Failure;
  readonly quirks: ChatQuirks;
  /** One event may not be larger. */
  readonly maxEventBytes: number;
  /** Frames that follow one another and say nothing but text may be given as one: their bytes and texts joined. */
  readonly joinsText?: boolean;
}

export interface AnswerFrame {
  /** Bytes for a relay, terminators included. Empty for what only the decoder inferred. Nobody writes to them again. */
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
  /** The caller's request and its parsed body, for languages whose answers repeat it (Responses). */
  readonly request?: GenerateRequest;
  readonly requestJson?: unknown;
  /** What the caller said by reference, which `request` and `requestJson` say whole. */
  readonly wish?: ThreadWish;
  readonly framing?: CallAddress["framing"];
  /** Milliseconds since the target was asked, for languages that say how long an answer took. */
  readonly elapsedMs?: () => number;
  /** Hears what a whole answer loses, in words; a stream's encoder keeps its own list. */
  readonly onLoss?: (warning: string) => void;
  /** Late facts for callers that asked (`hedgerow.metadata`); asked for when the answer ends. */
  readonly facts?: () => object;
}

/** Turns events into the language's stream; may hold text back where the language forbids interleaved blocks. */
export interface StreamEncoder {
  /** What to send now; empty where the event needs nothing. After `end` or `failed` nothing more comes. */
  encode(event: AnswerEvent): string | Uint8Array;
  /** What was lost so far, in words. */
  readonly warnings: readonly string[];
}

/** Of the languages whose streams are text, which is all but Amazon's. */
export interface TextStreamEncoder extends StreamEncoder {
  encode(event: AnswerEvent): string;
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
    /** Calibrated confidence of an answer that was judged, 0..1; null where there was no signal. */
    readonly score?: number | null;
  }[];
  /** Of a call that nobody was sure of, and that now waits for a person: `rev_…`. */
  readonly reviewId?: string;
  /** The likeliest of the answers nobody was sure of, as JSON in the caller's language. */
  readonly bestAnswer?: unknown;
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
