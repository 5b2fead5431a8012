import type { Finish } from "#domain/answer";
import type { Usage } from "#domain/usage";
import type { EncodeOptions } from "#dialects/dialect";
import { finishWord } from "./finish-words.ts";
import { logprobsResult } from "./logprobs.ts";
import { usageJson } from "./usage-fields.ts";
import { partJson, type WrittenPart } from "./write-parts.ts";

/** What every chunk of an answer repeats. */
export interface ResponseHead {
  readonly responseId: string;
  readonly modelVersion: string;
}

export function responseHead(
  start: { readonly id: string; readonly model: string } | undefined,
  options: EncodeOptions,
): ResponseHead {
  return {
    responseId: start === undefined || start.id === "" ? options.fallbackId : start.id,
    modelVersion: start === undefined || start.model === "" ? options.model : start.model,
  };
}

/** What only the last chunk says. */
export interface ResponseEnding {
  readonly finish: Finish | undefined;
  readonly refused: boolean;
  /** The answer has content in some chunk. */
  readonly spoke: boolean;
  readonly usage: Usage | undefined;
  readonly facts?: object;
}

const silentPart: WrittenPart = { block: -1, kind: "text", text: "" };

/**
 * A `GenerateContentResponse`: the whole answer, or one chunk of it. A chunk always has a part, as Google's last one has
 * an empty text: the official SDK's chats forget an answer that has a chunk without (`isValidContent`, 3.3).
 */
export function responseJson(head: ResponseHead, parts: readonly WrittenPart[], ending?: ResponseEnding): string {
  const members = ending !== undefined && isBlocked(parts, ending) ? [blocked(ending)] : [candidate(parts, ending)];
  const usage = usageJson(ending?.usage);
  if (usage !== undefined) members.push(`"usageMetadata":${JSON.stringify(usage)}`);
  members.push(JSON.stringify({ modelVersion: head.modelVersion, responseId: head.responseId }).slice(1, -1));
  if (ending?.facts !== undefined) members.push(`"hedgerow":${JSON.stringify(ending.facts)}`);
  return `{${members.join(",")}}`;
}

function candidate(parts: readonly WrittenPart[], ending: ResponseEnding | undefined): string {
  const given = parts.length === 0 ? [silentPart] : parts;
  const logprobs = parts.flatMap((part) => part.logprobs ?? []);
  const word = ending === undefined ? undefined : finishWord(ending.finish, ending.refused);
  return [
    `"candidates":[{"content":{"parts":[${given.map(partJson).join(",")}],"role":"model"}`,
    ...(word === undefined ? [] : [`"finishReason":${JSON.stringify(word)}`]),
    `"index":0`,
    ...(logprobs.length === 0 ? [] : [`"logprobsResult":${JSON.stringify(logprobsResult(logprobs))}`]),
  ]
    .join(",")
    .concat("}]");
}

/** Stopped by policy before a word was said: at Google the prompt was blocked then, and there is no candidate. */
function isBlocked(parts: readonly WrittenPart[], { finish, spoke }: ResponseEnding): boolean {
  return finish?.reason === "policy" && !spoke && parts.length === 0;
}

/** `BlockedReason` of the official SDK (3.3). */
const blockReasons: ReadonlySet<string> = new Set([
  "SAFETY",
  "OTHER",
  "BLOCKLIST",
  "PROHIBITED_CONTENT",
  "IMAGE_SAFETY",
  "MODEL_ARMOR",
  "JAILBREAK",
]);

function blocked({ finish }: ResponseEnding): string {
  const raw = finish?.raw ?? "";
  return `"promptFeedback":${JSON.stringify({ blockReason: blockReasons.has(raw) ? raw : "PROHIBITED_CONTENT" })}`;
}
