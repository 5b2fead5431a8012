import OpenAI from "openai";
import { chatStreamFaults } from "../chat-grammar.ts";
import { ChatReader, meaningOfChatStream } from "../chat-meaning.ts";
import { objectOf, type JsonView } from "../json-view.ts";
import type { Meaning } from "../meaning.ts";
import { countsOf, firstCount, saidBy, within, type Counts, type Ending, type Said } from "../said.ts";
import { readSse } from "../sse-messages.ts";
import { question, respondWith } from "./official-client.ts";
import type { ClientLanguage } from "./replay-language.ts";
import { wholeChatFaults } from "../../matrix/grammars/whole-chat.ts";

/** OpenAI's chat completions, with the habits of compatible servers. */
export const chat: ClientLanguage = {
  dialect: "openai-chat",
  issuer: "acme",
  readStream(bytes) {
    const text = bytes.toString();
    const chunks = readSse(text).flatMap(({ data }) =>
      data?.startsWith("{") === true ? [objectOf(JSON.parse(data))] : [],
    );
    return said(meaningOfChatStream(text), chunks);
  },
  readWhole: (bytes) => readCompletion(objectOf(JSON.parse(bytes.toString()))),
  ask: (streamed) => ({
    body: {
      model: "own-1",
      messages: question,
      ...(streamed ? { stream: true, stream_options: { include_usage: true } } : {}),
    },
  }),
  streamFaults: (bytes) => chatStreamFaults(bytes.toString(), { usageAsked: true }),
  wholeFaults: (bytes) => wholeChatFaults(objectOf(JSON.parse(bytes.toString()))),
  async accumulate(bytes) {
    const { tools, ...kept } = readCompletion(
      objectOf(
        await client(bytes, true).chat.completions.stream({ model: "m", messages: question }).finalChatCompletion(),
      ),
    );
    return { ...withoutReasoning(kept), tools };
  },
  async receive(bytes) {
    return readCompletion(
      objectOf(await client(bytes, false).chat.completions.create({ model: "m", messages: question })),
    );
  },
  completion: /"finish_reason":"|\[DONE\]/u,
  endings: { "stop-sequence": "stop", context: "length", paused: "stop", malformed: "stop" },
  namesStopSequence: true,
  refusesApart: true,
  alwaysCounts: false,
};

function client(bytes: Buffer, streamed: boolean): OpenAI {
  return new OpenAI({
    apiKey: "k",
    baseURL: "http://replay.invalid/v1",
    maxRetries: 0,
    fetch: respondWith(bytes, streamed ? "text/event-stream" : "application/json"),
  });
}

/** OpenAI's accumulator drops the fields of reasoning, which are others' inventions. */
function withoutReasoning({ text, refusal, ending, usage }: Omit<Said, "tools">): Partial<Said> {
  return { text, refusal, ending, usage };
}

function readCompletion(completion: JsonView): Said {
  const reader = new ChatReader();
  reader.read(completion);
  return said(reader.meaning(), [completion]);
}

function said(meaning: Meaning, answers: readonly JsonView[]): Said {
  return saidBy(meaning, { ending: endingOf(meaning), usage: usageOf(meaning, answers) });
}

const words: Readonly<Record<string, Ending>> = {
  length: "length",
  max_tokens: "length",
  model_length: "context",
  tool_calls: "tools",
  function_call: "tools",
  content_filter: "policy",
};

function endingOf({ finish = "", tools, stopSequence }: Meaning): Ending {
  const word = words[finish];
  if (word !== undefined) return word;
  if (tools.length > 0) return "tools";
  return stopSequence === undefined ? "stop" : "stop-sequence";
}

function usageOf({ usage }: Meaning, answers: readonly JsonView[]): Counts | undefined {
  if (usage === undefined) return undefined;
  const reports = answers
    .map((answer) => objectOf(answer["usage"] ?? objectOf(answer["x_groq"])["usage"]))
    .filter((report) => report["prompt_tokens"] !== undefined);
  const last = reports.at(-1) ?? {};
  const cacheRead = firstCount(within(last, "prompt_tokens_details")["cached_tokens"], last["prompt_cache_hit_tokens"]);
  return countsOf({ ...usage, cacheRead });
}
