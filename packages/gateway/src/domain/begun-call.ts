import type { AttemptRecord, AttemptRole, CallRecord } from "./record.ts";

/** What is known of a call while it is under way: enough for its record, should its process die. No prompt, no secret. */
export interface BegunCall extends Pick<
  CallRecord,
  | "version"
  | "id"
  | "snapshot"
  | "caller"
  | "keyId"
  | "organisation"
  | "team"
  | "user"
  | "dialect"
  | "operation"
  | "route"
  | "requestedModel"
  | "streamed"
  | "requestBytes"
  | "tags"
  | "session"
  | "trace"
  | "shadow"
> {
  /** Wall clock, milliseconds since 1970. */
  readonly atMs: number;
  /** Since it was accepted. */
  readonly elapsedMs: number;
  /** As they were asked: those that have ended, and those on their way. */
  readonly attempts: readonly (AttemptRecord | BegunAttempt)[];
}

export interface BegunAttempt {
  /** `provider/model` */
  readonly target: string;
  readonly credential: string;
  /** Milliseconds after the call was accepted. */
  readonly startedMs: number;
  readonly role?: AttemptRole;
  /** Tokens it may use, those of the prompt among them, as far as anybody can say before. */
  readonly promptTokens?: number;
  readonly tokens?: number;
  /** Integer nano-dollars it may cost; absent where nobody priced it. */
  readonly nanoUsd?: number;
}
