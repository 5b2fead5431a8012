import { EventStreamCodec } from "@smithy/core/event-streams";
import { objectOf, textOf, type JsonView } from "../json-view.ts";

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8")),
  (text) => Buffer.from(text, "utf8"),
);

/** One message of Amazon's event stream: its type and its JSON. */
export interface EventMessage {
  readonly kind: string;
  readonly type: string;
  readonly json: JsonView;
}

/** The messages of a whole event stream, read by Amazon's own codec, which checks both checksums of each. */
export function readEventFrames(bytes: Uint8Array): readonly EventMessage[] {
  const messages: EventMessage[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0);
    const { headers, body } = codec.decode(bytes.subarray(at, at + length));
    const header = (name: string): string => textOf(headers[name]?.value);
    messages.push({
      kind: header(":message-type"),
      type: header(":event-type") || header(":exception-type"),
      json: objectOf(JSON.parse(Buffer.from(body).toString("utf8"))),
    });
    at += length;
  }
  return messages;
}

/** The frame in which Amazon's services send an event. */
export function eventFrame(type: string, json: string): Buffer {
  const text = (value: string) => ({ type: "string" as const, value });
  return Buffer.from(
    codec.encode({
      headers: {
        ":event-type": text(type),
        ":content-type": text("application/json"),
        ":message-type": text("event"),
      },
      body: Buffer.from(json, "utf8"),
    }),
  );
}
