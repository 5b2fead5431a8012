import type { Failure } from "#domain/failure";
import type { Accounts } from "#domain/account";
import type { Clock, Journal, LabelIntake, Memory, Reviews, SendUpstream } from "#domain/ports";
import type { PayloadSink } from "#domain/payload";
import type { CallRecord } from "#domain/record";
import type { Snapshot } from "#domain/snapshot";
import type { Affinity } from "#policy/affinity";
import type { TraitsOf } from "#policy/find-targets";
import type { Health } from "#policy/health";
import type { LogprobSupport } from "#policy/logprob-support";
import type { RetryBudget } from "#policy/retry-budget";
import type { UsualCost } from "#policy/usual-cost";
import type { Speeds } from "#policy/speeds";
import type { LoadShedding } from "#policy/load-shedding";
import type { IssuedKeys } from "./issued-keys.ts";
import type { LiveCalls } from "./live-calls.ts";
import type { WaitingRoom } from "./waiting-room.ts";

/** Everything the request path works with. Built once by a worker, a test or a simulation. */
export interface DataPlane {
  /** The snapshot of this moment; a call takes it once and keeps it. */
  readonly snapshot: () => Snapshot;
  /** Absent: the configuration's are all there are. */
  readonly issuedKeys?: IssuedKeys;
  readonly clock: Clock;
  readonly send: SendUpstream;
  readonly journal: Journal;
  /** False while records cannot be made durable: new calls are refused rather than served unrecorded. */
  readonly journalHealthy: () => boolean;
  readonly health: Health;
  readonly memory: Memory;
  /** Absent: verdicts on answers cannot be kept, and are refused. */
  readonly labels?: LabelIntake;
  /** Absent: no payload is kept. */
  readonly payloads?: PayloadSink;
  /** Absent: no person can be asked, and a call that would need one ends without. */
  readonly reviews?: Reviews;
  /** Absent: each call finds out for itself who refuses log-probabilities. */
  readonly logprobSupport?: LogprobSupport;
  /** Absent: nobody's limits and budgets are held. */
  readonly accounts?: Accounts;
  readonly usualCost?: UsualCost;
  /** Where calls wait for a place at these accounts; absent: they are refused. */
  readonly waitingRoom?: WaitingRoom;
  readonly retryBudgets: RetryBudgets;
  readonly affinity: Affinity;
  readonly speeds: Speeds;
  readonly traitsOf: TraitsOf;
  readonly live: LiveCalls;
  /** Absent: calls are refused by their number alone. */
  readonly load?: WorkerLoad;
  /** 0..1 */
  readonly random: () => number;
  /** 24 hex digits. */
  readonly newId: () => string;
  /** Told of every record, for metrics. */
  readonly observe: (record: CallRecord) => void;
  /** Told of what was refused before a call existed (no key, no such path): counted, not recorded. */
  readonly observeRefusal: (failure: Failure) => void;
  /** An exception of ours: to be logged and counted. It cost one call, not the worker. */
  readonly onBug: (error: unknown) => void;
}

/** How busy this worker is beside the calls it has. */
export interface WorkerLoad {
  readonly shedding: LoadShedding;
  readonly lagMs: number;
  readonly memoryBytes: number;
}

export interface RetryBudgets {
  of(route: string): RetryBudget;
}
