import { jsonPieces, type SimulatedAnswer, type SimulatedUsage, type Wording } from "./answer.ts";
import type { Frame, StreamWords } from "./frame.ts";
import type { Issuer } from "./issuer.ts";

const stopWords: Readonly<Record<string, string>> = {
  stop: "end_turn",
  "stop-sequence": "stop_sequence",
  length: "max_tokens",
  context: "model_context_window_exceeded",
  tools: "tool_use",
  policy: "refusal",
  paused: "pause_turn",
};

/** A whole answer: https://platform.claude.com/docs/en/api/messages/create */
export function renderMessage(answer: SimulatedAnswer, wording: Wording, issuer: Issuer): object {
  const content: object[] = [];
  if (answer.reasoning !== undefined) content.push(thought(answer.reasoning, issuer));
  const text = [...answer.pieces()].join("") + (answer.refusal ?? "");
  if (text !== "") content.push({ type: "text", text, citations: null });
  for (const call of answer.toolCalls) content.push({ ...toolUse(call), input: inputOf(call.argumentsJson) });
  return {
    ...emptyMessage(answer),
    content,
    stop_reason: stopReason(answer, wording),
    stop_sequence: answer.stopSequence ?? null,
    ...(wording.omitUsage === true ? {} : { usage: messagesUsage(answer.usage) }),
  };
}

/** A streamed answer, in the order recordings of Anthropic show: the ping comes after the first block's start. */
export function messagesStream(answer: SimulatedAnswer, wording: Wording, issuer: Issuer): StreamWords {
  const { omitUsage, omitFinish, omitDone } = wording;
  const done = event({ type: "message_stop" });

  function* frames(): Generator<Frame> {
    const usage = omitUsage === true ? {} : { usage: { ...messagesUsage(answer.usage), output_tokens: 1 } };
    yield {
      kind: "lifecycle",
      bytes: event({ type: "message_start", message: { ...emptyMessage(answer), ...usage } }),
    };
    let contentSeen = false;
    for (const frame of blocks(answer, issuer)) {
      const early = !contentSeen && frame.kind === "structure";
      if (!contentSeen && frame.kind === "content") yield { kind: "lifecycle", bytes: ping };
      contentSeen ||= frame.kind === "content";
      yield early ? { ...frame, kind: "lifecycle" } : frame;
    }
    if (omitFinish !== true) {
      yield {
        kind: "closing",
        bytes: event({
          type: "message_delta",
          delta: { stop_reason: stopReason(answer, wording), stop_sequence: answer.stopSequence ?? null },
          ...(omitUsage === true ? {} : { usage: messagesUsage(answer.usage) }),
        }),
      };
    }
    if (omitDone !== true) yield { kind: "done", bytes: done };
  }

  return {
    frames,
    done,
    ping,
    error: (body) => Buffer.from(`event: error\ndata: ${JSON.stringify(body)}\n\n`),
    content: (text) => event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }),
    unknownEvent: event({ type: "surprise", surprise: true }),
  };
}

const ping = Buffer.from('event: ping\ndata: {"type": "ping"}\n\n');

function* blocks(answer: SimulatedAnswer, issuer: Issuer): Generator<Frame> {
  let index = 0;
  const start = (block: object, kind: Frame["kind"] = "structure"): Frame => ({
    kind,
    bytes: event({ type: "content_block_start", index, content_block: block }),
  });
  const delta = (delta: object): Frame => ({
    kind: "content",
    bytes: event({ type: "content_block_delta", index, delta }),
  });
  const stop = (): Frame => ({ kind: "structure", bytes: event({ type: "content_block_stop", index: index++ }) });

  if (answer.reasoning !== undefined) yield* thoughtFrames(answer.reasoning, issuer, { start, delta, stop });
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

interface BlockFrames {
  readonly start: (block: object, kind?: Frame["kind"]) => Frame;
  readonly delta: (delta: object) => Frame;
  readonly stop: () => Frame;
}

function* thoughtFrames(
  reasoning: NonNullable<SimulatedAnswer["reasoning"]>,
  issuer: Issuer,
  { start, delta, stop }: BlockFrames,
): Generator<Frame> {
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

function thought(reasoning: NonNullable<SimulatedAnswer["reasoning"]>, issuer: Issuer): object {
  const { text, seal } = reasoning;
  if (seal === "redacted") return { type: "redacted_thinking", data: issuer.seal(text) };
  return { type: "thinking", thinking: text, signature: seal === "signature" ? issuer.sign(text) : "" };
}

function toolUse(call: SimulatedAnswer["toolCalls"][number]): object {
  return { type: "tool_use", id: call.id, name: call.name, caller: { type: "direct" } };
}

/** Arguments that are broken on purpose have no place in a whole answer's `input` object. */
function inputOf(argumentsJson: string): unknown {
  try {
    return JSON.parse(argumentsJson === "" ? "{}" : argumentsJson);
  } catch {
    return { INVALID_JSON: argumentsJson };
  }
}

function emptyMessage(answer: SimulatedAnswer): object {
  return {
    id: answer.id,
    type: "message",
    role: "assistant",
    model: answer.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
  };
}

function stopReason(answer: SimulatedAnswer, wording: Wording): string | null {
  return wording.omitFinish === true ? null : (stopWords[answer.finish] ?? answer.finish);
}

/** Anthropic counts apart: `input_tokens` is without what was read from or written to the cache. */
function messagesUsage(usage: SimulatedUsage): object {
  return {
    input_tokens: usage.input,
    cache_creation_input_tokens: usage.cacheWrite,
    cache_read_input_tokens: usage.cacheRead,
    cache_creation: { ephemeral_5m_input_tokens: usage.cacheWrite, ephemeral_1h_input_tokens: 0 },
    output_tokens: usage.output + usage.reasoning,
    output_tokens_details: { thinking_tokens: usage.reasoning },
    service_tier: "standard",
  };
}

function event(value: { readonly type: string } & Readonly<Record<string, unknown>>): Buffer {
  return Buffer.from(`event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`);
}
