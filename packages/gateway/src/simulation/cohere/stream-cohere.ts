import { jsonPieces, type SimulatedAnswer, type Wording } from "#simulation/answer";
import { earlyAsLifecycle, framesOf } from "#simulation/frame";
import type { Frame, Said, StreamWords } from "#simulation/frame";
import { doneMarker } from "#simulation/render-chat";
import { sseEvent, ssePing, sseType } from "#simulation/sse-frame";
import { cohereToken, cohereUsage, finishOf } from "./render-cohere.ts";

type CohereEvent = { readonly type: string } & Readonly<Record<string, unknown>>;

/** Named events, then `[DONE]`; finish and usage come in the last message. */
export function cohereStream(answer: SimulatedAnswer, wording: Wording): StreamWords {
  function* frames(): Generator<Frame> {
    yield* framesOf(earlyAsLifecycle(spoken(answer)), frame);
    if (wording.omitFinish !== true) yield { kind: "closing", bytes: frame(messageEnd(answer, wording)) };
    if (wording.omitDone !== true) yield { kind: "done", bytes: doneMarker };
  }

  return {
    contentType: sseType,
    frames,
    done: () => doneMarker,
    ping: ssePing,
    error: (body) =>
      "type" in body ? sseEvent(String(body.type), JSON.stringify(body)) : sseEvent("error", JSON.stringify(body)),
    content: (text) => frame(delta(0, { text })),
    unknownEvent: frame({ type: "surprise", surprise: true }),
  };
}

function messageEnd(answer: SimulatedAnswer, wording: Wording): CohereEvent {
  const usage = wording.omitUsage === true ? {} : { usage: cohereUsage(answer.usage) };
  return { type: "message-end", id: answer.id, delta: { ...finishOf(answer, wording), ...usage } };
}

function* spoken(answer: SimulatedAnswer): Generator<Said<CohereEvent>> {
  const message = { role: "assistant", content: [], tool_plan: "", tool_calls: [], citations: [] };
  yield { kind: "lifecycle", event: { type: "message-start", id: answer.id, delta: { message } } };
  let index = 0;
  if (answer.reasoning !== undefined && answer.reasoning.text !== "") {
    yield started(index, { type: "thinking", thinking: "" });
    yield { kind: "content", event: delta(index, { thinking: answer.reasoning.text }) };
    yield { kind: "structure", event: { type: "content-end", index: index++ } };
  }
  let open = false;
  for (const { text, more } of texts(answer)) {
    if (!open) yield started(index, { type: "text", text: "" });
    open = true;
    yield { kind: "content", event: { ...delta(index, { text }), ...more } };
  }
  if (open) yield { kind: "structure", event: { type: "content-end", index } };
  for (const [number, { id, name, argumentsJson }] of answer.toolCalls.entries()) {
    const opening = { id, type: "function", function: { name, arguments: "" } };
    yield { kind: "content", event: toolEvent("tool-call-start", number, opening) };
    for (const piece of jsonPieces(argumentsJson)) {
      yield { kind: "content", event: toolEvent("tool-call-delta", number, { function: { arguments: piece } }) };
    }
    yield { kind: "structure", event: { type: "tool-call-end", index: number } };
  }
}

function* texts(answer: SimulatedAnswer): Generator<{ readonly text: string; readonly more?: object }> {
  let at = 0;
  for (const text of answer.pieces()) {
    const token = answer.logprobOf?.(text, at++);
    yield token === undefined ? { text } : { text, more: { logprobs: cohereToken(token) } };
  }
  if (answer.refusal !== undefined) yield { text: answer.refusal };
}

function started(index: number, content: object): Said<CohereEvent> {
  return { kind: "structure", event: { type: "content-start", index, delta: { message: { content } } } };
}

function delta(index: number, content: object): CohereEvent {
  return { type: "content-delta", index, delta: { message: { content } } };
}

/** `tool_calls` is one object here, no list. */
function toolEvent(type: string, index: number, call: object): CohereEvent {
  return { type, index, delta: { message: { tool_calls: call } } };
}

function frame(event: CohereEvent): Buffer {
  return sseEvent(event.type, JSON.stringify(event));
}
