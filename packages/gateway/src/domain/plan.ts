import type { Operation } from "./call.ts";
import type { ConfidenceRule, Judgement } from "./confidence.ts";
import type { AttemptRole } from "./record.ts";
import type { Failure, FailureKind } from "./failure.ts";
import type { Finish } from "./answer.ts";
import type { ModelTraits } from "./model.ts";
import type { Usage } from "./usage.ts";

/** Provider × model: what one attempt is sent to. */
export interface Target {
  /** `provider/model` as configured; the name in headers, records and logs. */
  readonly id: string;
  readonly provider: string;
  /** The model's name at the provider. */
  readonly model: string;
  /** Asked only when everything before it failed. */
  readonly lastResort: boolean;
  /** Asked only where a hard budget cannot pay the others. */
  readonly whenSpent?: true;
  readonly weight?: number;
  readonly despite?: readonly Objection[];
  readonly traits?: ModelTraits;
}

/** What keeps a backup out unless its route allows it by name. */
export type Objection = "critical" | "safety";

/** Milliseconds. Five separate deadlines; the one that fires is the one that is named. */
export interface Timeouts {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly firstTokenMs: number;
  /** Between bytes of any kind, pings included. */
  readonly idleMs: number;
  /** Between pieces of content; pings do not count. */
  readonly contentIdleMs: number;
  /** Over all attempts. */
  readonly totalMs: number;
}

/** What a backup should not share with what failed. */
export type Spread = "none" | "provider" | "storefront" | "operator" | "owner" | "region";

export interface SpreadRule {
  readonly by: Spread;
  /** What shares it is left out. Otherwise it only comes later. */
  readonly strict: boolean;
}

/** A target that does not work now, and what says so. */
export interface FailedTarget {
  readonly target: Target;
  readonly cause: FailureKind;
  /** Other calls failed there; absent: this one did. */
  readonly parked?: true;
  /** It is no target of this call. */
  readonly elsewhere?: true;
}

/** A target that was considered and left out, with the reason in words. */
export interface SkippedTarget {
  readonly target: string;
  readonly why: string;
}

export interface Plan {
  /** The route's name, or the model's where no route matched. */
  readonly route: string;
  /** What each name the caller wrote stands for: a route, or the name itself where there is none. */
  readonly uses: readonly string[];
  /** Absent: an answer. */
  readonly operation?: Operation;
  readonly targets: readonly PlannedTarget[];
  /** Who is asked where a hard budget cannot pay these. Absent: nobody. */
  readonly cheaper?: readonly PlannedTarget[];
  readonly skipped: readonly SkippedTarget[];
  /** What did not work when the plan was made. */
  readonly failing: readonly FailedTarget[];
  readonly spread: SpreadRule;
  /** As the route says: by the chance of success. Absent: as written, or as the call wishes. */
  readonly order?: "success";
  readonly timeouts: Timeouts;
  /** What the route itself says: it wins over a provider's own timeouts, which win over the defaults. */
  readonly routeTimeouts: Partial<Timeouts>;
  /** Over all targets and credentials. */
  readonly maxAttempts: number;
  /** Try once more where an answer is whole and empty. */
  readonly retryEmpty: boolean;
  /** What answers must earn; absent: nothing, and nobody looks at them. */
  readonly confidence?: ConfidenceRule;
}

export interface PlannedTarget {
  readonly target: Target;
  /** In words, for `hedgerow plan` and the record. */
  readonly why: string;
  /** Not ready, but asked once everybody before it failed; by the credential that is back soonest. */
  readonly parked?: true;
}

/** How one attempt ended. */
export type Outcome =
  | { readonly kind: "answered"; readonly finish: Finish; readonly usage?: Usage; readonly empty?: boolean }
  /** The client has seen nothing. */
  | { readonly kind: "failed"; readonly failure: Failure; readonly usage?: Usage }
  /** Not good enough to be given, whole or let go before it was. Of those, one that is given after all has `answered`. */
  | { readonly kind: "doubted"; readonly finish?: Finish; readonly usage?: Usage }
  | { readonly kind: "blocked"; readonly rule: string; readonly usage?: Usage }
  /** Another attempt of the call that ran beside it was first to have content; cancelled, and no sign of anything wrong. */
  | { readonly kind: "outrun"; readonly usage?: Usage }
  /** The client has seen a part, and was told that it ended. */
  | { readonly kind: "broken"; readonly failure: Failure; readonly usage?: Usage };

export interface Attempt {
  readonly target: Target;
  /** The credential's id (never its value). */
  readonly credential: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly firstByteAtMs?: number;
  readonly firstContentAtMs?: number;
  readonly status?: number;
  /** The provider's own request id. */
  readonly upstreamRequestId?: string;
  readonly outcome: Outcome;
  /** Absent: it was asked for the caller's answer. */
  readonly role?: AttemptRole;
  /** Where a gate looked at the answer. */
  readonly judgement?: Judgement;
  /** Whether it says the same as the answer that was given; absent where that cannot be told. */
  readonly agrees?: boolean;
}
