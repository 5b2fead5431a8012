import { chatStreamFaults } from "../../replay/chat-grammar.ts";
import { countOf, objectOf, objectsOf, textOf } from "../../replay/json-view.ts";
import { parsedArguments } from "../../replay/meaning.ts";
import { readSse } from "../../replay/sse-messages.ts";
import { wholeChatFaults } from "../grammars/whole-chat.ts";
import type { Intent, IntentPart, IntentText, Json } from "../intent.ts";
import { silence, type Ending, type Meaning } from "../meaning.ts";
import type { FailureReading, MatrixClient, Reading } from "./matrix-client.ts";

/** As openai-node 7 asks, reads and keeps. */
export const chatClient: MatrixClient = {
  name: "openai-chat",
  title: "OpenAI Chat",
  dialect: "openai-chat",
  headers: { authorization: "Bearer any" },
  path: () => "/v1/chat/completions",
  ask,
  goOn: (asked, kept, outcomes) => {
    const ids = kept.flatMap((message) => objectsOf(message["tool_calls"])).map(({ id }) => id);
    const results = outcomes.map(({ text }, index) => ({ role: "tool", tool_call_id: ids[index], content: text }));
    return { ...asked, messages: [...objectsOf(asked["messages"]), ...kept, ...results] };
  },
  read: (reply, streamed) => (streamed ? readStream(reply.body.toString()) : readWhole(reply.body.toString())),
  outline: (body) => readSse(body.toString()).map(({ data }) => (data?.startsWith("{") ? kindOf(data) : (data ?? ":"))),
  readFailure: ({ body }) => failureOf(JSON.parse(body.toString())),
  readBrokenStream(body) {
    const messages = readSse(body.toString()).flatMap(({ data }) => (data === undefined ? [] : [data]));
    const last = messages.at(-1) ?? "";
    if (messages.includes("[DONE]") || !last.startsWith("{")) return undefined;
    const json: unknown = JSON.parse(last);
    return objectOf(json)["error"] === undefined ? undefined : failureOf(json);
  },
  endings: { "stop-sequence": "stop" },
  refusesApart: true,
  cannotAsk: {},
};

function ask(intent: Intent, streamed: boolean): Json {
  const messages: Json[] = intent.turns.map((turn) =>
    turn.role === "user"
      ? { role: "user", content: contentOf(turn.parts) }
      : { role: "assistant", content: turn.text, refusal: null },
  );
  if (intent.system !== undefined) messages.unshift({ role: "system", content: contentOf([intent.system]) });
  const { tools, toolChoice, schema, reasoning, stop } = intent;
  return {
    model: "main",
    messages,
    max_completion_tokens: intent.maxTokens,
    ...(tools === undefined ? {} : { tools: tools.map(toolOf) }),
    ...(toolChoice === undefined
      ? {}
      : { tool_choice: toolChoice === "required" ? "required" : { type: "function", function: toolChoice } }),
    ...(schema === undefined
      ? {}
      : { response_format: { type: "json_schema", json_schema: { name: "person", strict: true, schema } } }),
    ...(reasoning === undefined ? {} : { reasoning_effort: reasoning === "on" ? "high" : "none" }),
    ...(stop === undefined ? {} : { stop }),
    ...(streamed ? { stream: true, stream_options: { include_usage: true } } : {}),
  };
}

function contentOf(parts: readonly IntentPart[]): string | readonly object[] {
  const [only, ...others] = parts;
  if (only?.kind === "text" && only.cached === undefined && others.length === 0) return only.text;
  return parts.map((part) => {
    switch (part.kind) {
      case "text":
        return { type: "text", text: part.text, ...markOf(part) };
      case "image":
        return { type: "image_url", image_url: { url: `data:${part.mediaType};base64,${part.data}` } };
      case "pdf":
        return { type: "file", file: { filename: part.name, file_data: `data:application/pdf;base64,${part.data}` } };
    }
  });
}

export function markOf({ cached }: IntentText): object {
  return cached === undefined ? {} : { prompt_cache_breakpoint: { mode: "explicit" } };
}

function toolOf({ name, description, schema }: NonNullable<Intent["tools"]>[number]): object {
  return { type: "function", function: { name, description, parameters: schema } };
}

const endings: Readonly<Record<string, Ending>> = {
  stop: "stop",
  length: "length",
  tool_calls: "tools",
  content_filter: "policy",
};

function readWhole(text: string): Reading {
  const json = objectOf(JSON.parse(text));
  const choice = objectsOf(json["choices"])[0] ?? {};
  const message = objectOf(choice["message"]);
  return {
    faults: wholeChatFaults(json),
    meaning: {
      ...meaningOf(message, json["usage"]),
      ending: endings[textOf(choice["finish_reason"])] ?? "other",
    },
    kept: [message],
  };
}

/** The SDK's accumulator keeps content, refusal and tool calls; `reasoning_content` is kept by who knows of DeepSeek. */
function readStream(text: string): Reading {
  const calls: { id: string; type: "function"; function: { name: string; arguments: string } }[] = [];
  let [content, refusal, reasoning, finish] = ["", "", "", ""];
  let usage: unknown;
  for (const { data } of readSse(text)) {
    if (data === undefined || data === "[DONE]") continue;
    const chunk = objectOf(JSON.parse(data));
    usage = chunk["usage"] ?? usage;
    const choice = objectsOf(chunk["choices"])[0] ?? {};
    const delta = objectOf(choice["delta"]);
    content += textOf(delta["content"]);
    refusal += textOf(delta["refusal"]);
    reasoning += textOf(delta["reasoning_content"]);
    finish = textOf(choice["finish_reason"]) || finish;
    for (const entry of objectsOf(delta["tool_calls"])) {
      const called = objectOf(entry["function"]);
      const index = countOf(entry["index"]) ?? 0;
      const call = (calls[index] ??= {
        id: textOf(entry["id"]),
        type: "function",
        function: { name: "", arguments: "" },
      });
      call.function.name += textOf(called["name"]);
      call.function.arguments += textOf(called["arguments"]);
    }
  }
  const message = {
    role: "assistant",
    content: content === "" ? null : content,
    refusal: refusal === "" ? null : refusal,
    ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
  return {
    faults: chatStreamFaults(text, { usageAsked: true }),
    meaning: { ...meaningOf(message, usage), ending: endings[finish] ?? "other" },
    kept: [message],
  };
}

/** The fields of the delta that say something. */
function kindOf(data: string): string {
  const chunk = objectOf(JSON.parse(data));
  if (chunk["error"] !== undefined) return "error";
  const choice = objectsOf(chunk["choices"])[0];
  if (choice === undefined) return "usage";
  const said = Object.entries(objectOf(choice["delta"])).filter(([, value]) => value !== null && value !== "");
  if (choice["finish_reason"] !== null) said.push(["finish_reason", ""]);
  if (typeof chunk["usage"] === "object" && chunk["usage"] !== null) said.push(["usage", ""]);
  return said.map(([name]) => name).join("+") || "nothing";
}

function meaningOf(message: Json, given: unknown): Meaning {
  const usage = objectOf(given);
  const prompt = countOf(usage["prompt_tokens"]);
  return {
    ...silence,
    text: textOf(message["content"]),
    refusal: textOf(message["refusal"]),
    reasoning: textOf(message["reasoning_content"]),
    tools: objectsOf(message["tool_calls"]).map((call) => {
      const called = objectOf(call["function"]);
      return { name: textOf(called["name"]), arguments: parsedArguments(textOf(called["arguments"])) };
    }),
    usage:
      prompt === undefined
        ? undefined
        : {
            prompt,
            cacheRead: countOf(objectOf(usage["prompt_tokens_details"])["cached_tokens"]) ?? 0,
            completion: countOf(usage["completion_tokens"]) ?? 0,
          },
  };
}

function failureOf(json: unknown): FailureReading {
  const error = objectOf(objectOf(json)["error"]);
  const { message, type, code, param } = error;
  const faults: string[] = [];
  if (typeof message !== "string" || message === "") faults.push("no message");
  if (typeof type !== "string" || typeof code !== "string") faults.push("no type or code");
  if (param !== null && typeof param !== "string") faults.push("param is neither a string nor null");
  return {
    faults,
    code: textOf(objectOf(error["metadata"])["code"]) || undefined,
    word: textOf(type),
    message: textOf(message),
  };
}
