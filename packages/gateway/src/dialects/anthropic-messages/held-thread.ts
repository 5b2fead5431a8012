import { failure, type Failure } from "#domain/failure";
import type { FieldScan } from "#wire/json-splice";

const param = "thread";

/**
 * Refuses a conversation that the provider is to hold (beta `message-threads-2026-08-12`): its next turn brings only
 * the new messages, which mean something to that one account and nothing to any other target. The official SDK's tool
 * runner asks for threads unasked and falls back on whole conversations where it gets this answer.
 */
export function refuseThread(body: Uint8Array, scan: FieldScan): Failure | undefined {
  const span = scan.fields.get(param);
  if (span === undefined || Buffer.from(body.buffer, body.byteOffset + span.start, 4).toString() === "null") {
    return undefined;
  }
  const why = "`thread` is not taken here: the next call may be answered by another provider. Send all messages.";
  return failure("invalid_request", why, { param });
}

/** `error.details` by which the official SDK (1.12) knows that this request works without `thread`. */
export function threadDetails(failed: Failure): object | undefined {
  const refused = failed.kind === "invalid_request" && failed.param === param;
  return refused ? { error_code: "thread_unsupported_request" } : undefined;
}
