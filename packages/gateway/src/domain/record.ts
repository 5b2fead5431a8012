import type { DialectId, Operation } from "./call.ts";
import type { Judgement } from "./confidence.ts";
import type { FailureCode, FailureKind } from "./failure.ts";
import type { TraceContext } from "./trace.ts";
import type { Usage } from "./usage.ts";

/**
 * How a whole call ended. `recovered`: answered, but not by the first attempt, which failed. `escalated`: not by the
 * first either, whose answer was doubted. `degraded`: answered by a last resort on machines of one's own, because nobody
 * else could. `doubted`: nobody was sure, and the best answer was given, or a person is asked. `deadline`: the best answer
 * there was when the time was over. `shadow`: asked by the gateway to learn from, for no caller.
 */
export type Decision =
  | "answered"
  | "recovered"
  | "escalated"
  | "degraded"
  | "doubted"
  | "deadline"
  | "refused"
  | "failed"
  | "broken"
  | "aborted"
  | "shadow";

/** What is kept of one attempt. No prompt, no answer, no secret. */
export interface AttemptRecord {
  readonly target: string;
  readonly provider: string;
  readonly model: string;
  readonly credential: string;
  /** `outrun`: an attempt beside it was first, and it was cancelled. */
  readonly outcome: "answered" | "failed" | "doubted" | "blocked" | "broken" | "outrun";
  readonly failure?: FailureKind;
  readonly status?: number;
  readonly upstreamRequestId?: string;
  /** Milliseconds after the call was accepted. */
  readonly startedMs: number;
  readonly firstByteMs?: number;
  readonly firstContentMs?: number;
  readonly endedMs: number;
  readonly usage?: Usage;
  /** Integer nano-dollars; absent where price or usage is unknown. */
  readonly costNanoUsd?: number;
  /** The target's shared-risk groups, `operator:anthropic`, by the graph that the call's record names. */
  readonly groups?: readonly string[];
  /** What it was asked for, where that was not an answer to the caller. */
  readonly role?: AttemptRole;
  /** Where a gate looked at its answer. */
  readonly judgement?: Judgement;
  /** Whether its answer says the same as the one that was given; absent where the two cannot be compared. */
  readonly agrees?: boolean;
}

/** `second`: an answer to compare with. `judge`: an opinion on an answer. */
export type AttemptRole = "second" | "judge";

/** Why targets were asked, one for each attempt, and why others were not: in words, shortened where they are many. */
export interface PlanRecord {
  readonly chosen: readonly WhyRecord[];
  readonly skipped: readonly WhyRecord[];
}

export interface WhyRecord {
  readonly target: string;
  readonly why: string;
}

/** Exactly one for every call, whatever happens. */
export interface CallRecord {
  readonly version: 1;
  readonly id: string;
  /** Wall clock, ISO 8601 with milliseconds. */
  readonly at: string;
  readonly snapshot: string;
  readonly caller: string;
  /** Of a key that was issued at run time: its name may be another's later. */
  readonly keyId?: string;
  /** Whose key it is. */
  readonly organisation?: string;
  readonly team?: string;
  /** Whom the call is made for, as the caller says. */
  readonly user?: string;
  readonly dialect: DialectId;
  readonly operation: Operation;
  readonly route: string;
  readonly requestedModel: string;
  readonly streamed: boolean;
  readonly decision: Decision;
  readonly committed: boolean;
  /** Where the call was refused, failed or broke. */
  readonly code?: FailureCode;
  readonly status: number;
  readonly finish?: string;
  readonly requestBytes: number;
  readonly answerBytes: number;
  readonly durationMs: number;
  readonly usage?: Usage;
  readonly costNanoUsd?: number;
  readonly warnings: readonly string[];
  readonly tags?: readonly string[];
  readonly session?: string;
  /** The trace it came with; absent where it came with none. */
  readonly trace?: TraceContext;
  /** The version of the supply graph that the call was planned by. */
  readonly graph?: string;
  /** Absent where there was no plan. */
  readonly plan?: PlanRecord;
  /** The review that waits for a person. */
  readonly review?: string;
  /** Of a shadow: the call whose answer it is compared with, and how likely that call was to be chosen. */
  readonly shadow?: { readonly of: string; readonly propensity: number };
  readonly attempts: readonly AttemptRecord[];
}
