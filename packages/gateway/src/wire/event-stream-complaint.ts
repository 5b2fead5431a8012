import type { EventStreamFrame } from "./event-stream.ts";

/**
 * What a frame complains of; undefined for a frame that is an event. The kind of an exception stands in the frame's
 * headers, what it says in the payload; of an error both are headers
 * (https://smithy.io/2.0/aws/amazon-eventstream.html).
 */
export function complaintOf({
  headers,
  payload,
}: Pick<EventStreamFrame, "headers" | "payload">): Readonly<Record<string, unknown>> | undefined {
  const kind = headers[":message-type"];
  if (kind !== "exception" && kind !== "error") return undefined;
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString("utf8");
  const type = headers[":exception-type"] ?? headers[":error-code"];
  const message = headers[":error-message"];
  return {
    ...saidIn(text),
    ...(message === undefined ? {} : { message }),
    ...(type === undefined ? {} : { type }),
  };
}

function saidIn(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Words without a form.
  }
  return text === "" ? {} : { message: text };
}
