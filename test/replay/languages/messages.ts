import Anthropic from "@anthropic-ai/sdk";
import { countOf, objectOf, type JsonView } from "../json-view.ts";
import type { Meaning } from "../meaning.ts";
import { messagesStreamFaults } from "../messages-grammar.ts";
import { meaningOfMessagesStream, MessagesReader } from "../messages-meaning.ts";
import { countsOf, saidBy, type Counts, type Ending, type Said } from "../said.ts";
import { readSse } from "../sse-messages.ts";
import { question, respondWith } from "./official-client.ts";
import type { ClientLanguage } from "./replay-language.ts";
import { wholeMessageFaults } from "../../matrix/grammars/whole-message.ts";

/** Anthropic's Messages, as its own service, Bedrock's `invoke` and Vertex's `rawPredict` answer. */
export const messages: ClientLanguage = {
  dialect: "anthropic-messages",
  issuer: "anthropic",
  readStream(bytes) {
    const text = bytes.toString();
    const reports = readSse(text).flatMap(({ data }) => {
      const event = objectOf(JSON.parse(data ?? "null"));
      return [objectOf(objectOf(event["message"])["usage"]), objectOf(event["usage"])];
    });
    return said(meaningOfMessagesStream(text), reports);
  },
  readWhole: (bytes) => readMessage(objectOf(JSON.parse(bytes.toString()))),
  ask: (streamed) => ({
    body: { model: "own-1", max_tokens: 1000, messages: question, ...(streamed ? { stream: true } : {}) },
  }),
  streamFaults: (bytes) => messagesStreamFaults(bytes.toString()),
  wholeFaults: (bytes) => wholeMessageFaults(objectOf(JSON.parse(bytes.toString()))),
  async accumulate(bytes) {
    const stream = client(bytes, true).messages.stream({ model: "m", max_tokens: 1000, messages: question });
    return readMessage(objectOf(await stream.finalMessage()));
  },
  async receive(bytes) {
    return readMessage(
      objectOf(await client(bytes, false).messages.create({ model: "m", max_tokens: 1000, messages: question })),
    );
  },
  completion: /"message_delta"|"message_stop"/u,
  endings: { malformed: "stop" },
  namesStopSequence: true,
  refusesApart: false,
  alwaysCounts: true,
};

function client(bytes: Buffer, streamed: boolean): Anthropic {
  return new Anthropic({
    apiKey: "k",
    baseURL: "http://replay.invalid",
    maxRetries: 0,
    fetch: respondWith(bytes, streamed ? "text/event-stream" : "application/json"),
  });
}

function readMessage(message: JsonView): Said {
  const reader = new MessagesReader();
  reader.whole(message);
  return said(reader.meaning(), [objectOf(message["usage"])]);
}

function said(meaning: Meaning, reports: readonly JsonView[]): Said {
  return saidBy(meaning, { ending: endingOf(meaning), usage: usageOf(meaning, reports) });
}

const words: Readonly<Record<string, Ending>> = {
  end_turn: "stop",
  stop_sequence: "stop-sequence",
  max_tokens: "length",
  model_context_window_exceeded: "context",
  tool_use: "tools",
  refusal: "policy",
  pause_turn: "paused",
};

function endingOf({ finish, tools }: Meaning): Ending {
  return words[finish ?? ""] ?? (tools.length > 0 ? "tools" : "stop");
}

function usageOf({ usage }: Meaning, reports: readonly JsonView[]): Counts | undefined {
  if (usage === undefined) return undefined;
  const reads = reports
    .map((report) => countOf(report["cache_read_input_tokens"]))
    .filter((count) => count !== undefined);
  return countsOf({ ...usage, cacheRead: reads.at(-1) ?? 0 });
}
