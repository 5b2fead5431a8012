import type { FailureKind } from "./failure.ts";
import type { RateLimit } from "./rate-limit.ts";

/** The narrowest thing that explains a failure, by name. */
export type Scope =
  | { readonly kind: "endpoint"; readonly provider: string }
  | { readonly kind: "model"; readonly provider: string; readonly model: string }
  | { readonly kind: "credential"; readonly provider: string; readonly credential: string }
  /** A credential for one model. */
  | { readonly kind: "share"; readonly provider: string; readonly model: string; readonly credential: string };

/**
 * What one worker found out about a scope, for the others of its node: all that matters of it, so that a later hint
 * replaces an earlier one. Times are durations, for every process has a clock of its own.
 */
export interface HealthHint {
  readonly scope: Scope;
  readonly cause: FailureKind;
  /** How often it opened since the last clean end. */
  readonly opened: number;
  readonly openForMs: number;
  /** It opened because too large a share failed. */
  readonly byRate: boolean;
  readonly coolForMs: number;
  /** The wait is not our own guess. */
  readonly asked: boolean;
  /** Waits without a time from the provider since the last success. */
  readonly cooled: number;
  /** Out of use until a slow probe ends well. */
  readonly dead: boolean;
  /** Nothing is left of its limits for so long. */
  readonly emptyForMs: number;
  /** A call has ended well there: what others know of its troubles is out of date. */
  readonly closed: boolean;
}

/** `half-open`: the wait is over and one call may find out. `cooling`: it waits. `full`: more calls would only wait. */
export type HealthState = "closed" | "half-open" | "open" | "cooling" | "dead" | "empty" | "full";

/** One scope's health for people and dashboards. Times are durations before and after now. */
export interface HealthRow {
  readonly scope: Scope;
  /** In words, unique. */
  readonly name: string;
  readonly state: HealthState;
  /** What brought it there, where it is not closed. */
  readonly cause?: FailureKind;
  readonly sinceAgoMs?: number;
  readonly untilInMs?: number;
  /** How often it opened since the process began. */
  readonly openings: number;
  /** Of a credential for one model. */
  readonly load?: LoadRow;
}

export interface LoadRow {
  readonly inFlight: number;
  /** Calls at once, as learned so far. */
  readonly limit: number;
  /** The usual time to first content, ms; absent where too few calls were seen. */
  readonly firstContentMs?: number;
  readonly headroom: readonly RateLimit[];
}

/** How calls to a model at a provider usually ended; those of long ago count as a part of a call. */
export interface UsualSuccess {
  readonly provider: string;
  readonly model: string;
  readonly calls: number;
  readonly failures: number;
}
