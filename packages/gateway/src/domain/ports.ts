import type { Failure } from "./failure.ts";
import type { Label } from "./confidence.ts";
import type { BegunCall } from "./begun-call.ts";
import type { CallRecord } from "./record.ts";
import type { NewReview, ReviewLook } from "./review.ts";

/**
 * What the request path needs of the world, as types: sockets, time, chance and the journal reach it as arguments,
 * so that live traffic, simulations and replays run the same code.
 */
export interface Clock {
  /** Monotonic milliseconds. */
  nowMs(): number;
  /** Wall clock, milliseconds since 1970; for records and dates only, never for deadlines. */
  wallMs(): number;
  /** Runs `then` once after `delayMs`; the returned function cancels it. */
  timer(delayMs: number, then: () => void): () => void;
}

/** The client's side of a call: one HTTP exchange. Of several callbacks set for one thing the last is called. */
export interface Exchange {
  readonly method: string;
  /** Decoded once, normalised, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names. A header that must not repeat and did is refused before this exists. */
  readonly headers: Readonly<Record<string, string>>;
  /** Reads the whole body within the limits; a second call is a bug. */
  readBody(limits: BodyLimits): Promise<BodyRead>;
  /** Names status and headers; they leave with the first `write` or `end`. */
  respond(status: number, headers: Readonly<Record<string, string | readonly string[]>>): void;
  /** False asks to stop until `onDrain`. */
  write(bytes: Uint8Array): boolean;
  end(bytes?: Uint8Array): void;
  /** Cuts the connection without a clean end: what a broken stream of an unknown end deserves. */
  destroy(): void;
  /** The client has closed its side before the answer was complete. */
  readonly gone: boolean;
  onGone(then: () => void): void;
  onDrain(then: () => void): void;
}

export interface BodyLimits {
  readonly maxBytes: number;
  readonly idleMs: number;
}

export type BodyRead =
  | { readonly kind: "read"; readonly bytes: Uint8Array }
  | { readonly kind: "refused"; readonly failure: Failure }
  | { readonly kind: "gone" };

export interface UpstreamRequest {
  /** `https://host:port` */
  readonly origin: string;
  readonly path: string;
  readonly method: "POST" | "GET";
  readonly headers: Readonly<Record<string, string>>;
  /** Pieces in order; sent as one body of their joint length. */
  readonly body?: readonly Uint8Array[];
  readonly connectMs: number;
}

/** Called in order: `onHead` once, `onBytes` any number of times, then exactly one of `onEnd` and `onFail`. */
export interface UpstreamHandler {
  /** Lower-case names; repeated ones joined by `, `. */
  onHead(status: number, headers: Readonly<Record<string, string>>): void;
  /** The bytes are the handler's to keep: nobody writes to them again. */
  onBytes(bytes: Uint8Array): void;
  /** The transport ended cleanly, which proves nothing about the answer. */
  onEnd(): void;
  onFail(failure: Failure): void;
}

/** Nothing is called on the handler after `cancel`. */
export interface UpstreamFlow {
  pause(): void;
  resume(): void;
  cancel(): void;
}

export type SendUpstream = (request: UpstreamRequest, handler: UpstreamHandler) => UpstreamFlow;

/**
 * What the gateway keeps between calls on behalf of one caller: answers and conversations that a later call names, and
 * sealed thoughts under the id of the tool call they led to. Bounded and expiring, shared by the workers of a node.
 * Nothing here waits: a store that cannot be used loses the memory, never the call.
 */
export interface Memory {
  get(place: MemoryPlace): string | undefined;
  /** False where it could not be kept: too large, or the store is out of order. */
  put(place: MemoryPlace, value: string, ttlMs: number): boolean;
  /** Changes what is there in one step, whoever else writes; false where there is nothing, or it could not be kept. */
  change(place: MemoryPlace, change: (value: string) => string): boolean;
  /** Whether there was something. */
  delete(place: MemoryPlace): boolean;
}

export interface MemoryPlace {
  readonly space: "response" | "conversation" | "thought";
  /** The caller: nobody finds what another left. */
  readonly owner: string;
  readonly id: string;
}

/** `then` runs when the record is on disk (or, with an error, when it cannot be). */
export interface Journal {
  append(record: CallRecord, then: (error?: Error) => void): void;
  /** A call that has no record yet: should the process die, this becomes one. Absent: then it leaves none. */
  begin?(call: BegunCall): void;
}

/** Answers that wait for a person. What `put` said yes to is on disk. */
export interface Reviews {
  /** False where it could not be kept: the call then ends without one. */
  put(review: NewReview): boolean;
  /** Of this caller; of others' it knows nothing. */
  get(owner: string, id: string): ReviewLook;
  /** Whether it is there and still waits. Cheap: what was asked and answered is not read. */
  isPending(owner: string, id: string): boolean;
}

/** Verdicts on answers. What `add` said yes to is on disk. */
export interface Labels {
  add(label: Label): boolean;
}

/** The same where others are served meanwhile. */
export interface LabelIntake {
  /** `then` is told once it is on disk, or that it could not be kept. */
  take(label: Label, then: (kept: boolean) => void): void;
}
