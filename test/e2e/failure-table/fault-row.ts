import type { FailureCode, FailureKind } from "#domain/failure";
import type { Timeouts } from "#domain/plan";
import type { Behaviour } from "#simulation/behaviour";
import type { FirstLanguage } from "../../world/first-languages.ts";
import type { ConnectionPolicy } from "#simulation/script";

/** What a target does wrong: as a behaviour, or as one for each language it may speak. */
export type Fault = Behaviour | Readonly<Record<FirstLanguage, Behaviour>>;

/** An address nobody answers at, in place of the simulated provider's own. */
export type DeadEnd = "unresolvable" | "silent" | "no-tls" | "untrusted-tls";

interface AnyRow {
  /** Which meaning of failure this is; variants of one share the number. */
  readonly row: number;
  readonly name: string;
  readonly fault?: Fault;
  readonly connections?: ConnectionPolicy;
  readonly deadEnd?: DeadEnd;
  /** Default: both, one after the other. */
  readonly modes?: readonly ("whole" | "streamed")[];
  /** The target's language, where the fault exists in one only. Default: both. */
  readonly upstream?: readonly FirstLanguage[];
  readonly timeouts?: Partial<Timeouts>;
}

/** Nothing of the answer has been sent: another target may answer, and the client may get a real error. */
export interface BeforeCommit extends AnyRow {
  readonly phase: "before";
  /** How the record names it. */
  readonly kind: FailureKind;
  /** Who is asked next. `larger`: only a target with a larger window. */
  readonly next: "backup" | "nobody" | "larger";
  /** What the caller is told when every target fails in this way. */
  readonly client: ClientError;
  /**
   * When later calls leave the target alone: after the first such failure, after the fifth in a row, or not at all
   * (a soft fault, a caller's mistake).
   */
  readonly parks: "first" | "fifth" | "never";
  /** Other credentials of the same provider are asked before the next provider. */
  readonly otherCredentialFirst?: true;
  /** What the second target does in the world where all fail. Default: the same fault. */
  readonly backupFault?: Behaviour;
}

export interface ClientError {
  readonly status: number;
  readonly code: FailureCode;
  readonly shouldRetry: boolean;
  /** Seconds in `retry-after`; absent: no such header. */
  readonly retryAfter?: number;
}

/** The client has a part of the answer: it is told, in the stream, and nobody else is asked. */
export interface AfterCommit extends AnyRow {
  readonly phase: "after";
  readonly kind: FailureKind;
  readonly code: FailureCode;
  /** What had come by then. */
  readonly text: string;
}

/** Looks like a fault and is none: the answer is given, by the first target. */
export interface NoFault extends AnyRow {
  readonly phase: "none";
  readonly text: string;
  /** The finish in the record. Default `stop`. */
  readonly finish?: string;
  readonly usageEstimated?: true;
}

export type FaultRow = BeforeCommit | AfterCommit | NoFault;

export const openai = ["openai-chat"] as const;
export const anthropic = ["anthropic-messages"] as const;
export const streamed = ["streamed"] as const;
export const whole = ["whole"] as const;

/** The words of every good answer of a first target; four pieces when streamed. */
export const words = "one two three four";

/** A body in both languages' shape of an error, with these words in it. */
export function complaint(status: number, error: { type?: string; code?: string; message: string }): Behaviour {
  return { status, body: { type: "error", error } };
}

export function behaviourIn(fault: Fault | undefined, dialect: FirstLanguage): Behaviour {
  if (fault === undefined) return {};
  return "openai-chat" in fault ? fault[dialect] : fault;
}
