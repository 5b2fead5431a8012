import { jsonPieces, logprobsOfAll, type SimulatedAnswer, type SimulatedUsage, type Wording } from "./answer.ts";
import { framesOf, type Said, type StreamWords } from "./frame.ts";
import type { ChatHabits } from "./voice.ts";
import { padding, sseData, ssePing, sseType } from "./sse-frame.ts";
import type { TokenEntry } from "./token-logprobs.ts";

const finishWords: Readonly<Record<string, string>> = {
  "stop-sequence": "stop",
  context: "length",
  tools: "tool_calls",
  policy: "content_filter",
  paused: "stop",
  malformed: "error",
};

/** A whole answer: https://platform.openai.com/docs/api-reference/chat/object */
export function renderChat(answer: SimulatedAnswer, wording: Wording, habits: ChatHabits = {}): object {
  const text = [...answer.pieces()].join("");
  const said = text === "" && (answer.toolCalls.length > 0 || answer.refusal !== undefined) ? null : text;
  const isParts = habits.thinkingParts === true && answer.reasoning !== undefined;
  const parts = isParts ? [thinkingPart(answer.reasoning.text), ...(text === "" ? [] : [{ type: "text", text }])] : [];
  const message = {
    role: "assistant",
    content: isParts ? parts : said,
    refusal: answer.refusal ?? null,
    ...(answer.reasoning === undefined || isParts ? {} : { reasoning_content: answer.reasoning.text }),
    ...(answer.toolCalls.length === 0
      ? {}
      : {
          tool_calls: answer.toolCalls.map((call) => ({
            id: call.id,
            type: "function",
            function: { name: call.name, arguments: call.argumentsJson },
          })),
        }),
  };
  return {
    id: answer.id,
    object: "chat.completion",
    created: answer.createdAtS,
    model: answer.model,
    choices: [
      {
        index: 0,
        message,
        logprobs: chatLogprobs(logprobsOfAll(answer)),
        finish_reason: finishReason(answer, wording),
      },
    ],
    ...(wording.omitUsage === true ? {} : { usage: chatUsage(answer.usage) }),
    service_tier: "default",
  };
}

/** What a client asked of a stream. */
export interface ChatStreamWishes extends ChatHabits {
  readonly usage: boolean;
  /** Filler beside the deltas, on unless a client asks for none. */
  readonly obfuscation: boolean;
}

export const doneMarker = Buffer.from("data: [DONE]\n\n");

/** A streamed answer, in the order recordings of OpenAI show: role, deltas, finish, usage, `[DONE]`. */
export function chatStream(answer: SimulatedAnswer, wording: Wording, wishes: ChatStreamWishes): StreamWords {
  const counted = wishes.usage && wording.usageInFinish !== true && wording.omitUsage !== true;
  const chunk = (choices: readonly object[], usage: object | null = null): object => ({
    id: answer.id,
    object: "chat.completion.chunk",
    created: answer.createdAtS,
    model: answer.model,
    choices,
    ...(counted || usage !== null ? { usage } : {}),
    ...(wishes.obfuscation && choices.length > 0 ? { obfuscation: padding(JSON.stringify(choices)) } : {}),
  });
  const inFinish = wording.usageInFinish === true && wording.omitUsage !== true ? chatUsage(answer.usage) : null;

  function* chunks(): Generator<Said<object>> {
    yield { kind: "lifecycle", event: chunk(choice({ role: "assistant", content: "", refusal: null })) };
    for (const [part, token] of chatDeltas(answer, wishes)) {
      const logprobs = chatLogprobs(token === undefined ? undefined : [token]);
      yield { kind: "content", event: chunk(choice(part, null, logprobs)) };
    }
    if (wording.omitFinish !== true) {
      yield { kind: "closing", event: chunk(choice({}, finishReason(answer, wording)), inFinish) };
    }
    if (counted) yield { kind: "closing", event: chunk([], chatUsage(answer.usage)) };
  }

  return {
    contentType: sseType,
    *frames() {
      yield* framesOf(chunks(), sseData);
      if (wording.omitDone !== true) yield { kind: "done", bytes: doneMarker };
    },
    done: () => doneMarker,
    ping: ssePing,
    error: sseData,
    content: (text) => sseData(chunk(choice({ content: text }))),
    unknownEvent: sseData({ id: answer.id, object: "chat.completion.surprise", choices: [], surprise: true }),
  };
}

/** As recorded from Magistral, 2026. */
function thinkingPart(text: string): object {
  return { type: "thinking", thinking: [{ type: "text", text }] };
}

type Delta = readonly [part: object, token?: TokenEntry];

function* chatDeltas(answer: SimulatedAnswer, { thinkingParts = false }: ChatHabits): Generator<Delta> {
  const thought = answer.reasoning?.text;
  if (thought !== undefined)
    yield [thinkingParts ? { content: [thinkingPart(thought)] } : { reasoning_content: thought }];
  let at = 0;
  for (const content of answer.pieces())
    yield answer.logprobOf === undefined ? [{ content }] : [{ content }, answer.logprobOf(content, at++)];
  if (answer.refusal !== undefined) yield [{ refusal: answer.refusal }];
  for (const [index, call] of answer.toolCalls.entries()) {
    yield [{ tool_calls: [{ index, id: call.id, type: "function", function: { name: call.name, arguments: "" } }] }];
    for (const piece of jsonPieces(call.argumentsJson)) {
      yield [{ tool_calls: [{ index, function: { arguments: piece } }] }];
    }
  }
}

function choice(delta: object, finish: string | null = null, logprobs: object | null = null): readonly object[] {
  return [{ index: 0, delta, logprobs, finish_reason: finish }];
}

function chatLogprobs(content: readonly TokenEntry[] | undefined): object | null {
  return content === undefined || content.length === 0 ? null : { content, refusal: null };
}

export function finishReason(answer: SimulatedAnswer, wording: Wording): string | null {
  return wording.omitFinish === true ? null : (finishWords[answer.finish] ?? answer.finish);
}

/** OpenAI counts inclusively: cached tokens are part of the prompt's, reasoning of the completion's. */
export function chatUsage(usage: SimulatedUsage): object {
  const prompt = usage.input + usage.cacheRead + usage.cacheWrite;
  const completion = usage.output + usage.reasoning;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: usage.cacheRead, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: usage.reasoning, audio_tokens: 0 },
  };
}
