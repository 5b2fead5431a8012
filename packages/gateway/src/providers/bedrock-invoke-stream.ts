import { complaintOf } from "#wire/event-stream-complaint";
import { eventStreamDecoder, type EventStreamFrame } from "#wire/event-stream";
import { encodeSse } from "#wire/sse";
import type { StreamUnwrapping, UnwrapOutput } from "./provider.ts";

/**
 * InvokeModelWithResponseStream: each event of the model's vendor travels as base64 inside a `chunk` frame (Bedrock's
 * reference, `ResponseStream`). What comes out are the server-sent events that Anthropic itself would send.
 */
export const bedrockInvokeStream: StreamUnwrapping = {
  streamTypes: ["application/vnd.amazon.eventstream"],
  open: unwrapTo,
};

function unwrapTo(out: UnwrapOutput): ReturnType<StreamUnwrapping["open"]> {
  let over = false;
  const decoder = eventStreamDecoder({
    maxFrameBytes: out.maxFrameBytes,
    onFrame(frame) {
      if (over) return;
      const unwrapped = unwrap(frame);
      over = unwrapped.kind === "complaint" || unwrapped.kind === "broken";
      if (unwrapped.kind === "bytes") out.onBytes(unwrapped.bytes);
      else if (unwrapped.kind === "complaint") out.onComplaint(unwrapped.complaint);
      else if (unwrapped.kind === "broken") out.onBroken(unwrapped.why);
    },
    onProblem({ kind, message }) {
      // A stream cut inside a frame is one that ended too early, which the language itself tells.
      if (over || kind === "truncated") return;
      over = true;
      out.onBroken(`The provider's stream cannot be read: ${message}.`);
    },
  });
  return {
    push(bytes) {
      if (!over) decoder.push(bytes);
    },
    end: () => decoder.end(),
  };
}

type Unwrapped =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "complaint"; readonly complaint: object }
  | { readonly kind: "broken"; readonly why: string }
  | { readonly kind: "nothing" };

function unwrap(frame: EventStreamFrame): Unwrapped {
  const complaint = complaintOf(frame);
  if (complaint !== undefined) return { kind: "complaint", complaint };
  if (frame.headers[":event-type"] !== "chunk") return { kind: "nothing" };
  const { payload } = frame;
  const wrapper = parsed(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString("utf8"));
  const base64 = wrapper?.["bytes"];
  const event = typeof base64 === "string" ? Buffer.from(base64, "base64").toString("utf8") : "";
  const type = parsed(event)?.["type"];
  if (typeof type !== "string" || /[\r\n]/u.test(type)) {
    return { kind: "broken", why: "The provider's stream holds an event without its type." };
  }
  return { kind: "bytes", bytes: Buffer.from(encodeSse({ event: type, data: event })) };
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}
