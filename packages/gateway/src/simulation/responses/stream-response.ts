import { jsonPieces, logprobsOfAll, type SimulatedAnswer, type Wording } from "#simulation/answer";
import { earlyAsLifecycle, framesOf } from "#simulation/frame";
import type { Frame, Said, StreamWords } from "#simulation/frame";
import { object } from "#simulation/received-request";
import { padding, sseEvent, ssePing, sseType } from "#simulation/sse-frame";
import type { Saying } from "#simulation/voice";
import {
  callItem,
  finishedResponse,
  messageItem,
  openResponse,
  reasoningItem,
  refusalItem,
  textPart,
  type OutputItem,
} from "./render-response.ts";

type ResponseEvent = { readonly type: string } & Readonly<Record<string, unknown>>;

/** A streamed answer, in the order recordings of OpenAI show. It ends with its last event: there is no `[DONE]`. */
export function responseStream(answer: SimulatedAnswer, wording: Wording, saying: Saying): StreamWords {
  const veiled = object(saying.request.json["stream_options"])?.["include_obfuscation"] !== false;
  let sequence = 0;
  const frame = (event: ResponseEvent): Buffer => {
    const { type, ...fields } = event;
    const filler = veiled && typeof fields["delta"] === "string" ? { obfuscation: padding(fields["delta"]) } : {};
    return sseEvent(type, JSON.stringify({ type, sequence_number: sequence++, ...fields, ...filler }));
  };
  const textIndex = answer.reasoning === undefined ? 0 : 1;
  const textDelta = (delta: string, at?: number): ResponseEvent => ({
    type: "response.output_text.delta",
    item_id: messageItem(answer, []).id,
    output_index: textIndex,
    content_index: 0,
    delta,
    logprobs: answer.logprobOf === undefined || at === undefined ? [] : [answer.logprobOf(delta, at)],
  });

  function* frames(): Generator<Frame> {
    sequence = 0;
    yield* framesOf(earlyAsLifecycle(responseEvents(answer, saying, textDelta)), frame);
    // The finish and the protocol's completion are one event.
    if (wording.omitFinish !== true && wording.omitDone !== true) {
      yield { kind: "done", bytes: frame(completion(answer, wording, saying)) };
    }
  }

  return {
    contentType: sseType,
    frames,
    done: () => frame(completion(answer, wording, saying)),
    ping: ssePing,
    error: (body) => errorFrames(body, openResponse(answer, saying), frame),
    content: (text) => frame(textDelta(text)),
    unknownEvent: sseEvent("response.surprise", JSON.stringify({ type: "response.surprise", surprise: true })),
  };
}

function completion(answer: SimulatedAnswer, wording: Wording, saying: Saying): ResponseEvent {
  const response = finishedResponse(answer, wording, saying);
  const status = String(response["status"]);
  const type = status === "incomplete" || status === "failed" ? `response.${status}` : "response.completed";
  return { type, response };
}

function* responseEvents(
  answer: SimulatedAnswer,
  saying: Saying,
  textDelta: (text: string, at?: number) => ResponseEvent,
): Generator<Said<ResponseEvent>> {
  const response = openResponse(answer, saying);
  yield { kind: "lifecycle", event: { type: "response.created", response } };
  yield { kind: "lifecycle", event: { type: "response.in_progress", response } };
  let index = 0;
  if (answer.reasoning !== undefined) yield* reasoningEvents(reasoningItem(answer, answer.reasoning, saying), index++);
  const said = yield* textEvents(answer, textDelta, index);
  if (said) index += 1;
  if (answer.refusal !== undefined) yield* refusalEvents(answer, answer.refusal, index++);
  for (const [number, call] of answer.toolCalls.entries()) {
    yield* callEvents(callItem(answer, call, number), call, index++);
  }
}

/** The item's frame: opened without what streams, closed with all of it. */
function added(item: OutputItem, index: number, kind: Frame["kind"] = "structure"): Said<ResponseEvent> {
  return { kind, event: { type: "response.output_item.added", output_index: index, item } };
}

function done(item: OutputItem, index: number): Said<ResponseEvent> {
  return { kind: "structure", event: { type: "response.output_item.done", output_index: index, item } };
}

function* reasoningEvents(item: OutputItem, index: number): Generator<Said<ResponseEvent>> {
  const [part] = item["summary"] as readonly { readonly text: string }[];
  // A thought without words is content all the same: it brings its seal.
  yield added({ ...item, summary: [] }, index, part === undefined ? "content" : "structure");
  if (part !== undefined) {
    const at = { item_id: item.id, output_index: index, summary_index: 0 };
    const summary = "response.reasoning_summary";
    const empty = { ...part, text: "" };
    yield { kind: "structure", event: { type: `${summary}_part.added`, ...at, part: empty } };
    yield { kind: "content", event: { type: `${summary}_text.delta`, ...at, delta: part.text } };
    yield { kind: "structure", event: { type: `${summary}_text.done`, ...at, text: part.text } };
    yield { kind: "structure", event: { type: `${summary}_part.done`, ...at, part } };
  }
  yield done(item, index);
}

function* textEvents(
  answer: SimulatedAnswer,
  textDelta: (text: string, at?: number) => ResponseEvent,
  index: number,
): Generator<Said<ResponseEvent>, boolean> {
  const open = messageItem(answer, [], "in_progress");
  const at = { item_id: open.id, output_index: index, content_index: 0 };
  let text = "";
  let pieces = 0;
  for (const piece of answer.pieces()) {
    if (text === "") {
      yield added(open, index);
      yield { kind: "structure", event: { type: "response.content_part.added", ...at, part: textPart } };
    }
    yield { kind: "content", event: textDelta(piece, pieces) };
    pieces += 1;
    text += piece;
  }
  if (text === "") return false;
  const logprobs = logprobsOfAll(answer) ?? [];
  const part = { ...textPart, logprobs, text };
  yield { kind: "structure", event: { type: "response.output_text.done", ...at, text, logprobs } };
  yield { kind: "structure", event: { type: "response.content_part.done", ...at, part } };
  yield done(messageItem(answer, [part]), index);
  return true;
}

function* refusalEvents(answer: SimulatedAnswer, refusal: string, index: number): Generator<Said<ResponseEvent>> {
  const part = { type: "refusal", refusal };
  const item = refusalItem(answer, refusal);
  const at = { item_id: item.id, output_index: index, content_index: 0 };
  yield added({ ...item, status: "in_progress", content: [] }, index);
  const empty = { ...part, refusal: "" };
  yield { kind: "structure", event: { type: "response.content_part.added", ...at, part: empty } };
  yield { kind: "content", event: { type: "response.refusal.delta", ...at, delta: refusal } };
  yield { kind: "structure", event: { type: "response.refusal.done", ...at, refusal } };
  yield { kind: "structure", event: { type: "response.content_part.done", ...at, part } };
  yield done(item, index);
}

function* callEvents(
  item: OutputItem,
  { name, argumentsJson }: SimulatedAnswer["toolCalls"][number],
  index: number,
): Generator<Said<ResponseEvent>> {
  const at = { item_id: item.id, output_index: index };
  const type = "response.function_call_arguments";
  yield added({ ...item, status: "in_progress", arguments: "" }, index, "content");
  for (const delta of jsonPieces(argumentsJson))
    yield { kind: "content", event: { type: `${type}.delta`, ...at, delta } };
  yield { kind: "structure", event: { type: `${type}.done`, ...at, name, arguments: argumentsJson } };
  yield done(item, index);
}

/** OpenAI's own error event is followed by `response.failed`; a scripted body stands alone, as it is. */
function errorFrames(body: object, open: object, frame: (event: ResponseEvent) => Buffer): Buffer {
  if (!isOwnError(body)) return sseEvent("error", JSON.stringify(body));
  const { type: _, ...error } = body;
  const failure = { code: error["code"], message: error["message"] };
  const response = { ...open, status: "failed", error: failure };
  return Buffer.concat([frame({ type: "error", ...error }), frame({ type: "response.failed", response })]);
}

function isOwnError(body: object): body is ResponseEvent {
  return "type" in body && body.type === "error" && !("sequence_number" in body);
}
