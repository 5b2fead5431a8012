import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import type { FirstLanguage } from "../world/first-languages.ts";
import { objectOf, textOf } from "./json-view.ts";

/** One answer of a provider, as bytes of its language. */
export interface Recording {
  readonly name: string;
  readonly dialect: FirstLanguage;
  readonly bytes: Buffer;
}

const streamsFolder = join(import.meta.dirname, "streams");
const answersFolder = join(import.meta.dirname, "answers");
const fixtures = join(process.env["HEDGEROW_SHARED"] ?? resolve(import.meta.dirname, "../../../shared"), "fixtures");

/** Where real recordings are; undefined, with a printed word, where there are none on this machine. */
export function findFixtures(whatIsSkipped: string): string | undefined {
  if (existsSync(join(fixtures, "normalised"))) return fixtures;
  console.info(
    `skipped: ${whatIsSkipped}; no recordings under ${fixtures}, set HEDGEROW_SHARED to a folder that has them`,
  );
  return undefined;
}

/** Streams written by hand for this project, each also with the two other line ends the standard allows. */
export function ownStreams(): readonly Recording[] {
  return globSync("{chat,messages}-*.sse", { cwd: streamsFolder })
    .toSorted()
    .flatMap((file) => {
      const text = readFileSync(join(streamsFolder, file), "utf8");
      const dialect = dialectOfName(file);
      const name = basename(file, ".sse");
      return [
        { name, dialect, bytes: Buffer.from(text) },
        { name: `${name}, CRLF`, dialect, bytes: Buffer.from(text.replaceAll("\n", "\r\n")) },
        { name: `${name}, CR`, dialect, bytes: Buffer.from(text.replaceAll("\n", "\r")) },
      ];
    });
}

/** Whole answers written by hand for this project. */
export function ownAnswers(): readonly Recording[] {
  return globSync("{chat,messages}-*.json", { cwd: answersFolder })
    .toSorted()
    .map((file) => ({
      name: basename(file, ".json"),
      dialect: dialectOfName(file),
      bytes: readFileSync(join(answersFolder, file)),
    }));
}

function dialectOfName(file: string): FirstLanguage {
  return file.startsWith("chat-") ? "openai-chat" : "anthropic-messages";
}

export function recordedStreams(root: string): readonly Recording[] {
  return [
    ...normalised(root).filter(isStream),
    ...globSync("**/*.{sse,chunks.txt}", { cwd: root })
      .toSorted()
      .flatMap((file) => streamFile(root, file)),
  ];
}

/** Answers that came in one piece. */
export function recordedAnswers(root: string): readonly Recording[] {
  const files = globSync("vercel__ai/**/*.json", { cwd: root })
    .toSorted()
    .flatMap((file) => {
      const bytes = readFileSync(join(root, file));
      const dialect = dialectOf(objectOf(parsed(bytes.toString("utf8"))));
      return dialect === undefined ? [] : [{ name: basename(file), dialect, bytes }];
    });
  return [...normalised(root).filter((one) => !isStream(one)), ...files];
}

function isStream({ bytes }: Pick<Recording, "bytes">): boolean {
  return /^\s*(?:data|event|:)/u.test(bytes.toString("latin1", 0, 8));
}

function normalised(root: string): readonly Recording[] {
  return (["openai-chat", "anthropic-messages"] as const).flatMap((dialect) => {
    const lines = gunzipSync(readFileSync(join(root, "normalised", `${dialect}.jsonl.gz`)));
    return lines
      .toString("utf8")
      .trim()
      .split("\n")
      .map((line) => objectOf(JSON.parse(line)))
      .filter((one) => objectOf(one["response"])["status"] === 200)
      .map((one) => {
        const url = textOf(objectOf(one["request"])["url"]);
        const bytes = Buffer.from(textOf(objectOf(one["response"])["text"]));
        return { name: `${textOf(one["id"])} ${URL.parse(url)?.host ?? ""}`, dialect, bytes };
      });
  });
}

/** A stream with its framing, or its payloads alone, one a line: these get the framing of their language. */
function streamFile(root: string, file: string): readonly Recording[] {
  const text = readFileSync(join(root, file), "utf8");
  const isFramed = file.endsWith(".sse");
  const payloads = isFramed ? Array.from(text.matchAll(/^data: (.*)$/gmu), ([, data = ""]) => data) : text.split("\n");
  const dialect = dialectOf(objectOf(parsed(payloads[0] ?? "")));
  if (dialect === undefined) return [];
  const name = `${file.split("/")[2] ?? ""} ${basename(file)}`;
  // Some files lack the very last line end, without which the last message would not count.
  if (isFramed) return [{ name, dialect, bytes: Buffer.from(`${text.trimEnd()}\n\n`) }];
  const answers = separateAnswers(payloads.filter((line) => line.trim() !== "" && line !== "[DONE]"));
  return answers.map((answer, index) => ({
    name: index === 0 ? name : `${name} #${index + 1}`,
    dialect,
    bytes: Buffer.from(framed(answer, dialect)),
  }));
}

/** Some files hold the answers of several calls, one after another. */
export function separateAnswers(payloads: readonly string[]): readonly (readonly string[])[] {
  const answers: string[][] = [];
  let isOver = true;
  let id: unknown;
  for (const payload of payloads) {
    const json = objectOf(JSON.parse(payload));
    const isChatOver = isOver && id !== undefined && json["id"] !== id;
    if (answers.length === 0 || isChatOver || (isOver && json["type"] === "message_start")) {
      answers.push([]);
      isOver = false;
    }
    answers.at(-1)?.push(payload);
    id = json["id"] ?? undefined;
    isOver ||= json["type"] === "message_stop" || /"finish_reason": ?"/u.test(payload);
  }
  return answers;
}

function framed(payloads: readonly string[], dialect: FirstLanguage): string {
  if (dialect === "openai-chat") return [...payloads, "[DONE]"].map((payload) => `data: ${payload}\n\n`).join("");
  const typeOf = (payload: string): string => textOf(objectOf(JSON.parse(payload))["type"]);
  return payloads.map((payload) => `event: ${typeOf(payload)}\ndata: ${payload}\n\n`).join("");
}

function dialectOf(first: Readonly<Record<string, unknown>>): FirstLanguage | undefined {
  const { type, object } = first;
  if (type === "message_start" || (type === "message" && Array.isArray(first["content"]))) return "anthropic-messages";
  const isChat = object === "chat.completion.chunk" || object === "chat.completion";
  // Azure's first chunk, of filter results alone, names no object.
  return isChat || (object === "" && Array.isArray(first["choices"])) ? "openai-chat" : undefined;
}

export function parsed(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}
