import { jsonPieces, type SimulatedAnswer, type SimulatedUsage, type Wording } from "./answer.ts";
import { earlyAsLifecycle, framesOf, type Frame, type Said, type StreamWords } from "./frame.ts";
import type { Issuer } from "./issuer.ts";
import { emptyMessage, messagesUsage, stopReason, thought, toolUse } from "./render-messages.ts";
import { padding, sseEvent, sseType } from "./sse-frame.ts";

type MessagesEvent = { readonly type: string } & Readonly<Record<string, unknown>>;

/** How events of the language travel: as server-sent events, or inside a host's own frames. */
export interface MessagesFraming {
  readonly contentType: string;
  readonly frame: (event: MessagesEvent) => Buffer;
  readonly error: StreamWords["error"];
  /** What a host adds to the last event. */
  readonly closing?: (usage: SimulatedUsage) => object;
  readonly binary?: { readonly frame: (payload: Buffer) => Buffer; readonly empty: Buffer };
}

/** The ping is as recorded, with its space; deltas are padded with spaces before the last brace. */
const sse: MessagesFraming = {
  contentType: sseType,
  frame(event) {
    if (event.type === "ping") return sseEvent("ping", '{"type": "ping"}');
    const json = JSON.stringify(event);
    if (event.type !== "content_block_delta") return sseEvent(event.type, json);
    return sseEvent(event.type, `${json.slice(0, -1)}${" ".repeat(padding(json).length)}}`);
  },
  error: (body) => sseEvent("error", JSON.stringify(body)),
};

/** A streamed answer, in the order recordings of Anthropic show: the ping comes after the first block's start. */
export function messagesStream(
  answer: SimulatedAnswer,
  wording: Wording,
  { issuer, framing = sse }: { readonly issuer: Issuer; readonly framing?: MessagesFraming },
): StreamWords {
  const { frame, binary } = framing;
  const closing = wording.omitUsage === true ? {} : framing.closing?.(answer.usage);
  const done = (): MessagesEvent => ({ type: "message_stop", ...closing });

  function* events(): Generator<Said<MessagesEvent>> {
    yield* pinged(earlyAsLifecycle(messageEvents(answer, wording, issuer)));
    if (wording.omitDone !== true) yield { kind: "done", event: done() };
  }

  return {
    contentType: framing.contentType,
    frames: () => framesOf(events(), frame),
    done: () => frame(done()),
    ping: frame({ type: "ping" }),
    error: framing.error,
    content: (text) => frame(textDelta(text)),
    unknownEvent: frame({ type: "surprise", surprise: true }),
    ...(binary === undefined
      ? {}
      : { binary: { ...binary, payload: (text) => Buffer.from(JSON.stringify(textDelta(text))) } }),
  };
}

function* pinged(events: Iterable<Said<MessagesEvent>>): Generator<Said<MessagesEvent>> {
  let contentSeen = false;
  for (const said of events) {
    if (!contentSeen && said.kind === "content") yield { kind: "lifecycle", event: { type: "ping" } };
    contentSeen ||= said.kind === "content";
    yield said;
  }
}

function* messageEvents(answer: SimulatedAnswer, wording: Wording, issuer: Issuer): Generator<Said<MessagesEvent>> {
  const { omitUsage, omitFinish } = wording;
  const early = omitUsage === true ? {} : { usage: { ...messagesUsage(answer.usage), output_tokens: 1 } };
  yield { kind: "lifecycle", event: { type: "message_start", message: { ...emptyMessage(answer), ...early } } };
  yield* blocks(answer, issuer);
  if (omitFinish === true) return;
  yield {
    kind: "closing",
    event: {
      type: "message_delta",
      delta: { stop_reason: stopReason(answer, wording), stop_sequence: answer.stopSequence ?? null },
      ...(omitUsage === true ? {} : { usage: messagesUsage(answer.usage) }),
    },
  };
}

function* blocks(answer: SimulatedAnswer, issuer: Issuer): Generator<Said<MessagesEvent>> {
  let index = 0;
  const start = (block: object, kind: Frame["kind"] = "structure"): Said<MessagesEvent> => ({
    kind,
    event: { type: "content_block_start", index, content_block: block },
  });
  const delta = (delta: object): Said<MessagesEvent> => ({
    kind: "content",
    event: { type: "content_block_delta", index, delta },
  });
  const stop = (): Said<MessagesEvent> => ({
    kind: "structure",
    event: { type: "content_block_stop", index: index++ },
  });

  if (answer.reasoning !== undefined) yield* thoughtEvents(answer.reasoning, issuer, { start, delta, stop });
  let textOpen = false;
  for (const text of textPieces(answer)) {
    if (!textOpen) yield start({ type: "text", text: "", citations: null });
    textOpen = true;
    yield delta({ type: "text_delta", text });
  }
  if (textOpen) yield stop();
  for (const call of answer.toolCalls) {
    yield start({ ...toolUse(call), input: {} }, "content");
    yield delta({ type: "input_json_delta", partial_json: "" });
    for (const piece of jsonPieces(call.argumentsJson)) yield delta({ type: "input_json_delta", partial_json: piece });
    yield stop();
  }
}

interface BlockEvents {
  readonly start: (block: object, kind?: Frame["kind"]) => Said<MessagesEvent>;
  readonly delta: (delta: object) => Said<MessagesEvent>;
  readonly stop: () => Said<MessagesEvent>;
}

function* thoughtEvents(
  reasoning: NonNullable<SimulatedAnswer["reasoning"]>,
  issuer: Issuer,
  { start, delta, stop }: BlockEvents,
): Generator<Said<MessagesEvent>> {
  if (reasoning.seal === "redacted") {
    yield start(thought(reasoning, issuer), "content");
  } else {
    yield start({ type: "thinking", thinking: "", signature: "" });
    if (reasoning.text !== "") yield delta({ type: "thinking_delta", thinking: reasoning.text });
    if (reasoning.seal === "signature") {
      yield delta({ type: "signature_delta", signature: issuer.sign(reasoning.text) });
    }
  }
  yield stop();
}

function* textPieces(answer: SimulatedAnswer): Generator<string> {
  yield* answer.pieces();
  if (answer.refusal !== undefined) yield answer.refusal;
}

function textDelta(text: string): MessagesEvent {
  return { type: "content_block_delta", index: 0, delta: { type: "text_delta", text } };
}
