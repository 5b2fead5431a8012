import { countOf, objectOf, objectsOf, textOf } from "../../replay/json-view.ts";
import { messagesStreamFaults } from "../../replay/messages-grammar.ts";
import { parsedArguments } from "../../replay/meaning.ts";
import { readSse } from "../../replay/sse-messages.ts";
import { wholeMessageFaults } from "../grammars/whole-message.ts";
import type { Intent, IntentPart, IntentText, Json } from "../intent.ts";
import { silence, type Ending } from "../meaning.ts";
import type { FailureReading, MatrixClient, Reading } from "./matrix-client.ts";

/** As Anthropic's SDK asks, reads and keeps, with the version that still takes sampling. */
export const messagesClient: MatrixClient = {
  name: "anthropic-messages",
  title: "Anthropic Messages",
  dialect: "anthropic-messages",
  headers: { "x-api-key": "any", "anthropic-version": "2023-06-01" },
  path: () => "/v1/messages",
  ask,
  goOn: (asked, kept, outcomes) => {
    const ids = kept
      .flatMap(({ content }) => objectsOf(content))
      .flatMap(({ type, id }) => (type === "tool_use" ? [id] : []));
    const results = outcomes.map(({ text, failed }, index) => ({
      type: "tool_result",
      tool_use_id: ids[index],
      content: text,
      ...(failed === undefined ? {} : { is_error: true }),
    }));
    return { ...asked, messages: [...objectsOf(asked["messages"]), ...kept, { role: "user", content: results }] };
  },
  read: ({ body }, streamed) => (streamed ? readStream(body.toString()) : readWhole(JSON.parse(body.toString()))),
  outline: (body) => readSse(body.toString()).map(({ event, data }) => event ?? data ?? ":"),
  readFailure: ({ body }) => failureOf(JSON.parse(body.toString())),
  readBrokenStream(body) {
    const messages = readSse(body.toString());
    const last = messages.at(-1);
    if (messages.some(({ event }) => event === "message_stop") || last?.event !== "error") return undefined;
    return failureOf(JSON.parse(last.data ?? "{}"));
  },
  endings: {},
  statuses: { overloaded: 529 },
  namesStopSequence: true,
  cannotAsk: {},
};

function ask(intent: Intent, streamed: boolean): Json {
  const { tools, toolChoice, schema, reasoning, stop } = intent;
  return {
    model: "main",
    max_tokens: intent.maxTokens,
    messages: intent.turns.map((turn) =>
      turn.role === "user"
        ? { role: "user", content: contentOf(turn.parts) }
        : { role: "assistant", content: turn.text },
    ),
    ...(intent.system === undefined ? {} : { system: contentOf([intent.system]) }),
    ...(tools === undefined
      ? {}
      : { tools: tools.map(({ name, description, schema: input_schema }) => ({ name, description, input_schema })) }),
    ...(toolChoice === undefined
      ? {}
      : { tool_choice: toolChoice === "required" ? { type: "any" } : { type: "tool", ...toolChoice } }),
    ...(schema === undefined ? {} : { output_config: { format: { type: "json_schema", schema } } }),
    ...(reasoning === undefined
      ? {}
      : { thinking: reasoning === "on" ? { type: "enabled", budget_tokens: 2048 } : { type: "disabled" } }),
    ...(stop === undefined ? {} : { stop_sequences: stop }),
    ...(streamed ? { stream: true } : {}),
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
        return { type: "image", source: { type: "base64", media_type: part.mediaType, data: part.data } };
      case "pdf":
        return {
          type: "document",
          source: { type: "base64", media_type: "application/pdf", data: part.data },
          title: part.name,
        };
    }
  });
}

function markOf({ cached }: IntentText): object {
  return cached === undefined ? {} : { cache_control: { type: "ephemeral" } };
}

const endings: Readonly<Record<string, Ending>> = {
  end_turn: "stop",
  stop_sequence: "stop-sequence",
  max_tokens: "length",
  tool_use: "tools",
  refusal: "policy",
};

/** The stream's blocks put together as `MessageStream` of the SDK does. */
function readStream(text: string): Reading {
  let message: Record<string, unknown> = {};
  const blocks: Record<string, unknown>[] = [];
  const inputs: string[] = [];
  for (const { data } of readSse(text)) {
    const event = objectOf(JSON.parse(data ?? "{}"));
    const index = countOf(event["index"]) ?? 0;
    const delta = objectOf(event["delta"]);
    const block = (blocks[index] ??= {});
    switch (event["type"]) {
      case "message_start":
        blocks.length = 0;
        message = { ...objectOf(event["message"]) };
        break;
      case "content_block_start":
        blocks[index] = { ...objectOf(event["content_block"]) };
        inputs[index] = "";
        break;
      case "content_block_delta":
        for (const field of ["text", "thinking"]) {
          if (typeof delta[field] === "string") block[field] = textOf(block[field]) + delta[field];
        }
        if (delta["type"] === "signature_delta") block["signature"] = delta["signature"];
        if (delta["type"] === "input_json_delta") inputs[index] += textOf(delta["partial_json"]);
        break;
      case "content_block_stop":
        if (block["type"] === "tool_use" && inputs[index] !== "") block["input"] = parsedArguments(inputs[index] ?? "");
        break;
      case "message_delta":
        message = { ...message, ...delta, usage: { ...objectOf(message["usage"]), ...objectOf(event["usage"]) } };
        break;
      default:
    }
  }
  return { ...readWhole({ ...message, content: blocks }), faults: messagesStreamFaults(text) };
}

function readWhole(given: unknown): Reading {
  const message = objectOf(given);
  const blocks = objectsOf(message["content"]);
  const usage = objectOf(message["usage"]);
  const count = (name: string): number => countOf(usage[name]) ?? 0;
  const textIn = (field: string): string => blocks.map((block) => textOf(block[field])).join("");
  const cacheRead = count("cache_read_input_tokens");
  return {
    faults: wholeMessageFaults(message),
    meaning: {
      ...silence,
      text: textIn("text"),
      reasoning: textIn("thinking"),
      tools: blocks.flatMap(({ type, name, input }) =>
        type === "tool_use" ? [{ name: textOf(name), arguments: input }] : [],
      ),
      ending: endings[textOf(message["stop_reason"])] ?? "other",
      stopSequence: textOf(message["stop_sequence"]) || undefined,
      usage: {
        prompt: count("input_tokens") + cacheRead + count("cache_creation_input_tokens"),
        cacheRead,
        completion: count("output_tokens"),
      },
    },
    kept: [{ role: "assistant", content: message["content"] }],
  };
}

function failureOf(given: unknown): FailureReading {
  const json = objectOf(given);
  const error = objectOf(json["error"]);
  const faults: string[] = [];
  if (json["type"] !== "error") faults.push("type is not error");
  if (textOf(error["type"]) === "" || textOf(error["message"]) === "") faults.push("no error.type or message");
  if (textOf(json["request_id"]) === "") faults.push("no request_id");
  return {
    faults,
    code: textOf(objectOf(error["metadata"])["code"]) || undefined,
    word: textOf(error["type"]),
    message: textOf(error["message"]),
  };
}
