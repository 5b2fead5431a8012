import { GoogleGenAI, type GenerateContentResponse } from "@google/genai";
import { countOf, objectOf, objectsOf, textOf, type JsonView } from "../json-view.ts";
import { countsOf, firstCount, type Counts, type Ending, type Said } from "../said.ts";
import { readSse } from "../sse-messages.ts";
import { chunksFaults, streamFramingFaults } from "./gemini-grammar.ts";
import { joinedCalls } from "./gemini-partial-calls.ts";
import { respondWith } from "./official-client.ts";
import type { ClientLanguage } from "./replay-language.ts";

/** Gemini's `generateContent` family, as the Gemini API and Vertex answer; a stream is a list of whole answers. */
export const gemini: ClientLanguage = {
  dialect: "gemini",
  issuer: "google",
  readStream: (bytes) => readChunks(chunksOf(bytes.toString())),
  readWhole: (bytes) => readChunks([objectOf(JSON.parse(bytes.toString()))]),
  ask: (streamed) => ({ body: asked, address: { model: "own-1", streamed } }),
  streamFaults(bytes) {
    const text = bytes.toString();
    return [...streamFramingFaults(text), ...chunksFaults(chunksOf(text))];
  },
  wholeFaults: (bytes) => chunksFaults([objectOf(JSON.parse(bytes.toString()))]),
  async accumulate(bytes) {
    const chunks: GenerateContentResponse[] = [];
    for await (const chunk of await client(bytes, "text/event-stream").generateContentStream(question))
      chunks.push(chunk);
    return { ...readChunks(chunks.map(objectOf)), text: chunks.map((chunk) => textIn(chunk)).join("") };
  },
  async receive(bytes) {
    const answer = await client(bytes, "application/json").generateContent(question);
    return { ...readChunks([objectOf(answer)]), text: textIn(answer) };
  },
  completion: /"finishReason"/u,
  endings: { "stop-sequence": "stop", context: "length" },
  namesStopSequence: false,
  refusesApart: false,
  alwaysCounts: false,
};

/** The same without `alt=sse`: a JSON array that grows, which the official client does not ask for. */
export const geminiArray: ClientLanguage = {
  ...gemini,
  ask: (streamed) => ({
    body: asked,
    address: { model: "own-1", streamed, ...(streamed ? { framing: "json-array" as const } : {}) },
  }),
  streamFaults(bytes) {
    const text = bytes.toString();
    return [
      ...(text.trimStart().startsWith("[") && text.trimEnd().endsWith("]") ? [] : ["no array"]),
      ...chunksFaults(chunksOf(text)),
    ];
  },
  accumulate: (bytes) => Promise.resolve(readChunks(chunksOf(bytes.toString()))),
};

/** Thoughts are shown to those who ask for them. */
const asked = {
  contents: [{ role: "user", parts: [{ text: "hi" }] }],
  generationConfig: { thinkingConfig: { includeThoughts: true } },
};
const question = { model: "own-1", contents: "hi" };

function client(bytes: Buffer, type: string): GoogleGenAI["models"] {
  return new GoogleGenAI({
    apiKey: "k",
    httpOptions: { baseUrl: "http://replay.invalid", fetch: respondWith(bytes, type) },
  }).models;
}

/** Its own getter complains of answers that are not text alone. */
function textIn(answer: GenerateContentResponse): string {
  const parts = answer.candidates?.[0]?.content?.parts ?? [];
  return parts.map(({ text, thought }) => (thought === true ? "" : (text ?? ""))).join("");
}

export function chunksOf(text: string): readonly JsonView[] {
  if (text.trimStart().startsWith("[")) return objectsOf(JSON.parse(text));
  return readSse(text).flatMap(({ data }) => (data === undefined || data === "" ? [] : [objectOf(JSON.parse(data))]));
}

function readChunks(chunks: readonly JsonView[]): Said {
  const candidates = chunks.flatMap((chunk) => objectsOf(chunk["candidates"])).filter(({ index = 0 }) => index === 0);
  const parts = candidates.flatMap(({ content }) => objectsOf(objectOf(content)["parts"]));
  const calls = joinedCalls(parts);
  const answered = new Set(parts.map(({ functionResponse }) => objectOf(functionResponse)["name"]));
  const textsOf = (thought: boolean): string =>
    parts.map((part) => ((part["thought"] === true) === thought ? textOf(part["text"]) : "")).join("");
  const finish = textOf(candidates.findLast(({ finishReason }) => typeof finishReason === "string")?.["finishReason"]);
  const blocked = chunks.some(({ promptFeedback }) => objectOf(promptFeedback)["blockReason"] !== undefined);
  return {
    text: textsOf(false),
    refusal: "",
    reasoning: textsOf(true),
    tools: calls,
    ending: endingOf(finish, { calls: calls.some(({ name }) => !answered.has(name)), blocked }),
    stopSequence: undefined,
    usage: usageOf(chunks.map(({ usageMetadata }) => objectOf(usageMetadata))),
  };
}

const words: Readonly<Record<string, Ending>> = {
  MAX_TOKENS: "length",
  CONTINUATION: "paused",
  ...Object.fromEntries(
    "SAFETY RECITATION LANGUAGE BLOCKLIST PROHIBITED_CONTENT SPII IMAGE_SAFETY MODEL_ARMOR"
      .split(" ")
      .map((word) => [word, "policy"]),
  ),
  ...Object.fromEntries(
    "MALFORMED_FUNCTION_CALL UNEXPECTED_TOOL_CALL TOO_MANY_TOOL_CALLS MALFORMED_RESPONSE OTHER"
      .split(" ")
      .map((word) => [word, "malformed"]),
  ),
};

function endingOf(finish: string, seen: { readonly calls: boolean; readonly blocked: boolean }): Ending {
  if (finish === "" && seen.blocked) return "policy";
  return words[finish] ?? (seen.calls ? "tools" : "stop");
}

/** Every report is of the whole answer so far, and may leave out what has not changed. */
function usageOf(reports: readonly JsonView[]): Counts | undefined {
  const all: JsonView = Object.assign({}, ...reports) as JsonView;
  if (all["promptTokenCount"] === undefined && all["candidatesTokenCount"] === undefined) return undefined;
  const of = (name: string): number => firstCount(all[name]);
  return countsOf({
    prompt: of("promptTokenCount") + of("toolUsePromptTokenCount"),
    cacheRead: of("cachedContentTokenCount"),
    completion: (countOf(all["candidatesTokenCount"]) ?? 0) + of("thoughtsTokenCount"),
  });
}
