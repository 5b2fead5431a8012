import type { Lent, Return, Want } from "#domain/account";
import type { KeyNews } from "#domain/gateway-key";
import type { HealthHint, HealthRow, UsualSuccess } from "#domain/health";
import type { KeyAnswer, KeyAsk } from "#domain/key-desk";
import type { MetricsSample } from "./metrics.ts";
import type { SealedSnapshot } from "./sealed-snapshot.ts";

/** What the supervisor says to a worker. The first message is always `start`. */
export type SupervisorMessage =
  | WorkerStart
  /** Replaces the worker's snapshot whole; calls in flight keep theirs. Answered by `snapshot-applied`. */
  | { readonly kind: "snapshot"; readonly snapshot: SealedSnapshot }
  /** No new connections; calls in flight may take so long, then they are told. Answered by `drained` and the exit. */
  | { readonly kind: "drain"; readonly limitMs: number }
  /** How the workers are, for `/readyz`. */
  | { readonly kind: "fleet"; readonly fleet: Fleet }
  /** Answered by `metrics` with the same id. */
  | { readonly kind: "metrics-request"; readonly id: number }
  /** The answer to `metrics-wanted`: the reports of the other workers that answered in time, and the supervisor's own. */
  | ({ readonly kind: "metrics-of-others"; readonly id: number } & OthersReports)
  /** The answer to `borrow` with the same id. */
  | { readonly kind: "lent"; readonly id: number; readonly lent: Lent }
  /** Others are in need of these meters, by id. Answered by `give-back`, where there is something, and `returned`. */
  | { readonly kind: "recall"; readonly id: number; readonly meters: readonly string[] }
  /** What changed of the issued keys. */
  | { readonly kind: "keys"; readonly news: KeyNews }
  /** The answer to `admin-ask` with the same id. */
  | { readonly kind: "admin-answer"; readonly id: number; readonly answer: KeyAnswer }
  | HealthNews;

/** What another worker, or this one, found out about providers; nobody waits for it or answers. */
export interface HealthNews {
  readonly kind: "health";
  /** Of the snapshot it was found under: another one may have other keys. */
  readonly version: string;
  readonly hints: readonly HealthHint[];
}

/** A worker's numbers for whoever was asked for them. */
export interface WorkerReport {
  readonly metrics: MetricsSample;
  readonly health: readonly HealthRow[];
}

export interface OthersReports {
  readonly reports: readonly WorkerReport[];
  /** What no worker knows, because the supervisor does it. */
  readonly ofSupervisor: MetricsSample;
}

export interface WorkerStart {
  readonly kind: "start";
  readonly worker: string;
  readonly journal: { readonly folder: string; readonly name: string };
  /** The file of what is kept between calls. */
  readonly memory: string;
  /** The file of labels. */
  readonly labels: string;
  /** The file of answers that wait for people. */
  readonly reviews: string;
  readonly listen: ListenAddress;
  readonly snapshot: SealedSnapshot;
  /** What the workers of the node know of providers, at this time of the wall clock: a process takes its time to start. */
  readonly health: { readonly hints: readonly HealthHint[]; readonly wallMs: number };
  /** How calls to targets usually ended, by the records: a worker that starts knows nothing of its own. */
  readonly usual: readonly UsualSuccess[];
  /** All issued keys. */
  readonly keys: KeyNews;
  readonly logStyle: "plain" | "json";
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** `shared`: every worker binds the port itself. `handed`: the listening handle comes with the message. */
  readonly how: "shared" | "handed";
}

/** What a worker says to the supervisor. */
export type WorkerMessage =
  /** It answers calls on this port. */
  | { readonly kind: "ready"; readonly port: number; readonly version: string }
  | { readonly kind: "snapshot-applied"; readonly version: string }
  /** It has stopped accepting, by its supervisor's word or by a signal of its own. */
  | { readonly kind: "draining" }
  /** No call is left and the journal is closed; the exit follows. */
  | { readonly kind: "drained"; readonly metrics: MetricsSample }
  | { readonly kind: "metrics"; readonly id: number; readonly report: WorkerReport }
  | HealthNews
  /** Somebody asked this worker for `/metrics` or for the health of providers. */
  | { readonly kind: "metrics-wanted"; readonly id: number; readonly metrics: MetricsSample }
  /** It needs more of meters than it was lent. Answered by `lent` with the same id. */
  | { readonly kind: "borrow"; readonly id: number; readonly wants: readonly Want[] }
  | { readonly kind: "give-back"; readonly returns: readonly Return[] }
  | { readonly kind: "returned"; readonly id: number }
  /** Somebody asks this worker about issued keys. Answered by `admin-answer` with the same id. */
  | { readonly kind: "admin-ask"; readonly id: number; readonly ask: KeyAsk }
  /** It cannot go on; the exit follows. `code` is the system's, such as `EADDRINUSE`. */
  | { readonly kind: "fatal"; readonly message: string; readonly code?: string };

export interface Fleet {
  /** How many workers there should be. */
  readonly wanted: number;
  readonly ready: number;
  /** Versions in use, without repeats: one, but for the moment of a reload. */
  readonly versions: readonly string[];
}
