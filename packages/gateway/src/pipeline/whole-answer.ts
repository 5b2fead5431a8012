import type { Call } from "#domain/call";
import { failure, type Failure } from "#domain/failure";
import type { ProviderSpec } from "#domain/snapshot";
import { emptyUsage, type Usage } from "#domain/usage";
import type { Classify } from "./attempt-input.ts";
import type { Lane } from "./lane.ts";
import { estimateTokens, type Observation } from "./observation.ts";

interface WholeAnswer {
  readonly body: Uint8Array;
  readonly seen: Observation;
  readonly classify: Classify;
  readonly spec: ProviderSpec;
  readonly lane: Lane;
  readonly call: Call;
}

/** Reads an answer that came in one piece: its bytes for the caller, or what is wrong with it. */
export function readWholeAnswer(whole: WholeAnswer): Uint8Array | Failure {
  const { body, seen, lane } = whole;
  if (lane.readUnary !== undefined) return readUnaryAnswer(whole, lane.readUnary);
  const wrong = checkAnswer(whole);
  if (wrong !== undefined) return wrong;
  // Before anything is recorded: an answer that cannot be written is none.
  const written = lane.renderAnswer(body, seen.events);
  return written ?? failure("internal_error", "The gateway could not write this answer in the caller's language.");
}

function checkAnswer({ body, seen, classify, spec, lane }: WholeAnswer): Failure | undefined {
  const options = { classify, quirks: spec.quirks, maxEventBytes: body.length };
  seen.events = lane.upstream.decodeAnswer(body, options);
  for (const event of seen.events) seen.see(event);
  if (seen.failure !== undefined) return seen.failure;
  return seen.ended ? undefined : failure("truncated_response", "The provider's answer is not complete.");
}

/** A count, vectors, an order: JSON that is whole by being JSON. */
function readUnaryAnswer(whole: WholeAnswer, read: NonNullable<Lane["readUnary"]>): Uint8Array | Failure {
  const { buffer, byteOffset, length } = whole.body;
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(buffer, byteOffset, length).toString("utf8"));
  } catch {
    // Said below.
  }
  if (typeof json !== "object" || json === null) {
    return failure("bad_upstream_response", "The provider's answer is not JSON.");
  }
  if ("error" in json && json.error !== null) return whole.classify(json);
  const answer = read(json, whole.body);
  if (!("body" in answer)) return answer;
  whole.seen.ended = true;
  whole.seen.contentSeen = true;
  whole.seen.usage = answer.usage ?? estimatedUsage(whole.call);
  return answer.body;
}

/** Vectors are paid by what is read of their texts; where nobody counted, we do. */
function estimatedUsage({ operation, body }: Call): Usage | undefined {
  if (operation !== "embed") return undefined;
  return { ...emptyUsage, inputUncached: estimateTokens(body.length), estimated: true };
}
