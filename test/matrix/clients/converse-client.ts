import { converseFaults, converseStreamFaults } from "../../replay/languages/converse-grammar.ts";
import { readEventFrames, type EventMessage } from "../../replay/languages/event-frames.ts";
import { countOf, objectOf, objectsOf, textOf } from "../../replay/json-view.ts";
import { parsedArguments } from "../../replay/meaning.ts";
import type { Intent, IntentPart, Json } from "../intent.ts";
import { silence, type Ending } from "../meaning.ts";
import type { FailureReading, MatrixClient, Reading } from "./matrix-client.ts";

/** As Amazon's client asks, reads (frames by its own codec) and keeps, with a bearer key. */
export const converseClient: MatrixClient = {
  name: "bedrock-converse",
  title: "Bedrock Converse",
  dialect: "bedrock-converse",
  headers: { authorization: "Bearer any" },
  path: (streamed) => `/model/main/converse${streamed ? "-stream" : ""}`,
  ask,
  goOn(asked, kept, outcomes) {
    const calls = kept.flatMap(({ content }) => objectsOf(content)).flatMap(({ toolUse }) => toolUse ?? []);
    const content = outcomes.map(({ text, failed }, index) => ({
      toolResult: {
        toolUseId: objectOf(calls[index])["toolUseId"],
        content: [{ text }],
        ...(failed === true ? { status: "error" } : {}),
      },
    }));
    return { ...asked, messages: [...objectsOf(asked["messages"]), ...kept, { role: "user", content }] };
  },
  read({ body }, streamed) {
    if (!streamed) return readWhole(objectOf(JSON.parse(body.toString())));
    const events = readEventFrames(body);
    return { ...readWhole(joined(events)), faults: converseStreamFaults(events) };
  },
  outline: (body) =>
    readEventFrames(body).map(({ type, json }) => [type, ...Object.keys(objectOf(json["delta"]))].join(" ")),
  readFailure: ({ body, headers }) =>
    failureOf(headers.get("x-amzn-errortype") ?? "", objectOf(JSON.parse(body.toString()))),
  readBrokenStream(body) {
    const events = readEventFrames(body);
    const last = events.at(-1);
    if (last?.kind !== "exception" || events.some(({ type }) => type === "messageStop")) return undefined;
    return failureOf(last.type, last.json);
  },
  endings: {},
  cannotAsk: {},
};

function ask(intent: Intent): Json {
  const { system, tools, schema, reasoning, stop } = intent;
  return {
    messages: intent.turns.map((turn) =>
      turn.role === "user"
        ? { role: "user", content: turn.parts.flatMap(blocksOf) }
        : { role: "assistant", content: [{ text: turn.text }] },
    ),
    ...(system === undefined ? {} : { system: blocksOf(system) }),
    inferenceConfig: { maxTokens: intent.maxTokens, ...(stop === undefined ? {} : { stopSequences: stop }) },
    ...(tools === undefined ? {} : { toolConfig: { tools: tools.map(toolOf), ...choiceOf(intent) } }),
    ...(schema === undefined
      ? {}
      : {
          outputConfig: {
            textFormat: {
              type: "json_schema",
              structure: { jsonSchema: { name: "person", schema: JSON.stringify(schema) } },
            },
          },
        }),
    ...(reasoning === undefined
      ? {}
      : {
          additionalModelRequestFields: {
            thinking: reasoning === "on" ? { type: "enabled", budget_tokens: 2048 } : { type: "disabled" },
          },
        }),
  };
}

function toolOf({ name, description, schema }: NonNullable<Intent["tools"]>[number]): object {
  return { toolSpec: { name, description, inputSchema: { json: schema } } };
}

function choiceOf({ toolChoice }: Intent): object {
  if (toolChoice === undefined) return {};
  return { toolChoice: toolChoice === "required" ? { any: {} } : { tool: toolChoice } };
}

function blocksOf(part: IntentPart): readonly object[] {
  switch (part.kind) {
    case "text":
      return [{ text: part.text }, ...(part.cached === true ? [{ cachePoint: { type: "default" } }] : [])];
    case "image":
      return [{ image: { format: part.mediaType.slice("image/".length), source: { bytes: part.data } } }];
    case "pdf":
      return [{ document: { format: "pdf", name: part.name.slice(0, -".pdf".length), source: { bytes: part.data } } }];
  }
}

/** A stream's events as the message that would have said the same in one piece. */
function joined(events: readonly EventMessage[]): Json {
  const blocks = new Map<
    unknown,
    { tool?: Json; text?: string; thought?: Record<string, string>; hidden?: unknown; json: string }
  >();
  const end: Record<string, unknown> = {};
  for (const { type, json } of events) {
    if (type === "messageStop" || type === "metadata") Object.assign(end, json);
    const index = json["contentBlockIndex"];
    if (index === undefined) continue;
    const block = blocks.get(index) ?? { json: "" };
    blocks.set(index, block);
    const tool = objectOf(json["start"])["toolUse"];
    if (tool !== undefined) block.tool = objectOf(tool);
    const { text, toolUse, reasoningContent } = objectOf(json["delta"]);
    if (typeof text === "string") block.text = (block.text ?? "") + text;
    block.json += textOf(objectOf(toolUse)["input"]);
    for (const [field, piece] of Object.entries(objectOf(reasoningContent))) {
      if (field === "redactedContent") block.hidden = piece;
      else block.thought = { ...block.thought, [field]: (block.thought?.[field] ?? "") + textOf(piece) };
    }
  }
  const content = Array.from(blocks.values(), ({ tool, text, thought, hidden, json }) => {
    if (tool !== undefined) return { toolUse: { ...tool, input: parsedArguments(json) } };
    if (hidden !== undefined) return { reasoningContent: { redactedContent: hidden } };
    return thought === undefined ? { text: text ?? "" } : { reasoningContent: { reasoningText: thought } };
  });
  return { ...end, output: { message: { role: "assistant", content } } };
}

const endings: Readonly<Record<string, Ending>> = {
  end_turn: "stop",
  stop_sequence: "stop-sequence",
  max_tokens: "length",
  tool_use: "tools",
  content_filtered: "policy",
  guardrail_intervened: "policy",
};

function readWhole(answer: Json): Reading {
  const message = objectOf(objectOf(answer["output"])["message"]);
  const blocks = objectsOf(message["content"]);
  const usage = objectOf(answer["usage"]);
  const count = (name: string): number => countOf(usage[name]) ?? 0;
  const cacheRead = count("cacheReadInputTokens");
  return {
    faults: converseFaults(answer),
    meaning: {
      ...silence,
      text: blocks.map(({ text }) => textOf(text)).join(""),
      reasoning: blocks
        .map(({ reasoningContent }) => textOf(objectOf(objectOf(reasoningContent)["reasoningText"])["text"]))
        .join(""),
      tools: blocks.flatMap(({ toolUse }) => {
        const { name, input } = objectOf(toolUse);
        return toolUse === undefined ? [] : [{ name: textOf(name), arguments: input }];
      }),
      ending: endings[textOf(answer["stopReason"])] ?? "other",
      usage: {
        prompt: count("inputTokens") + cacheRead + count("cacheWriteInputTokens"),
        cacheRead,
        completion: count("outputTokens"),
      },
    },
    kept: [message],
  };
}

/** `type`: Amazon's name of the exception, from a header of the answer or of the frame. */
function failureOf(type: string, { message, error }: Json): FailureReading {
  const faults: string[] = [];
  if (!/^[A-Za-z]+Exception$/.test(type)) faults.push(`the error's type is ${type}`);
  if (textOf(message) === "") faults.push("no message");
  return {
    faults,
    code: textOf(objectOf(objectOf(error)["metadata"])["code"]) || undefined,
    word: type,
    message: textOf(message),
  };
}
