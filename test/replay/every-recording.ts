import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { DialectId } from "#domain/call";
import { objectOf, textOf, type JsonView } from "./json-view.ts";
import { eventFrame, readEventFrames } from "./languages/event-frames.ts";
import { parsed, separateAnswers } from "./recordings.ts";

/** One answer of a provider, as bytes of its language. */
export interface AnyRecording {
  readonly name: string;
  readonly dialect: DialectId;
  readonly streamed: boolean;
  readonly bytes: Buffer;
  /** As it came, where its language was wrapped in another framing (Bedrock's `invoke`). */
  readonly wire?: Buffer;
}

/** Of each file of normalised exchanges, the language its answers are in. */
const normalisedFiles: Readonly<Record<string, DialectId>> = {
  "openai-chat": "openai-chat",
  "openai-responses": "openai-responses",
  "anthropic-messages": "anthropic-messages",
  "vertex-rawpredict": "anthropic-messages",
  "bedrock-invoke": "anthropic-messages",
  "bedrock-invoke-stream": "anthropic-messages",
  gemini: "gemini",
};

/** Answers written by hand for this project, the first word of each file's name is its language. */
const ownLanguages: Readonly<Record<string, DialectId>> = {
  chat: "openai-chat",
  messages: "anthropic-messages",
  responses: "openai-responses",
  gemini: "gemini",
  cohere: "cohere-chat",
  converse: "bedrock-converse",
};

export function ownRecordings(): readonly AnyRecording[] {
  return ["streams", "answers"].flatMap((folder) =>
    globSync("*", { cwd: join(import.meta.dirname, folder) })
      .toSorted()
      .flatMap((file) => {
        const dialect = ownLanguages[file.slice(0, file.indexOf("-"))];
        if (dialect === undefined) throw new Error(`${file} names no language`);
        const bytes = readFileSync(join(import.meta.dirname, folder, file));
        // Binary frames are kept as their JSON, one a line.
        const lines = file.endsWith(".frames") ? bytes.toString().trim().split("\n") : undefined;
        const written = lines === undefined ? bytes : Buffer.from(framed(lines, dialect));
        return [{ name: `own ${file}`, dialect, streamed: folder === "streams", bytes: written }];
      }),
  );
}

export function everyRecording(root: string): readonly AnyRecording[] {
  return [
    ...Object.entries(normalisedFiles).flatMap(([file, dialect]) => normalised(root, file, dialect)),
    ...globSync("**/*.{sse,chunks.txt}", { cwd: root })
      .toSorted()
      .flatMap((file) => payloadFile(root, file)),
    ...globSync("vercel__ai/**/*.json", { cwd: root })
      .toSorted()
      .flatMap((file) => wholeFile(root, file)),
    ...globSync("**/*.hex", { cwd: root })
      .toSorted()
      .map((file) => {
        const bytes = readFileSync(join(root, file));
        return { name: file, dialect: "bedrock-converse" as const, streamed: true, bytes };
      }),
  ];
}

/** The lines of a file of normalised exchanges. */
export function exchangesIn(root: string, file: string): readonly JsonView[] {
  const lines = gunzipSync(readFileSync(join(root, "normalised", `${file}.jsonl.gz`)))
    .toString("utf8")
    .trim()
    .split("\n");
  return lines.map((line) => objectOf(JSON.parse(line)));
}

function normalised(root: string, file: string, dialect: DialectId): readonly AnyRecording[] {
  return exchangesIn(root, file).map((one) => {
    const response = objectOf(one["response"]);
    const name = `${textOf(one["id"])} ${textOf(objectOf(one["meta"])["provider"])}`;
    if (typeof response["base64"] === "string") {
      const wire = Buffer.from(response["base64"], "base64");
      return { name, dialect, streamed: true, bytes: unwrapped(wire), wire };
    }
    const bytes = Buffer.from(textOf(response["text"]));
    // Without `alt=sse` Gemini's streams are arrays.
    const streamed = objectOf(one["meta"])["stream"] === true || textOf(response["text"]).startsWith("[");
    return { name, dialect, streamed, bytes };
  });
}

/** Each event of `invoke-with-response-stream` wraps one of Messages; their SSE framing is not sent. */
function unwrapped(wire: Buffer): Buffer {
  const payloads = readEventFrames(wire).map(({ json }) => Buffer.from(textOf(json["bytes"]), "base64").toString());
  return Buffer.from(framed(payloads, "anthropic-messages"));
}

/** A stream with its framing, or its payloads alone, one a line: these get the framing of their language. */
function payloadFile(root: string, file: string): readonly AnyRecording[] {
  const text = readFileSync(join(root, file), "utf8");
  const isFramed = file.endsWith(".sse");
  const payloads = isFramed ? Array.from(text.matchAll(/^data: (.*)$/gmu), ([, data = ""]) => data) : text.split("\n");
  const said = payloads.filter((line) => line.trim() !== "" && line !== "[DONE]");
  const dialect = languageOf(objectOf(parsed(said[0] ?? "")));
  if (dialect === undefined) return [];
  const name = `${file.split("/")[2] ?? ""} ${basename(file)}`;
  // Some files lack the very last line end, without which the last message would not count.
  if (isFramed) return [{ name, dialect, streamed: true, bytes: Buffer.from(`${text.trimEnd()}\n\n`) }];
  return separated(said, dialect).map((answer, index) => ({
    name: index === 0 ? name : `${name} #${index + 1}`,
    dialect,
    streamed: true,
    bytes: Buffer.from(framed(answer, dialect)),
  }));
}

/** Some files hold the answers of several calls, one after another. */
function separated(payloads: readonly string[], dialect: DialectId): readonly (readonly string[])[] {
  if (dialect === "openai-chat" || dialect === "anthropic-messages") return separateAnswers(payloads);
  if (dialect !== "openai-responses") return [payloads];
  const begins = payloads.flatMap((payload, at) => (payload.includes('"type":"response.created"') ? [at] : []));
  return begins.length < 2 ? [payloads] : begins.map((at, index) => payloads.slice(at, begins[index + 1]));
}

function wholeFile(root: string, file: string): readonly AnyRecording[] {
  const bytes = readFileSync(join(root, file));
  const dialect = languageOf(objectOf(parsed(bytes.toString("utf8"))));
  return dialect === undefined ? [] : [{ name: basename(file), dialect, streamed: false, bytes }];
}

function framed(payloads: readonly string[], dialect: DialectId): string | Buffer {
  const typeOf = (payload: string): string => textOf(objectOf(JSON.parse(payload))["type"]);
  const named = (payload: string): string => `event: ${typeOf(payload)}\ndata: ${payload}\n\n`;
  switch (dialect) {
    case "openai-chat":
      return [...payloads, "[DONE]"].map((payload) => `data: ${payload}\n\n`).join("");
    case "cohere-chat":
      return [...payloads.map(named), "data: [DONE]\n\n"].join("");
    case "gemini":
      return payloads.map((payload) => `data: ${payload}\r\n\r\n`).join("");
    case "bedrock-converse":
      return Buffer.concat(
        payloads.map((payload) => {
          const [[type, json] = ["", {}]] = Object.entries(objectOf(JSON.parse(payload)));
          return eventFrame(type, JSON.stringify(json));
        }),
      );
    default:
      return payloads.map(named).join("");
  }
}

/** By what a whole answer, or the first payload of a stream, looks like. */
function languageOf(first: JsonView): DialectId | undefined {
  const { type, object, message } = first;
  if (type === "message_start" || (type === "message" && Array.isArray(first["content"]))) return "anthropic-messages";
  if (object === "response" || textOf(type).startsWith("response.")) return "openai-responses";
  if (object === "chat.completion.chunk" || object === "chat.completion") return "openai-chat";
  // Azure's first chunk, of filter results alone, names no object.
  if (object === "" && Array.isArray(first["choices"])) return "openai-chat";
  if (Array.isArray(first["candidates"])) return "gemini";
  if (type === "message-start" || Array.isArray(objectOf(message)["content"])) return "cohere-chat";
  const isConverse = ["messageStart", "contentBlockStart", "contentBlockDelta"].some((name) => name in first);
  return isConverse || objectOf(first["output"])["message"] !== undefined ? "bedrock-converse" : undefined;
}
