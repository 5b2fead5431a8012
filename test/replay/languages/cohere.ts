import { countOf, objectOf, objectsOf, textOf, type JsonView } from "../json-view.ts";
import { parsedArguments } from "../meaning.ts";
import { countsOf, firstCount, within, type Counts, type Ending, type Said } from "../said.ts";
import { readSse } from "../sse-messages.ts";
import type { ReplayLanguage } from "./replay-language.ts";

/** Cohere's chat, second version. The plan in front of tool calls is a thought. */
export const cohere: ReplayLanguage = {
  dialect: "cohere-chat",
  issuer: "cohere",
  readStream(bytes) {
    const whole: { content: JsonView[]; plan: string; calls: Map<unknown, Call>; end: JsonView } = {
      content: [],
      plan: "",
      calls: new Map(),
      end: {},
    };
    for (const { data } of readSse(bytes.toString())) {
      if (data?.startsWith("{") !== true) continue;
      const event = objectOf(JSON.parse(data));
      const message = within(event, "delta", "message");
      const call = objectOf(message["tool_calls"]);
      if (event["type"] === "content-delta" || event["type"] === "content-start")
        whole.content.push(objectOf(message["content"]));
      if (event["type"] === "tool-plan-delta") whole.plan += textOf(message["tool_plan"]);
      if (event["type"] === "tool-call-start") whole.calls.set(event["index"], callOf(call));
      const open = whole.calls.get(event["index"]);
      if (event["type"] === "tool-call-delta" && open !== undefined)
        open.json += textOf(within(call, "function")["arguments"]);
      if (event["type"] === "message-end") whole.end = objectOf(event["delta"]);
    }
    return said({ content: whole.content, plan: whole.plan, calls: [...whole.calls.values()] }, whole.end);
  },
  readWhole(bytes) {
    const answer = objectOf(JSON.parse(bytes.toString()));
    const message = objectOf(answer["message"]);
    const content = objectsOf(message["content"]);
    return said(
      { content, plan: textOf(message["tool_plan"]), calls: objectsOf(message["tool_calls"]).map(callOf) },
      answer,
    );
  },
};

interface Call {
  readonly id: string;
  readonly name: string;
  json: string;
}

function callOf(call: JsonView): Call {
  const { name, arguments: json } = objectOf(call["function"]);
  return { id: textOf(call["id"]), name: textOf(name), json: textOf(json) };
}

interface Parts {
  readonly content: readonly JsonView[];
  readonly plan: string;
  readonly calls: readonly Call[];
}

const words: Readonly<Record<string, Ending>> = {
  STOP_SEQUENCE: "stop-sequence",
  MAX_TOKENS: "length",
  TOOL_CALL: "tools",
};

function said({ content, plan, calls }: Parts, end: JsonView): Said {
  return {
    text: content.map((part) => textOf(part["text"])).join(""),
    refusal: "",
    reasoning: content.map((part) => textOf(part["thinking"])).join("") + plan,
    tools: calls.map(({ id, name, json }) => ({ id, name, arguments: parsedArguments(json) })),
    ending: words[textOf(end["finish_reason"])] ?? (calls.length > 0 ? "tools" : "stop"),
    stopSequence: undefined,
    usage: usageOf(objectOf(end["usage"])),
  };
}

function usageOf(usage: JsonView): Counts | undefined {
  const tokens = objectOf(usage["tokens"] ?? usage["billed_units"]);
  const prompt = countOf(tokens["input_tokens"]);
  if (prompt === undefined) return undefined;
  const cacheRead = firstCount(usage["cached_tokens"]);
  return countsOf({ prompt, cacheRead, completion: countOf(tokens["output_tokens"]) ?? 0 });
}
