import type { FeatureResult } from "#control/config/capability-file";
import { isObject, type JsonObject } from "#dialects/shape";

/** An answer of the gateway to one question of a probe. */
export interface ProbeReply {
  readonly status: number;
  readonly json: JsonObject;
  /** Of a streamed answer: its chunks in order, and whether it was whole. */
  readonly chunks: readonly JsonObject[];
  readonly whole: boolean;
  /** What the translation lost, in words. */
  readonly warnings: readonly string[];
}

export interface Verdict {
  readonly result: FeatureResult;
  /** What was seen, in a few words. */
  readonly evidence: string;
}

/** One thing a target may be able to do: the question that shows it, and what counts as an answer. */
export interface Feature {
  readonly name: string;
  readonly title: string;
  /** A further question that can only be asked after this one's answer. */
  readonly after?: string;
  readonly path?: string;
  /** The body without its model; undefined where the earlier answer leaves nothing to ask. */
  readonly body: (earlier: JsonObject | undefined) => JsonObject | undefined;
  readonly judge: (reply: ProbeReply) => Verdict;
}

const weather = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather in a city.",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};
const askWeather = { role: "user", content: "Call get_weather for Paris." };

/** One red pixel, the smallest image there is. */
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";

/** An empty page: enough to see whether the kind of file is taken. */
const page = Buffer.from(
  "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" +
    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n",
).toString("base64");

const citySchema = {
  type: "object",
  properties: { city: { type: "string" }, country: { type: "string" } },
  required: ["city", "country"],
  additionalProperties: false,
};

function user(content: unknown): readonly JsonObject[] {
  return [{ role: "user", content }];
}

/** In the order they are tried. Asked in OpenAI's chat language, which every target is translated from. */
export const features: readonly Feature[] = [
  {
    name: "text",
    title: "answers a question",
    body: () => ({ messages: user("Say hello in one word.") }),
    judge: (reply) => judged(textOf(reply) !== "", `"${shortened(textOf(reply))}"`, "the answer is empty"),
  },
  {
    name: "stream",
    title: "streams its answer, with usage",
    body: () => ({ messages: user("Count to five."), stream: true, stream_options: { include_usage: true } }),
    judge: ({ chunks, whole }) => {
      if (!whole) return { result: "fail", evidence: "the stream did not end as a whole answer" };
      const usage = chunks.some((chunk) => isObject(chunk["usage"]));
      const evidence = `${chunks.length} events, ${usage ? "with" : "without"} usage`;
      return { result: usage ? "pass" : "lossy", evidence };
    },
  },
  {
    name: "usage",
    title: "reports the tokens it used",
    body: () => ({ messages: user("Say hello in one word.") }),
    judge: ({ json }) => {
      const usage = isObject(json["usage"]) ? json["usage"] : {};
      const [asked, answered] = [Number(usage["prompt_tokens"]), Number(usage["completion_tokens"])];
      return judged(asked > 0 && answered > 0, `${asked} in, ${answered} out`, "no usage");
    },
  },
  {
    name: "system",
    title: "takes a system message",
    body: () => ({ messages: [{ role: "system", content: "Answer in French." }, ...user("Say hello.")] }),
    judge: (reply) => judged(textOf(reply) !== "", `"${shortened(textOf(reply))}"`, "the answer is empty"),
  },
  {
    name: "turns",
    title: "goes on with a conversation",
    body: () => ({
      messages: [...user("My name is Ada."), { role: "assistant", content: "Hello Ada." }, ...user("What is my name?")],
    }),
    judge: (reply) => judged(textOf(reply) !== "", `"${shortened(textOf(reply))}"`, "the answer is empty"),
  },
  {
    name: "tool",
    title: "calls a tool when it must",
    body: () => ({ messages: [askWeather], tools: [weather], tool_choice: "required" }),
    judge: (reply) => {
      const [call] = callsOf(reply);
      const city = call === undefined ? undefined : argumentsOf(call)?.["city"];
      if (call === undefined) return { result: "fail", evidence: "no tool was called" };
      return { result: typeof city === "string" ? "pass" : "lossy", evidence: `arguments ${shortened(rawOf(call))}` };
    },
  },
  {
    name: "tool-result",
    title: "goes on after a tool's result",
    after: "tool",
    body: (earlier) => {
      const message = messageOf(earlier ?? {});
      const calls = callsIn(message);
      if (calls.length === 0) return undefined;
      const results = calls.map((call) => ({ role: "tool", tool_call_id: call["id"], content: "Sunny, 21 degrees." }));
      return { messages: [askWeather, message, ...results], tools: [weather] };
    },
    judge: (reply) => judged(textOf(reply) !== "", `"${shortened(textOf(reply))}"`, "the answer is empty"),
  },
  {
    name: "json-schema",
    title: "keeps to a JSON schema",
    body: () => ({
      messages: user("Name a capital and its country."),
      response_format: { type: "json_schema", json_schema: { name: "city", strict: true, schema: citySchema } },
    }),
    judge: (reply) => {
      const made = parsed(textOf(reply));
      const fits = typeof made?.["city"] === "string" && typeof made["country"] === "string";
      return judged(fits && Object.keys(made ?? {}).length === 2, shortened(textOf(reply)), shortened(textOf(reply)));
    },
  },
  {
    name: "json-mode",
    title: "answers with some JSON",
    body: () => ({ messages: user("Answer with a JSON object."), response_format: { type: "json_object" } }),
    judge: (reply) => judged(parsed(textOf(reply)) !== undefined, shortened(textOf(reply)), shortened(textOf(reply))),
  },
  {
    name: "image",
    title: "looks at an image",
    body: () => ({
      messages: user([
        { type: "text", text: "Which colour is this?" },
        { type: "image_url", image_url: { url: `data:image/png;base64,${pixel}` } },
      ]),
    }),
    judge: (reply) => judged(textOf(reply) !== "", `"${shortened(textOf(reply))}"`, "the answer is empty"),
  },
  {
    name: "pdf",
    title: "reads a PDF",
    body: () => ({
      messages: user([
        { type: "text", text: "How many pages has this?" },
        { type: "file", file: { filename: "page.pdf", file_data: `data:application/pdf;base64,${page}` } },
      ]),
    }),
    judge: (reply) => judged(textOf(reply) !== "", `"${shortened(textOf(reply))}"`, "the answer is empty"),
  },
  {
    name: "reasoning",
    title: "thinks when asked to",
    body: () => ({ messages: user("Is 91 a prime number?"), reasoning_effort: "low", max_completion_tokens: 4000 }),
    judge: ({ json }) => {
      const details = isObject(json["usage"]) ? json["usage"]["completion_tokens_details"] : undefined;
      const tokens = isObject(details) ? Number(details["reasoning_tokens"] ?? 0) : 0;
      const shown = typeof messageOf(json)["reasoning_content"] === "string";
      const evidence = `${tokens} reasoning tokens, thoughts ${shown ? "shown" : "not shown"}`;
      return { result: tokens > 0 || shown ? "pass" : "lossy", evidence };
    },
  },
  {
    name: "stop",
    title: "stops at a stop sequence",
    body: () => ({ messages: user("Write exactly: one two three four"), stop: ["three"] }),
    judge: (reply) => judged(!textOf(reply).includes("three"), shortened(textOf(reply)), shortened(textOf(reply))),
  },
  {
    name: "limit",
    title: "keeps to a limit of its answer",
    body: () => ({ messages: user("Write a long story."), max_completion_tokens: 16 }),
    judge: ({ json }) => judged(finishOf(json) === "length", "length", `finish_reason ${finishOf(json)}`),
  },
  {
    name: "temperature",
    title: "takes a temperature",
    body: () => ({ messages: user("Say hello in one word."), temperature: 0.5 }),
    judge: (reply) => judged(textOf(reply) !== "", "accepted", "the answer is empty"),
  },
  {
    name: "logprobs",
    title: "gives the probabilities of its tokens",
    body: () => ({ messages: user("Say hello in one word."), logprobs: true, top_logprobs: 2 }),
    judge: ({ json }) => {
      const choice = Array.isArray(json["choices"]) ? (json["choices"][0] as unknown) : undefined;
      const logprobs = isObject(choice) ? choice["logprobs"] : undefined;
      return judged(isObject(logprobs) && Array.isArray(logprobs["content"]), "given", "none in the answer");
    },
  },
  {
    name: "count-tokens",
    title: "counts the tokens of a prompt",
    path: "/v1/messages/count_tokens",
    body: () => ({ messages: user("How many tokens is this?") }),
    judge: ({ json }) =>
      judged(Number(json["input_tokens"]) > 0, `${String(json["input_tokens"])} tokens`, "no number"),
  },
];

function judged(holds: boolean, seen: string, missing: string): Verdict {
  return holds ? { result: "pass", evidence: seen } : { result: "fail", evidence: missing };
}

function messageOf(json: JsonObject): JsonObject {
  const choice = Array.isArray(json["choices"]) ? (json["choices"][0] as unknown) : undefined;
  return isObject(choice) && isObject(choice["message"]) ? choice["message"] : {};
}

function textOf({ json }: ProbeReply): string {
  const { content } = messageOf(json);
  return typeof content === "string" ? content.trim() : "";
}

function finishOf(json: JsonObject): string {
  const choice = Array.isArray(json["choices"]) ? (json["choices"][0] as unknown) : undefined;
  return isObject(choice) ? String(choice["finish_reason"]) : "none";
}

function callsOf({ json }: ProbeReply): readonly JsonObject[] {
  return callsIn(messageOf(json));
}

function callsIn(message: JsonObject): readonly JsonObject[] {
  const calls = message["tool_calls"];
  return Array.isArray(calls) ? calls.filter(isObject) : [];
}

function rawOf(call: JsonObject): string {
  return isObject(call["function"]) ? String(call["function"]["arguments"]) : "";
}

function argumentsOf(call: JsonObject): JsonObject | undefined {
  return parsed(rawOf(call));
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const longest = 60;

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/gu, " ");
  return line.length <= longest ? line : `${line.slice(0, longest - 1)}…`;
}
