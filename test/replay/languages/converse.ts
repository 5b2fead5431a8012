import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  type ConverseStreamOutput,
} from "@aws-sdk/client-bedrock-runtime";
import { Readable } from "node:stream";
import { countOf, objectOf, objectsOf, textOf, type JsonView } from "../json-view.ts";
import { parsedArguments } from "../meaning.ts";
import { countsOf, firstCount, type Counts, type Ending, type Said } from "../said.ts";
import { converseFaults, converseStreamFaults } from "./converse-grammar.ts";
import { readEventFrames } from "./event-frames.ts";
import type { ClientLanguage } from "./replay-language.ts";

/** Bedrock's Converse; its streams are binary frames. */
export const converse: ClientLanguage = {
  dialect: "bedrock-converse",
  issuer: "anthropic",
  readStream: (bytes) => readWhole(joined(readEventFrames(bytes).map(({ type, json }) => [type, json] as const))),
  readWhole: (bytes) => readWhole(objectOf(JSON.parse(bytes.toString()))),
  ask: (streamed) => ({
    body: {
      messages: [{ role: "user", content: [{ text: "hi" }] }],
      additionalModelResponseFieldPaths: ["/stop_sequence", "/delta/stop_sequence"],
    },
    address: { model: "own-1", streamed },
  }),
  streamFaults: (bytes) => converseStreamFaults(readEventFrames(bytes)),
  wholeFaults: (bytes) => converseFaults(objectOf(JSON.parse(bytes.toString()))),
  async accumulate(bytes) {
    const { stream } = await client(bytes, "application/vnd.amazon.eventstream").send(
      new ConverseStreamCommand(question),
    );
    const events: (readonly [string, JsonView])[] = [];
    for await (const event of (stream ?? []) as AsyncIterable<ConverseStreamOutput>) {
      for (const [type, json] of Object.entries(objectOf(event))) events.push([type, objectOf(json)]);
    }
    return readWhole(joined(events));
  },
  async receive(bytes) {
    return readWhole(objectOf(await client(bytes, "application/json").send(new ConverseCommand(question))));
  },
  completion: /messageStop|metadata/u,
  endings: { paused: "stop" },
  namesStopSequence: true,
  refusesApart: false,
  alwaysCounts: true,
};

const question = { modelId: "own-1", messages: [{ role: "user" as const, content: [{ text: "hi" }] }] };

function client(bytes: Buffer, type: string): BedrockRuntimeClient {
  return new BedrockRuntimeClient({
    region: "eu-central-1",
    token: { token: "k" },
    authSchemePreference: ["httpBearerAuth"],
    maxAttempts: 1,
    requestHandler: {
      handle: () =>
        Promise.resolve({
          response: { statusCode: 200, reason: "OK", headers: { "content-type": type }, body: Readable.from([bytes]) },
        }),
    } as never,
  });
}

/** A stream's events as the answer that would have said the same in one piece. */
function joined(events: readonly (readonly [string, JsonView])[]): JsonView {
  const blocks = new Map<unknown, { tool?: JsonView; text: string; thought: string; json: string }>();
  const end = {};
  for (const [type, json] of events) {
    if (type === "messageStop" || type === "metadata") Object.assign(end, json);
    const index = json["contentBlockIndex"];
    if (index === undefined) continue;
    const block = blocks.get(index) ?? { text: "", thought: "", json: "" };
    blocks.set(index, block);
    const tool = objectOf(json["start"])["toolUse"];
    if (tool !== undefined) block.tool = objectOf(tool);
    const delta = objectOf(json["delta"]);
    block.text += textOf(delta["text"]);
    block.thought += textOf(objectOf(delta["reasoningContent"])["text"]);
    block.json += textOf(objectOf(delta["toolUse"])["input"]);
  }
  const content = Array.from(blocks.values(), ({ tool, text, thought, json }) => {
    if (tool !== undefined) return { toolUse: { ...tool, input: parsedArguments(json) } };
    return thought === "" ? { text } : { reasoningContent: { reasoningText: { text: thought } } };
  });
  return { ...end, output: { message: { content } } };
}

const words: Readonly<Record<string, Ending>> = {
  end_turn: "stop",
  stop_sequence: "stop-sequence",
  max_tokens: "length",
  model_context_window_exceeded: "context",
  tool_use: "tools",
  content_filtered: "policy",
  guardrail_intervened: "policy",
  malformed_tool_use: "malformed",
  malformed_model_output: "malformed",
};

function readWhole(answer: JsonView): Said {
  const content = objectsOf(objectOf(objectOf(answer["output"])["message"])["content"]);
  const tools = content.flatMap(({ toolUse }) => {
    if (toolUse === undefined) return [];
    const { toolUseId: id, name, input } = objectOf(toolUse);
    return [{ id: textOf(id), name: textOf(name), arguments: asNumbers(input) }];
  });
  return {
    text: content.map(({ text }) => textOf(text)).join(""),
    refusal: "",
    reasoning: content
      .map(({ reasoningContent }) => textOf(objectOf(objectOf(reasoningContent)["reasoningText"])["text"]))
      .join(""),
    tools,
    ending: words[textOf(answer["stopReason"])] ?? "stop",
    stopSequence: metSequence(answer["additionalModelResponseFields"]),
    usage: usageOf(objectOf(answer["usage"])),
  };
}

/** Of a whole answer at `/stop_sequence`, of a streamed one at `/delta/stop_sequence`; only where it was asked for. */
function metSequence(fields: unknown): string | undefined {
  const sequence = objectOf(fields)["stop_sequence"] ?? objectOf(objectOf(fields)["delta"])["stop_sequence"];
  return typeof sequence === "string" ? sequence : undefined;
}

/** Amazon's client reads integers beyond 2^53 as big ones. */
function asNumbers(input: unknown): unknown {
  const text = JSON.stringify(input, (_name, value: unknown) => (typeof value === "bigint" ? Number(value) : value));
  return JSON.parse(text) as unknown;
}

/** `inputTokens` is without what caches gave and took. */
function usageOf(usage: JsonView): Counts | undefined {
  const input = countOf(usage["inputTokens"]);
  if (input === undefined) return undefined;
  const cacheRead = firstCount(usage["cacheReadInputTokens"], usage["cacheReadInputTokenCount"]);
  const cacheWrite = firstCount(usage["cacheWriteInputTokens"], usage["cacheWriteInputTokenCount"]);
  return countsOf({
    prompt: input + cacheRead + cacheWrite,
    cacheRead,
    completion: countOf(usage["outputTokens"]) ?? 0,
  });
}
