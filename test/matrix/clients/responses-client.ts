import { countOf, objectOf, objectsOf, textOf } from "../../replay/json-view.ts";
import { parsedArguments } from "../../replay/meaning.ts";
import { readSse } from "../../replay/sse-messages.ts";
import { responsesStreamFaults } from "../grammars/responses-stream.ts";
import { responseFaults } from "../grammars/whole-response.ts";
import type { Intent, IntentPart, Json } from "../intent.ts";
import { silence, type Ending } from "../meaning.ts";
import { markOf } from "./chat-client.ts";
import type { FailureReading, MatrixClient, Reading } from "./matrix-client.ts";

/** As openai-node 7 asks, reads and keeps, and as Codex asks: nothing stored, sealed thoughts carried by the client. */
export const responsesClient: MatrixClient = {
  name: "openai-responses",
  title: "OpenAI Responses",
  dialect: "openai-responses",
  headers: { authorization: "Bearer any" },
  path: () => "/v1/responses",
  ask,
  goOn: (asked, kept, outcomes) => {
    const ids = kept.flatMap(({ type, call_id: id }) => (type === "function_call" ? [id] : []));
    const results = outcomes.map(({ text }, index) => ({
      type: "function_call_output",
      call_id: ids[index],
      output: text,
    }));
    return { ...asked, input: [...objectsOf(asked["input"]), ...kept, ...results] };
  },
  read: ({ body }, streamed) => (streamed ? readStream(body.toString()) : readWhole(JSON.parse(body.toString()))),
  outline: (body) => readSse(body.toString()).map(({ event, data }) => event ?? data ?? ":"),
  readFailure: ({ body }) => failureOf(objectOf(objectOf(JSON.parse(body.toString()))["error"])),
  readBrokenStream,
  endings: { "stop-sequence": "stop" },
  refusesApart: true,
  cannotAsk: { "stop sequence": "Responses has no stop sequences", "failed tool": "Responses has no flag for it" },
};

function ask(intent: Intent, streamed: boolean): Json {
  const { tools, toolChoice, schema, reasoning, system } = intent;
  const input: Json[] = intent.turns.map((turn) =>
    turn.role === "user"
      ? { role: "user", content: contentOf(turn.parts) }
      : { role: "assistant", content: [{ type: "output_text", text: turn.text, annotations: [] }] },
  );
  if (system?.cached === true) input.unshift({ role: "developer", content: contentOf([system]) });
  return {
    model: "main",
    input,
    store: false,
    max_output_tokens: intent.maxTokens,
    ...(system === undefined || system.cached === true ? {} : { instructions: system.text }),
    ...(tools === undefined ? {} : { tools: tools.map(toolOf) }),
    ...(toolChoice === undefined
      ? {}
      : { tool_choice: toolChoice === "required" ? "required" : { type: "function", ...toolChoice } }),
    ...(schema === undefined
      ? {}
      : { text: { format: { type: "json_schema", name: "person", strict: true, schema } } }),
    ...(reasoning === "on"
      ? { reasoning: { effort: "high", summary: "auto" }, include: ["reasoning.encrypted_content"] }
      : {}),
    ...(reasoning === "off" ? { reasoning: { effort: "none" } } : {}),
    ...(streamed ? { stream: true } : {}),
  };
}

function contentOf(parts: readonly IntentPart[]): readonly object[] {
  return parts.map((part) => {
    switch (part.kind) {
      case "text":
        return { type: "input_text", text: part.text, ...markOf(part) };
      case "image":
        return { type: "input_image", image_url: `data:${part.mediaType};base64,${part.data}`, detail: "auto" };
      case "pdf":
        return { type: "input_file", filename: part.name, file_data: `data:application/pdf;base64,${part.data}` };
    }
  });
}

function toolOf({ name, description, schema }: NonNullable<Intent["tools"]>[number]): object {
  return { type: "function", name, description, parameters: schema, strict: false };
}

/** The SDK's accumulator ends with the response of the last event. */
function readStream(text: string): Reading {
  const faults = responsesStreamFaults(text);
  const events = readSse(text).flatMap(({ data }) =>
    data === undefined || data === "[DONE]" ? [] : [objectOf(JSON.parse(data))],
  );
  return { ...readWhole(events.at(-1)?.["response"]), faults };
}

function readWhole(given: unknown): Reading {
  const response = objectOf(given);
  const items = objectsOf(response["output"]);
  const parts = items.flatMap(({ type, content }) => (type === "message" ? objectsOf(content) : []));
  const calls = items.filter(({ type }) => type === "function_call");
  const usage = objectOf(response["usage"]);
  const refusal = parts.map((part) => textOf(part["refusal"])).join("");
  return {
    faults: responseFaults(response, true),
    meaning: {
      ...silence,
      text: parts.map((part) => textOf(part["text"])).join(""),
      refusal,
      reasoning: items
        .flatMap(({ type, summary }) => (type === "reasoning" ? objectsOf(summary) : []))
        .map((part) => textOf(part["text"]))
        .join(""),
      tools: calls.map(({ name, arguments: json }) => ({
        name: textOf(name),
        arguments: parsedArguments(textOf(json)),
      })),
      ending: endingOf(response, calls.length > 0),
      usage: {
        prompt: countOf(usage["input_tokens"]) ?? 0,
        cacheRead: countOf(objectOf(usage["input_tokens_details"])["cached_tokens"]) ?? 0,
        completion: countOf(usage["output_tokens"]) ?? 0,
      },
    },
    kept: items,
  };
}

function endingOf(response: Json, hasCalls: boolean): Ending {
  if (response["status"] === "completed") return hasCalls ? "tools" : "stop";
  const reason = objectOf(response["incomplete_details"])["reason"];
  return reason === "max_output_tokens" ? "length" : reason === "content_filter" ? "policy" : "other";
}

/** An `error` event, then `response.failed`, as Open Responses has it. */
function readBrokenStream(body: Buffer): FailureReading | undefined {
  const events = readSse(body.toString()).flatMap(({ data }) =>
    data?.startsWith("{") ? [objectOf(JSON.parse(data))] : [],
  );
  const over = events.some(({ type }) => type === "response.completed" || type === "response.incomplete");
  if (over || body.toString().includes("[DONE]")) return undefined;
  const last = events.at(-1) ?? {};
  if (last["type"] === "response.failed") {
    const error = objectOf(objectOf(last["response"])["error"]);
    const said = events.find(({ type }) => type === "error") ?? {};
    return { ...failureOf({ type: "error", param: null, ...said, ...error }), code: codeOf(said) ?? codeOf(error) };
  }
  return last["type"] === "error" ? failureOf(last) : undefined;
}

function codeOf(error: Json): string | undefined {
  const metadata = objectOf(error["metadata"] ?? objectOf(error["error"])["metadata"]);
  return textOf(metadata["code"] ?? error["code"]) || undefined;
}

function failureOf(error: Json): FailureReading {
  const faults: string[] = [];
  if (textOf(error["message"]) === "") faults.push("no message");
  if (typeof error["type"] !== "string" || typeof error["code"] !== "string") faults.push("no type or code");
  if (error["param"] !== null && typeof error["param"] !== "string") faults.push("param is neither a string nor null");
  return { faults, code: codeOf(error), word: textOf(error["type"]), message: textOf(error["message"]) };
}
