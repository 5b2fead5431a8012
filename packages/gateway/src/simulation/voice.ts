import type { DialectId } from "#domain/call";
import type { SimulatedAnswer, Wording } from "./answer.ts";
import type { ErrorKind } from "./behaviour.ts";
import type { StreamWords } from "./frame.ts";
import type { Issuer } from "./issuer.ts";
import type { JsonObject, ReceivedRequest, RequestContent } from "./received-request.ts";

/** How the simulated provider speaks one dialect. */
export interface Voice {
  readonly dialect: DialectId;
  /** The answer header that carries the provider's request id. */
  readonly requestIdHeader: string;
  readonly idPrefixes: { readonly answer: string; readonly toolCall: string };
  read(json: JsonObject): RequestContent;
  /** The dialect's own rules; the first breach found, answered with 400. */
  check(request: ReceivedRequest, rules: CheckRules): Violation | undefined;
  errorStatus(kind: ErrorKind): number;
  /** The error object, the same in a body and in a stream. */
  errorBody(words: ErrorWords): object;
  renderWhole(answer: SimulatedAnswer, wording: Wording, issuer: Issuer): object;
  stream(answer: SimulatedAnswer, wording: Wording, choices: StreamChoices): StreamWords;
  modelCard(name: string): object;
  modelList(names: readonly string[]): object;
}

interface StreamChoices {
  readonly issuer: Issuer;
  readonly usageAsked: boolean;
}

/** A rule of the provider that a request breaks. */
export interface Violation {
  readonly message: string;
  /** The field at fault. */
  readonly param?: string;
}

export interface CheckRules {
  readonly issuer: Issuer;
  /** Top-level fields to let through beside the dialect's. */
  readonly allowFields: ReadonlySet<string>;
  /** Anthropic: refuse two turns of one role in a row. The API itself joins them; some hosts of its models refuse. */
  readonly alternatingRoles: boolean;
}

export interface ErrorWords {
  readonly kind: ErrorKind;
  readonly message?: string | undefined;
  readonly requestId: string;
  readonly param?: string | undefined;
}
