import type { Dialect } from "#dialects/dialect";
import type { Operation } from "#domain/call";
import { failure, type Failure } from "#domain/failure";
import type { ProviderSpec } from "#domain/snapshot";
import type { Classify } from "./attempt.ts";
import type { Observation } from "./observation.ts";

interface WholeAnswer {
  readonly body: Uint8Array;
  readonly seen: Observation;
  readonly classify: Classify;
  readonly spec: ProviderSpec;
  readonly upstream: Dialect;
  readonly operation: Operation;
}

/** Reads an answer that came in one piece; what is wrong with it, if anything. */
export function readWholeAnswer(whole: WholeAnswer): Failure | undefined {
  if (whole.operation === "count-tokens") return checkCount(whole);
  const events = whole.upstream.decodeAnswer(whole.body, {
    classify: whole.classify,
    quirks: whole.spec.quirks,
    maxEventBytes: whole.body.length,
  });
  whole.seen.events = events;
  for (const event of events) whole.seen.see(event);
  if (whole.seen.failure !== undefined) return whole.seen.failure;
  return whole.seen.ended ? undefined : failure("truncated_response", "The provider's answer is not complete.");
}

function checkCount(whole: WholeAnswer): Failure | undefined {
  try {
    const json: unknown = JSON.parse(Buffer.from(whole.body).toString("utf8"));
    if (typeof json === "object" && json !== null) {
      if ("error" in json) return whole.classify(json);
      whole.seen.ended = true;
      whole.seen.contentSeen = true;
      return undefined;
    }
  } catch {
    // Said below.
  }
  return failure("bad_upstream_response", "The provider's token count is not JSON.");
}
