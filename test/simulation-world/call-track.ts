import type { CallRecord } from "#domain/record";
import type { Snapshot } from "#domain/snapshot";
import type { SimulatedClient } from "./simulated-client.ts";
import type { UpstreamTrack } from "./simulated-upstream.ts";

/** All that is known of one call from outside the gateway. */
export interface CallTrack {
  readonly number: number;
  readonly node: number;
  readonly client: SimulatedClient;
  readonly arrivedAtMs: number;
  readonly snapshot: Snapshot;
  /** Its node could keep records and was not about to stop. */
  readonly doorOpen: boolean;
  readonly upstreams: UpstreamTrack[];
  readonly records: CallRecord[];
  /** What the journal said of its record. */
  durable: boolean | undefined;
  servedAtMs: number | undefined;
  /** The first byte of a 200 reached the client. */
  committedAtMs: number | undefined;
}

/** `call 17 at n0`. */
export function nameOf({ number, node }: Pick<CallTrack, "number" | "node">): string {
  return `call ${number} at n${node}`;
}
