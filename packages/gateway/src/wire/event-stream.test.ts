import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeEventStreamFrame } from "./encode-event-stream.ts";
import type { EventHeaders, EventHeaderValue } from "./event-stream-headers.ts";
import { eventStreamDecoder, type EventStreamFrame } from "./event-stream.ts";

interface Seen {
  readonly frames: { headers: object; typedHeaders?: object; payload: string; raw: string }[];
  readonly problems: string[];
}

function decodeAll(pieces: Iterable<Uint8Array>, maxFrameBytes = 1 << 20): Seen {
  const seen: Seen = { frames: [], problems: [] };
  const decoder = eventStreamDecoder({
    maxFrameBytes,
    onFrame: ({ payload, raw, ...headers }: EventStreamFrame) =>
      seen.frames.push({ ...headers, payload: latin1(payload), raw: latin1(raw) }),
    onProblem: ({ kind }) => seen.problems.push(kind),
  });
  for (const piece of pieces) decoder.push(piece);
  decoder.end();
  decoder.end();
  return seen;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

function singleBytes(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte));
}

function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const places = [0, ...at.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return places.slice(1).map((place, index) => bytes.slice(places[index], place));
}

/** Any lengths, headers and payload, with right checksums around them. */
function sealed(frameBytes: number, headerBytes: number, behind: Uint8Array): Buffer {
  const frame = Buffer.concat([Buffer.alloc(12), behind, Buffer.alloc(4)]);
  frame.writeUInt32BE(frameBytes, 0);
  frame.writeUInt32BE(headerBytes, 4);
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8);
  frame.writeUInt32BE(crc32(frame.subarray(0, -4)), frame.length - 4);
  return frame;
}

function sealedHeaders(head: Uint8Array): Buffer {
  return sealed(16 + head.length, head.length, head);
}

/** Put down by hand after the format's description; the checksums are those of Python's zlib. */
const handMade = Buffer.from(
  [
    "00000030", // 48 bytes in all
    "00000019", // 25 of them headers
    "a068cf2f",
    "0b 3a6576656e742d74797065 07 0005 6368756e6b", // `:event-type`, a string of five bytes: `chunk`
    "01 6e 03 fffe", // `n`, a short: -2
    "7b2261223a317d", // `{"a":1}`
    "de81008b",
  ]
    .join("")
    .replaceAll(" ", ""),
  "hex",
);
const handMadeContent = {
  headers: { ":event-type": "chunk" },
  typedHeaders: { n: { type: "short", value: -2 } },
  payload: Buffer.from('{"a":1}'),
} as const;

const names = fc.string({ unit: "binary", minLength: 1, maxLength: 12 });
const wide = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const values: fc.Arbitrary<EventHeaderValue> = fc.oneof(
  fc.boolean().map((value) => ({ type: "boolean", value }) as const),
  fc.integer({ min: -128, max: 127 }).map((value) => ({ type: "byte", value }) as const),
  fc.integer({ min: -32_768, max: 32_767 }).map((value) => ({ type: "short", value }) as const),
  fc.integer().map((value) => ({ type: "integer", value }) as const),
  wide.map((value) => ({ type: "long", value }) as const),
  wide.map((value) => ({ type: "timestamp", value }) as const),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => ({ type: "binary", value: Buffer.from(bytes) }) as const),
  fc.uuid().map((value) => ({ type: "uuid", value }) as const),
);
const frames = fc.record({
  headers: fc.dictionary(
    names.map((name) => `:${name}`),
    fc.string({ unit: "grapheme", maxLength: 20 }),
    { maxKeys: 4 },
  ),
  typedHeaders: fc.dictionary(
    names.map((name) => `t${name}`),
    values,
    { maxKeys: 4 },
  ),
  payload: fc.uint8Array({ maxLength: 3000 }),
});
const cuts = fc.array(fc.nat(), { maxLength: 12 });

function asSeen(frame: EventHeaders & { readonly payload: Uint8Array }): Seen["frames"][number] {
  const { headers, typedHeaders = {} } = frame;
  const typed = Object.keys(typedHeaders).length === 0 ? {} : { typedHeaders };
  return { headers, ...typed, payload: latin1(frame.payload), raw: latin1(encodeEventStreamFrame(frame)) };
}

describe("the event stream decoder", () => {
  it("reads a frame written by hand, and the encoder writes the same bytes", () => {
    expect(decodeAll([handMade])).toEqual({ frames: [asSeen(handMadeContent)], problems: [] });
    expect(encodeEventStreamFrame(handMadeContent).toString("hex")).toBe(handMade.toString("hex"));
  });

  it("gives the frames that were encoded, all types of headers, whatever the split", () => {
    fc.assert(
      fc.property(fc.array(frames, { maxLength: 5 }), cuts, (sent, at) => {
        const bytes = Buffer.concat(sent.map((frame) => encodeEventStreamFrame(frame)));
        const expected: Seen = { frames: sent.map((frame) => asSeen(frame)), problems: [] };
        expect(decodeAll(cut(bytes, at))).toEqual(expected);
        expect(decodeAll(singleBytes(bytes))).toEqual(expected);
      }),
    );
  });

  it("keeps a header named like a property every object has", () => {
    const headers = Object.fromEntries([["__proto__", "a"]]);
    const bytes = encodeEventStreamFrame({ headers, payload: Buffer.alloc(0) });
    expect(Object.entries(decodeAll([bytes]).frames[0]?.headers ?? {})).toEqual([["__proto__", "a"]]);
  });

  it("gives a frame that lies inside one chunk without copying it", () => {
    const frame = encodeEventStreamFrame({ headers: {}, payload: Buffer.from("a") });
    const chunk = Buffer.concat([frame, frame]);
    const buffers: unknown[] = [];
    const decoder = eventStreamDecoder({
      maxFrameBytes: 100,
      onFrame: ({ payload }) => buffers.push(payload.buffer, payload.byteOffset - chunk.byteOffset),
      onProblem: () => {},
    });
    decoder.push(chunk);
    expect(buffers).toEqual([chunk.buffer, 12, chunk.buffer, frame.length + 12]);
  });

  it("gives no frame of which any one bit is wrong, and says so once", () => {
    const first = encodeEventStreamFrame({ headers: { a: "b" }, payload: Buffer.from("first") });
    const second = encodeEventStreamFrame({ headers: { a: "b" }, payload: Buffer.from("second") });
    const bytes = Buffer.concat([first, second, first]);
    for (let bit = first.length * 8; bit < (first.length + second.length) * 8; bit += 1) {
      const broken = Buffer.from(bytes);
      broken[bit >> 3] = (broken[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const inPrelude = (bit >> 3) - first.length < 12;
      const expected = inPrelude ? ["prelude_checksum"] : ["message_checksum"];
      for (const pieces of [[broken], singleBytes(broken)]) {
        const seen = decodeAll(pieces);
        expect(seen.frames.map(({ payload }) => payload)).toEqual(["first"]);
        expect(seen.problems).toEqual(expected);
      }
    }
  });

  it("reports a stream that ends inside a frame, wherever that is", () => {
    const frame = encodeEventStreamFrame({ headers: { a: "b" }, payload: Buffer.from("payload") });
    for (let at = 0; at <= frame.length; at += 1) {
      const seen = decodeAll([frame, frame.subarray(0, at)]);
      const isWhole = at === 0 || at === frame.length;
      expect(seen.problems).toEqual(isWhole ? [] : ["truncated"]);
      expect(seen.frames).toHaveLength(at === frame.length ? 2 : 1);
    }
    expect(decodeAll([])).toEqual({ frames: [], problems: [] });
  });

  it("refuses a frame over the limit by its prelude, before the frame is there", () => {
    const frame = encodeEventStreamFrame({ headers: {}, payload: Buffer.alloc(84) });
    expect(decodeAll([frame], 100).frames).toHaveLength(1);
    for (const pieces of [[frame], [frame.subarray(0, 12)], singleBytes(frame)]) {
      expect(decodeAll(pieces, 99)).toEqual({ frames: [], problems: ["oversize"] });
    }
  });

  it("refuses headers over the format's limit", () => {
    const prelude = sealed(1 << 20, 128 * 1024 + 1, Buffer.alloc(0));
    expect(decodeAll([prelude.subarray(0, 12)], 1 << 24).problems).toEqual(["oversize"]);
  });

  it.each([
    ["a frame shorter than its own checksums", sealed(15, 0, Buffer.alloc(0))],
    ["headers longer than their frame", sealed(20, 5, Buffer.alloc(4))],
    ["a name that runs over the headers", sealedHeaders(Buffer.of(5, 0x61))],
    ["a header without a type", sealedHeaders(Buffer.of(1, 0x61))],
    ["a type that is not known", sealedHeaders(Buffer.of(1, 0x61, 10))],
    ["a string without its length", sealedHeaders(Buffer.of(1, 0x61, 7, 0))],
    ["a string that runs over the headers", sealedHeaders(Buffer.of(1, 0x61, 7, 0, 2, 0x61))],
    ["half an integer", sealedHeaders(Buffer.of(1, 0x61, 4, 0, 0))],
  ])("calls %s malformed, though its checksums are right", (_what, bytes) => {
    expect(decodeAll([bytes])).toEqual({ frames: [], problems: ["malformed"] });
  });

  it("never throws, whatever comes under right checksums", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (head) => {
        const { frames: given, problems } = decodeAll([sealedHeaders(head)]);
        expect(given.length + problems.length).toBe(1);
      }),
      { numRuns: 2000 },
    );
  });

  it("stays linear where a large frame comes byte by byte", () => {
    const bytes = encodeEventStreamFrame({ headers: {}, payload: Buffer.alloc(1 << 18) });
    const started = performance.now();
    expect(decodeAll(singleBytes(bytes)).frames).toHaveLength(1);
    expect(performance.now() - started).toBeLessThan(3000);
  });
});

describe("encodeEventStreamFrame", () => {
  const payload = Buffer.alloc(0);

  it.each<[string, EventHeaders]>([
    ["a name of 256 bytes", { headers: { ["n".repeat(256)]: "" } }],
    ["a string of 32,768 bytes", { headers: { a: "v".repeat(32_768) } }],
    ["half a UUID", { headers: {}, typedHeaders: { a: { type: "uuid", value: "01234567-89ab" } } }],
    ["a byte of 200", { headers: {}, typedHeaders: { a: { type: "byte", value: 200 } } }],
    [
      "more headers than a frame may have",
      { headers: Object.fromEntries(Array.from({ length: 5 }, (_, n) => [`h${n}`, "v".repeat(32_767)])) },
    ],
  ])("refuses %s instead of writing what no one can read", (_what, headers) => {
    expect(() => encodeEventStreamFrame({ ...headers, payload })).toThrow(RangeError);
  });
});
