import { jsonPieces, type SimulatedAnswer, type Wording } from "#simulation/answer";
import { earlyAsLifecycle, framesOf } from "#simulation/frame";
import type { Said, StreamWords } from "#simulation/frame";
import type { Issuer } from "#simulation/issuer";
import { padding } from "#simulation/sse-frame";
import type { Saying } from "#simulation/voice";
import { bedrockException } from "./bedrock-errors.ts";
import { eventFrame, eventStreamType, jsonEvent } from "./event-frame.ts";
import { converseMetrics, converseUsage, finish, redacted } from "./render-converse.ts";

interface ConverseEvent {
  readonly type: string;
  readonly body: object;
}

/** Binary frames, in the order recordings show: what was used comes last, behind the stop. */
export function converseStream(answer: SimulatedAnswer, wording: Wording, saying: Saying): StreamWords {
  const metadata = {
    ...(wording.omitUsage === true ? {} : { usage: converseUsage(answer.usage) }),
    metrics: converseMetrics,
  };
  const last: ConverseEvent = { type: "metadata", body: metadata };

  function* events(): Generator<Said<ConverseEvent>> {
    yield* earlyAsLifecycle(spoken(answer, saying.issuer));
    if (wording.omitFinish !== true) {
      yield { kind: "closing", event: { type: "messageStop", body: finish(answer, wording, saying) } };
    }
    if (wording.omitDone !== true) yield { kind: "done", event: last };
  }

  return {
    contentType: eventStreamType,
    frames: () => framesOf(events(), frame),
    done: () => frame(last),
    ping: Buffer.alloc(0),
    error: bedrockException,
    content: (text) => frame(delta(0, { text })),
    unknownEvent: frame({ type: "surprise", body: { surprise: true } }),
    binary: {
      payload: (text) => payloadOf(delta(0, { text })),
      frame: (payload) => jsonEvent("contentBlockDelta", payload),
      empty: eventFrame({ ":event-type": "comment", ":message-type": "event" }, Buffer.alloc(0)),
    },
  };
}

function frame(event: ConverseEvent): Buffer {
  return jsonEvent(event.type, payloadOf(event));
}

function payloadOf({ body }: ConverseEvent): Buffer {
  return Buffer.from(JSON.stringify({ ...body, p: padding(JSON.stringify(body)) }));
}

function delta(contentBlockIndex: number, piece: object): ConverseEvent {
  return { type: "contentBlockDelta", body: { contentBlockIndex, delta: piece } };
}

/** Texts and thoughts begin without a start. */
function* spoken(answer: SimulatedAnswer, issuer: Issuer): Generator<Said<ConverseEvent>> {
  yield { kind: "lifecycle", event: { type: "messageStart", body: { role: "assistant" } } };
  let index = 0;
  const said = (piece: object): Said<ConverseEvent> => ({ kind: "content", event: delta(index, piece) });
  const stop = (): Said<ConverseEvent> => ({
    kind: "structure",
    event: { type: "contentBlockStop", body: { contentBlockIndex: index++ } },
  });
  if (answer.reasoning !== undefined) {
    for (const piece of thoughtPieces(answer.reasoning, issuer)) yield said({ reasoningContent: piece });
    yield stop();
  }
  let open = false;
  for (const text of answer.pieces()) {
    yield said({ text });
    open = true;
  }
  if (answer.refusal !== undefined) yield said({ text: answer.refusal });
  if (open || answer.refusal !== undefined) yield stop();
  for (const { id, name, argumentsJson } of answer.toolCalls) {
    yield { kind: "content", event: started(index, { toolUse: { toolUseId: id, name } }) };
    for (const input of jsonPieces(argumentsJson)) yield said({ toolUse: { input } });
    yield stop();
  }
}

function started(contentBlockIndex: number, start: object): ConverseEvent {
  return { type: "contentBlockStart", body: { contentBlockIndex, start } };
}

function* thoughtPieces({ text, seal }: NonNullable<SimulatedAnswer["reasoning"]>, issuer: Issuer): Generator<object> {
  if (seal === "redacted") {
    yield { redactedContent: redacted(text, issuer) };
    return;
  }
  yield { text };
  if (seal === "signature") yield { signature: issuer.sign(text) };
}
