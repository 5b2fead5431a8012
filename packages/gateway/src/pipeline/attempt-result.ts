import type { Outcome } from "#domain/plan";
import { ascii } from "./answer-headers.ts";
import type { AttemptInput, AttemptResult } from "./attempt-input.ts";
import type { CommitGate } from "./gate.ts";
import { maskOf } from "./mask.ts";
import type { Observation } from "./observation.ts";

/** Monotonic; undefined where it did not come so far. */
export interface Times {
  readonly startedAtMs: number;
  readonly firstByteAtMs: number | undefined;
  readonly firstContentAtMs: number | undefined;
  readonly status: number | undefined;
}

export interface Ended extends Times {
  readonly outcome: Outcome;
  readonly seen: Observation;
  readonly gate: CommitGate;
  /** The upstream's. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

/** What an attempt leaves behind. */
export function resultOf(input: AttemptInput, ended: Ended): AttemptResult {
  const { outcome, seen, gate, headers, body, startedAtMs, firstByteAtMs, firstContentAtMs, status } = ended;
  const mask = maskOf(input.spec);
  const requestId = input.kind.requestId(headers);
  const upstreamRequestId = requestId !== undefined && mask.finds(requestId) ? undefined : requestId;
  return {
    attempt: {
      target: input.target,
      credential: input.credentialId,
      startedAtMs,
      endedAtMs: input.plane.clock.nowMs(),
      ...(firstByteAtMs === undefined ? {} : { firstByteAtMs }),
      ...(firstContentAtMs === undefined ? {} : { firstContentAtMs }),
      ...(status === undefined ? {} : { status }),
      ...(upstreamRequestId === undefined ? {} : { upstreamRequestId }),
      outcome,
    },
    seen,
    returned: returnedHeaders(input, headers),
    committed: gate.committed,
    relayed: input.lane.kind === "relay",
    bytesOut: gate.bytes,
    gate,
    ...(input.lane.contentType === undefined ? {} : { contentType: input.lane.contentType }),
    ...(body === undefined ? {} : { body }),
  };
}

/** What of the upstream's head the caller may see. */
export function returnedHeaders(
  { spec, lane }: AttemptInput,
  headers: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const mask = maskOf(spec);
  const kept: Record<string, string> = {};
  for (const name of lane.returnHeaders) {
    const value = headers[name];
    if (value !== undefined && !mask.finds(value)) kept[name] = ascii(value);
  }
  return kept;
}
