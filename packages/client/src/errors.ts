import { textOfAnswer } from "./answer-text.ts";

// Two copies of this package in one program have two sets of classes; `instanceof` would then miss the other's
// errors. The mark is registered globally and tells which class an error belongs to.
const mark = Symbol.for("@hedgerow/client/error");

export interface ErrorFacts {
  /** The gateway's stable word (`docs/errors.md` of the gateway lists them), or ours for what never reached it. */
  readonly code: string;
  /** HTTP status; absent where there was no reply, or where the failure came inside a stream. */
  readonly status?: number;
  readonly requestId?: string;
  readonly attempts?: readonly FailedAttempt[];
  /** Whether waiting and asking again can help. */
  readonly retryable?: boolean;
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** One try of the gateway, as it reports it. */
export interface FailedAttempt {
  readonly target: string;
  readonly failure: string;
  readonly status?: number;
  readonly ms?: number;
  /** Confidence (0..1) in an answer that was doubted; null where there was no signal. */
  readonly score?: number | null;
}

/** Every error this client raises. `HedgerowError.isInstance` knows them across copies of the package. */
export class HedgerowError extends Error {
  override readonly name: string = "HedgerowError";
  readonly code: string;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly attempts: readonly FailedAttempt[];
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, facts: ErrorFacts) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = facts.code;
    this.status = facts.status;
    this.requestId = facts.requestId;
    this.attempts = facts.attempts ?? [];
    this.retryable = facts.retryable ?? false;
    this.retryAfterMs = facts.retryAfterMs;
  }

  get [mark](): string {
    return this.name;
  }

  static isInstance(value: unknown): value is HedgerowError {
    return markOf(value) !== undefined;
  }
}

function markOf(value: unknown): unknown {
  return typeof value === "object" && value !== null && mark in value ? value[mark] : undefined;
}

/** The request is wrong: change it. Covers sizes, the context window and content filters (see `code`). */
export class InvalidRequest extends HedgerowError {
  override readonly name = "InvalidRequest";
  static override isInstance(value: unknown): value is InvalidRequest {
    return markOf(value) === "InvalidRequest";
  }
}

/** The gateway does not know the key. */
export class Unauthenticated extends HedgerowError {
  override readonly name = "Unauthenticated";
  static override isInstance(value: unknown): value is Unauthenticated {
    return markOf(value) === "Unauthenticated";
  }
}

export class BudgetExceeded extends HedgerowError {
  override readonly name = "BudgetExceeded";
  static override isInstance(value: unknown): value is BudgetExceeded {
    return markOf(value) === "BudgetExceeded";
  }
}

/** The key may not do this. */
export class Forbidden extends HedgerowError {
  override readonly name = "Forbidden";
  static override isInstance(value: unknown): value is Forbidden {
    return markOf(value) === "Forbidden";
  }
}

export class ModelNotFound extends HedgerowError {
  override readonly name = "ModelNotFound";
  static override isInstance(value: unknown): value is ModelNotFound {
    return markOf(value) === "ModelNotFound";
  }
}

export class RateLimited extends HedgerowError {
  override readonly name = "RateLimited";
  static override isInstance(value: unknown): value is RateLimited {
    return markOf(value) === "RateLimited";
  }
}

/** Every target failed, the last one for this reason. */
export class UpstreamFailed extends HedgerowError {
  override readonly name = "UpstreamFailed";
  static override isInstance(value: unknown): value is UpstreamFailed {
    return markOf(value) === "UpstreamFailed";
  }
}

/** A deadline of the gateway's fired. */
export class UpstreamTimeout extends HedgerowError {
  override readonly name = "UpstreamTimeout";
  static override isInstance(value: unknown): value is UpstreamTimeout {
    return markOf(value) === "UpstreamTimeout";
  }
}

/** Nobody can take the call now: no target, the gateway overloaded, or draining. */
export class NoCapacity extends HedgerowError {
  override readonly name = "NoCapacity";
  static override isInstance(value: unknown): value is NoCapacity {
    return markOf(value) === "NoCapacity";
  }
}

/** No answer came from the address: not reached, or the connection broke before the reply. */
export class ConnectionFailed extends HedgerowError {
  override readonly name = "ConnectionFailed";
  static override isInstance(value: unknown): value is ConnectionFailed {
    return markOf(value) === "ConnectionFailed";
  }
}

/** This side's `timeoutMs` ran out. */
export class TimedOut extends HedgerowError {
  override readonly name = "TimedOut";
  static override isInstance(value: unknown): value is TimedOut {
    return markOf(value) === "TimedOut";
  }
}

/** The caller's own signal. `cause` is the signal's reason. */
export class Aborted extends HedgerowError {
  override readonly name = "Aborted";
  static override isInstance(value: unknown): value is Aborted {
    return markOf(value) === "Aborted";
  }
}

/** An answer that broke off. What came before is not an answer; a stream's text so far is in `partialText`. */
export class Truncated extends HedgerowError {
  override readonly name = "Truncated";
  readonly partialText: string;

  constructor(message: string, facts: ErrorFacts & { readonly partialText?: string }) {
    super(message, facts);
    this.partialText = facts.partialText ?? "";
  }

  static override isInstance(value: unknown): value is Truncated {
    return markOf(value) === "Truncated";
  }
}

/** Who answered, and how sure of it the gateway is: 0..1, null where there was no signal. */
export interface AnswerScore {
  readonly target: string;
  readonly score: number | null;
}

/**
 * No answer reached the confidence asked for: a person has to decide. Where one was asked, `reviewId` is for
 * `hedgerow.reviews`.
 */
export class ManualInterventionRequired extends HedgerowError {
  override readonly name = "ManualInterventionRequired";
  readonly reviewId: string | undefined;
  /** The best of the doubted answers, a whole chat completion, where the route allows to show it. */
  readonly bestAnswer: unknown;
  /** One for each answer that was doubted, in the order in which they came. */
  readonly scores: readonly AnswerScore[];

  constructor(message: string, facts: ErrorFacts & { readonly reviewId?: string; readonly bestAnswer?: unknown }) {
    super(message, facts);
    this.reviewId = facts.reviewId;
    this.bestAnswer = facts.bestAnswer;
    this.scores = this.attempts.flatMap(({ target, score }) => (score === undefined ? [] : [{ target, score }]));
  }

  /** The best answer's text; undefined where there is none to show. */
  get bestText(): string | undefined {
    return textOfAnswer(this.bestAnswer);
  }

  static override isInstance(value: unknown): value is ManualInterventionRequired {
    return markOf(value) === "ManualInterventionRequired";
  }
}
