import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeSse, sseDecoder, type SseFrame } from "#wire/sse";

interface Seen {
  readonly frames: { event?: string; data?: string; unterminated?: true; raw: string }[];
  oversized: number;
}

function decodeAll(pieces: readonly Uint8Array[], maxFrameBytes = 1 << 20): Seen {
  const seen: Seen = { frames: [], oversized: 0 };
  const decoder = sseDecoder({
    maxFrameBytes,
    onFrame: ({ raw, ...frame }: SseFrame) => seen.frames.push({ ...frame, raw: Buffer.from(raw).toString("latin1") }),
    onOversize: () => (seen.oversized += 1),
  });
  for (const piece of pieces) decoder.push(piece);
  decoder.end();
  return seen;
}

function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const places = [0, ...at.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return places.slice(1).map((place, index) => bytes.slice(places[index], place));
}

/** The standard, written the slow and obvious way: only what is dispatched. */
function dispatched(bytes: Uint8Array): { event?: string; data: string }[] {
  const events: { event?: string; data: string }[] = [];
  let data: string | undefined;
  let event = "";
  const lines = new TextDecoder().decode(bytes).split(/\r\n|\r|\n/u);
  for (const line of lines.slice(0, -1)) {
    if (line === "") {
      if (data !== undefined) events.push(event === "" ? { data } : { event, data });
      data = undefined;
      event = "";
      continue;
    }
    const colon = line.indexOf(":");
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /u, "");
    if (name === "data") data = data === undefined ? value : `${data}\n${value}`;
    if (name === "event") event = value;
  }
  return events;
}

function withData(seen: Seen): { event?: string; data: string }[] {
  return seen.frames.flatMap(({ data, event, unterminated }) => {
    if (data === undefined || unterminated) return [];
    return event === undefined ? [{ data }] : [{ event, data }];
  });
}

const piece = fc.constantFrom(
  ..."\n,\r,\r\n,\n\n,\r\n\r\n,data,data:,data: ,data:  x,event: ,event:,: comment,id: 7,retry: 3,é,😀,a,:, ,\uFEFF,dat".split(
    ",",
  ),
);
const streams = fc.array(piece, { maxLength: 30 }).map((pieces) => Buffer.from(pieces.join("")));
const cuts = fc.array(fc.nat(), { maxLength: 12 });

describe("the SSE decoder", () => {
  it("dispatches what an independent reading of the standard dispatches", () => {
    fc.assert(
      fc.property(streams, cuts, (bytes, at) => {
        expect(withData(decodeAll(cut(bytes, at)))).toEqual(dispatched(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it("gives raw bytes that joined are the input, whatever the split", () => {
    fc.assert(
      fc.property(streams, cuts, (bytes, at) => {
        const raw = decodeAll(cut(bytes, at))
          .frames.map((frame) => frame.raw)
          .join("");
        expect(raw).toBe(bytes.toString("latin1"));
      }),
    );
  });

  it("gives the same frames for every split of streams with one kind of line end", () => {
    for (const lineEnd of ["\n", "\r\n", "\r"]) {
      const text = ['data: {"é":1}', "", ": ping", "", "event: error", "data: a", "data:b", "", "data: [DONE]", ""];
      const bytes = Buffer.from(text.map((line) => line + lineEnd).join(""));
      const whole = decodeAll([bytes]);
      expect(whole.frames).toHaveLength(4);
      for (let first = 0; first <= bytes.length; first += 1) {
        expect(decodeAll(cut(bytes, [first]))).toEqual(whole);
        expect(decodeAll(cut(bytes, [first, first + 1]))).toEqual(whole);
      }
      expect(decodeAll(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(whole);
    }
  });

  it("forwards a frame that lies inside one chunk without copying it", () => {
    const chunk = Buffer.from("data: a\n\ndata: b\n\n");
    const buffers: unknown[] = [];
    const decoder = sseDecoder({
      maxFrameBytes: 100,
      onFrame: (frame) => buffers.push(frame.raw.buffer),
      onOversize: () => {},
    });
    decoder.push(chunk);
    expect(buffers).toEqual([chunk.buffer, chunk.buffer]);
  });

  it("marks a frame without its blank line as unterminated", () => {
    expect(decodeAll([Buffer.from("data: a\n\ndata: [DO")]).frames).toEqual([
      { raw: "data: a\n\n", data: "a" },
      { raw: "data: [DO", data: "[DO", unterminated: true },
    ]);
  });

  it("skips a byte order mark at the start only", () => {
    const bytes = Buffer.from("\uFEFFdata: a\n\n\uFEFFdata: b\n\n");
    expect(decodeAll([bytes]).frames.map((frame) => frame.data)).toEqual(["a", undefined]);
  });

  it("tells a data line without a value from a frame without data", () => {
    expect(decodeAll([Buffer.from("data\n\n: hi\n\n")]).frames.map((frame) => frame.data)).toEqual(["", undefined]);
  });

  it("reports a frame over the limit once and then stays silent, in one chunk or in many", () => {
    const large = Buffer.from(`data: ok\n\ndata: ${"x".repeat(100)}\n\ndata: after\n\n`);
    for (const pieces of [[large], Array.from(large, (byte) => Uint8Array.of(byte))]) {
      const seen = decodeAll(pieces, 50);
      expect(seen.oversized).toBe(1);
      expect(seen.frames.map((frame) => frame.data)).toEqual(["ok"]);
    }
  });

  it("stays linear where a frame has very many lines or comes byte by byte", () => {
    const bytes = Buffer.from(`${"data:\n".repeat(20_000)}\n`);
    const started = performance.now();
    expect(decodeAll([bytes], 4 << 20).frames[0]?.data).toHaveLength(19_999);
    expect(
      decodeAll(
        Array.from(bytes, (byte) => Uint8Array.of(byte)),
        4 << 20,
      ).frames,
    ).toHaveLength(1);
    expect(performance.now() - started).toBeLessThan(3000);
  });
});

describe("encodeSse", () => {
  it("writes what the decoder reads, line breaks normalised", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.option(fc.constantFrom("error", "ping")), (data, event) => {
        const frame = event === null ? { data } : { event, data };
        const read = withData(decodeAll([Buffer.from(encodeSse(frame))]));
        const expected = Buffer.from(data.replace(/\r\n|\r/gu, "\n")).toString();
        expect(read).toEqual([{ ...frame, data: expected }]);
      }),
    );
  });
});
