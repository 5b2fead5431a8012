import OpenAI from "openai";
import { countOf, objectOf, objectsOf, textOf, type JsonView } from "../json-view.ts";
import { parsedArguments } from "../meaning.ts";
import { countsOf, firstCount, within, type Counts, type Ending, type Said } from "../said.ts";
import { readSse } from "../sse-messages.ts";
import { respondWith } from "./official-client.ts";
import type { ClientLanguage } from "./replay-language.ts";
import { responsesStreamFaults } from "../../matrix/grammars/responses-stream.ts";
import { responseFaults } from "../../matrix/grammars/whole-response.ts";

/** OpenAI's Responses. A stream's last event repeats the whole answer, and so is all that its reader needs. */
export const responses: ClientLanguage = {
  dialect: "openai-responses",
  issuer: "openai",
  readStream: (bytes) => readStream(bytes.toString()),
  readWhole: (bytes) => readResponse(objectOf(JSON.parse(bytes.toString()))),
  ask: (streamed) => ({ body: { model: "own-1", input: "hi", store: false, ...(streamed ? { stream: true } : {}) } }),
  streamFaults: (bytes) => responsesStreamFaults(bytes.toString()),
  wholeFaults: (bytes) => responseFaults(objectOf(JSON.parse(bytes.toString())), true),
  async accumulate(bytes) {
    return readResponse(
      objectOf(await client(bytes, true).responses.stream({ model: "m", input: "hi" }).finalResponse()),
    );
  },
  async receive(bytes) {
    return readResponse(objectOf(await client(bytes, false).responses.create({ model: "m", input: "hi" })));
  },
  completion: /response\.(?:completed|incomplete)|\[DONE\]/u,
  endings: { "stop-sequence": "stop", context: "length", paused: "stop" },
  namesStopSequence: false,
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

/**
 * The last event's response, or where its output is empty (recorded at gateways) the items as they were done. What was
 * said piece by piece must be the same.
 */
function readStream(text: string): Said {
  const events = readSse(text).flatMap(({ data }) =>
    data?.startsWith("{") === true ? [objectOf(JSON.parse(data))] : [],
  );
  const last = objectOf(events.findLast(({ response }) => response !== undefined)?.["response"]);
  const done = events.flatMap(({ type, item }) => (type === "response.output_item.done" ? [item] : []));
  const output = objectsOf(last["output"]).length > 0 ? last["output"] : done;
  const whole = readResponse({ ...last, output });
  const deltas = (type: string): string =>
    events.map((event) => (event["type"] === type ? textOf(event["delta"]) : "")).join("");
  const spoken = deltas("response.output_text.delta");
  return spoken === "" ? whole : { ...whole, text: spoken };
}

function readResponse(response: JsonView): Said {
  const items = objectsOf(response["output"]);
  const parts = items.flatMap(({ type, content }) => (type === "message" ? objectsOf(content) : []));
  const tools = items
    .filter(({ type }) => type === "function_call")
    .map((item) => ({
      id: textOf(item["call_id"]),
      name: textOf(item["name"]),
      arguments: parsedArguments(textOf(item["arguments"])),
    }));
  return {
    text: parts.map((part) => textOf(part["text"])).join(""),
    refusal: parts.map((part) => textOf(part["refusal"])).join(""),
    reasoning: items.map(thoughtOf).join(""),
    tools,
    ending: endingOf(response, tools.length > 0),
    stopSequence: undefined,
    usage: usageOf(objectOf(response["usage"])),
  };
}

/** Sections of a summary are paragraphs; open models show their thought itself as content. */
function thoughtOf({ type, summary, content }: JsonView): string {
  if (type !== "reasoning") return "";
  return [...objectsOf(summary), ...objectsOf(content)].map((part) => textOf(part["text"])).join("\n\n");
}

function endingOf(response: JsonView, hasCalls: boolean): Ending {
  if (response["status"] === "failed") return "malformed";
  if (response["status"] !== "incomplete") return hasCalls ? "tools" : "stop";
  return within(response, "incomplete_details")["reason"] === "content_filter" ? "policy" : "length";
}

function usageOf(usage: JsonView): Counts | undefined {
  const prompt = countOf(usage["input_tokens"]);
  if (prompt === undefined) return undefined;
  const cacheRead = firstCount(within(usage, "input_tokens_details")["cached_tokens"]);
  return countsOf({ prompt, cacheRead, completion: countOf(usage["output_tokens"]) ?? 0 });
}
