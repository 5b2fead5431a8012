import { attachFacts as attachToJson } from "#dialects/attach-facts";
import type { LateMembers } from "#dialects/dialect";
import { encodeEventStreamFrame } from "#wire/encode-event-stream";
import { eventStreamDecoder, type EventStreamFrame } from "#wire/event-stream";

/**
 * Puts the facts into the last frame's JSON, which is the `metadata` where there is one. The frame is written anew,
 * because its lengths and checksums are others; those before it stay as they came.
 */
export function attachFacts(terminal: Uint8Array, facts: LateMembers): Uint8Array {
  let last: EventStreamFrame | undefined;
  const decoder = eventStreamDecoder({
    maxFrameBytes: terminal.length,
    onFrame: (frame) => (last = frame),
    // Bytes a decoder gave are whole frames; if they were not, they would be none of ours to change.
    onProblem: () => (last = undefined),
  });
  decoder.push(terminal);
  decoder.end();
  if (last === undefined) return terminal;
  const payload = attachToJson(last.payload, facts);
  const before = terminal.subarray(0, terminal.length - last.raw.length);
  return Buffer.concat([before, encodeEventStreamFrame({ ...last, payload })]);
}
