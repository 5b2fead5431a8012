import type { Behaviour } from "./behaviour.ts";
import { malformedFrame, toCrlf, type Frame, type StreamWords } from "./frame.ts";

/** What the player does next. `end` is always last. */
export type Step =
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "head" }
  | { readonly kind: "send"; readonly bytes: Buffer }
  /** Silence, or pings; without `forMs` until the other side closes. */
  | { readonly kind: "hold"; readonly ping: Buffer; readonly pingEveryMs?: number; readonly forMs?: number }
  | { readonly kind: "end"; readonly how: "clean" | "fin" | "rst" };

/** Everything that leaves for one streamed answer, with its faults, lazily: a flood takes no memory. */
export function streamTimeline(words: StreamWords, behaviour: Behaviour, errorBody: object): Generator<Step> {
  const context: StreamContext = { words, behaviour, errorBody };
  // Binary frames have no lines whose ends could change.
  const crlf = behaviour.crlf === true && words.binary === undefined;
  return timeline(behaviour, words.ping, bodyBytes(streamBody(context), { ...behaviour, crlf }));
}

/** The same for a body that is sent whole. Places inside a stream mean the middle of the body. */
export function wholeTimeline(body: Buffer, behaviour: Behaviour, errorBody: object): Generator<Step> {
  return timeline(behaviour, Buffer.from(" "), bodyBytes(wholeBody(body, behaviour, errorBody), behaviour));
}

function* timeline(behaviour: Behaviour, ping: Buffer, body: Iterable<Step>): Generator<Step> {
  const { delayMs, stall } = behaviour;
  if (delayMs !== undefined) yield { kind: "wait", ms: delayMs };
  // Nothing may precede the head, so a stall of the request is always silent.
  if (stall?.after === "request") yield* hold({ ...stall, pingEveryMs: undefined }, ping);
  if (behaviour.resetBeforeHead === true) {
    yield { kind: "end", how: "rst" };
    return;
  }
  if (typeof behaviour.raw !== "undefined") {
    yield* rawBody(behaviour, ping);
    return;
  }
  yield { kind: "head" };
  if (stall?.after === "head") yield* hold(stall, ping);
  yield* body;
}

/** Exactly the scripted bytes; a stall or a cut says how the connection ends behind them. */
function* rawBody({ raw = "", stall, cut, slice }: Behaviour, ping: Buffer): Generator<Step> {
  const bytes = typeof raw === "string" ? Buffer.from(raw) : Buffer.from(raw.base64, "base64");
  yield* sliced(bytes, slice);
  if (stall !== undefined) yield* hold(stall, ping);
  yield { kind: "end", how: cut?.how === "rst" ? "rst" : "fin" };
}

interface StreamContext {
  readonly words: StreamWords;
  readonly behaviour: Behaviour;
  readonly errorBody: object;
}

/** Frames with the faults that stand at frame borders. */
function* streamBody(context: StreamContext): Generator<Step> {
  const { words, behaviour } = context;
  let place = -1;
  let last: Buffer = Buffer.alloc(0);
  let halveNext = false;
  if (behaviour.errorEvent?.after === "head") return yield* errorEnd(context);
  for (const frame of words.frames()) {
    // The place before the first content, and, for a script that counts further than the answer goes, the last one.
    const from = place;
    if (place < 0 && frame.kind !== "lifecycle") place = 0;
    if (frame.kind === "closing" || frame.kind === "done") place = Number.POSITIVE_INFINITY;
    const before = yield* faultsBetween(from, place, context);
    if (before.ended) return;
    if (before.repeatLast) yield { kind: "send", bytes: last };
    halveNext ||= before.halveNext;

    yield* gap(frame, place, behaviour);
    const bytes: Buffer = halveNext ? frame.bytes.subarray(0, frame.bytes.length >> 1) : frame.bytes;
    halveNext = false;
    yield { kind: "send", bytes };
    last = frame.bytes;
    if (frame.kind !== "content") continue;
    place += 1;
    const after = yield* faultsBetween(place - 1, place, context);
    if (after.ended) return;
    if (after.repeatLast) yield { kind: "send", bytes: last };
    halveNext = after.halveNext;
  }
  const rest = yield* faultsBetween(place, Number.POSITIVE_INFINITY, context);
  if (!rest.ended) yield { kind: "end", how: "clean" };
}

function* gap(frame: Frame, place: number, behaviour: Behaviour): Generator<Step> {
  if (frame.kind !== "content") return;
  const ms = place === 0 ? behaviour.firstContentDelayMs : behaviour.interChunkDelayMs;
  if (ms !== undefined && ms > 0) yield { kind: "wait", ms };
}

interface Faults {
  readonly ended: boolean;
  readonly halveNext: boolean;
  readonly repeatLast: boolean;
}

/** Faults whose place lies in (from, to]: 0 is before the first content, n after the nth. */
function* faultsBetween(from: number, to: number, context: StreamContext): Generator<Step, Faults> {
  const { malformed, errorEvent, stall, cut } = context.behaviour;
  const due = (place: number | undefined): boolean => place !== undefined && place > from && place <= to;
  let halveNext = false;
  let repeatLast = false;
  if (malformed !== undefined && due(malformed.afterChunk)) {
    const bytes = malformedFrame(malformed.kind, context.words, malformed.bytes);
    if (bytes !== undefined) yield { kind: "send", bytes };
    halveNext = malformed.kind === "half-frame";
    repeatLast = malformed.kind === "duplicate";
  }
  if (stall !== undefined && due(chunkOf(stall.after))) yield* hold(stall, context.words.ping);
  if (errorEvent !== undefined && due(chunkOf(errorEvent.after))) {
    yield* errorEnd(context);
    return { ended: true, halveNext, repeatLast };
  }
  if (cut !== undefined && due(cut.afterChunk)) {
    yield { kind: "end", how: cut.how === "clean-end" ? "clean" : cut.how };
    return { ended: true, halveNext, repeatLast };
  }
  return { ended: false, halveNext, repeatLast };
}

type Place = NonNullable<Behaviour["stall"]>["after"];

function chunkOf(place: Place): number | undefined {
  if (place === "lifecycle") return 0;
  return typeof place === "object" && "chunk" in place ? place.chunk : undefined;
}

function* errorEnd({ words, behaviour, errorBody }: StreamContext): Generator<Step> {
  const { body = errorBody, kind = "overloaded", thenDone } = behaviour.errorEvent ?? {};
  yield { kind: "send", bytes: words.error(body, kind) };
  if (thenDone === true) yield { kind: "send", bytes: words.done() };
  yield { kind: "end", how: "clean" };
}

function* wholeBody(body: Buffer, behaviour: Behaviour, errorBody: object): Generator<Step> {
  const { malformed, errorEvent, stall, cut } = behaviour;
  let bytes = body;
  if (errorEvent !== undefined) bytes = Buffer.from(JSON.stringify(errorEvent.body ?? errorBody));
  if (malformed !== undefined) bytes = malformedBody(bytes, malformed);
  const middle = bytes.length >> 1;
  const stops = stall !== undefined && chunkOf(stall.after) !== undefined;
  const cuts = cut?.afterChunk !== undefined;
  yield { kind: "send", bytes: stops || cuts ? bytes.subarray(0, middle) : bytes };
  if (stops) yield* hold(stall, Buffer.from(" "));
  if (cuts) {
    yield { kind: "end", how: cut.how === "clean-end" ? "clean" : cut.how };
    return;
  }
  if (stops) yield { kind: "send", bytes: bytes.subarray(middle) };
  yield { kind: "end", how: "clean" };
}

function malformedBody(body: Buffer, { kind, bytes }: NonNullable<Behaviour["malformed"]>): Buffer {
  const half = body.subarray(0, body.length >> 1);
  switch (kind) {
    case "broken-json":
    case "half-frame":
      return half;
    case "two-objects":
    case "duplicate":
      return Buffer.concat([body, body]);
    case "html":
      return Buffer.from("<html><body><h1>502 Bad Gateway</h1></body></html>\n");
    case "unknown-event":
      return Buffer.concat([Buffer.from('{"surprise":true,'), body.subarray(1)]);
    case "oversize":
      return Buffer.concat([Buffer.from(`{"surprise":"${"x".repeat(bytes ?? 8 * 1024 * 1024)}",`), body.subarray(1)]);
    case "invalid-utf8":
      return Buffer.concat([Buffer.from('{"surprise":"'), Buffer.from([0xff]), Buffer.from('",'), body.subarray(1)]);
    case "comment":
      return Buffer.concat([Buffer.from(": simulated comment\n"), body]);
    case "bad-checksum":
      return Buffer.concat([body.subarray(0, -1), Buffer.from([0xff])]);
  }
}

/** Faults that stand at a byte, then line ends and slices. Bytes are counted as they leave. */
function* bodyBytes(steps: Iterable<Step>, behaviour: Behaviour): Generator<Step> {
  const { cut, stall, crlf, slice } = behaviour;
  const stallAt = typeof stall?.after === "object" && "byte" in stall.after ? stall.after.byte : undefined;
  const marks: Mark[] = [];
  if (stall !== undefined && stallAt !== undefined) {
    marks.push({ at: stallAt, steps: [...hold(stall, Buffer.from(" "))], ends: false });
  }
  if (cut?.atByte !== undefined) {
    const how = cut.how === "clean-end" ? "clean" : cut.how;
    marks.push({ at: cut.atByte, steps: [{ kind: "end", how }], ends: true });
  }
  marks.sort((a, b) => a.at - b.at);
  let sent = 0;
  for (const step of steps) {
    // A mark behind the last byte still takes effect, before the end.
    let bytes = step.kind === "send" ? (crlf === true ? toCrlf(step.bytes) : step.bytes) : Buffer.alloc(0);
    while (marks[0] !== undefined && (marks[0].at <= sent + bytes.length || step.kind === "end")) {
      const mark = marks.shift() as Mark;
      const until = Math.min(Math.max(mark.at - sent, 0), bytes.length);
      yield* sliced(bytes.subarray(0, until), slice);
      sent += until;
      bytes = bytes.subarray(until);
      yield* mark.steps;
      if (mark.ends) return;
    }
    if (step.kind === "send") yield* sliced(bytes, slice);
    else yield step;
    sent += bytes.length;
  }
}

interface Mark {
  readonly at: number;
  readonly steps: readonly Step[];
  readonly ends: boolean;
}

function* sliced(bytes: Buffer, slice: number | undefined): Generator<Step> {
  const size = slice ?? bytes.length;
  for (let at = 0; at < bytes.length; at += size) yield { kind: "send", bytes: bytes.subarray(at, at + size) };
}

function* hold(stall: NonNullable<Behaviour["stall"]>, ping: Buffer): Generator<Step> {
  yield {
    kind: "hold",
    ping,
    ...(stall.pingEveryMs === undefined ? {} : { pingEveryMs: stall.pingEveryMs }),
    ...(stall.forMs === undefined ? {} : { forMs: stall.forMs }),
  };
}
