import type { SimulatedAnswer, Wording } from "#simulation/answer";
import { framesOf } from "#simulation/frame";
import type { Frame, Said, StreamWords } from "#simulation/frame";
import type { Saying } from "#simulation/voice";
import {
  callParts,
  finishOf,
  head,
  isBlocked,
  logprobsResult,
  renderGemini,
  thoughtParts,
  usageOf,
  type Part,
} from "./render-gemini.ts";

/** Server-sent events with CRLF, no names, no marker at the end: the last chunk has the finish reason. */
export function geminiStream(answer: SimulatedAnswer, wording: Wording, saying: Saying): StreamWords {
  return {
    contentType: "text/event-stream",
    frames: () => framesOf(chunks(answer, wording, saying), data),
    done: () => data(closingChunk(answer, wording, undefined)),
    ping: Buffer.from(": ping\r\n\r\n"),
    error: data,
    content: (text) => data(chunk(answer, wording, [{ text }])),
    unknownEvent: data({ surprise: true }),
  };
}

/**
 * Without `alt=sse`: one JSON array whose elements come one by one. The comma stands behind an element that another
 * follows, so that an error can come at any place.
 */
export function geminiArray(answer: SimulatedAnswer, wording: Wording, saying: Saying): StreamWords {
  let opened = false;
  const end = Buffer.from("\r\n]");

  function* frames(): Generator<Frame> {
    opened = true;
    yield { kind: "lifecycle", bytes: opening };
    let held: Frame | undefined;
    for (const frame of framesOf(chunks(answer, wording, saying), element)) {
      if (held !== undefined) yield { ...held, bytes: Buffer.concat([held.bytes, comma]) };
      held = frame;
    }
    if (held !== undefined) yield held;
    if (wording.omitDone !== true) yield { kind: "done", bytes: end };
  }

  return {
    contentType: "application/json; charset=UTF-8",
    frames,
    done: () => end,
    ping: Buffer.from("\r\n"),
    error: (body) => Buffer.concat([opened ? noBytes : opening, element(body), end]),
    content: (text) => followed(chunk(answer, wording, [{ text }])),
    unknownEvent: followed({ surprise: true }),
  };
}

const noBytes = Buffer.alloc(0);
const opening = Buffer.from("[");
const comma = Buffer.from(",\r\n");

function followed(value: object): Buffer {
  return Buffer.concat([element(value), comma]);
}

function element(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function* chunks(answer: SimulatedAnswer, wording: Wording, saying: Saying): Generator<Said<object>> {
  if (isBlocked(answer)) {
    yield { kind: "closing", event: renderGemini(answer, wording, saying) };
    return;
  }
  for (const part of thoughtParts(answer)) yield { kind: "content", event: chunk(answer, wording, [part]) };
  let at = 0;
  for (const text of answer.pieces()) {
    const token = answer.logprobOf?.(text, at++);
    yield {
      kind: "content",
      event: chunk(answer, wording, [{ text }], logprobsResult(token === undefined ? [] : [token])),
    };
  }
  if (answer.refusal !== undefined) {
    yield { kind: "content", event: chunk(answer, wording, [{ text: answer.refusal }]) };
  }
  const { calls, seal } = callParts(answer, saying);
  for (const part of calls) yield { kind: "content", event: chunk(answer, wording, [part]) };
  if (wording.omitFinish !== true) yield { kind: "closing", event: closingChunk(answer, wording, seal) };
}

/** The finish comes behind the calls, with an empty text that carries what signature had no call to stand on. */
function closingChunk(answer: SimulatedAnswer, wording: Wording, seal: string | undefined): object {
  const part = { text: "", ...(seal === undefined ? {} : { thoughtSignature: seal }) };
  return chunk(answer, wording, [part], finishOf(answer, wording));
}

/** Every chunk is a whole answer, with the usage so far; `more` of its candidate, the finish among it. */
function chunk(answer: SimulatedAnswer, wording: Wording, ...[parts, more = {}]: [readonly Part[], object?]): object {
  const counted = "finishReason" in more ? answer : { ...answer, usage: { ...answer.usage, output: 0 } };
  return {
    candidates: [{ content: { parts, role: "model" }, ...more, index: 0 }],
    ...usageOf(counted, wording),
    ...head(answer),
  };
}

function data(value: object): Buffer {
  return Buffer.from(`data: ${JSON.stringify(value)}\r\n\r\n`);
}
