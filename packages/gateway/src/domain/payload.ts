import type { Call } from "./call.ts";

/** Which calls' payloads are kept, and how much of each. */
export interface PayloadRule {
  /** 0 to 1. */
  readonly share: number;
  /** Of a request, and of an answer: what is longer is cut. */
  readonly maxBytes: number;
  /** After a file's last line. */
  readonly keepMs: number;
  readonly maxTotalBytes: number;
}

export interface PayloadPart {
  /** All there were. */
  readonly bytes: number;
  /** The first of them. */
  readonly kept: Uint8Array;
}

/** What a caller asked and was given: bodies alone, never a header or a key. */
export interface Payload extends Pick<Call, "id" | "caller" | "dialect" | "operation" | "model" | "streamed"> {
  /** Wall clock, milliseconds since 1970, at the call's end. */
  readonly atMs: number;
  /** The one that was found; empty where none was. */
  readonly route: string;
  /** HTTP; 0 where nothing was answered. */
  readonly status: number;
  readonly request: PayloadPart;
  /** As it was sent, a stream's events as they left. */
  readonly answer: PayloadPart;
}

/** Takes payloads and never waits, nor fails: what it cannot hold is counted and dropped. */
export interface PayloadSink {
  put(payload: Payload): void;
}
