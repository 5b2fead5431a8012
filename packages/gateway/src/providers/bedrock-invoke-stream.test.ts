import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeEventStreamFrame } from "#wire/encode-event-stream";
import { bedrockInvokeStream } from "./bedrock-invoke-stream.ts";

function unwrap(pieces: readonly Uint8Array[], maxFrameBytes = 1 << 16) {
  const said: Buffer[] = [];
  const complaints: object[] = [];
  const broken: string[] = [];
  const unwrapping = bedrockInvokeStream.open({
    maxFrameBytes,
    onBytes: (bytes) => said.push(Buffer.from(bytes)),
    onComplaint: (complaint) => complaints.push(complaint),
    onBroken: (why) => broken.push(why),
  });
  for (const piece of pieces) unwrapping.push(piece);
  unwrapping.end();
  return { text: Buffer.concat(said).toString(), complaints, broken };
}

function frame(headers: Readonly<Record<string, string>>, payload: string): Buffer {
  return encodeEventStreamFrame({ headers, payload: Buffer.from(payload) });
}

function chunk(event: string): Buffer {
  const payload = JSON.stringify({ bytes: Buffer.from(event).toString("base64"), p: "abcd" });
  return frame({ ":event-type": "chunk", ":content-type": "application/json", ":message-type": "event" }, payload);
}

const start = '{"type":"message_start","message":{"n":1.0}}';
const stop = '{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":9}}';
const whole = [chunk(start), chunk('{"type":"ping","x":"é😀"}'), chunk(stop)];
const asSse =
  `event: message_start\ndata: ${start}\n\n` +
  'event: ping\ndata: {"type":"ping","x":"é😀"}\n\n' +
  `event: message_stop\ndata: ${stop}\n\n`;
const exception = { ":exception-type": "throttlingException", ":message-type": "exception" };

describe("Bedrock's framing of another vendor's stream", () => {
  it("comes off, and leaves the events that vendor would send, byte for byte", () => {
    expect(unwrap(whole)).toEqual({ text: asSse, complaints: [], broken: [] });
  });

  it("comes off the same way however the bytes are split", () => {
    const bytes = Buffer.concat(whole);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 8 }), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const pieces = places.slice(1).map((place, at) => bytes.subarray(places[at], place));
        expect(unwrap(pieces).text).toBe(asSse);
      }),
    );
  });

  it("is asked for by its content type", () => {
    expect(bedrockInvokeStream.streamTypes).toEqual(["application/vnd.amazon.eventstream"]);
  });

  it("hands an exception on, and nothing behind it", () => {
    const { text, complaints, broken } = unwrap([
      chunk(start),
      frame(exception, '{"message":"slow"}'),
      chunk(stop),
      frame(exception, "{}"),
    ]);
    expect(text).toBe(`event: message_start\ndata: ${start}\n\n`);
    expect(complaints).toEqual([{ message: "slow", type: "throttlingException" }]);
    expect(broken).toEqual([]);
  });

  it("says nothing of a stream that was cut: the language itself tells", () => {
    const bytes = Buffer.concat([chunk(start), chunk(stop)]);
    const { text, complaints, broken } = unwrap([bytes.subarray(0, -3)]);
    expect(text).toBe(`event: message_start\ndata: ${start}\n\n`);
    expect([...complaints, ...broken]).toEqual([]);
  });

  it("passes over frames that hold no event", () => {
    expect(unwrap([frame({ ":event-type": "comment", ":message-type": "event" }, ""), ...whole]).text).toBe(asSse);
  });

  it.each([
    ["bytes that are no frames", Buffer.from("<html>no frames at all</html>")],
    ["a chunk without bytes", frame({ ":event-type": "chunk", ":message-type": "event" }, "{}")],
    ["a chunk that is no JSON", frame({ ":event-type": "chunk", ":message-type": "event" }, "{")],
    ["an event that is no JSON", chunk("nothing")],
    ["an event without a type", chunk('{"a":1}')],
    ["a type that would break the framing", chunk(JSON.stringify({ type: "a\nevent: b" }))],
    ["a frame over the limit", chunk(JSON.stringify({ type: "x", text: "x".repeat(70_000) }))],
  ])("says once that it cannot read %s", (_what, bytes) => {
    const { text, complaints, broken } = unwrap([bytes, ...whole, bytes]);
    expect(broken).toHaveLength(1);
    expect(complaints).toEqual([]);
    expect(text).toBe("");
  });
});
