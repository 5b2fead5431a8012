/**
 * What the attempt loop may do after a failure that nothing of which has reached the client.
 * `never`: no other target can do better. `elsewhere`: the next candidate. `larger-window`: only a target with a
 * larger verified context window. `other-credential`: another key of the same provider first, then elsewhere.
 */
export type Next = "never" | "elsewhere" | "larger-window" | "other-credential";

/**
 * What a failure does to the health of its scope. `hard` counts towards opening, `soft` only in a rate, `cool` parks
 * the scope for a while without counting, `dead` parks it until the configuration changes or a slow probe succeeds.
 */
export type HealthEffect = "none" | "hard" | "soft" | "cool" | "dead";

/** The narrowest thing that explains a failure, and therefore the thing whose health it changes. */
export type Scope = "request" | "endpoint" | "credential" | "model" | "gateway";

export interface FailureTraits {
  /** Public, stable word: `error.metadata.code`. */
  readonly code: FailureCode;
  /** HTTP status shown to the caller when this failure ends the call. */
  readonly status: number;
  readonly next: Next;
  readonly health: HealthEffect;
  readonly scope: Scope;
  readonly blame: "caller" | "upstream" | "gateway";
  /** Whether waiting can cure it: what `x-should-retry` says while nothing was committed. */
  readonly again: boolean;
}

/** Codes of the contract, then ours. Adding one is fine, changing one is a major version. */
export type FailureCode =
  | "invalid_request"
  | "unauthenticated"
  | "budget_exceeded"
  | "forbidden"
  | "model_not_found"
  | "request_too_large"
  | "context_length_exceeded"
  | "low_confidence"
  | "rate_limited"
  | "upstream_error"
  | "upstream_truncated"
  | "no_capacity"
  | "overloaded"
  | "draining"
  | "upstream_timeout"
  | "content_filter"
  | "not_found"
  | "method_not_allowed"
  | "request_timeout"
  | "client_gone"
  | "internal_error";

// What most rows of a family share; a row states where it differs.
const fromCaller = { next: "never", health: "none", scope: "request", blame: "caller", again: false } as const;
const scarce = {
  next: "other-credential",
  health: "cool",
  scope: "credential",
  blame: "upstream",
  again: true,
} as const;
const faulty = { next: "elsewhere", health: "hard", scope: "model", blame: "upstream", again: true } as const;
const unreached = { next: "elsewhere", health: "hard", scope: "endpoint", blame: "upstream", again: true } as const;
const late = { next: "elsewhere", health: "soft", scope: "model", blame: "upstream", again: true } as const;
const fromGateway = { next: "never", health: "none", scope: "gateway", blame: "gateway", again: true } as const;

/** Every way a call or an attempt can fail, once. Dialects encode each; `docs/errors.md` is tested against this. */
export const failureTraits = {
  // What the caller sent.
  invalid_request: { ...fromCaller, code: "invalid_request", status: 400 },
  unauthenticated: { ...fromCaller, code: "unauthenticated", status: 401 },
  ambiguous_credentials: { ...fromCaller, code: "invalid_request", status: 400 },
  forbidden: { ...fromCaller, code: "forbidden", status: 403 },
  model_not_found: { ...fromCaller, code: "model_not_found", status: 404 },
  path_not_found: { ...fromCaller, code: "not_found", status: 404 },
  method_not_allowed: { ...fromCaller, code: "method_not_allowed", status: 405 },
  request_too_large: { ...fromCaller, code: "request_too_large", status: 413 },
  upload_timeout: { ...fromCaller, code: "request_timeout", status: 408, again: true },
  // The target's language has no word for something the request needs; another target's may.
  not_translatable: { ...fromCaller, code: "invalid_request", status: 400, next: "elsewhere" },
  // What another account sealed or keeps: a target that cannot look into it may go on without it.
  foreign_state: { ...fromCaller, code: "invalid_request", status: 400, next: "elsewhere" },
  context_length_exceeded: { ...fromCaller, code: "context_length_exceeded", status: 400, next: "larger-window" },
  upstream_too_large: { ...fromCaller, code: "request_too_large", status: 413, next: "elsewhere" },
  upstream_rejected: { ...fromCaller, code: "invalid_request", status: 400 },
  content_filter: { ...fromCaller, code: "content_filter", status: 400 },
  client_gone: { ...fromCaller, code: "client_gone", status: 499 },
  // Money and people.
  budget_exceeded: { ...fromCaller, code: "budget_exceeded", status: 402 },
  // What a call there may cost is more than is left, or nobody knows it: another target may be cheaper.
  not_affordable: { ...fromCaller, code: "budget_exceeded", status: 402, next: "elsewhere" },
  low_confidence: { ...fromCaller, code: "low_confidence", status: 422, next: "elsewhere", blame: "upstream" },
  // Scarcity upstream.
  rate_limited: { ...scarce, code: "rate_limited", status: 429 },
  slow_down: { ...scarce, code: "rate_limited", status: 429, next: "elsewhere" },
  quota_exhausted: { ...scarce, code: "no_capacity", status: 503, health: "dead", again: false },
  upstream_overloaded: { ...late, code: "overloaded", status: 503 },
  // Our standing with the provider: never the caller's 401.
  credential_rejected: { ...scarce, code: "upstream_error", status: 502, health: "dead", again: false },
  // One model, to one key: another key of the same account may have it.
  upstream_forbidden: {
    ...faulty,
    code: "upstream_error",
    status: 502,
    health: "cool",
    scope: "credential",
    again: false,
  },
  model_unavailable: { ...faulty, code: "upstream_error", status: 502, health: "dead", again: false },
  // Faults upstream.
  upstream_failed: { ...faulty, code: "upstream_error", status: 502 },
  upstream_transient: { ...late, code: "upstream_error", status: 502 },
  bad_upstream_response: { ...unreached, code: "upstream_error", status: 502 },
  truncated_response: { ...faulty, code: "upstream_truncated", status: 502 },
  empty_completion: { ...late, code: "upstream_error", status: 502 },
  event_too_large: { ...late, code: "upstream_error", status: 502, again: false },
  unresolvable: { ...unreached, code: "no_capacity", status: 503 },
  unreachable: { ...unreached, code: "no_capacity", status: 503 },
  tls_rejected: { ...unreached, code: "no_capacity", status: 503, health: "dead", again: false },
  connection_lost: { ...unreached, code: "upstream_error", status: 502 },
  query_of_death: { ...fromCaller, code: "upstream_error", status: 502, blame: "upstream" },
  // Time. Each names the deadline that fired.
  connect_timeout: { ...unreached, code: "upstream_timeout", status: 504 },
  first_byte_timeout: { ...late, code: "upstream_timeout", status: 504 },
  first_content_timeout: { ...late, code: "upstream_timeout", status: 504 },
  transport_idle_timeout: { ...late, code: "upstream_timeout", status: 504 },
  content_idle_timeout: { ...late, code: "upstream_timeout", status: 504 },
  total_timeout: { ...fromCaller, code: "upstream_timeout", status: 504, blame: "upstream", again: true },
  // The gateway itself.
  no_capacity: { ...fromGateway, code: "no_capacity", status: 503 },
  overloaded: { ...fromGateway, code: "overloaded", status: 503 },
  // What the operator lets a provider's account be asked: another may have room.
  account_full: { ...fromGateway, code: "no_capacity", status: 503, next: "elsewhere" },
  limit_reached: { ...fromGateway, code: "rate_limited", status: 429, blame: "caller" },
  draining: { ...fromGateway, code: "draining", status: 503 },
  internal_error: { ...fromGateway, code: "internal_error", status: 500, again: false },
} as const satisfies Record<string, FailureTraits>;

export type FailureKind = keyof typeof failureTraits;

export interface Failure {
  readonly kind: FailureKind;
  /** For people: what happened and what to do. Never holds a secret, a URL of ours, or a provider's raw page. */
  readonly message: string;
  /** The request field at fault, as a path (`messages[2].content`), where one is. */
  readonly param?: string;
  /** The word by which a language's own clients know exactly this and act on it: `previous_response_not_found`. */
  readonly word?: string;
  /** How long the other side asked us to wait, already clamped to 0..300,000. */
  readonly retryAfterMs?: number;
  /** The provider's own status, type and code, for the record and for `error.metadata`. */
  readonly upstream?: UpstreamComplaint;
  /** The limit or budget that is used up, for `error.metadata`. */
  readonly bound?: ReachedBound;
}

export interface ReachedBound {
  /** `key:alice` */
  readonly account: string;
  readonly unit: "requests" | "tokens" | "slots" | "money";
  /** Of the unit; money in nano-dollars. */
  readonly limit: number;
  readonly remaining: number;
  readonly period?: string;
  /** ISO 8601; absent where a call has to end first. */
  readonly resetAt?: string;
}

export interface UpstreamComplaint {
  readonly status?: number;
  readonly type?: string;
  readonly code?: string;
}

export function failure(kind: FailureKind, message: string, more: Omit<Failure, "kind" | "message"> = {}): Failure {
  return { kind, message, ...more };
}

export function traitsOf(of: Failure | FailureKind): FailureTraits {
  return failureTraits[typeof of === "string" ? of : of.kind];
}
