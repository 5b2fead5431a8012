import type { CallAddress, DialectId } from "#domain/call";
import type { SimulatedAnswer, Wording } from "./answer.ts";
import type { ErrorKind } from "./behaviour.ts";
import type { StreamWords } from "./frame.ts";
import type { Issuer } from "./issuer.ts";
import type { JsonObject, ReceivedRequest, RequestContent } from "./received-request.ts";

/** How the simulated provider speaks one dialect, at one kind of endpoint. */
export interface Voice {
  readonly dialect: DialectId;
  /** The answer header that carries the provider's request id. */
  readonly requestIdHeader: string;
  readonly idPrefixes: { readonly answer: string; readonly toolCall: string };
  read(json: JsonObject, address: CallAddress): RequestContent;
  /** The dialect's own rules; the first breach found, answered with 400. */
  check(request: ReceivedRequest, rules: CheckRules): Violation | undefined;
  errorStatus(kind: ErrorKind): number;
  /** The error object of a body. */
  errorBody(words: ErrorWords): object;
  /** Headers that say what kind of error a reply is. */
  errorHeaders?(kind: ErrorKind): Readonly<Record<string, string>>;
  /** The error as it stands inside a stream; left out: the same as in a body. */
  inBandError?(words: ErrorWords): object;
  renderWhole(answer: SimulatedAnswer, wording: Wording, saying: Saying): object;
  stream(answer: SimulatedAnswer, wording: Wording, saying: Saying): StreamWords;
  /** Left out: nobody counts tokens here. */
  countTokens?(tokens: number): object;
  /** The answer of an endpoint that generates nothing (vectors, judgements of texts), in place of `renderWhole`. */
  judge?(request: ReceivedRequest, tokens: number): object;
  modelCard(name: string): object;
  modelList(names: readonly string[]): object;
}

/** What an answer is said to, and by whom. */
export interface Saying {
  readonly issuer: Issuer;
  readonly request: ReceivedRequest;
  readonly habits?: ChatHabits;
}

/** A rule of the provider that a request breaks. */
export interface Violation {
  readonly message: string;
  /** The field at fault. */
  readonly param?: string;
  /** The vendor's word for the breach, where it has one. */
  readonly code?: string;
  /** In place of 400. */
  readonly status?: number;
  /** The whole error body, where this breach has a shape of its own. */
  readonly body?: object;
}

export interface CheckRules {
  readonly issuer: Issuer;
  /** Top-level fields to let through beside the dialect's. */
  readonly allowFields: ReadonlySet<string>;
  /** Anthropic: refuse two turns of one role in a row. The API itself joins them; some hosts of its models refuse. */
  readonly alternatingRoles: boolean;
  readonly habits: ChatHabits;
}

/** Rules of some OpenAI-compatible providers that OpenAI has not. */
export interface ChatHabits {
  /** Assistant turns with tool calls must bring `reasoning_content` back (DeepSeek's thinking models). */
  readonly reasoningEcho?: boolean;
  /** Ids of tool calls are nine letters and digits, in requests and answers (Mistral). */
  readonly nineCharacterIds?: boolean;
  /** Thoughts are parts of the content (Mistral's reasoning models). */
  readonly thinkingParts?: boolean;
  /** Fields unknown to Mistral, in the body and in its messages, are a 422 with `extra_forbidden`. */
  readonly extraForbidden?: boolean;
}

export interface ErrorWords {
  readonly kind: ErrorKind;
  readonly message?: string | undefined;
  readonly requestId: string;
  readonly param?: string | undefined;
  readonly code?: string | undefined;
}
