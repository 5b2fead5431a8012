import { crc32 } from "node:zlib";
import type { Simulator } from "#simulation/server";

type Json = Readonly<Record<string, unknown>>;

/** One way to ask a simulated provider, and to read what it says without any code of the product's. */
export interface VoiceSample {
  readonly title: string;
  readonly path: (streamed: boolean) => string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: (streamed: boolean) => Json;
  readonly streamType: string;
  /** The events of a stream. Throws where one cannot be read. */
  readonly events: (body: Buffer) => readonly Json[];
  /** The text inside one event or whole answer; empty where there is none. */
  readonly text: (value: Json) => string;
  /** Whether an event or answer says that the model is done. */
  readonly finished: (value: Json) => boolean;
  /** What the last event is called, where the protocol has one behind the finish. */
  readonly completion?: (body: Buffer) => boolean;
  /** Whether an event reports an error, or an error stands in its place. */
  readonly failed: (value: Json) => boolean;
  /** Whether what says the finish also completes the stream. */
  readonly finishCompletes?: true;
}

/** The value at a path of keys, as deep as it goes. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (inner as Record<string | number, unknown> | null | undefined)?.[key],
    value,
  );
}

function textAt(value: unknown, ...path: readonly (string | number)[]): string {
  const found = at(value, ...path);
  return typeof found === "string" ? found : "";
}

/** By the rules of server-sent events: lines end in LF, CRLF or CR; comments are passed over. */
function sseEvents(body: Buffer): readonly Json[] {
  const blocks = body.toString("utf8").split(/(?:\r\n|\n|\r){2}/);
  return blocks.flatMap((block) => {
    const data = block
      .split(/\r\n|\n|\r/)
      .filter((line) => line.startsWith("data:"))
      .map((line) => line.slice("data:".length).trimStart())
      .join("\n");
    return data === "" || data === "[DONE]" ? [] : [JSON.parse(data) as Json];
  });
}

/** A binary stream's frames, with both checksums checked. */
export function binaryFrames(
  body: Buffer,
): readonly { readonly headers: Readonly<Record<string, string>>; readonly payload: Buffer }[] {
  const frames: { headers: Record<string, string>; payload: Buffer }[] = [];
  for (let start = 0; start < body.length;) {
    if (body.length - start < 16) throw new Error("half a frame");
    const total = body.readUInt32BE(start);
    const headerBytes = body.readUInt32BE(start + 4);
    if (total > body.length - start) throw new Error("half a frame");
    if (body.readUInt32BE(start + 8) !== crc32(body.subarray(start, start + 8))) throw new Error("prelude checksum");
    const end = start + total - 4;
    if (body.readUInt32BE(end) !== crc32(body.subarray(start, end))) throw new Error("frame checksum");
    const headers: Record<string, string> = {};
    for (let place = start + 12; place < start + 12 + headerBytes;) {
      const nameEnd = place + 1 + body.readUInt8(place);
      const valueStart = nameEnd + 3;
      const valueEnd = valueStart + body.readUInt16BE(nameEnd + 1);
      headers[body.toString("utf8", place + 1, nameEnd)] = body.toString("utf8", valueStart, valueEnd);
      place = valueEnd;
    }
    frames.push({ headers, payload: body.subarray(start + 12 + headerBytes, end) });
    start += total;
  }
  return frames;
}

function converseEvents(body: Buffer): readonly Json[] {
  return binaryFrames(body).flatMap(({ headers, payload }) => {
    if (payload.length === 0) return [];
    const type = headers[":event-type"] ?? headers[":exception-type"] ?? "";
    return [{ type, messageType: headers[":message-type"], ...(JSON.parse(payload.toString("utf8")) as Json) }];
  });
}

function chunkEvents(body: Buffer): readonly Json[] {
  return converseEvents(body).map((event) =>
    typeof event["bytes"] === "string"
      ? (JSON.parse(Buffer.from(event["bytes"], "base64").toString("utf8")) as Json)
      : event,
  );
}

const user = { role: "user", content: "hi" };
const anthropicText = (value: Json): string => textAt(value, "delta", "text") + textAt(value, "content", 0, "text");
const anthropicFinish = (value: Json): boolean =>
  typeof (at(value, "delta", "stop_reason") ?? value["stop_reason"]) === "string";
const geminiText = (value: Json): string => textAt(value, "candidates", 0, "content", "parts", 0, "text");
const geminiFinish = (value: Json): boolean => at(value, "candidates", 0, "finishReason") !== undefined;
const geminiBody = (): Json => ({ contents: [{ role: "user", parts: [{ text: "hi" }] }] });
const isError = (value: Json): boolean => value["error"] !== undefined;
const isException = (value: Json): boolean => value["messageType"] === "exception";
const endsWith = (mark: string) => (body: Buffer) => body.toString("utf8").includes(mark);

const chat: Omit<VoiceSample, "title" | "path"> = {
  body: (stream) => ({ model: "m", messages: [user], stream }),
  streamType: "text/event-stream; charset=utf-8",
  events: sseEvents,
  text: (value) => textAt(value, "choices", 0, "delta", "content") + textAt(value, "choices", 0, "message", "content"),
  finished: (value) => typeof at(value, "choices", 0, "finish_reason") === "string",
  completion: endsWith("data: [DONE]\n\n"),
  failed: isError,
};

const responses: Omit<VoiceSample, "title" | "path"> = {
  body: (stream) => ({ model: "m", input: "hi", stream }),
  streamType: "text/event-stream; charset=utf-8",
  events: sseEvents,
  text: (value) =>
    value["type"] === "response.output_text.delta"
      ? textAt(value, "delta")
      : textAt(value, "output", 0, "content", 0, "text"),
  finished: (value) => value["type"] === "response.completed" || value["status"] === "completed",
  finishCompletes: true,
  failed: (value) => value["type"] === "error" || value["error"] instanceof Object,
};

const vertexPath = "/v1/projects/p/locations/global/publishers";

/** Every way in that has its own framing, path or shape. */
export const voiceSamples: readonly VoiceSample[] = [
  {
    title: "OpenAI Chat on Azure",
    path: () => "/openai/deployments/m/chat/completions?api-version=2026-01-01",
    ...chat,
  },
  { title: "OpenAI Chat on Azure's v1", path: () => "/openai/v1/chat/completions", ...chat },
  {
    ...chat,
    title: "OpenAI Completions",
    path: () => "/v1/completions",
    body: (stream) => ({ model: "m", prompt: "hi", stream }),
    text: (value) => textAt(value, "choices", 0, "text"),
  },
  { title: "OpenAI Responses", path: () => "/v1/responses", ...responses },
  { title: "OpenAI Responses on Azure", path: () => "/openai/responses?api-version=2026-01-01", ...responses },
  {
    title: "Gemini",
    path: (streamed) => `/v1beta/models/m:${streamed ? "streamGenerateContent?alt=sse" : "generateContent"}`,
    body: geminiBody,
    streamType: "text/event-stream",
    events: sseEvents,
    text: geminiText,
    finished: geminiFinish,
    failed: isError,
  },
  {
    title: "Gemini's JSON array on Vertex",
    path: (streamed) => `${vertexPath}/google/models/m:${streamed ? "streamGenerateContent" : "generateContent"}`,
    body: geminiBody,
    streamType: "application/json; charset=UTF-8",
    events: (body) => JSON.parse(body.toString("utf8")) as readonly Json[],
    text: geminiText,
    finished: geminiFinish,
    completion: endsWith("\r\n]"),
    failed: isError,
  },
  {
    title: "Bedrock Converse",
    path: (streamed) => `/model/m%3A0/converse${streamed ? "-stream" : ""}`,
    body: () => ({ messages: [{ role: "user", content: [{ text: "hi" }] }] }),
    streamType: "application/vnd.amazon.eventstream",
    events: converseEvents,
    text: (value) => textAt(value, "delta", "text") + textAt(value, "output", "message", "content", 0, "text"),
    finished: (value) => value["stopReason"] !== undefined,
    completion: endsWith("metadata"),
    failed: isException,
  },
  {
    title: "Anthropic on Bedrock",
    path: (streamed) => `/model/m/invoke${streamed ? "-with-response-stream" : ""}`,
    body: () => ({ anthropic_version: "bedrock-2023-05-31", max_tokens: 100, messages: [user] }),
    streamType: "application/vnd.amazon.eventstream",
    events: chunkEvents,
    text: anthropicText,
    finished: anthropicFinish,
    completion: (body) => chunkEvents(body).at(-1)?.["type"] === "message_stop",
    failed: isException,
  },
  {
    title: "Anthropic on Vertex",
    path: (streamed) => `${vertexPath}/anthropic/models/m:${streamed ? "streamRawPredict" : "rawPredict"}`,
    body: (stream) => ({ anthropic_version: "vertex-2023-10-16", max_tokens: 100, messages: [user], stream }),
    streamType: "text/event-stream; charset=utf-8",
    events: sseEvents,
    text: anthropicText,
    finished: anthropicFinish,
    completion: endsWith("event: message_stop"),
    failed: isError,
  },
  {
    title: "Anthropic on Azure",
    path: () => "/anthropic/v1/messages",
    headers: { "anthropic-version": "2023-06-01" },
    body: (stream) => ({ model: "m", max_tokens: 100, messages: [user], stream }),
    streamType: "text/event-stream; charset=utf-8",
    events: sseEvents,
    text: anthropicText,
    finished: anthropicFinish,
    completion: endsWith("event: message_stop"),
    failed: isError,
  },
  {
    title: "Cohere Chat",
    path: () => "/v2/chat",
    body: (stream) => ({ model: "m", messages: [user], stream }),
    streamType: "text/event-stream; charset=utf-8",
    events: sseEvents,
    text: (value) =>
      textAt(value, "delta", "message", "content", "text") + textAt(value, "message", "content", 0, "text"),
    finished: (value) =>
      typeof (at(value, "delta", "finish_reason") ?? value["finish_reason"]) === "string" &&
      at(value, "delta", "error") === undefined,
    completion: endsWith("data: [DONE]\n\n"),
    failed: (value) => at(value, "delta", "error") !== undefined,
  },
];

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
  /** What broke the transport before its proper end. */
  readonly broken?: unknown;
}

/** Asks, and reads what comes until it ends or breaks. */
export async function ask(
  simulator: Simulator,
  sample: Pick<VoiceSample, "path" | "body" | "headers">,
  { streamed = true, fields = {} }: { readonly streamed?: boolean; readonly fields?: Json } = {},
): Promise<Reply> {
  const answer = await fetch(simulator.url + sample.path(streamed), {
    method: "POST",
    headers: { "content-type": "application/json", ...sample.headers },
    body: JSON.stringify({ ...sample.body(streamed), ...fields }),
  });
  const parts: Uint8Array[] = [];
  const ended = await (async () => {
    for await (const part of answer.body ?? []) parts.push(part);
    return undefined;
  })().catch((error: unknown) => error);
  const reply = { status: answer.status, headers: answer.headers, body: Buffer.concat(parts) };
  return ended === undefined ? reply : { ...reply, broken: ended };
}
