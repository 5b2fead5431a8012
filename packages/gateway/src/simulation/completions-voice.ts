import { logprobsOfAll, type SimulatedAnswer, type Wording } from "./answer.ts";
import { chatVoice, streamWishes } from "./chat-voice.ts";
import { listContent } from "./chat-judgements.ts";
import { framesOf, type Said, type StreamWords } from "./frame.ts";
import { countOf, modelOf, object, strings } from "./received-request.ts";
import { chatUsage, doneMarker, finishReason } from "./render-chat.ts";
import { sseData, ssePing, sseType } from "./sse-frame.ts";
import type { JsonObject, RequestContent } from "./received-request.ts";
import type { TokenEntry } from "./token-logprobs.ts";
import type { CheckRules, Violation, Voice } from "./voice.ts";
import type { CallAddress } from "#domain/call";

/** Fields of `CreateCompletionRequest` (openai-node 7.57, read 2026-11). */
const known = new Set(
  (
    "best_of echo frequency_penalty logit_bias logprobs max_tokens model n presence_penalty prompt seed stop stream " +
    "stream_options suffix temperature top_p user"
  ).split(" "),
);

/** `/v1/completions`: https://platform.openai.com/docs/api-reference/completions */
export const completionsVoice: Voice = {
  ...chatVoice,
  idPrefixes: { answer: "cmpl-sim", toolCall: "call_sim" },
  read: readCompletion,
  check: ({ json }, rules) => checkCompletion(json, rules),
  renderWhole: (answer, wording) => ({
    ...head(answer),
    choices: [choice([...answer.pieces()].join(""), finishReason(answer, wording), logprobsOfAll(answer))],
    ...(wording.omitUsage === true ? {} : { usage: chatUsage(answer.usage) }),
  }),
  stream: (answer, wording, { request }) => completionStream(answer, wording, streamWishes(request).usage),
};

function readCompletion(json: JsonObject, address: CallAddress): RequestContent {
  const prompts = typeof json["prompt"] === "string" ? [json["prompt"]] : strings(json["prompt"]);
  const stop = typeof json["stop"] === "string" ? [json["stop"]] : strings(json["stop"]);
  return {
    ...listContent(modelOf(json, address), prompts),
    streamed: json["stream"] === true,
    stop,
    ...(typeof json["max_tokens"] === "number" ? { maxOutputTokens: json["max_tokens"] } : {}),
    ...(typeof json["logprobs"] === "number" ? { logprobs: countOf(json["logprobs"]) } : {}),
    usageAsked: object(json["stream_options"])?.["include_usage"] === true,
  };
}

function checkCompletion(json: JsonObject, rules: CheckRules): Violation | undefined {
  const extra = Object.keys(json).find((field) => !known.has(field) && !rules.allowFields.has(field));
  if (extra !== undefined) return { message: `Unrecognized request argument supplied: ${extra}`, param: extra };
  if (json["prompt"] === undefined) return { message: "you must provide a prompt", param: "prompt" };
  return json["stream_options"] !== undefined && json["stream"] !== true
    ? { message: "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param: "stream_options" }
    : undefined;
}

function completionStream(answer: SimulatedAnswer, wording: Wording, usageAsked: boolean): StreamWords {
  const counted = usageAsked && wording.omitUsage !== true;
  const chunk = (choices: readonly object[], usage: object | null = null): object => ({
    ...head(answer),
    choices,
    ...(counted ? { usage } : {}),
  });

  function* chunks(): Generator<Said<object>> {
    let at = 0;
    for (const text of answer.pieces()) {
      const token = answer.logprobOf?.(text, at++);
      yield { kind: "content", event: chunk([choice(text, null, token === undefined ? undefined : [token])]) };
    }
    if (wording.omitFinish !== true) {
      yield { kind: "closing", event: chunk([choice("", finishReason(answer, wording))]) };
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
    content: (text) => sseData(chunk([choice(text, null)])),
    unknownEvent: sseData({ object: "text_completion.surprise", choices: [], surprise: true }),
  };
}

function head(answer: SimulatedAnswer): object {
  return { id: answer.id, object: "text_completion", created: answer.createdAtS, model: answer.model };
}

function choice(text: string, finish: string | null, tokens?: readonly TokenEntry[]): object {
  return { text, index: 0, logprobs: oldLogprobs(tokens), finish_reason: finish };
}

/** As they were before there were chats. */
function oldLogprobs(tokens: readonly TokenEntry[] = []): object | null {
  if (tokens.length === 0) return null;
  let offset = 0;
  return {
    tokens: tokens.map(({ token }) => token),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map((entry) => {
      return Object.fromEntries(entry.top_logprobs.map(({ token, logprob }) => [token, logprob]));
    }),
    text_offset: tokens.map(({ token }) => {
      offset += token.length;
      return offset - token.length;
    }),
  };
}
