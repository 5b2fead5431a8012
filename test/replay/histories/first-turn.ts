import type { AnswerFrame } from "#dialects/dialect";
import { upstreamDialects } from "#dialects/registry";
import type { AnswerEvent } from "#domain/answer";
import { plainChatQuirks, type ChatQuirks } from "#domain/quirks";
import { findKind } from "#providers/kinds";
import type { AnyRecording } from "../every-recording.ts";
import { objectOf, objectsOf, textOf, type JsonView } from "../json-view.ts";
import { chunksOf } from "../languages/gemini.ts";
import { languages } from "../languages/index.ts";
import { decoding } from "../open-lane.ts";
import type { Said } from "../said.ts";
import { readSse } from "../sse-messages.ts";
import { keepers } from "./index.ts";
import { readHistory, type History } from "./read-history.ts";

/** A recorded answer that leads on: it calls tools, or brings state of its vendor. */
export interface FirstTurn {
  readonly recording: AnyRecording;
  readonly frames: readonly AnswerFrame[];
  readonly events: readonly AnswerEvent[];
  readonly said: Said;
  /** What the provider must find again in the next request. */
  readonly known: History;
  readonly quirks: ChatQuirks;
  /** Who can read its seals. */
  readonly issuer: string;
}

/** Undefined where the answer cannot be read, and where nothing of it has to come back. */
export async function firstTurn(recording: AnyRecording): Promise<FirstTurn | undefined> {
  const { name, dialect, streamed, bytes } = recording;
  // Vercel's gateway gives thoughts as OpenRouter does.
  const kind = /openrouter|vercel|own chat-reasoning-details/u.test(name) ? "openrouter" : "openai-compatible";
  const quirks = findKind(kind)?.quirks ?? plainChatQuirks;
  const frames: AnswerFrame[] = [];
  const options = { ...decoding, quirks };
  const upstream = upstreamDialects[dialect];
  if (streamed) {
    const decoder = upstream.streamDecoder(options, (frame) => frames.push({ ...frame, raw: Buffer.from(frame.raw) }));
    decoder.push(bytes);
    decoder.end();
  }
  const events = streamed ? frames.flatMap((frame) => frame.events) : upstream.decodeAnswer(bytes, options);
  if (events.at(-1)?.kind !== "end") return undefined;
  const language = languages[dialect];
  const said = streamed ? language.readStream(bytes) : language.readWhole(bytes);
  // Half a call, which an answer cut off by its limit ends with, is none that a client could go on from.
  if (said.tools.some((tool) => "broken" in objectOf(tool.arguments))) return undefined;
  const { calls, thoughts, beginsThinking } = readHistory(dialect, await storedBy(recording));
  const known: History = {
    calls: said.tools.map((tool, at) => ({ ...tool, seal: calls[at]?.seal ?? "" })),
    answered: said.tools.map(({ id, name: tool }) => (id === "" ? tool : id)),
    beginsThinking,
    thoughts,
  };
  if (known.calls.length + known.thoughts.length === 0) return undefined;
  // xAI speaks OpenAI's languages and seals for itself.
  const vendor = name.startsWith("xai ") ? "xai" : language.issuer;
  return { recording, frames, events, said, known, quirks, issuer: upstream.sealReader?.(quirks) ?? vendor };
}

/** The answer as turns of its own language: as its official client stores it, and where that tears it, put together here. */
async function storedBy({ dialect, streamed, bytes }: AnyRecording): Promise<readonly JsonView[]> {
  const text = bytes.toString();
  if (dialect === "openai-chat") return [streamed ? joinedDetails(text) : messageIn(JSON.parse(text), "message")];
  if (dialect === "gemini") {
    const chunks = streamed ? chunksOf(text) : [objectOf(JSON.parse(text))];
    return chunks.flatMap((chunk) => objectsOf(chunk["candidates"])).map(({ content }) => objectOf(content));
  }
  const keeper = keepers.find(([, each]) => each.dialect === dialect)?.[1];
  // Some recorded streams are such that the official client refuses them: its own users get nothing of them either.
  return keeper === undefined ? [] : await keeper.keep(bytes, streamed).catch(() => []);
}

function messageIn(chunk: unknown, field: "message" | "delta"): JsonView {
  return objectOf(objectsOf(objectOf(chunk)["choices"])[0]?.[field]);
}

/** Entries of one index are pieces of one thought. */
function joinedDetails(stream: string): JsonView {
  const entries = new Map<unknown, Record<string, unknown>>();
  for (const { data } of readSse(stream)) {
    if (data?.startsWith("{") !== true) continue;
    for (const piece of objectsOf(messageIn(JSON.parse(data), "delta")["reasoning_details"])) {
      const at = `${textOf(piece["type"])} ${JSON.stringify(piece["index"])}`;
      const entry = entries.get(at) ?? {};
      const text = textOf(entry["text"]) + textOf(piece["text"]);
      entries.set(at, { ...entry, ...piece, ...(piece["text"] === undefined ? {} : { text }) });
    }
  }
  return { reasoning_details: [...entries.values()] };
}
