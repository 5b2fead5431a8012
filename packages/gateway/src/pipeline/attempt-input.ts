import type { AnswerEvent } from "#domain/answer";
import type { Operation } from "#domain/call";
import type { Failure } from "#domain/failure";
import type { Attempt, Target, Timeouts } from "#domain/plan";
import type { Exchange } from "#domain/ports";
import type { Credential, ProviderSpec, ServerLimits } from "#domain/snapshot";
import type { Fingerprint } from "#policy/deadly-requests";
import type { ProviderKind } from "#providers/provider";
import type { DataPlane } from "./data-plane.ts";
import type { CommitGate } from "./gate.ts";
import type { Entrant } from "./hedged-attempt.ts";
import type { Lane } from "./lane.ts";
import type { CallControl } from "./live-calls.ts";
import type { Observation } from "./observation.ts";

export interface AttemptInput {
  readonly plane: DataPlane;
  readonly limits: ServerLimits;
  readonly exchange: Downstream;
  readonly control: CallControl;
  readonly timeouts: Timeouts;
  readonly target: Target;
  readonly spec: ProviderSpec;
  readonly kind: ProviderKind;
  readonly credential: Credential | undefined;
  readonly credentialId: string;
  readonly lane: Lane;
  readonly operation: Operation;
  readonly fingerprint: Fingerprint;
  readonly streamed: boolean;
  readonly deadlineAtMs: number;
  /** Set where another attempt may run beside this one. */
  readonly entrant?: Entrant;
  /** Set where the answer is to be judged. */
  readonly watch?: AnswerWatch;
  /** Set while another target could still be asked: waiting for an answer may not take all the time. */
  readonly shareMs?: number;
  /** Headers that name its place in a trace, by the monotonic time at which it began. */
  readonly traceHeaders?: (startedAtMs: number) => Readonly<Record<string, string>>;
  /** Status and headers of the answer, asked for at the commit point. */
  readonly headers: (
    returned: Readonly<Record<string, string>>,
  ) => Readonly<Record<string, string | readonly string[]>>;
  /** Reads a whole answer that is not streamed: its bytes for the caller, or what is wrong with it. */
  readonly readWhole: (body: Uint8Array, seen: Observation, classify: Classify) => Uint8Array | Failure;
}

/** What an attempt needs of the client. */
export type Downstream = Pick<Exchange, "respond" | "write" | "end" | "onDrain">;

/** Looks on while a streamed answer comes. */
export interface AnswerWatch {
  /** Nothing reaches the client before a verdict: an early one, or the end of the attempt, whose bytes then still wait. */
  readonly holds: boolean;
  /** There is no room for more: an answer that is held ends with it. */
  readonly refusal?: Failure | undefined;
  /** Told of every event; `bytes`: of the frame it came in. Gives a verdict as soon as there is one. */
  see(event: AnswerEvent, bytes: number): EarlyVerdict | undefined;
}

/** `give`: what is held, and the rest as it comes. `doubt`: nothing of it. */
export type EarlyVerdict = "give" | "doubt";

export type Classify = (complaint: unknown) => Failure;

/** What an attempt leaves behind: how it ended, and the bytes that wait until its record is durable. */
export interface AttemptResult {
  readonly attempt: Attempt;
  readonly seen: Observation;
  readonly returned: Readonly<Record<string, string>>;
  readonly committed: boolean;
  /** The caller gets the provider's own bytes. */
  readonly relayed: boolean;
  readonly bytesOut: number;
  /** A whole answer in one piece, as the caller gets it, not yet sent. */
  readonly body?: Uint8Array;
  readonly gate: CommitGate;
  /** Of a stream, where it is not the usual one. */
  readonly contentType?: string;
}
